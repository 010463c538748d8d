"""What a venue says about an order, in the engine's words."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from nexus_fast.answers import LATEST_MS
from nexus_fast.constants import InstrumentType
from nexus_fast.error import UnusableAnswer

# How far who answers a question may lag behind the venue itself: the answer says nothing of what happened since.
LAG_SECONDS = 10.0
# What is larger or finer is no amount of anything, and would not fit where it is reckoned with.
DIGITS_BEFORE, DIGITS_AFTER = 30, 60
LARGEST_ID = 2**63 - 1


def require_usable(what: str, amounts: Iterable[Decimal | None], time_ms: int | None = None, trade_id: int = -1) -> None:
    """Raises UnusableAnswer for what a decoder lets through and no venue means: NaN, infinities, numbers and times beyond all
    measure."""
    for amount in amounts:
        if amount is not None and not _is_amount(Decimal(amount)):
            raise UnusableAnswer(f"{what}: {amount!s:.40} is no amount")
    if time_ms is not None and not 0 <= time_ms < LATEST_MS:
        raise UnusableAnswer(f"{what}: {time_ms!s:.40} is no time in ms")
    if not -1 <= trade_id <= LARGEST_ID:
        raise UnusableAnswer(f"{what}: {trade_id!s:.40} is no trade's number")


def _is_amount(value: Decimal) -> bool:
    return value.is_finite() and -DIGITS_AFTER < value.adjusted() < DIGITS_BEFORE


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

    def __post_init__(self) -> None:
        require_usable(
            f"order {self.client_id or self.venue_id}",
            (self.filled, self.price, self.quantity, self.average, self.cost, self.last_price, self.last_quantity, self.fee),
            self.time_ms,
            self.trade_id,
        )

    def as_modification(self) -> "OrderUpdate":
        """Of an order's end: what made the order larger before it."""
        return replace(self, event="MODIFIED", filled=None, trade_id=-1, last_quantity=None, fee=None)


class BalanceUpdate(Struct, kw_only=True):
    """Balances by asset: (free, locked). complete: assets that are not named are gone. part: which of the wallets of an account
    that has several; its connector adds them up."""

    balances: dict[str, tuple[Decimal, Decimal]]
    complete: bool = False
    time_ms: int | None = None
    part: str = ""

    def __post_init__(self) -> None:
        for asset, amounts in self.balances.items():
            require_usable(f"the balance of {asset}", amounts, self.time_ms)


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

    def __post_init__(self) -> None:
        amounts = (self.signed_amount, self.entry_price, self.unrealized_pnl, self.realized_pnl)
        require_usable(f"the position in {self.venue_symbol}", amounts, self.time_ms)


class Unreadable(Struct):
    """A row of an event could not be read: what it said is asked for. Its neighbours came with the other events."""

    rows: int


class ConnectionClosing(Struct):
    """The venue will close this connection soon: another has to take its place before."""

    reason: str


class StreamEnded(Struct):
    """The venue says that this private stream will bring nothing more: subscribe again, then reconcile."""

    reason: str
