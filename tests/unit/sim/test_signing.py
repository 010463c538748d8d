"""Signature checks against the venue's published known answers."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from nexus_fast.sim.account import Account
from nexus_fast.sim.binance.signing import hmac_hex, is_valid, load_public_key, rest_payload, websocket_payload
from nexus_fast.sim.server import account_of

SPOT_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SPOT_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
USD_M_SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
ED25519 = base64.b64decode("MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u")

KNOWN = [
    (SPOT_SECRET, f"apiKey={SPOT_KEY}&price=52000.00&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT"
                  "&timeInForce=GTC&timestamp=1645423376532&type=LIMIT",
     "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"),
    (SPOT_SECRET, "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
                  "&timestamp=1499827319559", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
    (SPOT_SECRET, "timestamp=1578963600000", "d84e6641b1e328e7b418fff030caed655c266299c9355e36ce801ed14631eed4"),
    (USD_M_SECRET, "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000"
                   "&timestamp=1591702613943", "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"),
]


@pytest.mark.parametrize("secret, payload, signature", KNOWN)
def test_known_hmac_answers(secret, payload, signature):
    account = Account("k", secret)
    assert hmac_hex(secret, payload) == signature
    assert is_valid(account, payload, signature) and is_valid(account, payload, signature.upper())
    assert not is_valid(account, payload + "0", signature)
    assert not is_valid(account, payload, "0" + signature[1:])
    assert not is_valid(account, payload, "é" + signature)


def test_known_ed25519_answers():
    private = load_der_private_key(ED25519, None)
    account = Account("k", public_key=private.public_key())
    payload = f"apiKey={SPOT_KEY}&timestamp=1649729878532"
    signature = "PdyZthZkWH6iRM43rd8+UBP8CPxkW5TJq6Wxsjy8vl5St2O54RDvgGcqRWskW7xWLdftHLxCKA0PDzjLt26eDg=="
    assert is_valid(account, payload, signature)
    assert is_valid(account, payload, signature.replace("+", "%2B").replace("=", "%3D"))
    assert not is_valid(account, payload + "1", signature)
    assert not is_valid(account, payload, "nonsense") and not is_valid(account, payload, "")


def test_websocket_payload_is_sorted_and_without_the_signature():
    assert websocket_payload({"timestamp": "2", "apiKey": "k", "signature": "s", "Zeta": "1"}) == \
        "Zeta=1&apiKey=k&timestamp=2"


def test_rest_payload_is_query_and_body_as_sent():
    assert rest_payload("symbol=LTCBTC&side=BUY", "price=0.1&signature=abc") == "symbol=LTCBTC&side=BUYprice=0.1"
    assert rest_payload("a=1&signature=x&b=%20", "") == "a=1&b=%20"


def test_accounts_from_the_command_line(tmp_path):
    private = Ed25519PrivateKey.generate()
    file = tmp_path / "key.pem"
    file.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    account = account_of(f"mykey:@{file}:pass")
    assert account.key == "mykey" and account.passphrase == "pass"
    assert is_valid(account, "x", base64.b64encode(private.sign(b"x")).decode())
    assert account_of("k:s").secret == "s" and account_of("k:s:p").passphrase == "p"
    for bad in ("k", "k:", ":s"):
        with pytest.raises(ValueError, match="KEY:SECRET"):
            account_of(bad)
    with pytest.raises(ValueError):
        load_public_key(b"-----BEGIN NOTHING-----")
