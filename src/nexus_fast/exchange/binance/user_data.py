"""Binance's private events: bytes in, the engine's words out.

Spot wraps each event, {"subscriptionId":0,"event":{…}}; futures send it bare, or in a combined stream's {"stream":…,"data":{…}}.
Sources: user-data-stream.md (spot), user data streams of the futures and of portfolio margin. Keys differ by case alone, so
the structs name each.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec
from msgspec import Raw, Struct, field

from nexus_fast.constants import InstrumentType
from nexus_fast.exact import exactly, quotient
from nexus_fast.exchange.binance.snapshot import ORDER_TYPES, STATUSES, amounts, is_hedged
from nexus_fast.exchange.rows import Rows, unreadable
from nexus_fast.order.events import (
    BalanceUpdate,
    ConnectionClosing,
    OrderUpdate,
    PositionUpdate,
    StreamEnded,
    Unreadable,
)

Event = OrderUpdate | BalanceUpdate | PositionUpdate | ConnectionClosing | StreamEnded | Unreadable


class _Envelope(Struct):
    e: str | None = None
    event: Raw = Raw()
    data: Raw = Raw()


class _Spot(Struct):
    """executionReport."""

    event_time: int = field(name="E")
    symbol: str = field(name="s")
    client_id: str = field(name="c")
    quantity: Decimal = field(name="q")
    price: Decimal = field(name="p")
    execution: str = field(name="x")
    status: str = field(name="X")
    order_id: int = field(name="i")
    last_quantity: Decimal = field(name="l")
    filled: Decimal = field(name="z")
    last_price: Decimal = field(name="L")
    original_client_id: str = field(name="C", default="")
    reject_reason: str = field(name="r", default="NONE")
    fee: Decimal | None = field(name="n", default=None)
    fee_currency: str | None = field(name="N", default=None)
    time: int = field(name="T", default=0)
    trade_id: int = field(name="t", default=-1)
    is_maker: bool = field(name="m", default=False)
    cost: Decimal = field(name="Z", default=Decimal(0))
    side: str | None = field(name="S", default=None)
    type: str | None = field(name="o", default=None)


class _FuturesOrder(Struct):
    symbol: str = field(name="s")
    client_id: str = field(name="c")
    quantity: Decimal = field(name="q")
    price: Decimal = field(name="p")
    execution: str = field(name="x")
    status: str = field(name="X")
    order_id: int = field(name="i")
    last_quantity: Decimal = field(name="l")
    filled: Decimal = field(name="z")
    last_price: Decimal = field(name="L")
    average: Decimal | None = field(name="ap", default=None)
    fee: Decimal | None = field(name="n", default=None)
    fee_currency: str | None = field(name="N", default=None)
    time: int = field(name="T", default=0)
    trade_id: int = field(name="t", default=0)
    is_maker: bool = field(name="m", default=False)
    expiry_reason: str | None = field(name="er", default=None)
    margin_asset: str = field(name="ma", default="")
    side: str | None = field(name="S", default=None)
    type: str | None = field(name="o", default=None)
    reduce_only: bool = field(name="R", default=False)


class _TradeLite(Struct):
    """TRADE_LITE."""

    event_time: int = field(name="E")
    symbol: str = field(name="s")
    client_id: str = field(name="c")
    quantity: Decimal = field(name="q")
    last_price: Decimal = field(name="L")
    last_quantity: Decimal = field(name="l")
    trade_id: int = field(name="t")
    order_id: int = field(name="i")
    side: str | None = field(name="S", default=None)
    time: int = field(name="T", default=0)
    is_maker: bool = field(name="m", default=False)


class _Futures(Struct):
    """ORDER_TRADE_UPDATE. fs: which futures of a portfolio margin account, UM or CM. Only COIN-M's orders have `ma`."""

    event_time: int = field(name="E")
    order: _FuturesOrder = field(name="o")
    kind: str = field(name="fs", default="")

    @property
    def is_inverse(self) -> bool:
        return self.kind == "CM" or (not self.kind and bool(self.order.margin_asset))


class _SpotBalance(Struct):
    asset: str = field(name="a")
    free: Decimal = field(name="f")
    locked: Decimal = field(name="l")


