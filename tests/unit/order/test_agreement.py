"""What a venue says of an order is held against the order: two recorded answers of Binance, and each way to be wrong."""

import json
from decimal import Decimal

import pytest

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import UnusableAnswer
from nexus_fast.exchange.binance.snapshot import read_order, read_placed
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.order.agreement import contradiction
from nexus_fast.order.events import OrderUpdate

# GET /fapi/v1/order, as developers.binance.com shows it.
ANSWER = {
    "avgPrice": "0.00000", "clientOrderId": "abc", "cumQuote": "0", "executedQty": "0", "orderId": 1917641, "origQty": "0.40",
    "origType": "LIMIT", "price": "30005", "reduceOnly": False, "side": "BUY", "positionSide": "BOTH", "status": "NEW",
    "stopPrice": "0", "closePosition": False, "symbol": "BTCUSDT", "time": 1579276756075, "timeInForce": "GTC", "type": "LIMIT",
    "updateTime": 1579276756075,
}  # fmt: skip
FIELDS = {"client_id": "abc", "venue_id": "1917641", "side": 0, "quantity": 40, "size_scale": 2, "price_scale": 1, "filled": 0}


def instrument(kind=InstrumentType.LINEAR, exchange=ExchangeType.BINANCE):
    step = Decimal("0.01")
    return Instrument(symbol="x", venue_symbol="BTCUSDT", exchange=exchange, type=kind, base="BTC", quote="USDT", price_scale=1,
                      size_scale=2, tick_size=Decimal("0.1"), lot_size=step, market_lot_size=step)


def said(fields=FIELDS, kind=InstrumentType.LINEAR, counted=0, whole=True, exchange=ExchangeType.BINANCE, **changes):
    update = read_order(json.dumps({**ANSWER, **changes}).encode())
    return contradiction(update, fields, instrument(kind, exchange), counted, whole=whole)


@pytest.mark.parametrize("changes", [
    {}, {"status": "CANCELED"}, {"status": "FILLED", "executedQty": "0.40"}, {"status": "CANCELED", "executedQty": "0.39"},
    {"status": "PARTIALLY_FILLED", "executedQty": "0.1000"}, {"status": "EXPIRED", "executedQty": "0.40"}])
def test_what_agrees(changes):
    assert said(**changes) is None
    assert said({**FIELDS, "venue_id": ""}, **changes) is None          # not named yet


@pytest.mark.parametrize(("changes", "theirs", "ours"), [
    ({"clientOrderId": "another"}, "another", "abc"),
    ({"orderId": 5}, "5", "1917641"),
    ({"symbol": "ETHUSDT"}, "ETHUSDT", "BTCUSDT"),
    ({"side": "SELL"}, "SELL", "BUY"),
    ({"status": "CANCELED", "executedQty": "99"}, "99", "0.40"),
    ({"status": "FILLED", "executedQty": "0.39"}, "0.39", "0.40"),
    ({"status": "FILLED", "executedQty": "0"}, "0", "0.40"),
    ({"executedQty": "-0.01"}, "-0.01", "0"),
    ({"origQty": "-0.40"}, "-0.40", "0"),
    ({"executedQty": "0.001"}, "0.001", "2 decimals"),
])  # fmt: skip
def test_what_does_not_is_named_with_both_values(changes, theirs, ours):
    text = said(**changes)
    assert theirs in text and ours in text


@pytest.mark.parametrize("field", ["executedQty", "origQty", "price", "avgPrice", "cumQuote"])
@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1e40", "1e-999999"])
def test_what_is_no_amount_is_no_answer(field, value):
    with pytest.raises((UnusableAnswer, ArithmeticError, ValueError)):
        said(**{field: value})


def test_spot_orders_do_not_grow():
    """order.amend.keepPriority makes them smaller; the other venues' and markets' orders may be made larger."""
    more = {"origQty": "99", "executedQty": "99", "status": "FILLED"}
    assert "99" in said(kind=InstrumentType.SPOT, **more) and said(kind=InstrumentType.SPOT, origQty="0.30") is None
    assert said(**more) is None and said(kind=InstrumentType.SPOT, exchange=ExchangeType.BYBIT, **more) is None


def test_an_event_is_no_modification():
    """A fill beyond what is known here may follow a modification that was not heard of: the venue is asked."""
    assert said(whole=False, origQty="0.80") is None
    assert "0.80" in said(whole=False, origQty="0.80", executedQty="0.41", status="PARTIALLY_FILLED")
    assert "0.80" in said(whole=False, origQty="0.80", executedQty="0.40", status="PARTIALLY_FILLED")       # not the end of it


def test_fills_do_not_come_to_more_than_the_order():
    fill = OrderUpdate(event="FILL", client_id="abc", trade_id=3, last_quantity=Decimal("0.2"), last_price=Decimal(1))
    assert contradiction(fill, FIELDS, instrument(), 40, whole=False) is None
    assert "0.41" in contradiction(fill, FIELDS, instrument(), 41, whole=False)
    nothing = OrderUpdate(event="FILL", client_id="abc", trade_id=3, last_quantity=Decimal(0))
    assert "fill of 0" in contradiction(nothing, FIELDS, instrument(), 0, whole=False)


def test_a_modification_names_its_own_quantity():
    made = OrderUpdate(event="MODIFIED", client_id="abc", price=Decimal("1.0"), quantity=Decimal("0.80"), filled=Decimal("0.5"))
    assert contradiction(made, FIELDS, instrument(), 0, whole=False) is None
    made.price = Decimal("1.01")
    assert "1.01" in contradiction(made, FIELDS, instrument(), 0, whole=False)


def test_a_cancels_answer_names_the_order_beside_the_cancel():
    """Spot's, as developers.binance.com shows it."""
    answer = {"symbol": "LTCBTC", "origClientOrderId": "myOrder1", "orderId": 4, "orderListId": -1,
              "clientOrderId": "cancelMyOrder1", "transactTime": 1684804350068, "price": "2.00000000",
              "origQty": "1.00000000", "executedQty": "0.00000000",
              "cummulativeQuoteQty": "0.00000000", "status": "CANCELED", "timeInForce": "GTC", "type": "LIMIT", "side": "BUY",
              "selfTradePreventionMode": "NONE"}
    assert read_order(json.dumps(answer).encode()).client_id == "myOrder1"


@pytest.mark.parametrize(("answer", "event"), [
    ({"symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": "abc", "transactTime": 1507725176595}, "ACCEPTED"),
    ({"orderId": 28, "symbol": "BTCUSDT", "status": "NEW", "clientOrderId": "abc", "executedQty": "0"}, "ACCEPTED"),
    ({"orderId": 28, "symbol": "BTCUSDT", "status": "EXPIRED", "clientOrderId": "abc", "executedQty": "0"}, "EXPIRED"),
    ({"orderId": 28, "symbol": "BTCUSDT", "status": "FILLED", "clientOrderId": "abc", "executedQty": "10"}, "FILLED"),
    ({"orderId": 28, "symbol": "BTCUSDT", "status": "FILLED", "clientOrderId": "abc"}, "ACCEPTED"),
])  # fmt: skip
def test_the_answer_to_a_new_order_says_how_it_stands(answer, event):
    update = read_placed(json.dumps(answer).encode())
    assert (update.event, update.client_id, update.venue_id, update.venue_symbol) == (event, "abc", "28", "BTCUSDT")
