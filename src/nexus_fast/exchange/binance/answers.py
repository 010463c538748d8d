"""Binance's REST answers about the market and about orders, of all markets, as schema objects.

Source: developers.binance.com, the response samples of the endpoints that requests.py names.
"""

import time
from decimal import Decimal

import msgspec
from msgspec import Struct

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
from nexus_fast.exact import exactly, quotient
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.exchange.rows import Rows, finite
from nexus_fast.schema import Kline, Order, Ticker

EXCHANGE = ExchangeType.BINANCE
STATUSES = {
    "NEW": OrderStatus.ACCEPTED,
    "PENDING_NEW": OrderStatus.ACCEPTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "PENDING_CANCEL": OrderStatus.CANCELING,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.FAILED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}
# TAKE_PROFIT means a market order on spot and a limit order on the futures. A trailing stop has no type of ours: None.
SPOT_TYPES, FUTURES_TYPES = (
    {
        "LIMIT": OrderType.LIMIT,
        "MARKET": OrderType.MARKET,
        "LIMIT_MAKER": OrderType.POST_ONLY,
        "STOP_LOSS": OrderType.STOP_LOSS_MARKET,
        "STOP_LOSS_LIMIT": OrderType.STOP_LOSS_LIMIT,
        "TAKE_PROFIT": OrderType.TAKE_PROFIT_MARKET,
        "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT_LIMIT,
    },
    {
        "LIMIT": OrderType.LIMIT,
        "MARKET": OrderType.MARKET,
        "STOP": OrderType.STOP_LOSS_LIMIT,
        "STOP_MARKET": OrderType.STOP_LOSS_MARKET,
        "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
        "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT_MARKET,
    },
)
# GTX is the futures' word for post-only; a GTD order has no time in force of ours: None.
TIMES_IN_FORCE = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "GTX": TimeInForce.GTC}
POSITION_SIDES = {"LONG": PositionSide.LONG, "SHORT": PositionSide.SHORT}


class TickerAnswer(Struct, rename="camel"):
    """COIN-M has baseVolume for quoteVolume: what its contracts were worth in coins."""

    symbol: str
    last_price: str
    volume: str
    close_time: int
    quote_volume: str = ""
    base_volume: str = ""


class BarAnswer(Struct, array_like=True):
    """One row of klines and indexPriceKlines; the latter's volumes are placeholders."""

    start: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    end: int
    quote_volume: str
    trades: int
    taker_volume: str
    taker_quote_volume: str


class OrderAnswer(Struct, rename="camel"):
    """GET order and openOrders. Spot has cummulativeQuoteQty (their spelling), USD-M cumQuote, COIN-M cumBase, both avgPrice.
    Since the two futures are one (2026) some answers have both: the instrument says which counts."""

    symbol: str
    order_id: int
    client_order_id: str
    price: Decimal
    orig_qty: Decimal
    executed_qty: Decimal
    status: str
    type: str
    side: OrderSide
    time_in_force: str
    update_time: int
    stop_price: Decimal = Decimal(0)
    cummulative_quote_qty: Decimal | None = None
    cum_quote: Decimal | None = None
    cum_base: Decimal | None = None
    avg_price: Decimal | None = None
    reduce_only: bool | None = None
    position_side: str = "BOTH"


class FillAnswer(Struct, rename="camel"):
    """A row of myTrades and userTrades. The account's side: isBuyer on spot, side on the futures."""

    symbol: str
    id: int
    order_id: int
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    time: int
    quote_qty: Decimal | None = None
    base_qty: Decimal | None = None
    side: OrderSide | None = None
    is_buyer: bool | None = None
    position_side: str = "BOTH"


TICKERS = Rows(TickerAnswer, "Binance tickers", "symbol")
BARS = msgspec.json.Decoder(list[BarAnswer])
ORDER, ORDERS = msgspec.json.Decoder(OrderAnswer), msgspec.json.Decoder(list[OrderAnswer])
FILLS = msgspec.json.Decoder(list[FillAnswer])


def as_ticker(ticker: TickerAnswer, symbol: str) -> Ticker:
    return Ticker(
        exchange=EXCHANGE,
        symbol=symbol,
        last_price=finite(ticker.last_price),
        timestamp=ticker.close_time,
        volume=finite(ticker.volume),
        volumeCcy=finite(ticker.quote_volume or ticker.base_volume),
    )


def as_kline(row: BarAnswer, symbol: str, interval: KlineInterval, *, with_volumes: bool) -> Kline:
    now = time.time_ns() // 1_000_000
    volumes = {}
    if with_volumes:
        volumes = {
            "volume": finite(row.volume),
            "quote_volume": finite(row.quote_volume),
            "taker_volume": finite(row.taker_volume),
            "taker_quote_volume": finite(row.taker_quote_volume),
        }
    return Kline(
        exchange=EXCHANGE,
        symbol=symbol,
        interval=interval,
        open=finite(row.open),
        high=finite(row.high),
        low=finite(row.low),
        close=finite(row.close),
        start=row.start,
        timestamp=now,
        confirm=row.end < now,
        **volumes,
    )


@exactly
def as_order(order: OrderAnswer, instrument: Instrument) -> Order:
    """Raises VenueError for a status nobody knows: nothing is concluded from it."""
    status = STATUSES.get(order.status)
    if status is None:
        raise VenueError("unreadable", f"order {order.client_order_id} has the status {order.status}", venue="binance")
    costs = (order.cum_base,) if instrument.is_inverse else (order.cummulative_quote_qty, order.cum_quote)
    cost = next((each for each in costs if each is not None), None)
    if cost is not None and cost < 0:
        cost = None                  # spot's way to say that it is not known for an old order
    kind = (SPOT_TYPES if instrument.is_spot else FUTURES_TYPES).get(order.type)
    average = quotient(cost, order.executed_qty) if cost and order.executed_qty and not instrument.is_inverse else order.avg_price
    if order.type == "LIMIT" and order.time_in_force == "GTX":
        kind = OrderType.POST_ONLY
    return Order(
        exchange=EXCHANGE,
        symbol=instrument.symbol,
        status=status,
        oid=order.client_order_id,
        eid=str(order.order_id),
        amount=order.orig_qty,
        filled=order.executed_qty,
        timestamp=order.update_time,
        type=kind,
        side=order.side,
        time_in_force=TIMES_IN_FORCE.get(order.time_in_force),
        price=float(order.price) or None,
        trigger_price=float(order.stop_price) or None,
        average=float(average) if average and order.executed_qty else None,
        remaining=order.orig_qty - order.executed_qty,
        cum_cost=cost,
        reduce_only=bool(order.reduce_only),
        position_side=POSITION_SIDES.get(order.position_side),
    )


def as_filled(fill: FillAnswer, instrument: Instrument) -> Order:
    side = fill.side or (OrderSide.BUY if fill.is_buyer else OrderSide.SELL)
    cost = fill.base_qty if instrument.is_inverse else fill.quote_qty
    if cost is None:
        cost = instrument.cost(fill.price, fill.qty)         # portfolio margin does not say it everywhere
    return Order(
        exchange=EXCHANGE,
        symbol=instrument.symbol,
        status=OrderStatus.FILLED,
        eid=str(fill.order_id),
        amount=fill.qty,
        filled=fill.qty,
        timestamp=fill.time,
        side=side,
        average=float(fill.price),
        last_filled_price=float(fill.price),
        last_filled=fill.qty,
        remaining=Decimal(0),
        fee=fill.commission,
        fee_currency=fill.commission_asset,
        cost=cost,
        cum_cost=cost,
        position_side=POSITION_SIDES.get(fill.position_side),
    )
