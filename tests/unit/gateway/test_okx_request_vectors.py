"""Our REST requests and our login against what ccxt and python-okx send for the same operation, recorded with a fixed clock.

From a recorded request the operation is read off; our client makes its own request of it; method, path, parameters, headers and
signature must say the same. What differs for a reason is listed. The order messages: test_bybit_okx.py.
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from nexus_fast.gateway.okx import order_templates
from nexus_fast.gateway.okx_rest import OkxKey, OkxRest, request_text

ROOT = Path(__file__).resolve().parents[3]
SHARED, SAMPLES = ROOT.parent / "shared" / "data", ROOT / "tests" / "data"
FILES = ["ccxt_generated/okx_rest_requests.jsonl", "sdk_generated/okx_rest_requests.jsonl"]
WS_FILE = "ccxt_generated/ws_requests.jsonl"
# Operations that the account makes by REST; orders go over the WebSocket.
OURS = {
    "/api/v5/account/balance": (),
    "/api/v5/trade/order": ("instId", "clOrdId"),
    "/api/v5/trade/orders-pending": ("instType", "instId", "limit", "after"),
    "/api/v5/trade/cancel-order": ("instId", "clOrdId"),
    "/api/v5/trade/fills-history": ("instType", "instId", "limit"),
}
# Theirs say it, ours do not: an order goes by the client id, which every order of ours has.
MAY_DIFFER = {"ordId": "ours names the order by its client id"}


def load(name):
    path = SHARED / name if (SHARED / name).exists() else SAMPLES / name
    if not path.exists():
        return []
    vectors = [json.loads(line) for line in path.read_text().splitlines()]
    return [vector for vector in vectors if vector["exchange"] == "okx"]


def key_of(vector):
    return OkxKey(vector["api_key"], vector["secret"], vector["passphrase"])


def request_of(vector):
    """(method, path, parameters that have a value)"""
    expected = vector["expected"]
    url = urlsplit(expected["url"])
    body = json.loads(expected["body"]) if expected["body"] else {}
    parameters = dict(parse_qsl(url.query)) if expected["method"] == "GET" else body
    if isinstance(parameters, dict):
        parameters = {name: value for name, value in parameters.items() if value not in ("", None)}
    return expected["method"], url.path, parameters


@pytest.mark.parametrize("name", FILES)
def test_rest_requests_mean_what_others_send(name):
    covered = set()
    for vector in load(name):
        method, path, theirs = request_of(vector)
        if path not in OURS or (path == "/api/v5/trade/order" and method == "POST"):
            continue
        parameters = {name: value for name, value in theirs.items() if name not in MAY_DIFFER}
        assert set(parameters) <= set(OURS[path]), vector["id"]
        _, target, body = request_text(method, path, parameters)
        url = urlsplit(target)
        assert url.path == path
        ours = dict(parse_qsl(url.query)) if method == "GET" else json.loads(body)
        assert ours == parameters and bool(body) == (method != "GET")
        covered.add(path)
    assert len(covered) >= (2 if SHARED.exists() else 1)


@pytest.mark.parametrize("name", FILES)
def test_signed_as_others_sign(name):
    """The text that they signed, signed with our key, and in the headers that they send."""
    vectors = load(name)
    assert vectors
    for vector in vectors:
        expected = vector["expected"]
        url = urlsplit(expected["url"])
        target = url.path + (f"?{url.query}" if url.query else "")
        headers = key_of(vector).headers(vector["timestamp_ms"], expected["method"], target, expected["body"] or "")
        theirs = {name.upper(): value for name, value in expected["headers"].items() if name.upper().startswith("OK-ACCESS")}
        assert headers == theirs, vector["id"]
        judged = hmac.new(vector["secret"].encode(), vector["signed_payload"].encode(), hashlib.sha256).digest()
        assert headers["OK-ACCESS-SIGN"] == base64.b64encode(judged).decode()


def test_the_login_is_theirs():
    logins = [vector for vector in load(WS_FILE) if vector["expected"]["message"].get("op") == "login"]
    for vector in logins:
        assert json.loads(key_of(vector).login_request(vector["timestamp_ms"])) == vector["expected"]["message"]
    assert logins or not SHARED.exists()


def test_known_answers():
    """protocols.md 2.1; the REST one is of the venue's own documentation."""
    key = OkxKey("k", "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO", "p")
    headers = key.headers(1607418537715, "GET", "/api/v5/account/balance", "")
    assert headers["OK-ACCESS-TIMESTAMP"] == "2020-12-08T09:08:57.715Z"
    assert headers["OK-ACCESS-SIGN"] == "PJ61e1nb2F2Qd7D8SPiaIcx2gjdELc+o0ygzre9z33k="
    login = json.loads(key.login_request(1700000000999))
    (argument,) = login["args"]
    assert (argument["timestamp"], argument["passphrase"], argument["apiKey"]) == ("1700000000", "p", "k")
    assert argument["sign"] == "/QI/rDgTXW6KdqBP2N5NiebhTgZ5rjAYs6YtR4a2qH4="


