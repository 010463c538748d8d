"""One symbol's order book with price-time priority.

The book knows no accounts and no fees: it matches, keeps the queues, and calls its `settle` hook once per fill,
before the next match, so that whoever owns it can book the money. Integers all the way; a resting order's price is
the price of the trade.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable

from nexus_fast.sim.orders import BUY, Fill, Order, SelfTrade, Status, TimeInForce, Type


class Level:
    """All orders at one price, oldest first (a dict keeps insertion order and cancels in O(1))."""

    __slots__ = ("quantity", "orders")

    def __init__(self):
        self.quantity = 0
        self.orders: dict[int, Order] = {}


class Side:
    """One side of the book: levels by price and the prices in order, best first.

    `direction` is +1 for asks (lowest price is best) and -1 for bids; prices are kept as price * direction, so that
    the best is always at index 0 of an ascending list.
    """

    __slots__ = ("direction", "levels", "keys")

    def __init__(self, direction: int):
        self.direction = direction
        self.levels: dict[int, Level] = {}
        self.keys: list[int] = []

    def best(self) -> int:
        """Best price, or 0 when the side is empty."""
        return self.keys[0] * self.direction if self.keys else 0

    def best_quantity(self) -> int:
        return self.levels[self.keys[0] * self.direction].quantity if self.keys else 0

    def best_orders(self) -> Iterable[Order]:
        """Those at the best price, oldest first."""
        return self.levels[self.keys[0] * self.direction].orders.values() if self.keys else ()

    def add(self, order: Order) -> None:
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = Level()
            insort(self.keys, order.price * self.direction)
        level.orders[order.order_id] = order
        level.quantity += order.quantity - order.executed

    def remove(self, order: Order) -> None:
        level = self.levels[order.price]
        del level.orders[order.order_id]
        level.quantity -= order.quantity - order.executed
        if not level.orders:
            self.drop(order.price)

    def drop(self, price: int) -> None:
        del self.levels[price]
        del self.keys[bisect_left(self.keys, price * self.direction)]

    def depth(self, limit: int) -> list[tuple[int, int]]:
        """(price, quantity) of the best `limit` levels, best first."""
        direction = self.direction
        return [(key * direction, self.levels[key * direction].quantity) for key in self.keys[:limit]]

    def available(self, limit_price: int | None, wanted: int) -> int:
        """How much of `wanted` can be taken at `limit_price` or better (None: at any price)."""
        total = 0
        for key in self.keys:
            if limit_price is not None and key > limit_price * self.direction:
                break
            total += self.levels[key * self.direction].quantity
            if total >= wanted:
                return wanted
        return total


class Book:
    """The book of one instrument.

    `settle(fill)` is called for every match and `expire(order)` for every resting order that self-trade prevention
    takes out. `update_id` grows by one with every change of the book.
    """

    def __init__(self, instrument, settle: Callable[[Fill], None], expire: Callable[[Order], None] | None = None):
        self.instrument = instrument
        self.bids = Side(-1)
        self.asks = Side(1)
        self.update_id = 1
        self.last_trade_id = 0
        self.last_price = instrument.start_price
        self.now = 0
        self._settle = settle
        self._expire = expire

    def best(self) -> tuple[int, int, int, int]:
        """(bid, bid quantity, ask, ask quantity); zeros for an empty side."""
        return self.bids.best(), self.bids.best_quantity(), self.asks.best(), self.asks.best_quantity()

    def middle(self) -> int:
        """Half-way between the best prices, or the last price while a side is empty."""
        bid, ask = self.bids.best(), self.asks.best()
        return (bid + ask) // 2 if bid and ask else self.last_price

    def would_take(self, side: int, price: int) -> bool:
        """True when a limit order at this price would meet a resting one."""
        if side == BUY:
            return bool(self.asks.keys) and price >= self.asks.keys[0]
        return bool(self.bids.keys) and price <= -self.bids.keys[0]

    def holds(self, order: Order) -> bool:
        """True when the order rests here."""
        level = (self.bids if order.side == BUY else self.asks).levels.get(order.price)
        return level is not None and order.order_id in level.orders

    def submit(self, order: Order) -> None:
        """Match an order and rest what remains. Its fields and its status say what became of it."""
        limit = None if order.type == Type.MARKET else order.price
        opposite = self.asks if order.side == BUY else self.bids
        if order.type == Type.POST_ONLY and self.would_take(order.side, order.price):
            return self._finish(order, Status.EXPIRED)
        if order.time_in_force == TimeInForce.FOK and opposite.available(limit, order.quantity) < order.quantity:
            return self._finish(order, Status.EXPIRED)
        if order.type != Type.POST_ONLY:
            self._match(order, opposite, limit)
        if order.status > Status.PARTIALLY_FILLED:
            return None
        if order.type == Type.MARKET or order.time_in_force != TimeInForce.GTC:
            return self._finish(order, Status.EXPIRED)
        own = self.bids if order.side == BUY else self.asks
        own.add(order)
        self.update_id += 1
        return None

    def cancel(self, order: Order, status: Status = Status.CANCELED) -> None:
        """Take a resting order out of the book."""
        (self.bids if order.side == BUY else self.asks).remove(order)
        self.update_id += 1
        self._finish(order, status)

    def reduce(self, order: Order, new_quantity: int) -> None:
        """Make a resting order smaller where it stands: it keeps its place in the queue."""
        side = self.bids if order.side == BUY else self.asks
        side.levels[order.price].quantity -= order.quantity - new_quantity
        order.quantity = new_quantity
        self.update_id += 1

    def _match(self, taker: Order, opposite: Side, limit: int | None) -> None:
        while taker.executed < taker.quantity and opposite.keys:
            price = opposite.best()
            if limit is not None and price * opposite.direction > limit * opposite.direction:
                return
            level = opposite.levels[price]
            maker = next(iter(level.orders.values()))
            if taker.self_trade and maker.account is taker.account and taker.account is not None:
                if self._prevent(taker, maker):
                    return
                continue
            self._trade(taker, maker, opposite, level, price)

    def _trade(self, taker: Order, maker: Order, opposite: Side, level: Level, price: int) -> None:
        quantity = min(taker.quantity - taker.executed, maker.quantity - maker.executed)
        quote, weight = self.instrument.value(price, quantity), self.instrument.weight(price, quantity)
        for order in (taker, maker):
            order.executed += quantity
            order.quote_executed += quote
            order.weight += weight
            order.status = Status.FILLED if order.executed == order.quantity else Status.PARTIALLY_FILLED
            order.update_time = self.now
        level.quantity -= quantity
        if maker.status == Status.FILLED:
            del level.orders[maker.order_id]
            if not level.orders:
                opposite.drop(price)
        self.update_id += 1
        self.last_trade_id += 1
        self.last_price = price
        self._settle(Fill(self.last_trade_id, maker, taker, price, quantity, quote, self.now))

    def _prevent(self, taker: Order, maker: Order) -> bool:
        """Self-trade prevention; True when the taker is done with."""
        if taker.self_trade in (SelfTrade.EXPIRE_MAKER, SelfTrade.EXPIRE_BOTH):
            self.cancel(maker, Status.EXPIRED_IN_MATCH)
            if self._expire is not None:
                self._expire(maker)
        if taker.self_trade in (SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_BOTH):
            self._finish(taker, Status.EXPIRED_IN_MATCH)
            return True
        return False

    def _finish(self, order: Order, status: Status) -> None:
        order.status = status
        order.update_time = self.now
