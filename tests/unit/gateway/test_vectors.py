"""Our requests against what other clients send for the same operation, recorded from ccxt and the vendors' SDKs.

From a recorded request the operation is read off (what to do, not how it was written); our template makes its own
request of it; both must say the same to the venue: method, address, parameters, values. What may differ is listed.
The recordings: ../shared/data beside the repository, or the samples in tests/data.
"""

import hashlib
import hmac
import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from nexus_fast.core.fixed import to_mantissa
from nexus_fast.gateway import binance

ROOT = Path(__file__).resolve().parents[3]
SHARED, SAMPLES = ROOT.parent / "shared" / "data", ROOT / "tests" / "data"
FILES = ["ccxt_generated/binance_rest_requests.jsonl", "sdk_generated/binance_rest_requests.jsonl"]
WS_FILE = "ccxt_generated/ws_requests.jsonl"
PATHS = {
    "/api/v3/order": "spot",
    "/fapi/v1/order": "usd_m",
    "/dapi/v1/order": "coin_m",
    "/papi/v1/um/order": "portfolio_usd_m",
    "/papi/v1/cm/order": "portfolio_coin_m",
    "/papi/v1/margin/order": "portfolio_margin",
}
CONSTANTS = ("selfTradePreventionMode", "positionSide")  # parameters that a template can be given

MAY_DIFFER = {
    "newOrderRespType": "ours is always ACK: fills come by the user data stream, and a short answer comes sooner",
    "clientOrderId": "ccxt leaks its own argument beside newClientOrderId",
    "postOnly": "ccxt leaks its own argument beside type LIMIT_MAKER or timeInForce GTX",
    "returnRateLimits": "ours is set once, in the URL of the connection",
    "signature": "over each one's own text; verified for both",
    "apiKey": "in REST a header; compared where it is a parameter",
}
# Others name the order by the venue's id, ours by its client id; and ours never leave the client id to the venue.
IDENTITY = "byClientId1"
SPOT_CANCEL_ID = "newClientOrderId"  # ours names it, so that the cancelled order keeps its id


def load(name):
    path = SHARED / name if (SHARED / name).exists() else SAMPLES / name
    return [json.loads(line) for line in path.read_text().splitlines()]


def rest_request(vector):
    """(method, host, path, parameters)"""
    expected = vector["expected"]
    url = urlsplit(expected["url"])
    query = "&".join(part for part in (url.query, expected["body"] or "") if part)
    return expected["method"], url.netloc, url.path, dict(parse_qsl(query, strict_parsing=True))


def ws_request(vector):
    message = json.loads(json.dumps(vector["expected"]["message"]), parse_int=str)
    return message["method"], urlsplit(vector["expected"]["url"]).netloc, "", message["params"]


def not_ours(method, path, parameters):
    """Why no template makes this request; None where one does."""
    if path and path not in PATHS or method in ("GET", "openOrders.cancelAll", "order.status", "order.cancelReplace"):
        return "not a new order, cancel or modify"
    if parameters.get("type", "LIMIT") not in ("LIMIT", "MARKET", "LIMIT_MAKER") or "goodTillDate" in parameters:
        return "an order type that the engine does not send"
    if "quoteOrderQty" in parameters:
        return "amount in quote currency"
    return None


def by_client_id(method, parameters):
    named = {name: value for name, value in parameters.items() if name != "orderId"}
    name = "newClientOrderId" if method in ("POST", "order.place") else "origClientOrderId"
    return {name: IDENTITY, **named}


def templates_for(vector, family, entry, parameters):
    scales = {
        name: -Decimal(parameters.get(key, "1")).as_tuple().exponent
        for name, key in (("price_scale", "price"), ("size_scale", "quantity"))
    }
    window = parameters.get("recvWindow")
    return binance.order_templates(
        family,
        parameters["symbol"],
        entry=entry,
        api_key=vector["api_key"],
        secret=vector["secret"],
        recv_window=None if window is None else int(window),
        extra={name: parameters[name] for name in CONSTANTS if name in parameters},
        **scales,
    )


def kind_of(parameters):
    side = ("BUY", "SELL").index(parameters["side"])
    time_in_force = parameters.get("timeInForce", "GTC")
    reduce_only = parameters.get("reduceOnly") == "true"
    if parameters["type"] == "MARKET":
        return side, 0, 0, reduce_only
    if parameters["type"] == "LIMIT_MAKER" or time_in_force == "GTX":
        return side, 2, 0, reduce_only
    return side, 1, ("GTC", "IOC", "FOK").index(time_in_force), reduce_only


def our_text(vector, family, entry, method, parameters):
    templates = templates_for(vector, family, entry, parameters)
    values = {"timestamp_ms": vector["timestamp_ms"]}
    if method in ("DELETE", "order.cancel"):
        return templates.cancel_text(client_id=parameters["origClientOrderId"], **values)
    values["client_id"] = parameters.get("newClientOrderId") or parameters["origClientOrderId"]
    values["quantity"] = to_mantissa(parameters["quantity"], templates.size_scale)
    if "price" in parameters:
        values["price"] = to_mantissa(parameters["price"], templates.price_scale)
    if method in ("PUT", "order.modify"):
        return templates.modify_text(("BUY", "SELL").index(parameters["side"]), **values)
    return templates.place_text(*kind_of(parameters), **values)


def sign(secret, payload):
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def parse_rest(text, vector):
    head, body = text.decode().split("\r\n\r\n")
    assert body == ""
    request_line, *lines = head.split("\r\n")
    method, target, version = request_line.split(" ")
    headers = dict(line.split(": ") for line in lines)
    assert version == "HTTP/1.1" and headers["Content-Length"] == "0"
    assert headers["X-MBX-APIKEY"] == vector["expected"]["headers"]["X-MBX-APIKEY"]
    payload, signature = urlsplit(target).query.rsplit("&signature=", 1)
    assert signature == sign(vector["secret"], payload)
    return method, headers["Host"], urlsplit(target).path, dict(parse_qsl(payload, strict_parsing=True))