def test_what_is_signed_is_what_is_sent():
    assert request_text("GET", "/p", {"a": "x y&z", "b": None, "c": 1}) == ("GET", "/p?a=x%20y%26z&c=1", "")
    assert request_text("POST", "/p", {"a": "x", "b": None}) == ("POST", "/p", '{"a":"x"}')
    assert request_text("POST", "/p", [{"a": 1}]) == ("POST", "/p", '[{"a":1}]')
    assert request_text("POST", "/p") == ("POST", "/p", "")


def test_orders_and_amendments_have_a_deadline_and_cancels_have_none():
    """expTime is the request's timestamp: the channel's clock is ahead by the time that a request may take."""
    templates = order_templates(7, trade_mode="cross", spot=False, price_scale=1, size_scale=2)
    values = {"client_id": "abc1", "timestamp_ms": 1747699201123}
    order = json.loads(templates.place_text(0, 1, 0, False, price=500001, quantity=13, **values))
    assert order["expTime"] == "1747699201123" and order["id"] == "abc1"
    assert order["args"] == [
        {"instIdCode": 7, "clOrdId": "abc1", "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "0.13", "px": "50000.1"}
    ]
    amendment = json.loads(templates.modify_text(1, price=500002, quantity=26, **values))
    assert amendment["expTime"] == "1747699201123" and amendment["args"][0]["newSz"] == "0.26"
    assert json.loads(templates.cancel_text(**values)).keys() == {"id", "op", "args"}


class TestKeys:
    def test_nothing_secret_is_shown(self):
        key = OkxKey("abcdefgh", "very-secret", "my-phrase")
        assert "secret" not in repr(key) and "phrase" not in repr(key) and "efgh" not in repr(key)
        with pytest.raises(TypeError, match="not pickled"):
            key.__reduce__()

    @pytest.mark.parametrize(
        "arguments, text",
        [
            (("k", "s", ""), "passphrase is missing"),
            (("k", "s", None), "passphrase is missing"),
            (("", "s", "p"), "api_key is missing"),
            (("k", "", "p"), "secret is missing"),
        ],
    )
    def test_what_is_missing_is_named(self, arguments, text):
        with pytest.raises(ValueError, match=text):
            OkxKey(*arguments)

    def test_an_ed25519_key_is_of_no_use_here(self):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        with pytest.raises(ValueError, match="HMAC"):
            OkxKey("k", pem, "p")


def test_a_separate_client_keeps_world_key_and_clock():
    rest = OkxRest("http://127.0.0.1:1/", OkxKey("k", "s", "p"), demo=True)
    rest.clock_offset_ms = 5
    other = rest.separate()
    assert (other.base_url, other.demo, other.clock_offset_ms) == ("http://127.0.0.1:1", True, 5)
