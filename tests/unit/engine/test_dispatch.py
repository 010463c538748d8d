"""Who hears a quote, in which order, whatever the others do."""

import pytest

from nexus_fast.constants import ExchangeType
from nexus_fast.core.types import pack
from nexus_fast.engine.backlog import Backlog
from nexus_fast.engine.dispatch import Dispatcher
from nexus_fast.feed.market import MarketFeed
from nexus_fast.feed.symbols import SymbolTable
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.log import Logger
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


class Turns:
    """A loop whose turns the test takes, and what waits for them."""

    def __init__(self, bench, most_ms=0.0, **options):
        self.ready, self.bench = [], bench
        self.called = []
        self.backlog = Backlog(bench.dispatcher, lambda *what: self.called.append(what), self.ready.append, ["ONE", "TWO"],
                               Logger("test"), **options)
        bench.dispatcher.keep_turns(self.backlog, most_ms)

    def turn(self):
        """Who heard something in one turn of the loop."""
        del self.bench.heard[:]
        ready, self.ready[:] = list(self.ready), []
        for callback in ready:
            callback()
        return list(self.bench.heard)


def test_what_callbacks_have_no_time_for_waits_for_the_loops_turn(bench):
    books = []
    bench.strategy("first", lambda strategy: books.append(strategy))
    turns = Turns(bench)
    assert bench.quote() == ["first"]                            # the turn's first
    assert [bench.quote() for _ in range(3)] == [[], [], []] and bench.dispatcher.is_behind
    assert turns.turn() == ["first"]                             # once for three
    assert bench.quote() == [] and turns.turn() == ["first"]     # it is behind until a turn has brought nothing
    assert turns.turn() == [] and not bench.dispatcher.is_behind
    assert bench.quote() == ["first"] and turns.backlog.coalesced == {"ONE": 2}


def test_what_waits_is_the_newest_book(bench):
    books = []

    class Keeper(Strategy):
        def on_bookl1(self, book):
            books.append(book.bid_size)

    keeper = Keeper()
    attach(keeper, None, bench.entry, 0, {}, ["ONE", "TWO"], [ExchangeType.BINANCE] * 2, {})
    bench.dispatcher.subscribe(0, keeper)
    turns = Turns(bench)
    for size in range(1, 6):
        bench.feed.feed(b'{"u":%d,"s":"ONE","b":"1","B":"%d","a":"2","A":"1"}' % (size, size))
    turns.turn()
    assert books == [1.0, 5.0]


def test_between_two_strategies_the_loop_has_its_turn_too(bench):
    for name in ("first", "second"):
        bench.strategy(name)
    turns = Turns(bench)
    assert bench.quote() == ["first"]
    assert (turns.turn(), turns.turn()) == (["second"], [])


def test_with_time_nothing_waits(bench):
    bench.strategy("first")
    turns = Turns(bench, most_ms=3_600_000.0)
    assert [bench.quote() for _ in range(50)] == [["first"]] * 50 and turns.backlog.delayed == 0


def test_after_a_signal_there_is_no_other_callback_before_the_loops_turn(bench):
    turns = Turns(bench, most_ms=3_600_000.0)
    bench.strategy("first", lambda strategy: bench.dispatcher.give_way())
    bench.strategy("second")
    assert bench.quote() == ["first"]
    assert [turns.turn() for _ in range(5)] == [[]] * 4 + [["second"]]


def test_who_unsubscribes_meanwhile_hears_nothing(bench):
    first = bench.strategy("first")
    turns = Turns(bench)
    bench.quote()
    assert bench.quote() == []
    bench.dispatcher.drop(first)
    assert turns.turn() == [] and bench.dispatcher.subscribers(0) == 0


def test_an_exception_of_a_quote_that_waited_is_one(bench):
    bench.strategy("first", lambda strategy: 1 / 0)
    turns = Turns(bench)
    bench.quote()
    bench.quote()
    turns.turn()
    assert bench.errors == [("first", "division by zero")] * 2


def test_slow_callbacks_are_named_and_the_end_of_a_row_of_exceptions(bench):
    slow, well = [], []
    first = bench.strategy("first", lambda strategy: bench.fails and 1 / 0)
    bench.dispatcher.watch(3_600_000.0, lambda *what: slow.append(what), well.append)
    for bench.fails in (False, True, True, False, False):
        bench.quote()
    assert (slow, well, len(bench.errors)) == ([], [first], 2)
    bench.dispatcher.watch(0.0, lambda *what: slow.append(what), well.append)
    bench.quote()
    bench.fails = True
    bench.quote()
    assert [strategy for strategy, _ in slow] == [first, first] and all(nanoseconds > 0 for _, nanoseconds in slow)
