"""What a strategy is handed: market data, orders, positions, balances, markets. NexusTrader's names and fields.

Amounts are Decimal, prices of market data float, times milliseconds since 1970 UTC, unless a field says otherwise.
"""

from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from nexus_fast.constants import (
    CLOSED_STATUSES,
    AccountType,
    AlgoOrderStatus,
    ExchangeType,
    InstrumentType,
    KlineInterval,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)
from nexus_fast.core.book import BookL1 as BookL1
from nexus_fast.exact import OWN
from nexus_fast.identity import InstrumentId as InstrumentId
from nexus_fast.identity import Symbol as Symbol

# ------------------------------------------------------------------------------------------------ market data


class BookOrderData(Struct, gc=False, frozen=True):
    price: float
    size: float


class BookL2(Struct, frozen=True):
    """bids descend, asks ascend."""

    exchange: ExchangeType
    symbol: str
    bids: list[BookOrderData]
    asks: list[BookOrderData]
    timestamp: int


class Trade(Struct, gc=False, frozen=True):
    """side: the taker's."""

    exchange: ExchangeType
    side: OrderSide
    symbol: str
    price: float
    size: float
    timestamp: int


class Kline(Struct, gc=False, kw_only=True, frozen=True, omit_defaults=True):
    """A bar. Fields that the venue does not give are None. confirm: the bar is over."""

    exchange: ExchangeType
    symbol: str
    interval: KlineInterval
    open: float
    high: float
    low: float
    close: float
    volume: float | None = None
    buy_volume: float | None = None
    quote_volume: float | None = None
    taker_volume: float | None = None
    taker_quote_volume: float | None = None
    turnover: float | None = None
    start: int
    timestamp: int
    confirm: bool


class KlineList(list[Kline]):
    """Bars, with `df`: a pandas frame indexed by their start (pandas is imported then)."""

    FIELDS = ("timestamp", "symbol", "open", "high", "low", "close", "volume", "confirm")

    def __init__(self, klines: list[Kline], fields: list[str] | None = None):
        super().__init__(klines)
        self._fields = list(fields or self.FIELDS)
        unknown = [name for name in self._fields if name not in Kline.__struct_fields__]
        if unknown:
            raise ValueError(f"Kline has no field {unknown[0]!r}; it has {', '.join(Kline.__struct_fields__)}.")

    @property
    def df(self) -> Any:
        import pandas

        columns = {name: [getattr(bar, _column(name)) for bar in self] for name in self._fields}
        frame = pandas.DataFrame(columns)
        frame["date"] = pandas.to_datetime([bar.start for bar in self], unit="ms", utc=True)
        return frame.set_index("date")

    @property
    def values(self) -> list[Kline]:
        """In order of time."""
        return sorted(self, key=lambda bar: bar.timestamp)


def _column(name: str) -> str:
    # The frame's timestamp is the bar's start, as NexusTrader has it.
    return "start" if name == "timestamp" else name


class MarkPrice(Struct, gc=False, frozen=True):
    exchange: ExchangeType
    symbol: str
    price: float
    timestamp: int


class IndexPrice(Struct, gc=False, frozen=True):
    exchange: ExchangeType
    symbol: str
    price: float
    timestamp: int


class FundingRate(Struct, gc=False, frozen=True):
    """rate: of one funding interval, as a fraction."""

    exchange: ExchangeType
    symbol: str
    rate: float
    timestamp: int
    next_funding_time: int


class Ticker(Struct, gc=False, kw_only=True):
    """24 hours. volume in base units, volumeCcy in quote units (inverse: contracts and base units)."""

    exchange: ExchangeType
    symbol: str
    last_price: float
    timestamp: int
    volume: float
    volumeCcy: float


# ------------------------------------------------------------------------------------------------ orders


class BatchOrder(Struct, kw_only=True):
    """One order of create_batch_orders. kwargs: passed on to create_order."""

    symbol: str
    side: OrderSide
    type: OrderType
    amount: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce | None = TimeInForce.GTC
    reduce_only: bool = False
    kwargs: dict[str, Any] = field(default_factory=dict)


