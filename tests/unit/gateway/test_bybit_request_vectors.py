"""Our REST requests to Bybit against what ccxt and pybit send for the same question, and everybody's signatures by one rule.

Orders, cancels and amendments are compared in test_bybit_okx.py. What may differ is listed.
"""

import asyncio
import json
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
from bybit_recordings import COMPLETE, lines

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import VenueError
from nexus_fast.exchange.bybit.account import BybitAccount
from nexus_fast.exchange.bybit.requests import BybitRequests
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.gateway.bybit import auth_arguments, sign_rest
from nexus_fast.gateway.bybit_rest import BybitRest
from nexus_fast.gateway.credentials import Credentials

FILES = ("ccxt_generated/bybit_rest_requests.jsonl", "sdk_generated/bybit_rest_requests.jsonl")
VECTORS = [vector for name in FILES for vector in lines(name)]
ID = "byClientId1"
EMPTY = {"list": [], "nextPageCursor": ""}
MAY_DIFFER = {
    "limit": "how many rows come at once is each one's own choice; ours take the largest page",
    "openOnly": "0 is the venue's default, which ours says",
    "orderFilter": "Order is the venue's default for spot",
    "execType": "Trade leaves out what is no order's fill; ccxt asks so too",
    "clientOrderId": "ccxt leaks its own argument into the request",
}


class Recorded(BybitRest):
    """Sends nothing; `sent` has what would have gone out. `answers`: (status, body) in turn, then an empty list for ever."""

    def __init__(self, credentials=None, answers=()):
        super().__init__("https://api.bybit.com", credentials)
        self.sent = []
        self.answers = list(answers)

    async def exchange(self, method, url, path, headers, body=None):
        self.sent.append((method, urlsplit(url), headers, body))
        if self.answers:
            return (*self.answers.pop(0), 0)
        return 200, json.dumps({"retCode": 0, "retMsg": "OK", "result": EMPTY, "time": 1}).encode(), 0


def instrument(category, symbol):
    return Instrument(
        symbol=f"{symbol}{'' if category == 'spot' else '-PERP'}.BYBIT", venue_symbol=symbol, exchange=ExchangeType.BYBIT,
        type=InstrumentType(category), base="BTC", quote="USDT", settle="USDT", price_scale=1, size_scale=3,
        tick_size=Decimal("0.1"), lot_size=Decimal("0.001"), market_lot_size=Decimal("0.001"),
    )  # fmt: skip


def parameters(vector):
    url, body = urlsplit(vector["expected"]["url"]), vector["expected"]["body"]
    return url.path, json.loads(body) if body else dict(parse_qsl(url.query, strict_parsing=True))


async def ours(path, theirs, rest):
    """Ask what they ask, by the part of the engine that asks it."""
    core = SimpleNamespace(instruments=[instrument("linear", "BTCUSDT"), instrument("inverse", "BTCUSD")])
    host = SimpleNamespace(core=core, deferred=None, poller=None, ssl_context=None, budgets=None,
                           on_balance=lambda *_: 0, on_positions=lambda *_: 0)
    account = BybitAccount(host, None, 0, None, {"rest": "", "trade": "", "private": ""})
    account._rest = account._questions.rest = rest
    if path == "/v5/account/wallet-balance":
        await account._snapshot()
        return 0
    asked = instrument(theirs["category"], theirs["symbol"])
    questions = BybitRequests(rest, "unified", InstrumentTable([asked]))
    if path == "/v5/order/realtime":
        await (questions.order(asked, ID) if "orderId" in theirs else questions.open_orders(asked))
    elif path == "/v5/execution/list":
        await questions.recent_trades(asked)
    elif path == "/v5/order/cancel":
        await account.cancel_foreign(asked, ID)
    else:
        return None
    return 0


def covered():
    """(vector, path, their parameters, our request) for every question that we have, too."""
    for vector in VECTORS:
        path, theirs = parameters(vector)
        rest = Recorded(Credentials("key", "secret"))
        asked = vector["expected"]["method"] == "GET" or path.endswith("/cancel")
        index = asyncio.run(ours(path, theirs, rest)) if asked else None
        if index is not None:
            yield vector, path, theirs, rest.sent[index]


def test_our_questions_mean_what_others_ask():
    paths = set()
    for vector, path, theirs, (method, url, headers, body) in covered():
        assert (method, url.netloc, url.path) == (vector["expected"]["method"], "api.bybit.com", path)
        mine = json.loads(body) if body else dict(parse_qsl(url.query, strict_parsing=True))
        # Others name the order by the venue's id, or leave that to ccxt's argument; ours by its client id.
        if "orderId" in theirs or path == "/v5/order/cancel":
            theirs = {**{name: value for name, value in theirs.items() if name != "orderId"}, "orderLinkId": ID}
        keep = lambda given: {name: value for name, value in given.items() if name not in MAY_DIFFER}  # noqa: E731
        assert keep(mine) == keep(theirs), vector["id"]
        assert {"X-BAPI-API-KEY", "X-BAPI-TIMESTAMP", "X-BAPI-RECV-WINDOW", "X-BAPI-SIGN"} <= headers.keys()
        paths.add(path)
    wanted = {"/v5/order/realtime", "/v5/execution/list", "/v5/order/cancel", "/v5/account/wallet-balance"}
    assert paths == wanted or not COMPLETE and paths


