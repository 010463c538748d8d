"""Bybit's and OKX's WebSocket orders against what ccxt and the venues' SDKs send for the same operation."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from nexus_fast.core.fixed import to_mantissa
from nexus_fast.gateway import bybit, okx

ROOT = Path(__file__).resolve().parents[3]
SHARED, SAMPLES = ROOT.parent / "shared" / "data", ROOT / "tests" / "data"
NOW = 1747699200123
BYBIT_FILES = ["ccxt_generated/bybit_rest_requests.jsonl", "sdk_generated/bybit_rest_requests.jsonl"]
OKX_FILES = ["ccxt_generated/okx_rest_requests.jsonl", "sdk_generated/okx_rest_requests.jsonl"]
WS_FILE = "ccxt_generated/ws_requests.jsonl"


def load(names, venue):
    for name in names:
        path = SHARED / name if (SHARED / name).exists() else SAMPLES / name
        vectors = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        yield from (vector for vector in vectors if vector["exchange"] == venue)


def bybit_operations():
    """(operation, arguments): REST bodies and WebSocket arguments have the same form."""
    for vector in load(BYBIT_FILES, "bybit"):
        operation = vector["expected"]["url"].rsplit("/", 1)[1]
        if vector["expected"]["body"] and operation in ("create", "cancel", "amend"):
            yield operation, json.loads(vector["expected"]["body"])
    for vector in load([WS_FILE], "bybit"):
        message = vector["expected"]["message"]
        if message["op"] in ("order.create", "order.cancel", "order.amend"):
            yield message["op"].split(".")[1], message["args"][0]


def scale_of(text):
    return max(0, -Decimal(text).as_tuple().exponent)


def bybit_ours(operation, theirs):
    price, quantity = theirs.get("price", "1"), theirs.get("qty", "1")
    scales = {"price_scale": scale_of(price), "size_scale": scale_of(quantity)}
    templates = bybit.order_templates(theirs["category"], theirs["symbol"], recv_window=5000, **scales)
    values = {"client_id": theirs["orderLinkId"], "timestamp_ms": NOW}
    if operation == "cancel":
        return templates.cancel_text(**values)
    values["price"] = to_mantissa(price, scales["price_scale"])
    values["quantity"] = to_mantissa(quantity, scales["size_scale"])
    if operation == "amend":
        return templates.modify_text(0, **values)
    time_in_force = theirs.get("timeInForce", "GTC")
    kind = 0 if theirs["orderType"] == "Market" else 2 if time_in_force == "PostOnly" else 1
    number = ("GTC", "IOC", "FOK").index(time_in_force) if kind == 1 else 0
    return templates.place_text(
        ("Buy", "Sell").index(theirs["side"]), kind, number, theirs.get("reduceOnly", False), **values
    )


NOT_SENT = {"triggerPrice", "stopLoss", "takeProfit", "positionIdx", "orderFilter", "clientOrderId"}


def test_bybit_requests_mean_what_others_send():
    covered = set()
    for operation, theirs in bybit_operations():
        market_in_quote = theirs.get("orderType") == "Market" and theirs["category"] == "spot"
        if NOT_SENT & theirs.keys() or market_in_quote and "marketUnit" not in theirs:
            continue
        theirs = {name: value for name, value in theirs.items() if name != "orderId"}
        theirs.setdefault("orderLinkId", "byClientId1")
        message = json.loads(bybit_ours(operation, theirs))
        own = theirs["orderLinkId"]
        assert message["op"] == f"order.{operation}"
        assert message["reqId"] == {"create": own, "cancel": f"c{own}.{NOW}", "amend": f"m{own}.{NOW}"}[operation]
        assert message["header"] == {"X-BAPI-TIMESTAMP": str(NOW), "X-BAPI-RECV-WINDOW": "5000"}
        (ours,) = message["args"]
        if theirs.get("orderType") == "Limit":
            theirs.setdefault("timeInForce", "GTC")  # the venue's default, which ours says
        if theirs.get("orderType") == "Market":
            theirs.pop("timeInForce", None)  # IOC, whatever is said
        assert ours == theirs
        covered.add(operation)
    assert covered == {"create", "cancel", "amend"} or not SHARED.exists() and covered


def test_bybit_request_ids_never_repeat_and_stay_within_36_characters():
    """The venue answers 20006 to a reqId that it has seen: an order may be amended and canceled many times."""
    templates = bybit.order_templates("linear", "BTCUSDT", price_scale=1, size_scale=3)
    for length in (1, 17, 21, 22, 36):
        values = {"client_id": "x" * length, "request_number": 2**53}
        texts = [templates.cancel_text(**values, timestamp_ms=NOW + step) for step in range(3)]
        texts += [templates.modify_text(0, **values, price=1, quantity=1, timestamp_ms=NOW + step) for step in range(3)]
        ids = [json.loads(text)["reqId"] for text in texts]
        assert max(map(len, ids)) <= 36
        names = {name.rpartition(".")[0] for name in ids}
        assert names == ({"c" + "x" * length, "m" + "x" * length} if length <= 21 else {f"#c{2**53}", f"#m{2**53}"})
        assert len(set(ids[:3])) == len(set(ids[3:])) == 3


def okx_operations():
    """(operation, arguments, spot?); ccxt places single orders by the batch endpoint."""
    operations = {
        "order": "order",
        "batch-orders": "order",
        "cancel-order": "cancel-order",
        "amend-order": "amend-order",
    }
    for vector in [*load(OKX_FILES, "okx"), *load([WS_FILE], "okx")]:
        expected = vector["expected"]
        if "message" in expected:
            operation, arguments = expected["message"]["op"], expected["message"]["args"]
        else:
            operation, arguments = expected["url"].rsplit("/", 1)[1], json.loads(expected["body"] or "null")
        if operation in operations:
            for one in arguments if isinstance(arguments, list) else [arguments]:
                given = {name: value for name, value in one.items() if value not in ("", None)}
                yield operations[operation], given, vector["market"] == "spot"


def okx_ours(operation, theirs, spot):
    price, quantity = theirs.get("px") or theirs.get("newPx", "1"), theirs.get("sz") or theirs.get("newSz", "1")
    scales = {"price_scale": scale_of(price), "size_scale": scale_of(quantity)}
    templates = okx.order_templates(10458, trade_mode=theirs.get("tdMode", "cross"), spot=spot, **scales)
    values = {"client_id": theirs["clOrdId"], "timestamp_ms": NOW}
    if operation == "cancel-order":
        return templates.cancel_text(**values)
    values["price"] = to_mantissa(price, scales["price_scale"])
    values["quantity"] = to_mantissa(quantity, scales["size_scale"])
    if operation == "amend-order":
        return templates.modify_text(1, **values)
    kind = {"market": 0, "post_only": 2}.get(theirs["ordType"], 1)
    number = ("limit", "ioc", "fok").index(theirs["ordType"]) if kind == 1 else 0
    return templates.place_text(
        ("buy", "sell").index(theirs["side"]), kind, number, theirs.get("reduceOnly", False), **values
    )


def test_okx_requests_mean_what_others_send():
    covered = set()
    for operation, theirs, spot in okx_operations():
        if {"posSide", "attachAlgoOrds", "tag"} & theirs.keys():
            continue
        theirs = {name: value for name, value in theirs.items() if name not in ("ordId", "instId")}
        theirs = {"clOrdId": "byClientId1", **theirs, "instIdCode": 10458}
        if spot and theirs.get("ordType") != "market":
            theirs.pop("tgtCcy", None)  # read for market orders alone
        message = json.loads(okx_ours(operation, theirs, spot))
        prefix = {"order": "", "cancel-order": "c", "amend-order": "m"}[operation]
        assert (message["op"], message["id"]) == (operation, prefix + theirs["clOrdId"])
        assert message["args"] == [theirs]
        covered.add(operation)
    assert covered == {"order", "cancel-order", "amend-order"} or not SHARED.exists() and covered


def test_okx_ids_stay_within_32_letters_and_digits():
    templates = okx.order_templates(1, trade_mode="cash", spot=True, price_scale=0, size_scale=0)
    text = templates.cancel_text(client_id="x" * 32, timestamp_ms=NOW, request_number=77)
    assert json.loads(text)["id"] == "nc77"
    with pytest.raises(ValueError, match="longer than the venue takes"):
        templates.cancel_text(client_id="x" * 33, timestamp_ms=NOW)


@pytest.mark.parametrize(
    "build, text",
    [
        (lambda: bybit.order_templates("option", "BTCUSDT", price_scale=0, size_scale=0), "option"),
        (lambda: bybit.order_templates("spot", 'B"', price_scale=0, size_scale=0), "symbol="),
        (lambda: bybit.order_templates("spot", "B", price_scale=0, size_scale=0, recv_window=0), "recv_window=0"),
        (lambda: okx.order_templates(1, trade_mode="x", spot=True, price_scale=0, size_scale=0), "trade_mode='x'"),
        (lambda: okx.order_templates("1", trade_mode="cash", spot=True, price_scale=0, size_scale=0), "instIdCode"),
    ],
)
def test_what_cannot_be_sent_is_refused(build, text):
    with pytest.raises(ValueError, match=text):
        build()


def test_spot_has_no_reduce_only_orders():
    for templates in (
        bybit.order_templates("spot", "BTCUSDT", price_scale=0, size_scale=0),
        okx.order_templates(1, trade_mode="cash", spot=True, price_scale=0, size_scale=0),
    ):
        assert templates.has_place(0, 0, 0, False) and not templates.has_place(0, 0, 0, True)
