"""The enumerations that a program speaks in, with NexusTrader's names and values, and `settings`.

Importing this module touches no file and reads no variable: `settings` looks things up when a program asks it.
"""

from enum import Enum, EnumType

from nexus_fast.core.members import read_plainly
from nexus_fast.settings import settings as settings


class PlainMembers(EnumType):
    """A strategy names two or three members in every order; see read_plainly for what that would cost."""


read_plainly(PlainMembers)


class IdentityEnum(Enum, metaclass=PlainMembers):
    """Members are singletons, so their identity hashes them: a dictionary keyed by them makes no Python call."""

    __hash__ = object.__hash__


class ExchangeType(IdentityEnum):
    BINANCE = "binance"
    OKX = "okx"
    BYBIT = "bybit"
    HYPERLIQUID = "hyperliquid"
    BITGET = "bitget"
    BYBIT_TRADFI = "bybit_tradfi"


class AccountType(IdentityEnum):
    """Base of every venue's account types; see `nexus_fast.exchange`."""


class OrderSide(IdentityEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def is_buy(self) -> bool:
        return self is OrderSide.BUY

    @property
    def is_sell(self) -> bool:
        return self is OrderSide.SELL


class OrderType(IdentityEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"
    STOP_LOSS_MARKET = "STOP_LOSS_MARKET"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    POST_ONLY = "POST_ONLY"

    @property
    def is_take_profit(self) -> bool:
        return self in (OrderType.TAKE_PROFIT_MARKET, OrderType.TAKE_PROFIT_LIMIT)

    @property
    def is_stop_loss(self) -> bool:
        return self in (OrderType.STOP_LOSS_MARKET, OrderType.STOP_LOSS_LIMIT)

    @property
    def is_market(self) -> bool:
        return self in (OrderType.MARKET, OrderType.TAKE_PROFIT_MARKET, OrderType.STOP_LOSS_MARKET)

    @property
    def is_limit(self) -> bool:
        """POST_ONLY is not: NexusTrader keeps the two apart, and programs rely on it."""
        return self in (OrderType.LIMIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.STOP_LOSS_LIMIT)

    @property
    def is_post_only(self) -> bool:
        return self is OrderType.POST_ONLY


class TimeInForce(IdentityEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class PositionSide(IdentityEnum):
    LONG = "LONG"
    SHORT = "SHORT"
    FLAT = "FLAT"

    @property
    def is_long(self) -> bool:
        return self is PositionSide.LONG

    @property
    def is_short(self) -> bool:
        return self is PositionSide.SHORT

    @property
    def is_flat(self) -> bool:
        return self is PositionSide.FLAT


class TriggerType(IdentityEnum):
    LAST_PRICE = "LAST_PRICE"
    MARK_PRICE = "MARK_PRICE"
    INDEX_PRICE = "INDEX_PRICE"


class OrderStatus(IdentityEnum):
    INITIALIZED = "INITIALIZED"
    FAILED = "FAILED"
    CANCEL_FAILED = "CANCEL_FAILED"
    PENDING = "PENDING"
    CANCELING = "CANCELING"
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


class AlgoOrderStatus(IdentityEnum):
    RUNNING = "RUNNING"
    CANCELING = "CANCELING"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    FAILED = "FAILED"


class InstrumentType(IdentityEnum):
    SPOT = "spot"
    MARGIN = "margin"
    FUTURE = "future"
    OPTION = "option"
    SWAP = "swap"
    LINEAR = "linear"
    INVERSE = "inverse"


class OptionType(IdentityEnum):
    CALL = "call"
    PUT = "put"


class BookLevel(IdentityEnum):
    L5 = "5"
    L10 = "10"
    L20 = "20"
    L50 = "50"


class KlineInterval(IdentityEnum):
    SECOND_1 = "1s"
    MINUTE_1 = "1m"
    MINUTE_3 = "3m"
    MINUTE_5 = "5m"
    MINUTE_15 = "15m"
    MINUTE_30 = "30m"
    HOUR_1 = "1h"
    HOUR_2 = "2h"
    HOUR_4 = "4h"
    HOUR_6 = "6h"
    HOUR_8 = "8h"
    HOUR_12 = "12h"
    DAY_1 = "1d"
    DAY_3 = "3d"
    WEEK_1 = "1w"
    MONTH_1 = "1M"
    VOLUME = "volume"

    @property
    def seconds(self) -> int:
        """Length of one bar; a month counts 30 days, a bar by volume has no length (0)."""
        if self is KlineInterval.VOLUME:
            return 0
        return int(self.value[:-1]) * _SECONDS_OF_UNIT[self.value[-1]]

    @property
    def milliseconds(self) -> int:
        return self.seconds * 1_000

    @property
    def microseconds(self) -> int:
        return self.seconds * 1_000_000

    @property
    def nanoseconds(self) -> int:
        return self.seconds * 1_000_000_000


_SECONDS_OF_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000}


class DataType(IdentityEnum):
    BOOKL1 = "bookl1"
    BOOKL2 = "bookl2"
    TRADE = "trade"
    KLINE = "kline"
    VOLUME_KLINE = "volume_kline"
    MARK_PRICE = "mark_price"
    FUNDING_RATE = "funding_rate"
    INDEX_PRICE = "index_price"


class SubmitType(IdentityEnum):
    CREATE = 0
    CANCEL = 1
    TWAP = 2
    CANCEL_TWAP = 3
    VWAP = 4
    CANCEL_VWAP = 5
    TAKE_PROFIT_AND_STOP_LOSS = 6
    MODIFY = 7
    CANCEL_ALL = 8
    BATCH = 9
    CREATE_WS = 10
    CANCEL_WS = 11


class EventType(IdentityEnum):
    BOOKL1 = 0
    TRADE = 1
    KLINE = 2
    MARK_PRICE = 3
    FUNDING_RATE = 4
    INDEX_PRICE = 5


class StorageType(IdentityEnum):
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class ParamBackend(IdentityEnum):
    MEMORY = "memory"
    REDIS = "redis"


class WsOrderResultType(str, Enum):  # noqa: UP042  its text is that of NexusTrader's
    """What became of a request by WebSocket, in `on_ws_order_request_result`."""

    REQUEST_NOT_SENT = "REQUEST_NOT_SENT"
    ACK_REJECTED = "ACK_REJECTED"
    ACK_TIMEOUT = "ACK_TIMEOUT"
    ACK_TIMEOUT_CONFIRMED = "ACK_TIMEOUT_CONFIRMED"


class LogColor(IdentityEnum):
    """ANSI sequences; NORMAL is none."""

    NORMAL = ""
    GREEN = "\033[92m"
    BLUE = "\033[94m"
    MAGENTA = "\033[35m"
    CYAN = "\033[36m"
    YELLOW = "\033[33m"
    RED = "\033[31m"


# An order that ends never comes back. While it lives, only PENDING is never entered again: everything else may be said
# twice and in any order, because the reply to a request and the account's own stream race each other.
CLOSED_STATUSES = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.FAILED})
_LIVE_OR_CLOSED = [
    OrderStatus.ACCEPTED,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.FILLED,
    OrderStatus.CANCELING,
    OrderStatus.CANCELED,
    OrderStatus.EXPIRED,
    OrderStatus.CANCEL_FAILED,
]

STATUS_TRANSITIONS: dict[OrderStatus, list[OrderStatus]] = {
    OrderStatus.INITIALIZED: [OrderStatus.PENDING, OrderStatus.FAILED],
    OrderStatus.PENDING: [OrderStatus.PENDING, OrderStatus.FAILED, *_LIVE_OR_CLOSED],
    OrderStatus.ACCEPTED: list(_LIVE_OR_CLOSED),
    OrderStatus.PARTIALLY_FILLED: list(_LIVE_OR_CLOSED),
    # A venue may answer the placing with a refusal after the cancel has left: FAILED is possible here.
    OrderStatus.CANCELING: [OrderStatus.FAILED, *_LIVE_OR_CLOSED],
    # The cancel failed, the order did not: it lives on until the venue says otherwise. Where the cancel left before the
    # venue had spoken of the order, it is as unanswered as before, and may yet prove never to have been there.
    OrderStatus.CANCEL_FAILED: [OrderStatus.PENDING, OrderStatus.FAILED, *_LIVE_OR_CLOSED],
    OrderStatus.FILLED: [],
    OrderStatus.CANCELED: [],
    OrderStatus.EXPIRED: [],
    OrderStatus.FAILED: [],
}
