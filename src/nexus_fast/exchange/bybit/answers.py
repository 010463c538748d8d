"""Bybit's REST answers about the market and about orders as schema objects.

Source: bybit-exchange.github.io/docs/v5, the response samples of the endpoints that requests.py names.
"""

import time
from decimal import Decimal

import msgspec
from msgspec import Struct, field

from nexus_fast.constants import (
    ExchangeType,
    KlineInterval,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)
from nexus_fast.error import VenueError
from nexus_fast.exact import exactly
from nexus_fast.exchange.bybit.fills import ExecutionRow
from nexus_fast.exchange.bybit.snapshot import OrderRow, Text, exact, milliseconds, number, order_update
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.exchange.rows import Rows, finite
from nexus_fast.schema import Kline, Order, Ticker

EXCHANGE = ExchangeType.BYBIT
SIDES = {"Buy": OrderSide.BUY, "Sell": OrderSide.SELL}
STATUSES = {
    "ACCEPTED": OrderStatus.ACCEPTED,
    "FILL": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.FAILED,
}
ORDER_TYPES = {"Limit": OrderType.LIMIT, "Market": OrderType.MARKET}
# PostOnly is a time in force of the venue and a type of ours.
TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "PostOnly": TimeInForce.GTC,
}  # fmt: skip
POSITION_SIDES = {1: PositionSide.LONG, 2: PositionSide.SHORT}      # of hedge mode; 0 is one-way mode
ZERO = Decimal(0)


class TickerAnswer(Struct, rename="camel"):
    """volume24h is in base units (inverse: in dollars), turnover24h in quote units (inverse: in the coin)."""

    symbol: str
    last_price: str
    volume: str = field(name="volume24h")
    turnover: str = field(name="turnover24h")


class BarAnswer(Struct, array_like=True):
    """A row of kline; index-price-kline ends with the close. Newest first."""

    start: str
    open: str
    high: str
    low: str
    close: str
    volume: str = ""
    turnover: str = ""

    @property
    def time(self) -> int:
        return int(self.start)


class OrderAnswer(OrderRow, rename="camel"):
    trigger_price: Text = ""
    position_idx: int = 0
    cum_exec_fee: Text = ""
    fee_currency: Text = ""


class FillAnswer(ExecutionRow, rename="camel"):
    exec_value: Text = ""


class _Tickers(Struct):
    rows: msgspec.Raw = field(name="list")


class _Bars(Struct):
    rows: list[BarAnswer] = field(name="list")


class _Orders(Struct):
    rows: list[OrderAnswer] = field(name="list")


class _Fills(Struct):
    rows: list[FillAnswer] = field(name="list")


TICKERS, BARS, ORDERS, FILLS = (msgspec.json.Decoder(kind) for kind in (_Tickers, _Bars, _Orders, _Fills))
TICKER_ROWS = Rows(TickerAnswer, "Bybit tickers", "symbol")


def as_ticker(ticker: TickerAnswer, symbol: str, time_ms: int) -> Ticker:
    return Ticker(
        exchange=EXCHANGE,
        symbol=symbol,
        last_price=finite(ticker.last_price),
        timestamp=time_ms,
        volume=finite(ticker.volume),
        volumeCcy=finite(ticker.turnover),
    )


def as_kline(row: BarAnswer, symbol: str, interval: KlineInterval) -> Kline:
    now = time.time_ns() // 1_000_000
    volumes = {}
    if row.volume:
        turnover = finite(row.turnover)
        volumes = {"volume": finite(row.volume), "quote_volume": turnover, "turnover": turnover}
    return Kline(
        exchange=EXCHANGE,
        symbol=symbol,
        interval=interval,
        open=finite(row.open),
        high=finite(row.high),
        low=finite(row.low),
        close=finite(row.close),
        start=row.time,
        timestamp=now,
        confirm=row.time + interval.seconds * 1000 <= now,
        **volumes,
    )


@exactly
def as_order(row: OrderAnswer, instrument: Instrument) -> Order:
    """Raises VenueError for a status nobody knows: nothing is concluded from it."""
    try:
        update = order_update(row)
    except msgspec.ValidationError as error:
        raise VenueError("unreadable", f"order {row.order_link_id or row.order_id}: {error}", venue="bybit") from None
    kind = OrderType.POST_ONLY if row.time_in_force == "PostOnly" else ORDER_TYPES.get(row.order_type)
    filled = update.filled or ZERO
    return Order(
        exchange=EXCHANGE,
        symbol=instrument.symbol,
        status=STATUSES[update.event],
        oid=row.order_link_id,
        eid=row.order_id,
        amount=update.quantity,
        filled=filled,
        timestamp=update.time_ms,
        type=kind,
        side=SIDES.get(row.side),
        time_in_force=TIMES_IN_FORCE.get(row.time_in_force),
        price=float(update.price) if update.price else None,
        trigger_price=float(number(row.trigger_price) or 0) or None,
        average=None if update.average is None else float(update.average),
        remaining=None if update.quantity is None else update.quantity - filled,
        fee=number(row.cum_exec_fee) if filled else None,
        fee_currency=(row.fee_currency or instrument.settle) if filled else None,
        cum_cost=update.cost,
        reduce_only=row.reduce_only,
        position_side=POSITION_SIDES.get(row.position_idx),
        reason=update.reason,
    )


def as_filled(fill: FillAnswer, instrument: Instrument) -> Order:
    quantity, value = exact(fill.exec_qty), number(fill.exec_value)
    return Order(
        exchange=EXCHANGE,
        symbol=instrument.symbol,
        status=OrderStatus.FILLED,
        oid=fill.order_link_id or None,
        eid=fill.order_id,
        amount=quantity,
        filled=quantity,
        timestamp=milliseconds(fill.exec_time),
        side=SIDES.get(fill.side),
        average=finite(fill.exec_price),
        last_filled_price=finite(fill.exec_price),
        last_filled=quantity,
        remaining=ZERO,
        fee=number(fill.exec_fee),
        fee_currency=fill.fee_currency or instrument.settle,
        cost=value,
        cum_cost=value,
    )
