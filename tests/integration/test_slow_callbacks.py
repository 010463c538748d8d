"""Callbacks that are slower than the market data, and callbacks that only raise: who has a turn all the same."""

import os
import signal
import time
from decimal import Decimal

import pytest
from engine_program import PERP, SPOT, Scripted, far_below, make_config, run_strategies
from patience import WAIT_SECONDS

from nexus_fast.config import LoopConfig
from nexus_fast.constants import BookLevel, OrderSide, OrderType
from nexus_fast.engine import Engine
from nexus_fast.engine import engine as engine_module
from nexus_fast.order.reasons import STRATEGY_HALTED, reason_text
from nexus_fast.strategy import Strategy

CALL_SECONDS = 0.1               # some frames come meanwhile
LATE = 2                         # the callback under way, and one more
ENOUGH = 40                      # callbacks after which a program that cannot be stopped stops being slow


class Slow(Strategy):
    """Acts in its sixth callback, when it has been behind for a while."""

    def __init__(self, act):
        super().__init__()
        self.act, self.calls, self.acted_at = act, 0, None
        self.jobs = []                   # in which callback's time each ran
        self.halted_at = self.stopped_at = None

    def on_start(self):
        self.subscribe_bookl1([SPOT, PERP])
        self.schedule(self.job, "interval", seconds=0.01)

    def job(self):
        self.jobs.append(self.calls)
        if self.acted_at is not None and self.act is None:
            self.stop()

    def on_bookl1(self, book):
        self.work()

    def work(self):
        self.calls += 1
        if self.engine.core.entry.halted and self.halted_at is None:
            self.halted_at = self.calls
            self.stop()
        if self.calls == 6:
            self.acted_at = self.calls
            if self.act is not None:
                os.kill(os.getpid(), self.act)
        if self.calls < ENOUGH:
            time.sleep(CALL_SECONDS)
        else:
            self.stop()

    def on_stop(self):
        self.stopped_at = self.calls


def run(strategy, venue, mode="block", **loop):
    engine = strategy.engine = Engine(make_config(strategy, venue, loop=LoopConfig(mode=mode, idle_ms=20, turn_ms=20, **loop)))
    try:
        engine.start()
    finally:
        engine.dispose()
    return engine.report()


@pytest.mark.parametrize("mode", ["block", "adaptive", "busy", "selector"])
def test_sigterm_and_timers_come_between_two_callbacks(venue, mode, monkeypatch, capsys):
    if mode == "selector":
        monkeypatch.setattr(engine_module, "make_poller", lambda *what: None)
        mode = "block"
    s = Slow(signal.SIGTERM)
    report = run(s, venue, mode)
    assert s.acted_at <= s.stopped_at <= s.acted_at + LATE
    assert len(set(s.jobs)) >= s.stopped_at - LATE           # a timer that is always due, between nearly any two
    assert sum(report["behind"]["coalesced"].values()) > 0
    slow = report["slow_callbacks"]["Slow.on_bookl1"]
    assert slow["count"] == s.stopped_at and slow["longest_ms"] >= CALL_SECONDS * 1000
    out = capsys.readouterr().out
    assert "Slow.on_bookl1 took" in out and out.count("is slower than its market data") == 1


@pytest.mark.parametrize("act", [signal.SIGINT, None], ids=["ctrl_c", "a timer"])
def test_the_end_comes_between_two_callbacks(venue, act):
    s = Slow(act)
    run(s, venue)
    assert s.acted_at <= s.stopped_at <= s.acted_at + LATE


def test_the_kill_switch_acts_between_two_callbacks(venue, tmp_path):
    s = Slow(signal.SIGUSR1)
    run(s, venue)
    assert s.acted_at < s.halted_at <= s.acted_at + LATE


def test_other_market_data_waits_for_the_loop_too(venue):
    class Depth(Slow):
        def on_start(self):
            self.subscribe_bookl2([SPOT, PERP], BookLevel.L20)
            self.schedule(self.job, "interval", seconds=0.01)

        def on_bookl2(self, book):
            self.work()

    s = Depth(signal.SIGTERM)
    report = run(s, venue)
    assert s.acted_at <= s.stopped_at <= s.acted_at + LATE
    assert report["slow_callbacks"].keys() == {"Depth.on_bookl2"}


