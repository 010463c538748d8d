"""The end, asked for in the middle of trading on a venue that answers late or not at all: whatever is on its way, nothing that
the configuration did not ask for is open when the engine has ended. The judge is the venue."""

import asyncio
import os
import random
import signal
from decimal import Decimal
from types import SimpleNamespace

import pytest
from acts import AMOUNT, BUY, MARKET, SELL, rest
from engine_program import BTC, BTC_PERP
from simulated_run import engine

from nexus_fast.constants import KlineInterval
from nexus_fast.order.reasons import STOPPING, reason_text

WAYS = {
    "strategy": lambda s: s.stop(),
    "engine": lambda s: s.engine.stop(),
    "dispose": lambda s: s.engine.dispose(),
    "thread": lambda s: s.engine.stop_threadsafe(),
    "sigint": lambda s: os.kill(os.getpid(), signal.SIGINT),
    "sigterm": lambda s: os.kill(os.getpid(), signal.SIGTERM),
}
SLOW = {"kind": "reorder", "match": "order.place", "way": "from_client", "ms": 50, "jitter_ms": 700}
# Neither the answer nor the event of one order in five comes.
LOST = [{"kind": "drop", "connection": "order", "probability": 0.2}, {"kind": "drop", "connection": "user", "probability": 0.2}]


class Trading:
    """Quotes on every book and trades at the market now and then, from books, timers and callbacks, and never asks whether it
    may. `late`: what it has been able to send after the end was asked for."""

    def __init__(self, s, seed):
        self.s, self.random, self.resting, self.stopped = s, random.Random(seed), None, False
        self.before, self.late, self.calls = [], [], []
        s.books = SimpleNamespace(append=self.on_book)
        s.on_failed_order = self.on_failed
        s.on_stop = lambda: None
        s.on_kline = lambda bar: self.note("on_kline")
        s.schedule(self.on_timer, seconds=0.1)
        s.subscribe_trade(BTC_PERP)
        s.subscribe_kline(BTC_PERP, KlineInterval.SECOND_1, use_aggregator=True)

    def stop(self, way):
        self.before, self.stopped = list(self.before), way not in ("sigint", "sigterm", "thread")
        WAYS[way](self.s)

    def note(self, what):
        if self.stopped:
            self.calls.append(what)

    def send(self, make):
        (self.late if self.stopped else self.before).append(make())

    def on_book(self, book):
        self.note("on_bookl1")
        if self.resting:
            self.s.cancel_order(BTC_PERP, self.resting)
        self.send(lambda: rest(self.s, share="0.99"))
        self.resting = (self.late or self.before)[-1]
        if self.random.random() < 0.3:
            self.send(lambda: self.s.create_order(BTC_PERP, self.random.choice((BUY, SELL)), MARKET, AMOUNT))

    def on_timer(self):
        self.note("timer")
        self.send(lambda: rest(self.s, share="0.98"))

    def on_failed(self, order):
        """A strategy that tries again, whatever the reason."""
        self.s.events.append(("failed", order))
        if len(self.late) < 500:
            self.send(lambda: rest(self.s))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", [1, 2])
@engine(symbols=[BTC_PERP], venue={"tick_rate": 30}, request_timeout_ms=500, recv_window_ms=5000, on_stop="cancel")
async def test_nothing_stays_open_whatever_is_on_its_way(s, way, seed):
    await s.quotes()
    trading = Trading(s, seed)
    s.venue.faults.load([SLOW, *LOST])
    await asyncio.sleep(0.3 + trading.random.random())
    s.afterwards = lambda: nothing_is_open(s, trading)
    trading.stop(way)
    await asyncio.sleep(0.001)
    trading.stopped = True
    s.create_order(BTC_PERP, BUY, MARKET, AMOUNT)


def nothing_is_open(s, trading):
    assert trading.calls == [] and s.engine.left_open == []
    assert s.venue.orders(open_only=True) == []
    assert {s.venue.id_of(order) for order in s.venue.orders()} <= set(trading.before)
    late = [order for order in s.heard("failed") if order.oid in trading.late]
    assert late and {order.reason for order in late} <= {reason_text(STOPPING)}


@pytest.mark.parametrize("seed", [1, 2, 3])
@engine(symbols=[BTC_PERP], venue={"tick_rate": 30}, request_timeout_ms=500, recv_window_ms=5000, on_stop="flatten")
async def test_flatten_ends_flat_whatever_is_on_its_way(s, seed):
    """A fill that becomes known late is closed as well."""
    await s.quotes()
    trading = Trading(s, seed)
    s.create_order(BTC_PERP, BUY, MARKET, AMOUNT * 7)
    s.venue.faults.load([SLOW, *LOST])
    await asyncio.sleep(0.3 + trading.random.random())
    s.afterwards = lambda: is_flat(s, trading)
    trading.stop("strategy")


def is_flat(s, trading):
    assert s.engine.left_open == [] and trading.calls == []
    assert s.venue.orders(open_only=True) == [] and s.venue.position() == 0


@engine(symbols=[BTC_PERP], request_timeout_ms=500, recv_window_ms=5000, on_stop="flatten")
async def test_what_the_kill_switch_leaves_is_named_at_once(s):
    """After it nothing leaves but cancels, and the end does not try."""
    await s.quotes()
    oid = s.create_order(BTC_PERP, BUY, MARKET, AMOUNT)
    await s.until(lambda: s.heard("filled", oid))
    s.kill_switch("a test")
    await s.until(lambda: s.engine.host.safety.is_finished)
    began = asyncio.get_running_loop().time()
    s.afterwards = lambda: the_position_is_named(s, began)


def the_position_is_named(s, began):
    assert s.engine.left_open == [f"position {AMOUNT} in {BTC_PERP}"] and len(s.venue.orders()) == 1
    assert s.venue.position() == AMOUNT


@engine(symbols=[BTC_PERP], on_stop="leave", request_timeout_ms=500, recv_window_ms=5000)
async def test_an_order_of_on_stop_whose_outcome_is_unknown_is_left_open(s):
    """In any mode: it was to close something, and nobody knows whether it did. What rested before is left as it was asked for."""
    await s.quotes()
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid))
    s.venue.faults.load([{"kind": "drop", "match": "order.place", "way": "from_client"},
                         {"kind": "answer", "connection": "rest", "status": 500}])
    s.on_stop = lambda: setattr(s, "last", s.create_order(BTC_PERP, SELL, MARKET, AMOUNT, reduce_only=True))
    s.afterwards = lambda: the_last_is_named(s)


def the_last_is_named(s):
    assert len(s.engine.left_open) == 1 and s.last in s.engine.left_open[0]
    assert len(s.venue.orders(open_only=True)) == 1


@engine(symbols=[BTC], on_stop="cancel")
async def test_what_is_subscribed_to_after_the_end_was_asked_for_brings_nothing(s):
    """A callback of an order, or a second strategy's on_start."""
    await s.quotes()
    trades = len(s.heard("trade"))
    s.books.clear()
    s.on_stop = lambda: (s.subscribe_trade(BTC), s.subscribe_bookl1(BTC_PERP))
    oid = rest(s, BTC)
    await s.until(lambda: s.heard("accepted", oid))
    s.venue.faults.load([{"kind": "delay", "connection": "order", "ms": 1500}])
    s.books.clear()
    s.afterwards = lambda: nothing_was_brought(s, trades)


def nothing_was_brought(s, trades):
    assert s.heard("canceled") and not s.books and len(s.heard("trade")) == trades
    assert s.venue.orders(open_only=True) == [] and Decimal(0) == s.venue.position()
