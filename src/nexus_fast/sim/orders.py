"""Orders and fills as the matching core knows them; a venue folder turns them into its own words."""

from enum import IntEnum

BUY = 1
SELL = -1


class Type(IntEnum):
    LIMIT = 1
    MARKET = 2
    POST_ONLY = 3  # a limit order that is refused or expired rather than take


class TimeInForce(IntEnum):
    GTC = 1
    IOC = 2
    FOK = 3


class Status(IntEnum):
    NEW = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELED = 4
    EXPIRED = 5
    EXPIRED_IN_MATCH = 6  # by self-trade prevention


class SelfTrade(IntEnum):
    """What happens when an order meets one of its own account. The taker's mode governs."""

    NONE = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3


OPEN = (Status.NEW, Status.PARTIALLY_FILLED)


class Order:
    """One order. Quantities and prices are scaled integers; `account` is None for the simulator's own market maker.

    `words` keeps what the venue's own form said (type, time in force, …) for echoing it back.
    """

    __slots__ = ("order_id", "client_id", "original_client_id", "account", "instrument", "side", "type",
                 "time_in_force", "price", "quantity", "executed", "quote_executed", "status", "reduce_only",
                 "self_trade", "time", "update_time", "words", "locked", "amends", "fills", "good_till", "weight")

    def __init__(self, order_id, client_id, account, instrument, side, type_, time_in_force, price, quantity, *,
                 reduce_only=False, self_trade=SelfTrade.NONE, time=0, words=None):
        self.order_id = order_id
        self.client_id = client_id
        self.original_client_id = ""
        self.account = account
        self.instrument = instrument
        self.side = side
        self.type = type_
        self.time_in_force = time_in_force
        self.price = price
        self.quantity = quantity
        self.executed = 0
        self.quote_executed = 0  # what its fills were worth, in the asset that the instrument settles in
        self.weight = 0  # of its fills, for their average price
        self.status = Status.NEW
        self.reduce_only = reduce_only
        self.self_trade = self_trade
        self.time = time
        self.update_time = time
        self.words = words
        self.locked = 0  # spot: what of the free balance it holds; futures: what it adds to the order margin
        self.amends = 0
        self.fills = []
        self.good_till = 0

    @property
    def remaining(self) -> int:
        return self.quantity - self.executed

    @property
    def average_price(self) -> int:
        return self.instrument.average(self.weight, self.executed)

    @property
    def is_open(self) -> bool:
        return self.status <= Status.PARTIALLY_FILLED


class Fill:
    """One match between a resting order and a taker, at the resting order's price. `quote` is what it was worth, in the
    asset that the instrument settles in: coins for an inverse contract."""

    __slots__ = ("trade_id", "maker", "taker", "price", "quantity", "quote", "time")

    def __init__(self, trade_id, maker, taker, price, quantity, quote, time):
        self.trade_id = trade_id
        self.maker = maker
        self.taker = taker
        self.price = price
        self.quantity = quantity
        self.quote = quote
        self.time = time
