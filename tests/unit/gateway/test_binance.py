"""Binance's templates: every kind of order, filled with random numbers, parsed back and its signature made again."""

import hashlib
import hmac
import json
from decimal import Decimal
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.gateway import binance
from nexus_fast.gateway.words import LIMIT, MARKET, POST_ONLY, order_kinds

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
NOW = 1747699200123
WEBSOCKET = [name for name, family in binance.FAMILIES.items() if family.websocket]
ENTRIES = [("ws", name) for name in WEBSOCKET] + [("rest", name) for name in binance.FAMILIES]

mantissas = st.integers(1, 10**18 - 1) | st.integers(1, 10**6)
scales = st.integers(0, 18)
client_ids = st.text("ABCXYZabcxyz0189-_", min_size=1, max_size=36)


def build(entry, family, symbol="BTCUSDT", price_scale=2, size_scale=3, **options):
    options = {"api_key": KEY, "secret": SECRET, **options}
    return binance.order_templates(
        family, symbol, entry=entry, price_scale=price_scale, size_scale=size_scale, **options
    )


def sign(payload):
    return hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()


def parse(entry, text):
    """(operation as the venue names it, id, parameters without key and signature); the signature is verified."""
    if entry == "ws":
        message = json.loads(text, parse_int=str)
        params = message["params"]
        assert set(message) == {"id", "method", "params"} and list(params) == sorted(params)
        signature = params.pop("signature")
        assert signature == sign("&".join(f"{name}={params[name]}" for name in sorted(params)))
        assert params.pop("apiKey") == KEY
        return message["method"], message["id"], params
    lines = text.decode("ascii").split("\r\n")
    method, target, _ = lines[0].split(" ")
    query, signature = urlsplit(target).query.rsplit("&signature=", 1)
    assert signature == sign(query)
    assert f"X-MBX-APIKEY: {KEY}" in lines and lines[-2:] == ["", ""]
    return method, urlsplit(target).path, dict(parse_qsl(query, strict_parsing=True))


def expected_place(family, side, order_type, time_in_force, reduce_only):
    """What the venue's documentation asks for, written out."""
    futures = binance.FAMILIES[family].futures
    words = {"side": ["BUY", "SELL"][side], "type": "LIMIT", "newOrderRespType": "ACK", "recvWindow": "1000"}
    if order_type == MARKET:
        words["type"] = "MARKET"
    elif order_type == POST_ONLY and not futures:
        words["type"] = "LIMIT_MAKER"
    else:
        words["timeInForce"] = "GTX" if order_type == POST_ONLY else ["GTC", "IOC", "FOK"][time_in_force]
    if reduce_only:
        words["reduceOnly"] = "true"
    if family == "isolated_margin":
        words["isIsolated"] = "TRUE"
    return words | {"symbol": "BTCUSDT", "timestamp": str(NOW)}


@pytest.mark.parametrize("entry, family", ENTRIES)
def test_every_kind_of_new_order(entry, family):
    templates = build(entry, family)
    for kind in order_kinds():
        if kind[3] and not binance.FAMILIES[family].futures:
            assert not templates.has_place(*kind)
            continue
        values = {"price": 6180020, "quantity": 6000, "client_id": "A1", "timestamp_ms": NOW}
        words = expected_place(family, *kind) | {"newClientOrderId": "A1", "quantity": "6"}
        if kind[1] != MARKET:
            words["price"] = "61800.2"
        method, identity, params = parse(entry, templates.place_text(*kind, **values))
        assert params == words
        rest = "POST", binance.FAMILIES[family].path
        assert (method, identity) == (("order.place", "A1") if entry == "ws" else rest)


@pytest.mark.parametrize("entry, family", ENTRIES)
@settings(max_examples=60, deadline=None)
@given(price=mantissas, quantity=mantissas, scale=scales, size_scale=scales, client_id=client_ids, data=st.data())
def test_any_numbers_and_ids(entry, family, price, quantity, scale, size_scale, client_id, data):
    templates = build(entry, family, price_scale=scale, size_scale=size_scale)
    side = data.draw(st.integers(0, 1))
    time = data.draw(st.integers(10**12, 10**13 - 1))
    values = {"price": price, "quantity": quantity, "client_id": client_id, "timestamp_ms": time}
    _, _, params = parse(entry, templates.place_text(side, LIMIT, 1, False, **values))
    assert Decimal(params["price"]) == Decimal(f"{price}e-{scale}")
    assert Decimal(params["quantity"]) == Decimal(f"{quantity}e-{size_scale}")
    assert params["newClientOrderId"] == client_id
    assert params["timestamp"] == str(time)


@pytest.mark.parametrize("entry, family", ENTRIES)
def test_cancel_goes_by_client_id_and_keeps_it(entry, family):
    method, identity, params = parse(entry, build(entry, family).cancel_text(client_id="A1", timestamp_ms=NOW))
    words = {"symbol": "BTCUSDT", "recvWindow": "1000", "timestamp": str(NOW), "origClientOrderId": "A1"}
    if not binance.FAMILIES[family].futures:
        words["newClientOrderId"] = "A1"
    if family == "isolated_margin":
        words["isIsolated"] = "TRUE"
    assert params == words
    rest = "DELETE", binance.FAMILIES[family].path
    assert (method, identity) == (("order.cancel", "cA1") if entry == "ws" else rest)


