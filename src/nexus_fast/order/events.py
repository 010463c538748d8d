"""What a venue says about an order, in the engine's words."""

from decimal import Decimal

from msgspec import Struct

from nexus_fast.constants import InstrumentType

# How far who answers a question may lag behind the venue itself: the answer says nothing of what happened since.
LAG_SECONDS = 10.0


class OrderUpdate(Struct, gc=False, kw_only=True):
    """One answer or private-stream event. event: a name of nexus_fast.order.states.EVENTS. client_id: the order's own, also
    where the venue has renamed it. filled: cumulative, None when the event does not say. last_…: of the fill that it brings.
    price and quantity: of the order now, None when the event does not say. cost: cumulative, in quote units. side ("BUY",
    "SELL"), type (a name of OrderType, or the venue's own word), reduce_only and instrument_type (None: the account's only kind)
    matter for orders that are not ours."""

    event: str
    client_id: str
    venue_id: str = ""
    venue_symbol: str = ""
    filled: Decimal | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    average: Decimal | None = None
    cost: Decimal | None = None
    last_price: Decimal | None = None
    last_quantity: Decimal | None = None
    trade_id: int = -1
    fee: Decimal | None = None
    fee_currency: str | None = None
    is_maker: bool | None = None
    time_ms: int | None = None
    reason: str | None = None
    side: str | None = None
    type: str | None = None
    reduce_only: bool = False
    instrument_type: InstrumentType | None = None


class BalanceUpdate(Struct, kw_only=True):
    """Balances by asset: (free, locked). complete: assets that are not named are gone. part: which of the wallets of an account
    that has several; its connector adds them up."""

    balances: dict[str, tuple[Decimal, Decimal]]
    complete: bool = False
    time_ms: int | None = None
    part: str = ""


class PositionUpdate(Struct, kw_only=True):
    """One symbol's position in one-way mode; signed: below zero is short, in base units or contracts. instrument_type: of an
    account that holds several kinds, whose venue symbols may be alike; None: the account's only kind."""

    venue_symbol: str
    signed_amount: Decimal
    entry_price: Decimal
    unrealized_pnl: Decimal | None = None
    realized_pnl: Decimal | None = None
    time_ms: int | None = None
    instrument_type: InstrumentType | None = None


class Unreadable(Struct):
    """A row of an event could not be read: what it said is asked for. Its neighbours came with the other events."""

    rows: int


class ConnectionClosing(Struct):
    """The venue will close this connection soon: another has to take its place before."""

    reason: str


class StreamEnded(Struct):
    """The venue says that this private stream will bring nothing more: subscribe again, then reconcile."""

    reason: str