class _SpotBalances(Struct):
    """outboundAccountPosition: the assets that an event may have changed."""

    event_time: int = field(name="E")
    balances: Raw = field(name="B")


class _FuturesBalance(Struct):
    asset: str = field(name="a")
    wallet: Decimal = field(name="wb")


class _FuturesPosition(Struct):
    symbol: str = field(name="s")
    amount: Decimal = field(name="pa")
    entry_price: Decimal = field(name="ep")
    side: str = field(name="ps", default="BOTH")
    unrealized: Decimal | None = field(name="up", default=None)
    realized: Decimal | None = field(name="cr", default=None)


class _FuturesAccountChange(Struct):
    balances: Raw = field(name="B", default=Raw(b"[]"))
    positions: Raw = field(name="P", default=Raw(b"[]"))


class _FuturesAccount(Struct):
    """ACCOUNT_UPDATE: what has changed, and only that."""

    event_time: int = field(name="E")
    change: _FuturesAccountChange = field(name="a")
    kind: str = field(name="fs", default="")


_envelope = msgspec.json.Decoder(_Envelope)
_spot = msgspec.json.Decoder(_Spot)
_futures = msgspec.json.Decoder(_Futures)
_lite = msgspec.json.Decoder(_TradeLite)
_spot_balances = msgspec.json.Decoder(_SpotBalances)
_futures_account = msgspec.json.Decoder(_FuturesAccount)
_spot_rows, _futures_rows = Rows(_SpotBalance, "Binance balances", "a"), Rows(_FuturesBalance, "Binance balances", "a")
_position_rows = Rows(_FuturesPosition, "Binance positions", "s")

TYPES = {"UM": InstrumentType.LINEAR, "CM": InstrumentType.INVERSE}
# Execution types to events of an order that lives on. Whether it is over the status says, whatever the execution is: the last
# message of an order may be a TRADE without a trade.
EXECUTIONS = {
    "NEW": "ACCEPTED",
    "REPLACED": "MODIFIED",
    "AMENDMENT": "MODIFIED",
    "TRADE_PREVENTION": "ACCEPTED",      # by less than all of it
    "TRADE": "FILL",
    "CALCULATED": "FILL",
    "CANCELED": "",
    "REJECTED": "",
    "EXPIRED": "",
}
# Of orders that the venue took over, beside those of snapshot.STATUSES.
LIQUIDATIONS = ("NEW_INSURANCE", "NEW_ADL")


@exactly
def decode(payload: bytes | Raw) -> list[Event]:
    """Events of one message; empty for what the engine does not use. Raises msgspec.ValidationError for a known event
    whose content cannot be read: it must not pass unseen."""
    envelope = _envelope.decode(payload)
    inner = envelope.event or envelope.data
    if envelope.e is None and inner:
        return decode(inner)
    convert = _CONVERTERS.get(envelope.e or "")
    return convert(payload) if convert else []


def _event(execution: str, status: str, has_fill: bool) -> str:
    """Raises msgspec.ValidationError for words that are not known, and for an end that the status does not know of."""
    said = "ACCEPTED" if status in LIQUIDATIONS else STATUSES.get(status)
    event = EXECUTIONS.get(execution)
    if said is None or event is None:
        raise msgspec.ValidationError(f"execution type {execution!r} with order status {status!r} is not one that is known")
    if said not in ("ACCEPTED", "FILL"):
        return said
    if not event:
        raise msgspec.ValidationError(f"execution type {execution!r} ends an order whose status {status!r} is no end")
    return said if event == "FILL" and not has_fill else event


def _execution_report(payload) -> list[Event]:
    report = _spot.decode(payload)
    fill = report.trade_id >= 0 and report.last_quantity > 0
    # A canceled order carries its cancel's id in `c` and its own in `C`.
    own = report.original_client_id if report.execution in ("CANCELED", "REPLACED") else ""
    return [
        OrderUpdate(
            event=_event(report.execution, report.status, fill),
            client_id=own or report.client_id,
            venue_id=str(report.order_id),
            venue_symbol=report.symbol,
            filled=report.filled,
            price=report.price,
            quantity=report.quantity,
            cost=report.cost,
            average=quotient(report.cost, report.filled) if report.filled else None,
            last_price=report.last_price if fill else None,
            last_quantity=report.last_quantity if fill else None,
            trade_id=report.trade_id if fill else -1,
            fee=report.fee if fill else None,
            fee_currency=report.fee_currency if fill else None,
            is_maker=report.is_maker if fill else None,
            time_ms=(report.time if fill else 0) or report.event_time,
            reason=None if report.reject_reason == "NONE" else report.reject_reason,
            side=report.side,
            type=ORDER_TYPES.get(report.type, report.type),
            instrument_type=InstrumentType.SPOT,
        )
    ]


