"""OKX's REST answers about the market and about orders, as schema objects. Numbers are texts, "" where they do not apply.

Source: www.okx.com/docs-v5, the response samples of the endpoints that requests.py names.
"""

import math
from decimal import Decimal

import msgspec
from msgspec import Struct

from nexus_fast.constants import (
    ExchangeType,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)
from nexus_fast.error import VenueError
from nexus_fast.exact import exactly
from nexus_fast.exchange.okx.instruments import OkxInstrument
from nexus_fast.exchange.okx.user_data import decimal, number
from nexus_fast.exchange.rows import Rows, finite
from nexus_fast.schema import Order, Ticker

EXCHANGE = ExchangeType.OKX
STATUSES = {
    "live": OrderStatus.ACCEPTED,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "mmp_canceled": OrderStatus.CANCELED,
}
# One word says type and time in force. What has none of ours: None.
ORDER_TYPES = {
    "market": (OrderType.MARKET, TimeInForce.GTC),
    "limit": (OrderType.LIMIT, TimeInForce.GTC),
    "ioc": (OrderType.LIMIT, TimeInForce.IOC),
    "fok": (OrderType.LIMIT, TimeInForce.FOK),
    "post_only": (OrderType.POST_ONLY, TimeInForce.GTC),
    "optimal_limit_ioc": (OrderType.MARKET, TimeInForce.IOC),
}
SIDES = {"buy": OrderSide.BUY, "sell": OrderSide.SELL}
POSITION_SIDES = {"long": PositionSide.LONG, "short": PositionSide.SHORT}


class TickerAnswer(Struct, rename="camel"):
    """vol24h: contracts, of spot the base currency. volCcy24h: the base currency, of spot the quote currency."""

    inst_id: str
    last: str
    ts: str
    vol24h: str = "0"
    vol_ccy24h: str = "0"


class OrderAnswer(Struct, rename="camel"):
    """GET order, orders-pending and orders-history."""

    inst_id: str
    ord_id: str
    cl_ord_id: str
    state: str
    ord_type: str
    side: str
    sz: str
    u_time: str
    px: str = ""
    acc_fill_sz: str = ""
    avg_px: str = ""
    fee: str = ""
    fee_ccy: str = ""
    reduce_only: str = "false"
    pos_side: str = ""
    tgt_ccy: str = ""


class FillAnswer(Struct, rename="camel"):
    """A row of fills-history."""

    inst_id: str
    trade_id: str
    ord_id: str
    side: str
    fill_px: str
    fill_sz: str
    ts: str
    cl_ord_id: str = ""
    fee: str = ""
    fee_ccy: str = ""
    pos_side: str = ""
    exec_type: str = ""


TICKERS = Rows(TickerAnswer, "OKX tickers", "instId")
ORDERS = msgspec.json.Decoder(list[OrderAnswer])
FILLS = msgspec.json.Decoder(list[FillAnswer])
FILL_ROWS = Rows(FillAnswer, "OKX fills", "tradeId")
BARS = msgspec.json.Decoder(list[list[str]])


def as_ticker(ticker: TickerAnswer, symbol: str) -> Ticker:
    return Ticker(
        exchange=EXCHANGE,
        symbol=symbol,
        last_price=finite(ticker.last) if ticker.last else math.nan,         # not traded yet
        timestamp=int(ticker.ts),
        volume=finite(ticker.vol24h or "0"),
        volumeCcy=finite(ticker.vol_ccy24h or "0"),
    )


@exactly
def as_order(order: OrderAnswer, instrument: OkxInstrument) -> Order:
    """Raises VenueError for a state nobody knows: nothing is concluded from it."""
    status = STATUSES.get(order.state)
    if status is None:
        raise VenueError("unreadable", f"order {order.cl_ord_id or order.ord_id} has the state {order.state}", venue="okx")
    value = instrument.contract_value
    filled = number(order.acc_fill_sz or "0") * value
    # A market order of spot that somebody sized in the quote currency: its amount is what it came to.
    amount = filled if order.tgt_ccy == "quote_ccy" else number(order.sz) * value
    average, fee = decimal(order.avg_px), decimal(order.fee)
    kind, time_in_force = ORDER_TYPES.get(order.ord_type, (None, None))
    return Order(
        exchange=EXCHANGE,
        symbol=instrument.symbol,
        status=status,
        oid=order.cl_ord_id,
        eid=order.ord_id,
        amount=amount,
        filled=filled,
        timestamp=int(order.u_time),
        type=kind,
        side=SIDES[order.side],
        time_in_force=time_in_force,
        price=float(order.px) if order.px else None,
        average=float(average) if average and filled else None,
        remaining=amount - filled,
        fee=None if fee is None else -fee,
        fee_currency=order.fee_ccy or None,
        cum_cost=instrument.cost(average, filled) if average and filled else Decimal(0),
        reduce_only=order.reduce_only == "true",
        position_side=POSITION_SIDES.get(order.pos_side),
    )


@exactly
def as_filled(fill: FillAnswer, instrument: OkxInstrument) -> Order:
    amount, price, fee = number(fill.fill_sz) * instrument.contract_value, number(fill.fill_px), decimal(fill.fee)
    cost = instrument.cost(price, amount)
    return Order(
        exchange=EXCHANGE,
        symbol=instrument.symbol,
        status=OrderStatus.FILLED,
        oid=fill.cl_ord_id or None,
        eid=fill.ord_id,
        amount=amount,
        filled=amount,
        timestamp=int(fill.ts),
        side=SIDES[fill.side],
        average=float(price),
        last_filled_price=float(price),
        last_filled=amount,
        remaining=Decimal(0),
        fee=None if fee is None else -fee,
        fee_currency=fill.fee_ccy or None,
        cost=cost,
        cum_cost=cost,
        position_side=POSITION_SIDES.get(fill.pos_side),
    )