@pytest.mark.parametrize("entry, family", ENTRIES)
def test_modify_where_the_venue_has_it(entry, family):
    templates = build(entry, family)
    values = {"price": 100, "quantity": 10, "client_id": "A1", "timestamp_ms": NOW}
    if not binance.FAMILIES[family].futures:
        with pytest.raises(ValueError, match="no such request"):
            templates.modify_text(1, **values)
        return
    method, identity, params = parse(entry, templates.modify_text(1, **values))
    assert params == {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "price": "1",
        "quantity": "0.01",
        "origClientOrderId": "A1",
        "recvWindow": "1000",
        "timestamp": str(NOW),
    }
    assert (method, identity) == (("order.modify", "mA1") if entry == "ws" else ("PUT", binance.FAMILIES[family].path))


@pytest.mark.parametrize(
    "length, identity", [(24, "c" + "x" * 24), (35, "c" + "x" * 35), (36, "#c18446744073709551615")]
)
def test_request_ids_stay_within_what_the_venue_takes(length, identity):
    text = build("ws", "usd_m").cancel_text(client_id="x" * length, timestamp_ms=NOW, request_number=2**64 - 1)
    assert json.loads(text)["id"] == identity and len(identity) <= 36


@pytest.mark.parametrize("family", WEBSOCKET)
def test_after_a_logon_nothing_is_signed_and_the_timestamp_stays(family):
    templates = build("ws", family, api_key=None, secret=None)
    text = templates.place_text(0, LIMIT, 0, False, price=100, quantity=6000, client_id="A1", timestamp_ms=NOW)
    params = json.loads(text)["params"]
    assert not {"apiKey", "signature"} & params.keys()
    assert params["timestamp"] == NOW and params["recvWindow"] == 1000
    cancel = json.loads(templates.cancel_text(client_id="A1", timestamp_ms=NOW))["params"]
    assert not {"apiKey", "signature"} & cancel.keys() and cancel["origClientOrderId"] == "A1"


@pytest.mark.parametrize("entry", ["ws", "rest"])
def test_a_symbol_that_is_not_ascii(entry):
    symbol = "１２３４５６"
    templates = build(entry, "spot", symbol=symbol)
    text = templates.place_text(0, MARKET, 0, False, quantity=1000, client_id="A1", timestamp_ms=NOW)
    *_, params = parse(entry, text)
    assert unquote(params["symbol"]) == symbol


def test_constants_a_window_and_a_host_of_ones_own():
    templates = build(
        "rest",
        "usd_m",
        recv_window=None,
        host="127.0.0.1:8080",
        base_path="/proxy",
        extra={"selfTradePreventionMode": "EXPIRE_MAKER"},
    )
    text = templates.place_text(0, MARKET, 0, True, quantity=1000, client_id="A1", timestamp_ms=NOW)
    *_, params = parse("rest", text)
    assert text.startswith(b"POST /proxy/fapi/v1/order?")
    assert b"\r\nHost: 127.0.0.1:8080\r\n" in text
    assert params["selfTradePreventionMode"] == "EXPIRE_MAKER" and "recvWindow" not in params
    *_, params = parse("rest", templates.cancel_text(client_id="A1", timestamp_ms=NOW))
    assert "selfTradePreventionMode" not in params


@pytest.mark.parametrize(
    "change, text",
    [
        ({"family": "options"}, "options"),
        ({"entry": "fix"}, "entry='fix'"),
        ({"family": "margin", "entry": "ws"}, "entry='rest'"),
        ({"entry": "rest", "secret": None}, "api_key and secret"),
        ({"api_key": 'x"y'}, "api_key"),
        ({"secret": ""}, "secret is empty"),
        ({"symbol": 'BTC"USDT'}, "symbol="),
        ({"symbol": ""}, "symbol="),
        ({"recv_window": 0}, "recv_window=0"),
        ({"recv_window": 60001}, "recv_window=60001"),
        ({"price_scale": 19}, "price_scale=19"),
        ({"extra": {"x": "a&b"}}, "extra parameter"),
        ({"entry": "rest", "host": "a\r\nX: b"}, "host="),
        ({"entry": "rest", "base_path": "/a b"}, "path="),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_built(change, text):
    with pytest.raises(ValueError, match=text) as caught:
        build(**{"entry": "ws", "family": "spot", **change})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "change, text",
    [
        ({"client_id": ""}, "client id"),
        ({"client_id": "x" * 37}, "client id"),
        ({"client_id": 'a"b'}, "client id"),
        ({"client_id": "ä"}, "client id"),
        ({"price": 0}, "positive"),
        ({"price": 10**18}, "18 digits"),
        ({"quantity": -1}, "positive"),
        ({"timestamp_ms": 1747699200}, "13 digits"),
        ({"timestamp_ms": 1747699200123000}, "13 digits"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_filled(change, text):
    values = {"price": 1, "quantity": 1, "client_id": "A1", "timestamp_ms": NOW, **change}
    with pytest.raises(ValueError, match=text):
        build("ws", "spot").place_text(0, LIMIT, 0, False, **values)
