"""The structs that callbacks are handed."""

from decimal import Decimal

import msgspec
import pytest

from nexus_fast.constants import ExchangeType, KlineInterval, OrderSide, OrderStatus, OrderType, PositionSide
from nexus_fast.schema import (
    AccountBalance,
    Balance,
    BatchOrder,
    BookL1,
    Kline,
    KlineList,
    Order,
    Position,
)

BINANCE = ExchangeType.BINANCE


def order(status, **fields):
    return Order(exchange=BINANCE, symbol="BTCUSDT.BINANCE", status=status, oid="1", **fields)


# status -> (closed, opened, on flight, success)
STATES = {
    OrderStatus.INITIALIZED: (False, False, False, True),
    OrderStatus.PENDING: (False, True, True, True),
    OrderStatus.ACCEPTED: (False, True, False, True),
    OrderStatus.PARTIALLY_FILLED: (False, True, False, True),
    OrderStatus.CANCELING: (False, True, True, True),
    # The cancel failed, not the order: NexusTrader counts it as closed and loses sight of a live order.
    OrderStatus.CANCEL_FAILED: (False, True, False, False),
    OrderStatus.FILLED: (True, False, False, True),
    OrderStatus.CANCELED: (True, False, False, True),
    OrderStatus.EXPIRED: (True, False, False, True),
    OrderStatus.FAILED: (True, False, False, False),
}


@pytest.mark.parametrize("status", OrderStatus)
def test_what_a_status_means(status):
    o = order(status)
    assert (o.is_closed, o.is_opened, o.on_flight, o.success) == STATES[status]


def test_order_properties():
    assert order(OrderStatus.FILLED).is_filled and order(OrderStatus.PENDING).is_pending
    assert order(OrderStatus.ACCEPTED).is_accepted and order(OrderStatus.PARTIALLY_FILLED).is_partially_filled
    assert order(OrderStatus.EXPIRED).is_expired
    assert order(OrderStatus.CANCELED, filled=Decimal("1")).is_partially_canceled
    assert not order(OrderStatus.CANCELED, filled=Decimal("0")).is_partially_canceled
    assert not order(OrderStatus.CANCELED).is_partially_canceled
    bought = order(OrderStatus.FILLED, side=OrderSide.BUY, type=OrderType.MARKET)
    assert bought.is_buy and not bought.is_sell and bought.is_taker and not bought.is_maker
    assert order(OrderStatus.ACCEPTED, type=OrderType.LIMIT).is_maker
    assert order(OrderStatus.ACCEPTED, type=OrderType.POST_ONLY).is_post_only
    assert order(OrderStatus.FAILED).reason is None and order(OrderStatus.FAILED, reason="why").reason == "why"


def test_order_fields_stand_where_nexustrader_has_them():
    names = (
        "exchange symbol status oid eid amount filled timestamp type side time_in_force price trigger_price average "
        "last_filled_price last_filled remaining fee fee_currency cost cum_cost reduce_only position_side reason"
    )
    assert Order.__struct_fields__ == tuple(names.split())


def test_an_order_is_printed_with_its_values():
    assert "OrderStatus.FILLED" in str(order(OrderStatus.FILLED))


def test_books_have_nexustraders_attributes():
    book = BookL1(BINANCE, "BTCUSDT.BINANCE", 10.0, 12.0, 3.0, 1.0, 1_700_000_000_000)
    assert (book.bid, book.ask, book.bid_size, book.ask_size) == (10.0, 12.0, 3.0, 1.0)
    assert (book.exchange, book.symbol, book.timestamp) == (BINANCE, "BTCUSDT.BINANCE", 1_700_000_000_000)
    assert (book.mid, book.spread, book.weighted_mid) == (11.0, 2.0, (10.0 * 1.0 + 12.0 * 3.0) / 4.0)


def test_positions():
    assert Position("X", BINANCE).is_closed
    short = Position("X", BINANCE, Decimal("-2"), 10.0, PositionSide.SHORT)
    assert (short.amount, short.is_opened, short.is_short, short.is_long) == (2, True, True, False)


def test_balances():
    account = AccountBalance({"USDT": Balance("USDT", Decimal("3"), Decimal("1"))})
    assert account.balances["USDT"].total == 4
    assert account.balance_total == {"USDT": 4} and account.balance_free == {"USDT": 3}
    assert account.balance_locked == {"USDT": 1}
    assert Balance("BTC").total == 0


def test_batch_orders_are_independent():
    one = BatchOrder(symbol="X", side=OrderSide.BUY, type=OrderType.MARKET, amount=Decimal(1))
    two = BatchOrder(symbol="X", side=OrderSide.BUY, type=OrderType.MARKET, amount=Decimal(1))
    one.kwargs["a"] = 1
    assert two.kwargs == {} and one.time_in_force.value == "GTC"


def bar(start):
    return Kline(
        exchange=BINANCE, symbol="X", interval=KlineInterval.MINUTE_1, open=1.0, high=2.0, low=0.5, close=1.5,
        start=start, timestamp=start + 59_999, confirm=True,
    )  # fmt: skip


def test_bars():
    assert KlineList([bar(2), bar(1)]).values == [bar(1), bar(2)]
    with pytest.raises(ValueError, match="'colour'"):
        KlineList([], fields=["colour"])


def test_bars_as_a_frame():
    pytest.importorskip("pandas")
    frame = KlineList([bar(60_000), bar(120_000)]).df
    assert list(frame.columns) == ["timestamp", "symbol", "open", "high", "low", "close", "volume", "confirm"]
    assert list(frame["timestamp"]) == [60_000, 120_000] and str(frame.index[0]) == "1970-01-01 00:01:00+00:00"


def test_structs_are_msgspecs():
    decoded = msgspec.json.decode(msgspec.json.encode(order(OrderStatus.FILLED, filled=Decimal("1.50"))), type=Order)
    assert decoded.filled == Decimal("1.50") and decoded.status is OrderStatus.FILLED
