"""Who hears a quote, in which order, whatever the others do."""

import pytest

from nexus_fast.constants import ExchangeType
from nexus_fast.core.types import pack
from nexus_fast.engine.dispatch import Dispatcher
from nexus_fast.feed.market import MarketFeed
from nexus_fast.feed.symbols import SymbolTable
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.order.entry import OrderEntry
from nexus_fast.order.route import RouteTable
from nexus_fast.order.table import OrderTable
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingWriter
from nexus_fast.strategy import Strategy
from nexus_fast.strategy.base import attach


class Bench:
    def __init__(self, directory):
        self.errors, self.heard = [], []
        self.dispatcher = Dispatcher(2, lambda strategy, error: self.errors.append((strategy.name, str(error))))
        symbols = SymbolTable()
        for number, name in enumerate((b"ONE", b"TWO")):
            symbols.add(name, number, 2, 2, 1)
        self.entry = OrderEntry(OrderTable(1, "abc", 16), RouteTable(2, 1), JournalWriter(directory, "test"),
                                RingWriter("orders", "order_event", 16), 2, lambda: None)
        self.feed = MarketFeed("binance", "spot", symbols, self.dispatcher, self.entry, RingWriter("market", "bookl1", 16),
                               LatestTable.create("latest", 2), lambda payload: None)
        self.update = 0

    def strategy(self, name, action=None, symbols=(0,)):
        bench = self

        class One(Strategy):
            def on_bookl1(self, book):
                bench.heard.append(name)
                if action is not None:
                    action(self)

        made = One()
        made.name = name
        attach(made, None, self.entry, 0, {}, ["ONE", "TWO"], [ExchangeType.BINANCE] * 2, {})
        for symbol in symbols:
            self.dispatcher.subscribe(symbol, made)
        return made

    def quote(self, symbol="ONE"):
        """Who heard one quote."""
        self.update += 1
        del self.heard[:]
        self.feed.feed(b'{"u":%d,"s":"%s","b":"1","B":"1","a":"2","A":"1"}' % (self.update, symbol.encode()))
        return list(self.heard)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path / "segments"))
    (tmp_path / "segments").mkdir()
    return Bench(tmp_path)


def test_in_the_order_of_subscription_and_only_their_symbols(bench):
    for name in "abc":
        bench.strategy(name)
    bench.strategy("two", symbols=(1,))
    assert bench.quote() == ["a", "b", "c"] and bench.quote("TWO") == ["two"]


def test_subscribing_again_changes_nothing(bench):
    a = bench.strategy("a")
    bench.dispatcher.subscribe(0, a)
    assert bench.dispatcher.subscribers(0) == 1 and bench.quote() == ["a"]
    bench.dispatcher.unsubscribe(0, a)
    bench.dispatcher.unsubscribe(0, a)
    assert bench.dispatcher.subscribers(0) == 0 and bench.quote() == []


def test_an_exception_is_told_and_the_next_hears(bench):
    def fail(strategy):
        raise ValueError("no")

    for name, action in (("a", fail), ("b", None), ("c", fail), ("d", None)):
        bench.strategy(name, action)
    assert bench.quote() == ["a", "b", "c", "d"]
    assert bench.errors == [("a", "no"), ("c", "no")] and bench.dispatcher.errors == 2


@pytest.mark.parametrize("leaving", ["a", "b", "c"])
def test_who_unsubscribes_in_its_callback_costs_nobody_the_quote(bench, leaving):
    def leave(strategy):
        if strategy.name == leaving:
            bench.dispatcher.unsubscribe(0, strategy)

    for name in "abc":
        bench.strategy(name, leave)
    assert bench.quote() == ["a", "b", "c"]
    assert bench.quote() == [n for n in "abc" if n != leaving]


def test_who_unsubscribes_and_raises(bench):
    def leave(strategy):
        bench.dispatcher.unsubscribe(0, strategy)
        raise KeyError("gone")

    bench.strategy("a", leave)
    bench.strategy("b")
    assert bench.quote() == ["a", "b"] and bench.errors == [("a", "'gone'")] and bench.quote() == ["b"]


def test_subscribing_during_a_quote(bench):
    """Newcomers hear this quote or the next, nobody hears it twice, however many come."""
    def invite(strategy):
        if len(bench.heard) == 1:
            for number in range(20):
                bench.strategy(f"new{number}")

    bench.strategy("a", invite)
    bench.strategy("b")
    first = bench.quote()
    assert first[:2] == ["a", "b"] and len(first) == len(set(first))
    assert len(bench.quote()) >= 22


def test_symbols_out_of_range_are_refused(bench):
    with pytest.raises(IndexError, match="symbol id 2"):
        bench.dispatcher.subscribe(2, bench.strategy("a"))


def test_the_record_has_the_documented_size():
    assert len(pack("bookl1", bid=1)) == 128