class Order(Struct, gc=False):
    """An order as it stood when a callback was made.

    oid: ours, eid: the venue's. filled, average, cum_cost (quote units) and fee: of the fills that were told so far. cost,
    last_filled, last_filled_price: of the fill that on_filled_order or on_partially_filled_order tells; None elsewhere. reason:
    why it failed, in the venue's words or ours.
    """

    exchange: ExchangeType
    symbol: str
    status: OrderStatus
    oid: str | None = None
    eid: str | None = None
    amount: Decimal | None = None
    filled: Decimal | None = None
    timestamp: int | None = None
    type: OrderType | None = None
    side: OrderSide | None = None
    time_in_force: TimeInForce | None = None
    price: float | None = None
    trigger_price: float | None = None
    average: float | None = None
    last_filled_price: float | None = None
    last_filled: Decimal | None = None
    remaining: Decimal | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    cost: Decimal | None = None
    cum_cost: Decimal | None = None
    reduce_only: bool | None = None
    position_side: PositionSide | None = None
    reason: str | None = None

    @property
    def success(self) -> bool:
        return self.status not in (OrderStatus.FAILED, OrderStatus.CANCEL_FAILED)

    @property
    def is_filled(self) -> bool:
        return self.status is OrderStatus.FILLED

    @property
    def is_pending(self) -> bool:
        return self.status is OrderStatus.PENDING

    @property
    def is_accepted(self) -> bool:
        return self.status is OrderStatus.ACCEPTED

    @property
    def is_partially_filled(self) -> bool:
        return self.status is OrderStatus.PARTIALLY_FILLED

    @property
    def is_partially_canceled(self) -> bool:
        return self.status is OrderStatus.CANCELED and bool(self.filled)

    @property
    def is_canceled(self) -> bool:
        return self.status is OrderStatus.CANCELED

    @property
    def is_expired(self) -> bool:
        return self.status is OrderStatus.EXPIRED

    @property
    def is_closed(self) -> bool:
        """Whether it is over. An order whose cancel failed is not: it can still be filled."""
        return self.status in CLOSED_STATUSES

    @property
    def is_opened(self) -> bool:
        return self.status not in CLOSED_STATUSES and self.status is not OrderStatus.INITIALIZED

    @property
    def on_flight(self) -> bool:
        """A request for it is on its way and unanswered."""
        return self.status in (OrderStatus.PENDING, OrderStatus.CANCELING)

    @property
    def is_buy(self) -> bool:
        return self.side is OrderSide.BUY

    @property
    def is_sell(self) -> bool:
        return self.side is OrderSide.SELL

    @property
    def is_maker(self) -> bool:
        return self.type is OrderType.LIMIT

    @property
    def is_taker(self) -> bool:
        return self.type is OrderType.MARKET

    @property
    def is_post_only(self) -> bool:
        return self.type is OrderType.POST_ONLY


class Fill(Struct, kw_only=True, frozen=True, gc=False):
    """A fill of an order of the strategy's. Each is told once.

    trade_id: the venue's number of the trade (63 bits of a name, where the venue has names); None: the venue never listed the
    trade, its quantity is known from the order's total, and price is what the total was worth more. amount: above zero, in base
    units or contracts. is_maker, fee: None where the venue has not said it (yet, see Callbacks.on_fill_fee). timestamp: the
    venue's, ms. recovered: the position that on_start saw contains it. position: of the symbol on the account with this fill,
    below zero when short; None for spot. order: as it stands with this fill.
    """

    exchange: ExchangeType
    account_type: AccountType
    symbol: str
    oid: str
    eid: str | None
    trade_id: int | None
    side: OrderSide
    price: Decimal
    amount: Decimal
    is_maker: bool | None
    fee: Decimal | None
    fee_currency: str | None
    timestamp: int
    recovered: bool
    position: Decimal | None
    order: Order

    @property
    def signed_amount(self) -> Decimal:
        """Below zero for a sale."""
        return self.amount if self.side is OrderSide.BUY else self.amount.copy_negate()