def test_where_nothing_is_coalesced_signals_come_in_between_all_the_same(venue):
    s = Slow(signal.SIGTERM)
    report = run(s, venue, coalesce="never")
    assert s.acted_at <= s.stopped_at <= s.acted_at + LATE
    assert report["behind"]["coalesced"] == {} and report["behind"]["delayed"] > 0


def test_fills_come_before_the_quotes_that_wait(venue):
    """The fill of a market order is told while quotes wait, after a few callbacks at most."""

    class Buyer(Slow):
        def work(self):
            if self.calls == 5:
                self.oid = self.create_order(SPOT, OrderSide.BUY, OrderType.MARKET, Decimal("6"))
            super().work()

        def on_filled_order(self, order):
            self.filled_at = self.calls
            self.stop()

    s = Buyer(signal.SIGCONT)
    run(s, venue)
    assert s.filled_at <= 5 + 6


def test_too_many_exceptions_in_a_row_halt_one_strategy(venue, capsys):
    class Broken(Scripted):
        def on_bookl1(self, book):
            super().on_bookl1(book)
            if self.broken:
                raise ZeroDivisionError("in on_bookl1")

    async def script(s):
        await s.quotes(SPOT)
        oid = s.create_order(SPOT, OrderSide.BUY, OrderType.LIMIT, Decimal("6"), far_below(s, SPOT))
        await s.until(lambda: "accepted" in s.story(oid))
        s.broken = True
        await s.settled(oid)                                 # canceled by the engine
        assert s.story(oid)[-1] == "canceled"
        books = len(s.books)
        refused = s.create_order(SPOT, OrderSide.BUY, OrderType.LIMIT, Decimal("6"), far_below(s, SPOT))
        await s.until(lambda: s.heard("failed", refused))
        assert s.heard("failed", refused)[0].reason == reason_text(STRATEGY_HALTED)
        s.subscribe_bookl1(SPOT)
        count = len(healthy.books)
        await s.until(lambda: len(healthy.books) > count + 5)
        assert len(s.books) == books

    async def trade(s):
        await s.until(lambda: "Broken" in s.engine.host.halts.report())
        await s.settled(s.create_order(SPOT, OrderSide.BUY, OrderType.MARKET, Decimal("6")))
        await s.until(lambda: not broken.running)

    broken, healthy = Broken(script, [SPOT]), Scripted(trade, [SPOT])
    broken.broken, broken.running = False, True
    broken.stop = lambda: setattr(broken, "running", False)  # the other goes on until it has seen it all
    engine = run_strategies([broken, healthy], venue, max_callback_errors=5)
    assert len(healthy.heard("filled")) == 1
    report = engine.report()
    assert report["halted"] == {"Broken": "Broken.on_bookl1 raised 5 exceptions in a row, ZeroDivisionError last"}
    assert report["callback_errors"] == 5
    assert capsys.readouterr().out.count("Traceback") == 1


AGAIN = 100                      # two that come close to one another are one to the kernel


class Endless(Strategy):
    """A callback that swallows every exception and does not return; in the end the test is over all the same."""

    def __init__(self, signals):
        super().__init__()
        self.signals, self.gate, self.calls, self.rescued = list(signals), [], 0, False

    def on_start(self):
        self.subscribe_bookl1([SPOT, PERP])

    def on_bookl1(self, book):
        self.calls += 1
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            try:
                if self.signals:
                    os.kill(os.getpid(), self.signals.pop(0))
                self.gate.append(self.engine.core.entry.halted)
                time.sleep(0.001)
            except Exception:
                continue
        self.rescued = True
        self.stop()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_second_signal_ends_a_callback_that_does_not_return(venue, capsys, name):
    number = getattr(signal, name)
    s = Endless([number] * AGAIN)
    report = run(s, venue)
    assert not s.rescued and s.calls == 1
    out = capsys.readouterr().out
    assert f"CallbackInterrupted: a second {name} came while this callback ran" in out and "in on_bookl1" in out
    assert report["callback_errors"] == 1


def test_the_kill_switch_closes_the_gate_within_a_callback_that_does_not_return(venue):
    s = Endless([signal.SIGUSR1] * AGAIN + [signal.SIGTERM] * AGAIN)
    run(s, venue)
    assert not s.rescued and True in s.gate[:AGAIN]
