"""Which watched books have not moved for their time."""

import time

import pytest

from nexus_fast.engine.dispatch import Dispatcher
from nexus_fast.feed.ages import BookAges
from nexus_fast.feed.market import MarketFeed
from nexus_fast.feed.symbols import SymbolTable
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.order.entry import OrderEntry
from nexus_fast.order.route import RouteTable
from nexus_fast.order.table import OrderTable
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingWriter

NAMES = ["AUSDT", "BUSDT", "CUSDT"]
HOUR = 3_600_000_000_000


@pytest.fixture
def market(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path))
    symbols = SymbolTable()
    for number, name in enumerate(NAMES):
        symbols.add(name.encode(), number, 4, 4, 1)
    entry = OrderEntry(OrderTable(1, "abc", 64), RouteTable(3, 1), JournalWriter(tmp_path / "journal", "test"),
                       RingWriter("orders", "order_event", 64), 3, lambda: None)
    feed = MarketFeed("binance", "spot", symbols, Dispatcher(3, print), entry, RingWriter("market", "bookl1", 64),
                      LatestTable.create("latest", 3), lambda payload: None)
    return entry, feed


def quote(name, update):
    return f'{{"u":{update},"s":"{name}","b":"1.5","B":"2","a":"1.6","A":"3"}}'.encode()


def is_stale(entry, name, *fresh_ns):
    return entry.book(NAMES.index(name), None, name, *fresh_ns).is_stale


def pass_time(nanoseconds):
    until = time.monotonic_ns() + nanoseconds
    while time.monotonic_ns() <= until:
        pass


@pytest.mark.scenario(36)
def test_one_symbol_is_silent_while_another_goes_on(market):
    entry, feed = market
    ages = BookAges(entry)
    for name in NAMES:
        feed.feed(quote(name, 1))
    for number in range(2):
        ages.watch(number, 1000)
    pass_time(1000)
    feed.feed(quote("BUSDT", 2))
    (found,) = ages.silent(10)
    assert found[0] == 0 and found[1] >= 1000
    assert [is_stale(entry, name) for name in NAMES] == [True, False, False]
    feed.feed(quote("AUSDT", 2))
    assert not is_stale(entry, "AUSDT")


@pytest.mark.scenario(35)
def test_a_symbol_that_never_said_anything_is_silent_too(market):
    ages = BookAges(market[0])
    ages.watch(2, 1)
    pass_time(1)
    assert [number for number, _ in ages.silent(3)] == [2]


def test_the_silence_is_told_of_again_when_it_is_twice_as_old(market):
    ages = BookAges(market[0])
    ages.watch(1, 1_000_000)
    told = []
    while len(told) < 3:
        told += [silent for _, silent in ages.silent(3)]
    assert told[0] >= 1_000_000 and all(later >= 2 * former for former, later in zip(told, told[1:], strict=False))


def test_who_is_not_watched_may_be_silent_and_looks_go_round(market):
    entry, _ = market
    ages = BookAges(entry)
    for number in (0, 1):
        ages.watch(number, 1)
    ages.watch(1, 0)
    ages.watch(2, HOUR)
    pass_time(1)
    assert [[number for number, _ in ages.silent(1)] for _ in range(3)] == [[0], [], []]
    with pytest.raises(IndexError):
        ages.watch(3, 1)


@pytest.mark.scenario(36)
def test_a_book_says_its_age_when_it_is_handed_out(market):
    entry, feed = market
    feed.feed(quote("AUSDT", 1))
    assert not is_stale(entry, "AUSDT", HOUR)
    pass_time(1000)
    assert is_stale(entry, "AUSDT", 1000) and not is_stale(entry, "AUSDT")


@pytest.mark.scenario(36, 39)
def test_a_venue_that_repeats_a_book_keeps_it_fresh(market):
    """Bybit says a book that rests once more every three seconds, with the same id."""
    entry, feed = market
    feed.feed(quote("AUSDT", 7))
    first = entry.book(0, None, "AUSDT").receive_time_ns
    pass_time(30_000_000)
    feed.feed(quote("AUSDT", 7))
    assert feed.doubled == 1 and entry.book(0, None, "AUSDT").receive_time_ns > first
    ages = BookAges(entry)
    ages.watch(0, 1)
    feed.feed(quote("AUSDT", 7))
    assert ages.silent(3) == []