class AlgoOrder(Struct, kw_only=True):
    """Kept so that programs import; no algorithmic order is served."""

    symbol: str
    oid: str
    side: OrderSide
    amount: Decimal | None = None
    duration: int
    wait: int
    status: AlgoOrderStatus
    exchange: ExchangeType
    timestamp: int
    orders: list[str] = field(default_factory=list)
    position_side: PositionSide | None = None
    filled: Decimal | None = None
    cost: float | None = None
    average: float | None = None


# ------------------------------------------------------------------------------------------------ account


class Balance(Struct):
    asset: str
    free: Decimal = Decimal("0.0")
    locked: Decimal = Decimal("0.0")

    @property
    def total(self) -> Decimal:
        return OWN.add(self.free, self.locked)


class AccountBalance(Struct):
    """The balances of one account, by asset."""

    balances: dict[str, Balance] = field(default_factory=dict)

    @property
    def balance_total(self) -> dict[str, Decimal]:
        return {asset: balance.total for asset, balance in self.balances.items()}

    @property
    def balance_free(self) -> dict[str, Decimal]:
        return {asset: balance.free for asset, balance in self.balances.items()}

    @property
    def balance_locked(self) -> dict[str, Decimal]:
        return {asset: balance.locked for asset, balance in self.balances.items()}


class Position(Struct):
    """signed_amount: negative when short. One-way mode: one position per symbol and account."""

    symbol: str
    exchange: ExchangeType
    signed_amount: Decimal = Decimal("0")
    entry_price: float = 0
    side: PositionSide | None = None
    unrealized_pnl: float = 0
    realized_pnl: float = 0

    @property
    def amount(self) -> Decimal:
        return self.signed_amount.copy_abs()

    @property
    def is_opened(self) -> bool:
        return self.signed_amount != 0

    @property
    def is_closed(self) -> bool:
        return self.signed_amount == 0

    @property
    def is_long(self) -> bool:
        return self.side is PositionSide.LONG

    @property
    def is_short(self) -> bool:
        return self.side is PositionSide.SHORT


class UnlistedPosition(Position):
    """In a symbol that is not loaded. symbol: what it would be called here, as far as the venue's name says it. Amounts are as
    the venue counts them (OKX: in contracts), as what a contract is worth is not known."""

    venue_symbol: str = ""


# ------------------------------------------------------------------------------------------------ markets


class Precision(Struct):
    """Steps, not digits: amount=0.001 means multiples of 0.001."""

    amount: float
    price: float
    cost: float | None = None
    base: float | None = None
    quote: float | None = None


class LimitMinMax(Struct):
    min: float | None = None
    max: float | None = None


class Limit(Struct):
    leverage: LimitMinMax | None = None
    amount: LimitMinMax | None = None
    price: LimitMinMax | None = None
    cost: LimitMinMax | None = None
    market: LimitMinMax | None = None


class MarginMode(Struct):
    isolated: bool | None = None
    cross: bool | None = None


class BaseMarket(Struct):
    """What `market(symbol)` returns: a venue's instrument in the form that ccxt made common."""

    id: str
    lowercaseId: str | None
    symbol: str
    base: str
    quote: str
    settle: str | None
    baseId: str
    quoteId: str
    settleId: str | None
    type: InstrumentType
    spot: bool
    margin: bool | None
    swap: bool
    future: bool
    option: bool
    index: bool | str | None
    active: bool
    contract: bool
    linear: bool | None
    inverse: bool | None
    subType: InstrumentType | None
    taker: float
    maker: float
    contractSize: float | None
    expiry: int | None
    expiryDatetime: str | None
    strike: float | str | None
    optionType: str | None
    precision: Precision
    limits: Limit
    marginModes: MarginMode
    created: int | None
    tierBased: bool | None
    percentage: bool | None
