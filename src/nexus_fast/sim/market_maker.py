"""Books that move: a seeded market maker that works its orders through the matching engine.

Every step changes the best price or its quantity: another order joins or leaves the best level, a taker takes some of
it, or the level is taken out and the spread follows, up or down with a pull towards the start price. What a client
rests at the best is met by these takers as anybody's orders are. One generator per symbol, seeded by (seed, market,
symbol): the sequence of steps does not depend on the wall clock or on other symbols.

Where prices stand, a step changes only the quantity at the best price. What a client rests is met by no taker then, so that
nothing happens to an order which a client did not cause.
"""

import asyncio
import random
from bisect import bisect_right
from collections import deque
from heapq import heapify, heapreplace

from nexus_fast.sim.fixed_point import product
from nexus_fast.sim.market import Market
from nexus_fast.sim.matching import Side
from nexus_fast.sim.orders import BUY, SELL, Order, Type

DEPTH = 20
_ORDERS_AT_THE_BEST = 8  # of its own, while prices stand
_STRAY = 500_000  # 0.5 % of the start price (scaled): how far the pull lets the middle stray


class RandomWalk:
    """The market maker of one symbol."""

    def __init__(self, market: Market, symbol: str, seed: int | str):
        self.market = market
        self.book = market.books[symbol]
        self.instrument = self.book.instrument
        self.symbol = symbol
        self.random = random.Random(f"{seed}/{market.name}/{symbol}")
        self.quotes: dict[int, dict[int, deque[Order]]] = {BUY: {}, SELL: {}}
        self.stands = False
        self.settle_at(self.instrument.start_price)

    def settle_at(self, price: int) -> None:
        """Take this price for the one to walk about."""
        self.anchor = price
        self.stray = product(price, _STRAY)
        # Levels lie up to `gap` ticks apart (3 millionths of the price); a side's are kept within `span` of it.
        self.gap = max(3, 3 * self.anchor // (10**6 * self.instrument.tick))
        self.span = DEPTH * (self.gap + 2) * self.instrument.tick

    # ---- orders of its own

    def quantity(self) -> int:
        """Around the instrument's usual level, never below what the filters ask of a client."""
        step = self.instrument.step
        amount = int(self.instrument.level_quantity * self.random.uniform(0.2, 1.8))
        return max(amount - amount % step, step)

    def quote(self, side: int, price: int) -> None:
        order = self.market.house_order(self.symbol, side, Type.POST_ONLY, price, self.quantity())
        if order.is_open:
            self.quotes[side].setdefault(price, deque()).append(order)

    def withdraw(self, side: int, price: int) -> bool:
        """Cancel its newest order at a price; False when it has none there."""
        orders = self.quotes[side].get(price)
        while orders:
            order = orders.pop()
            if order.is_open:
                self.market.house_cancel(order)
                return True
        self.quotes[side].pop(price, None)
        return False

    def fill_up(self) -> None:
        """Keep DEPTH levels near the price on each side; also after a client has swept the book or quoted far off."""
        for side, levels, direction in ((BUY, self.book.bids, -1), (SELL, self.book.asks, 1)):
            if len(self.quotes[side]) > 3 * DEPTH:
                self._give_up_far(side)
            near = self._near(side)
            count = bisect_right(levels.keys, near * direction + self.span)
            price = levels.keys[count - 1] * direction if count else near
            for _ in range(DEPTH - count):
                price += direction * self.instrument.tick * self.random.randint(1, self.gap)
                if self.instrument.minimum_price <= price <= self.instrument.maximum_price:
                    self.quote(side, price)

    def _near(self, side: int) -> int:
        """Where a side should begin: at the other side's best, unless that is far from the last price itself."""
        last = self.book.last_price
        opposite = self._best(-side)
        return opposite if opposite and abs(opposite - last) <= self.span else last

    def _give_up_far(self, side: int) -> None:
        """Withdraw what lies farthest behind, and forget the prices at which nothing is left."""
        farthest_first = sorted(self.quotes[side], reverse=side == SELL)
        for price in farthest_first[:-2 * DEPTH]:
            while self.withdraw(side, price):
                pass

    # ---- steps

    def step(self) -> None:
        """One change of the top of the book."""
        self.fill_up()
        before = self.book.best()
        dice = self.random.random()
        side = BUY if self.random.random() < 0.5 else SELL
        if self.stands:
            self._sway(side, dice)
        elif dice < 0.45:
            self.quote(side, self._best(side))
        elif dice < 0.70:
            self._thin(side)
        elif dice < 0.85:
            self._take(side)
        else:
            self._move()
        if self.book.best() == before:
            self.quote(side, self._best(side))
        self.fill_up()

    def _sway(self, side: int, dice: float) -> None:
        """The quantity at the best level changes and its price does not; a trade takes some of an order of its own."""
        own = self.quotes[side].get(self._best(side), ())
        first = next(iter(self._side(side).best_orders()), None)
        if dice < 0.2 and first is not None and first.account is None and first.remaining > self.instrument.step:
            self._take_some(side, first.remaining)
        elif sum(order.is_open for order in own) > 1 and (dice < 0.6 or len(own) > _ORDERS_AT_THE_BEST):
            self.withdraw(side, self._best(side))
        else:
            self.quote(side, self._best(side))

    def _side(self, side: int) -> Side:
        return self.book.bids if side == BUY else self.book.asks

    def _best(self, side: int) -> int:
        return self._side(side).best()

    def _thin(self, side: int) -> None:
        """One of its own orders leaves the best level."""
        if not self.withdraw(side, self._best(side)):
            self._take(side)

    def _take(self, side: int) -> None:
        """A taker meets the best level of `side` and leaves some of it."""
        self._take_some(side, self._side(side).best_quantity())

    def _take_some(self, side: int, most: int) -> None:
        step = self.instrument.step
        some = int(most * self.random.uniform(0.1, 0.6))
        self.market.house_order(self.symbol, -side, Type.MARKET, 0, max(some - some % step, step))

    def _move(self) -> None:
        """The price goes a tick or more: one best level is taken out and the other side follows into the gap."""
        bid, _, ask, _ = self.book.best()
        pull = ((bid + ask) // 2 - self.anchor) / self.stray
        up = self.random.random() < 0.5 - 0.5 * max(-1.0, min(1.0, pull))
        taken, follower = (SELL, BUY) if up else (BUY, SELL)
        levels = self.book.asks if up else self.book.bids
        self.market.house_order(self.symbol, follower, Type.MARKET, 0, levels.best_quantity())
        tick = self.instrument.tick
        new_best = self._best(taken)
        price = new_best - tick if up else new_best + tick
        if new_best and (self._best(follower) < price if up else self._best(follower) > price):
            self.quote(follower, price)


class MarketMaker:
    """The walks of all symbols of a market."""

    def __init__(self, market: Market, seed: int | str):
        self.market = market
        self.walks = {symbol: RandomWalk(market, symbol, seed) for symbol in market.books}
        for walk in self.walks.values():
            walk.fill_up()
        market.flush()

    def stand(self, stands: bool) -> None:
        """Prices stand, or walk again."""
        for walk in self.walks.values():
            walk.stands = stands


class Pacer:
    """Takes the steps of all walks when they are due, at `rate` per second and symbol, with some jitter.

    One step at a time: the loop looks at its sockets between two steps, so that an order never waits for more than
    one of them. uvloop's timers have a resolution of a millisecond; steps that are due meanwhile follow at once.
    """

    def __init__(self, rate: float):
        self.interval = 1 / rate if rate > 0 else 0.0
        self._due: list[tuple[float, int, RandomWalk]] = []
        self._handle: asyncio.Handle | None = None

    def start(self, loop: asyncio.AbstractEventLoop, walks: list[RandomWalk]) -> None:
        """Begin, or take more walks in."""
        if not self.interval or not walks:
            return
        apart, taken = self.interval / len(walks), len(self._due)
        self._due += [(loop.time() + number * apart, taken + number, walk) for number, walk in enumerate(walks)]
        heapify(self._due)
        self.stop()
        self._schedule(loop)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        due = self._due[0][0]
        self._handle = loop.call_at(due, self._step, loop) if due > loop.time() else loop.call_soon(self._step, loop)

    def _step(self, loop: asyncio.AbstractEventLoop) -> None:
        due, number, walk = self._due[0]
        walk.step()
        walk.market.flush(walk.book)
        # A walk that is far behind (a rate beyond what the machine can do) does not try to catch up.
        next_due = max(due + self.interval * walk.random.uniform(0.5, 1.5), loop.time() - 1.0)
        heapreplace(self._due, (next_due, number, walk))
        self._schedule(loop)
