"""A strategy that is halted, alone."""

import asyncio
from types import SimpleNamespace

import pytest

from nexus_fast.engine import halts as halts_module
from nexus_fast.engine.halts import Halts
from nexus_fast.order.reasons import STRATEGY_HALTED


class Log:
    def __init__(self):
        self.lines = []

    def critical(self, text):
        self.lines.append(text)


class Ledger:
    """Each order takes two cancels to go."""

    def __init__(self):
        self.open, self.canceled = {7: 1, 8: 1, 9: 0}, []

    def live(self, strategy):
        return [number for number, whose in self.open.items() if whose == strategy]

    def cancel(self, number):
        self.canceled.append(number)
        if self.canceled.count(number) == 2:
            del self.open[number]


class First:
    pass


class Second:
    pass


class Bench:
    def __init__(self):
        self.first, self.second = First(), Second()
        self.gates, self.dropped, self.tasks, self.log = [], [], [], Log()
        self.subscribers = {"a": [self.first, self.second], "b": [self.second]}
        self.core = SimpleNamespace(
            ledger=Ledger(),
            entry=SimpleNamespace(close_strategy=lambda *what: self.gates.append(what)),
            dispatcher=SimpleNamespace(drop=lambda strategy: self.dropped.append(("quotes", strategy))),
        )
        self.backlog = SimpleNamespace(drop=lambda strategy: self.dropped.append(("backlog", strategy)))
        drop_waiting = lambda *what: self.gates.append(("waiting", *what))  # noqa: E731
        keep = lambda what, make: self.tasks.append(make)  # noqa: E731
        self.halts = Halts(self.core, [self.first, self.second], self.subscribers, drop_waiting, keep, self.log)


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(halts_module, "AGAIN_SECONDS", 0)
    return Bench()


def test_it_trades_no_more_and_hears_no_market(bench):
    bench.halts.halt(bench.second, "why", bench.backlog)
    assert bench.gates == [(1, STRATEGY_HALTED), ("waiting", STRATEGY_HALTED, 1)]
    assert bench.dropped == [("quotes", bench.second), ("backlog", bench.second)]
    assert bench.subscribers == {"a": [bench.first], "b": []}
    assert bench.halts.are_about(bench.second) and not bench.halts.are_about(bench.first)
    assert bench.halts.report() == {"Second": "why"} and "Second is halted: why" in bench.log.lines[0]


def test_its_orders_are_canceled_until_none_is_open(bench):
    bench.halts.halt(bench.second, "why", bench.backlog)
    asyncio.run(bench.tasks[0]())
    assert bench.core.ledger.open == {9: 0} and bench.core.ledger.canceled == [7, 8, 7, 8]
    assert bench.log.lines[-1] == "Second is halted and has no open order"


def test_once_is_enough(bench):
    for why in ("first", "second"):
        bench.halts.halt(bench.second, why, bench.backlog)
    assert bench.halts.report() == {"Second": "first"} and len(bench.tasks) == 1 and len(bench.gates) == 2


def test_what_is_no_strategy_is_not_halted(bench):
    bench.halts.halt(object(), "why", bench.backlog)
    assert bench.gates == bench.tasks == []