def test_everybodys_signatures_come_from_our_rule():
    """Of every recorded request, whatever it asks."""
    for vector in VECTORS:
        recorded = {name.upper(): value for name, value in vector["expected"]["headers"].items()}
        window = recorded["X-BAPI-RECV-WINDOW"]
        head = f"{vector['timestamp_ms']}{vector['api_key']}{window}"
        assert vector["signed_payload"].startswith(head)
        credentials = Credentials(vector["api_key"], vector["secret"])
        made = sign_rest(credentials, vector["timestamp_ms"], int(window), vector["signed_payload"][len(head):])
        assert made["X-BAPI-SIGN"] == vector["signature"] == recorded["X-BAPI-SIGN"], vector["id"]
        assert all(recorded[name] == value for name, value in made.items())
    assert len(VECTORS) >= (50 if COMPLETE else 1)


@pytest.mark.parametrize(("payload", "signature"), [
    ("category=linear&symbol=BTCUSDT", "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7"),
    ('{"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "test-order-1"}',
     "2df4a0603d69c08d5dea29ba85b46eb7db64ce9e9ebd34a7802a3d69700cb2a1"),
])  # fmt: skip
def test_known_answers(payload, signature):
    """Of nautilus_trader's tests."""
    key = Credentials("test_api_key", "test_secret")
    assert sign_rest(key, 1700000000000, 5000, payload)["X-BAPI-SIGN"] == signature


def test_the_known_answer_of_a_login():
    key, expires, signature = auth_arguments(Credentials("test_api_key", "test_secret"), 1700000000000 - 10_000)
    assert (key, expires) == ("test_api_key", 1700000000000)
    assert signature == "bacffe7500499eb829bb58c45d36d1b3e5ac67c14eaeba91df5e99ccee013925"


# ---------------------------------------------------------------------------------------------- the client itself


def refusal(code, text="text", status=200):
    return status, json.dumps({"retCode": code, "retMsg": text, "result": {}}).encode()


OK = (200, b'{"retCode":0,"retMsg":"OK","result":{"list":[],"timeNano":"1700000000123456789"},"time":1700000000123}')


def test_what_is_signed_is_what_is_sent():
    rest = Recorded(Credentials("key", "secret"))
    asyncio.run(rest.get("/v5/x", {"symbol": "A B&C", "none": None, "yes": True, "cursor": "a%3Db%2C1"}, signed=True))
    asyncio.run(rest.request("POST", "/v5/y", {"symbol": "X", "none": None}, signed=True))
    (_, url, headers, body), (_, _, posted, content) = rest.sent
    assert url.query == "symbol=A%20B%26C&yes=true&cursor=a%3Db%2C1" and body is None
    for made, payload in ((headers, url.query), (posted, content.decode())):
        again = sign_rest(Credentials("key", "secret"), int(made["X-BAPI-TIMESTAMP"]), 5000, payload)
        assert again["X-BAPI-SIGN"] == made["X-BAPI-SIGN"]
    assert json.loads(content) == {"symbol": "X"} and posted["Content-Type"] == "application/json"


@pytest.mark.parametrize(("answer", "code"), [
    (refusal(10003), 10003), (refusal(110001, status=200), 110001), (refusal(10006, status=429), 10006),
    ((403, b"<html>access too frequent</html>"), 403), ((502, b"<html>"), 502), ((200, b"<html>"), "unreadable"),
    ((401, b""), 401), ((200, b"{}"), -1),
])  # fmt: skip
def test_refusals(answer, code):
    rest = Recorded(Credentials("key", "secret"), [answer])
    with pytest.raises(VenueError) as caught:
        asyncio.run(rest.request("POST", "/v5/order/cancel", {}, signed=True))
    assert caught.value.code == code and caught.value.venue == "bybit" and len(rest.sent) == 1
    assert caught.value.retry_after_ms == {10006: 1000, 403: 600_000}.get(code, 0)


def test_a_question_that_came_too_often_is_asked_once_more(monkeypatch):
    monkeypatch.setattr("nexus_fast.gateway.bybit_rest.RATE_WAIT_SECONDS", 0.0)
    rest = Recorded(Credentials("key", "secret"), [refusal(10006), OK])
    asyncio.run(rest.get("/v5/x", signed=True))
    assert len(rest.sent) == 2
    rest = Recorded(Credentials("key", "secret"), [refusal(10006), refusal(10006), OK])
    with pytest.raises(VenueError, match="10006"):
        asyncio.run(rest.get("/v5/x", signed=True))


def test_a_wrong_time_sets_the_clock():
    rest = Recorded(Credentials("key", "secret"), [refusal(10002), OK, OK])
    asyncio.run(rest.get("/v5/x", signed=True))
    assert [url.path for _, url, _, _ in rest.sent] == ["/v5/x", "/v5/market/time", "/v5/x"]
    assert rest.clock_offset_ms < 0 and rest.separate().clock_offset_ms == rest.clock_offset_ms
    assert abs(int(rest.sent[2][2]["X-BAPI-TIMESTAMP"]) - 1700000000123) < 60_000


def test_pages_end_with_the_cursor():
    pages = [(200, json.dumps({"retCode": 0, "result": {"list": [n], "nextPageCursor": c}}).encode())
             for n, c in ((1, "a%3D1"), (2, "b"), (3, ""))]
    rest = Recorded(answers=pages)
    found = asyncio.run(rest.pages("/v5/x", {"category": "linear"}))
    assert [json.loads(page)["list"] for page in map(bytes, found)] == [[1], [2], [3]]
    assert [url.query.removeprefix("category=linear") for _, url, _, _ in rest.sent] == ["", "&cursor=a%3D1", "&cursor=b"]
    endless = Recorded(answers=[(200, b'{"retCode":0,"result":{"list":[],"nextPageCursor":"same"}}')] * 5)
    assert len(asyncio.run(endless.pages("/v5/x", {}))) == 2
