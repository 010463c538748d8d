"""Books that move: a seeded market maker that works its orders through the matching engine.

Every step changes the best price or its quantity: another order joins or leaves the best level, a taker takes some of it, or
the level is taken out and the spread follows, up or down with a pull towards the start price. What a client rests at
the best is met by these takers as anybody's orders are. One generator per symbol, seeded by (seed, market, symbol):
the sequence of steps does not depend on the wall clock or on other symbols.
"""

import asyncio
import random
from bisect import bisect_right
from collections import deque

from nexus_fast.sim.fixed_point import product
from nexus_fast.sim.market import Market
from nexus_fast.sim.orders import BUY, SELL, Order, Type

DEPTH = 20
MOST_STEPS_AT_ONCE = 64
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
        self.anchor = self.instrument.start_price
        self.stray = product(self.anchor, _STRAY)
        # Levels lie up to `gap` apart (about 3 millionths of the price), and a side's are kept within `span` of the price.
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
        if dice < 0.45:
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

    def _best(self, side: int) -> int:
        return self.book.bids.best() if side == BUY else self.book.asks.best()

    def _thin(self, side: int) -> None:
        """One of its own orders leaves the best level."""
        if not self.withdraw(side, self._best(side)):
            self._take(side)

    def _take(self, side: int) -> None:
        """A taker meets the best level of `side` and leaves some of it."""
        best = self.book.bids if side == BUY else self.book.asks
        step = self.instrument.step
        some = int(best.best_quantity() * self.random.uniform(0.1, 0.6))
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
    """Runs the walks of all symbols of a market at `rate` steps per second and symbol."""

    def __init__(self, market: Market, seed: int | str, rate: float):
        self.market = market
        self.rate = rate
        self.walks = {symbol: RandomWalk(market, symbol, seed) for symbol in market.books}
        for walk in self.walks.values():
            walk.fill_up()
        market.flush()
        self._handles: dict[str, asyncio.TimerHandle] = {}
        self._due: dict[str, float] = {}

    def start(self, loop: asyncio.AbstractEventLoop, except_for: set[str] = frozenset()) -> None:
        for number, (symbol, walk) in enumerate(self.walks.items()):
            if symbol not in except_for and self.rate > 0:
                self._due[symbol] = loop.time() + number / (self.rate * len(self.walks))
                self._schedule(loop, symbol, walk)

    def stop(self) -> None:
        for handle in self._handles.values():
            handle.cancel()

    def _schedule(self, loop, symbol: str, walk: RandomWalk) -> None:
        self._handles[symbol] = loop.call_at(self._due[symbol], self._wake, loop, symbol, walk)

    def _wake(self, loop, symbol: str, walk: RandomWalk) -> None:
        """Do the steps that are due: several when the rate is beyond the timer's resolution of a millisecond."""
        now, interval = loop.time(), 1 / self.rate
        for _ in range(MOST_STEPS_AT_ONCE):
            walk.step()
            self.market.flush(walk.book)
            self._due[symbol] += interval * walk.random.uniform(0.5, 1.5)
            if self._due[symbol] > now:
                break
        else:
            self._due[symbol] = now  # too slow for this rate: do not try to catch up
        self._schedule(loop, symbol, walk)