def _order_trade_update(payload) -> list[Event]:
    update = _futures.decode(payload)
    order = update.order
    fill = order.execution in ("TRADE", "CALCULATED") and order.last_quantity > 0
    cost = order.average * order.filled if order.average and order.filled and not update.is_inverse else None
    return [
        OrderUpdate(
            event=_event(order.execution, order.status, fill),
            client_id=order.client_id,
            venue_id=str(order.order_id),
            venue_symbol=order.symbol,
            filled=order.filled,
            price=order.price,
            quantity=order.quantity,
            average=order.average if order.filled else None,
            cost=cost,
            last_price=order.last_price if fill else None,
            last_quantity=order.last_quantity if fill else None,
            trade_id=order.trade_id if fill else -1,
            fee=order.fee if fill else None,
            fee_currency=order.fee_currency if fill else None,
            is_maker=order.is_maker if fill else None,
            time_ms=(order.time if fill else 0) or update.event_time,
            reason=None if order.expiry_reason in (None, "0") else f"expiry reason {order.expiry_reason}",
            side=order.side,
            type=ORDER_TYPES.get(order.type, order.type),
            reduce_only=order.reduce_only,
            instrument_type=TYPES.get(update.kind),
        )
    ]


def _trade_lite(payload) -> list[Event]:
    """A fill ahead of its ORDER_TRADE_UPDATE, without the fee and the cumulative quantity."""
    trade = _lite.decode(payload)
    if trade.last_quantity <= 0:
        return []
    return [
        OrderUpdate(
            event="FILL",
            client_id=trade.client_id,
            venue_id=str(trade.order_id),
            venue_symbol=trade.symbol,
            quantity=trade.quantity,
            last_price=trade.last_price,
            last_quantity=trade.last_quantity,
            trade_id=trade.trade_id,
            is_maker=trade.is_maker,
            time_ms=trade.time or trade.event_time,
            side=trade.side,
        )
    ]


def _outbound_account_position(payload) -> list[Event]:
    found = _spot_balances.decode(payload)
    rows = _spot_rows.decode(found.balances, lambda b: (b.asset, amounts(b.free, b.locked)))
    return [BalanceUpdate(balances=dict(rows), time_ms=found.event_time), *unreadable(rows)]


def _account_update(payload) -> list[Event]:
    found = _futures_account.decode(payload)

    def convert(position: _FuturesPosition) -> PositionUpdate | None:
        if is_hedged(position.side, position.amount):
            return None
        amounts(position.amount, position.entry_price)
        return PositionUpdate(
            venue_symbol=position.symbol,
            signed_amount=position.amount,
            entry_price=position.entry_price,
            unrealized_pnl=position.unrealized,
            realized_pnl=position.realized,
            time_ms=found.event_time,
            instrument_type=TYPES.get(found.kind),
        )

    balances = _futures_rows.decode(found.change.balances, lambda b: (b.asset, amounts(b.wallet)))
    positions = _position_rows.decode(found.change.positions, convert)
    wallet = [BalanceUpdate(balances=dict(balances), time_ms=found.event_time, part=found.kind)] if balances else []
    return [*wallet, *positions, *unreadable(balances, positions)]


_CONVERTERS: dict[str, Callable[[bytes | Raw], list[Event]]] = {
    "executionReport": _execution_report,
    "ORDER_TRADE_UPDATE": _order_trade_update,
    "TRADE_LITE": _trade_lite,
    "outboundAccountPosition": _outbound_account_position,
    "ACCOUNT_UPDATE": _account_update,
    "listenKeyExpired": lambda payload: [StreamEnded("the listen key has expired")],
    "serverShutdown": lambda payload: [ConnectionClosing("the venue is about to close this connection for maintenance")],
    "eventStreamTerminated": lambda payload: [StreamEnded("the venue has ended the event stream")],
}