def parse_ws(text, vector):
    message = json.loads(text, parse_int=str)
    params = message["params"]
    assert list(params) == sorted(params)
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
    assert params["signature"] == sign(vector["secret"], payload)
    return message["method"], params


def same_meaning(ours, theirs, ignored=()):
    def comparable(parameters):
        kept = {name: value for name, value in parameters.items() if name not in MAY_DIFFER and name not in ignored}
        return {name: Decimal(value) if name in ("price", "quantity") else value for name, value in kept.items()}

    assert comparable(ours) == comparable(theirs)


@pytest.mark.parametrize("name, least", [(FILES[0], 29), (FILES[1], 7)])
def test_rest_requests_mean_what_others_send(name, least):
    covered = 0
    for vector in load(name):
        if vector["exchange"] != "binance":
            continue
        method, host, path, parameters = rest_request(vector)
        if not_ours(method, path, parameters):
            continue
        parameters = by_client_id(method, parameters)
        text = our_text(vector, PATHS[path], "rest", method, parameters)
        our_method, our_host, our_path, ours = parse_rest(text, vector)
        assert (our_method, our_host, our_path) == (method, host, path), vector["id"]
        spot_cancel = method == "DELETE" and PATHS[path] == "spot"
        same_meaning(ours, parameters, ignored=[SPOT_CANCEL_ID] if spot_cancel else [])
        if spot_cancel:
            assert ours[SPOT_CANCEL_ID] == parameters["origClientOrderId"]
        covered += 1
    assert covered >= least or not SHARED.exists() and covered


MARGIN_ORDERS = {
    "margin": {"marginMode": "cross"},
    "isolated_margin": {"marginMode": "isolated"},
}


@pytest.mark.parametrize("family", MARGIN_ORDERS)
@pytest.mark.parametrize("operation", ["limit", "market", "post only", "cancel"])
def test_margin_requests_mean_what_ccxt_sends(family, operation):
    """No recording has margin's requests: ccxt makes them here, and its last step, the sending, is left out."""
    ccxt = pytest.importorskip("ccxt")
    vector = {"api_key": "key", "secret": "secret", "timestamp_ms": 1747699200123}
    method, url, headers, body = _ccxt_request(ccxt, vector, MARGIN_ORDERS[family], operation)
    path, query = urlsplit(url).path, dict(parse_qsl("&".join(part for part in (urlsplit(url).query, body or "") if part)))
    query.pop("signature")
    theirs = by_client_id(method, query)
    vector["expected"] = {"headers": {"X-MBX-APIKEY": headers["X-MBX-APIKEY"]}}
    our_method, our_host, our_path, ours = parse_rest(our_text(vector, family, "rest", method, theirs), vector)
    assert (our_method, our_host, our_path) == (method, urlsplit(url).netloc, path)
    if family == "margin":
        assert theirs.pop("isIsolated", "FALSE").upper() == "FALSE"
    else:
        assert theirs.pop("isIsolated").upper() == ours.pop("isIsolated") == "TRUE"
    same_meaning(ours, theirs, ignored=[SPOT_CANCEL_ID] if operation == "cancel" else [])


def _ccxt_request(ccxt, vector, mode, operation):
    """(method, URL, headers, body) of what ccxt would send."""
    sent = []
    client = ccxt.binance({"apiKey": vector["api_key"], "secret": vector["secret"]})
    client.nonce = lambda: vector["timestamp_ms"]
    client.set_markets([_ccxt_market(client)])
    client.fetch = lambda url, method="GET", headers=None, body=None: sent.append((method, url, headers, body)) or {}
    arguments = {"clientOrderId": IDENTITY, **mode}
    if operation == "cancel":
        client.cancel_order(None, "BTC/USDT", arguments)
    else:
        kind = "market" if operation == "market" else "limit"
        post_only = {"postOnly": True} if operation == "post only" else {}
        client.create_order("BTC/USDT", kind, "buy", 0.013, None if kind == "market" else 61000.1, {**arguments, **post_only})
    return sent[-1]


def _ccxt_market(client):
    return client.safe_market_structure({
        "id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "baseId": "BTC", "quoteId": "USDT", "spot": True,
        "margin": True, "type": "spot", "active": True, "precision": {"amount": 0.00001, "price": 0.01},
        "info": {"orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"]}})


def test_websocket_requests_mean_what_others_send():
    covered = 0
    for vector in load(WS_FILE):
        if vector["exchange"] != "binance":
            continue
        method, host, path, parameters = ws_request(vector)
        if not_ours(method, path, parameters):
            continue
        parameters = by_client_id(method, parameters)
        family = {"ws-api.binance.com:443": "spot", "ws-fapi.binance.com": "usd_m"}[host]
        our_method, ours = parse_ws(our_text(vector, family, "ws", method, parameters), vector)
        assert our_method == method, vector["id"]
        assert ours["apiKey"] == parameters["apiKey"]
        same_meaning(ours, parameters)
        covered += 1
    assert covered >= 5 or not SHARED.exists() and covered


def test_the_recorded_signatures_are_verified_by_the_same_rule():
    """The rule by which the tests above judge our signatures holds for everybody's."""
    for name in FILES:
        for vector in load(name):
            if vector["exchange"] == "binance":
                assert vector["signature"] == sign(vector["secret"], vector["signed_payload"]), vector["id"]
