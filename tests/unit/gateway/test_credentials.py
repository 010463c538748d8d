"""Keys and cold signatures: known answers of the venues' documents, and nothing secret in any text."""

import base64
import json
import pickle
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from nexus_fast.gateway import sha256
from nexus_fast.gateway.credentials import ED25519, HMAC, Credentials
from nexus_fast.gateway.signing import logon_request, signed_query, signed_ws_params

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
FUTURES_SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
# The example key of Binance's fix-api.md.
PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u\n"
    "-----END PRIVATE KEY-----\n"
)
WS_ORDER = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01000000",
    "price": "52000.00",
}
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "signing" / "known_answers.json"


def test_rest_query_of_the_documentation():
    query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
    signed = signed_query(parse_qsl(query), Credentials(KEY, SECRET), 1499827319559)
    assert signed == (
        f"{query}&recvWindow=5000&timestamp=1499827319559"
        "&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )
    assert signed_query({}, Credentials(KEY, SECRET), 1578963600000, None).endswith(
        "=d84e6641b1e328e7b418fff030caed655c266299c9355e36ce801ed14631eed4"
    )


def test_futures_query_of_the_documentation():
    query = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC"
    signed = signed_query(parse_qsl(query), Credentials(KEY, FUTURES_SECRET), 1591702613943)
    assert signed.endswith("=3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9")


def test_rest_query_with_a_symbol_that_is_not_ascii():
    items = parse_qsl("symbol=１２３４５６&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1")
    signed = signed_query(items, Credentials(KEY, SECRET), 1499827319559)
    assert signed.endswith("=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3")


def test_websocket_parameters_of_the_documentation():
    params = signed_ws_params(WS_ORDER, Credentials(KEY, SECRET), 1645423376532, 100)
    assert params["signature"] == "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
    other = {"symbol": "１２３４５６", "side": "BUY", "quantity": "1.00000000", "price": "0.10000000"}
    unicode_params = signed_ws_params(WS_ORDER | other, Credentials(KEY, SECRET), 1645423376532, 5000)
    assert unicode_params["signature"] == "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"


def test_ed25519_of_the_documentation():
    fix_logon = b"A\x01EXAMPLE\x01SPOT\x011\x0120240627-11:17:25.223"
    credentials = Credentials("4yNzx3yWC5bS6YTwEkSRaC0nRmSQIIStAUOh1b6kqaBrTLIhjCpI5lJH8q8R8WNO", PEM)
    assert credentials.kind == ED25519
    assert credentials.sign(fix_logon) == (
        "4MHXelVVcpkdwuLbl6n73HQUXUf1dse2PCgT1DYqW9w8AVZ1RACFGM+5UdlGPrQHrgtS3CvsRURC1oj73j8gCA=="
    )
    assert signed_ws_params(WS_ORDER, credentials, 1645423376532, 100)["signature"] == (
        "82wlF5RobwT7JZehRQgOaupNEm5GrAqJj5tqZeCCE6ZxkhlUbWBThOx00q3FVnCKn882P+9p85phztjk4bOMAQ=="
    )


def test_logon():
    message = json.loads(logon_request(Credentials(KEY, PEM), 1649729878532, "id1"))
    assert message == {
        "id": "id1",
        "method": "session.logon",
        "params": {
            "apiKey": KEY,
            "timestamp": 1649729878532,
            "signature": "PdyZthZkWH6iRM43rd8+UBP8CPxkW5TJq6Wxsjy8vl5St2O54RDvgGcqRWskW7xWLdftHLxCKA0PDzjLt26eDg==",
        },
    }
    assert len(json.loads(logon_request(Credentials(KEY, PEM), 1649729878532))["id"]) <= 36
    with pytest.raises(ValueError, match="Ed25519 keys only"):
        logon_request(Credentials(KEY, SECRET), 1649729878532)


def test_base64_signatures_are_percent_encoded_in_a_query():
    query = signed_query({"a": "1"}, Credentials(KEY, PEM), 1649729878532)
    encoded = query.rsplit("&signature=", 1)[1]
    assert not set(encoded) & set("+/=")
    assert len(base64.b64decode(dict(parse_qsl(query))["signature"])) == 64


@pytest.mark.skipif(not SHARED.exists(), reason="the recordings are not there")
def test_recorded_known_answers():
    for answer in json.loads(SHARED.read_text()):
        payload = bytes.fromhex(answer["payload_hex"]) if "payload_hex" in answer else answer["payload"].encode()
        signature = answer["signature"]
        if answer["algorithm"] == "Ed25519":
            ours = Credentials("key", answer["private_key_pkcs8_pem"]).sign(payload)
            if answer["encoding"].startswith("hex"):
                ours = base64.b64decode(ours).hex()
        else:
            ours = sha256.hmac_hex(answer["secret"].encode(), payload)
            assert ours == Credentials("key", answer["secret"]).sign(payload)
            if answer["encoding"] == "base64":
                ours = base64.b64encode(bytes.fromhex(ours)).decode()
        assert ours == signature, answer["id"]


def test_a_key_file_and_a_key_on_one_line(tmp_path):
    path = tmp_path / "ed25519.pem"
    path.write_text(PEM)
    signatures = {Credentials(KEY, secret).sign(b"x") for secret in (PEM, str(path), PEM.replace("\n", "\\n"))}
    assert len(signatures) == 1
    assert Credentials(KEY, SECRET).kind == HMAC


def pem_of(key, password=None):
    from cryptography.hazmat.primitives import serialization as s

    encryption = s.BestAvailableEncryption(password) if password else s.NoEncryption()
    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, encryption).decode()


def bad_keys():
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    yield pem_of(ec.generate_private_key(ec.SECP256R1())), "not an Ed25519 key"
    yield pem_of(ed25519.Ed25519PrivateKey.generate(), b"pass"), "encrypted"
    yield PEM.replace("MC4C", "ABCD"), "cannot be read"
    yield "/nowhere/key.pem", "/nowhere/key.pem"
    yield "", "secret is missing"


def test_keys_that_cannot_be_used_are_refused_without_being_shown():
    for secret, text in bad_keys():
        with pytest.raises(ValueError, match=text) as caught:
            Credentials(KEY, secret)
        for line in secret.splitlines():
            assert line.endswith(".pem") or line not in str(caught.value)


@pytest.mark.parametrize("secret", [SECRET, PEM])
def test_a_secret_is_never_shown(secret):
    credentials = Credentials(KEY, secret)
    for text in (repr(credentials), str(credentials), f"{credentials}"):
        assert secret not in text and KEY not in text
    with pytest.raises(TypeError):
        pickle.dumps(credentials)


def test_only_hmac_keys_have_a_secret_for_templates():
    assert Credentials(KEY, SECRET).hmac_secret == SECRET.encode()
    with pytest.raises(ValueError, match="session.logon"):
        Credentials(KEY, PEM).hmac_secret  # noqa: B018


def test_what_is_signed_is_what_is_sent():
    params = {"symbols": ["A", "B"], "flag": True, "none": None, "limit": 5}
    query = dict(parse_qsl(signed_query(params, Credentials(KEY, SECRET), 1)))
    assert (query["symbols"], query["flag"], query["limit"]) == ('["A","B"]', "true", "5")
    assert "none" not in query
    with pytest.raises(TypeError, match="float"):
        signed_query({"price": 0.1}, Credentials(KEY, SECRET), 1)
