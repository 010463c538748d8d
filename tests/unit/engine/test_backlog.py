"""What waits for the strategies, and the loop's turns between any two callbacks."""

from types import SimpleNamespace

import pytest

from nexus_fast.constants import ExchangeType, KlineInterval
from nexus_fast.engine.backlog import MOST_WAITING, Backlog, newer_form_of
from nexus_fast.schema import Kline, MarkPrice, Trade


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, text):
        self.lines.append(text)


class Dispatcher:
    """has_time() as the test says."""

    def __init__(self, heard):
        self.is_behind, self.time, self.heard = False, False, heard

    def has_time(self):
        return self.time and not self.is_behind

    def fall_behind(self):
        self.is_behind = True

    def catch_up(self):
        self.is_behind = False

    def tell(self, strategy, symbol_id, record):
        self.heard.append((strategy, symbol_id, record))


class Bench:
    def __init__(self, **options):
        self.heard, self.ready, self.private, self.log, self.now = [], [], [], Log(), 0.0
        self.dispatcher = Dispatcher(self.heard)
        call = lambda *what: self.heard.append(what)  # noqa: E731
        self.backlog = Backlog(self.dispatcher, call, self.ready.append, ["BTC", "ETH"], self.log, ahead=self.private,
                               now=lambda: self.now, **options)

    def turn(self):
        """What one turn of the loop brought."""
        del self.heard[:]
        ready, self.ready[:] = list(self.ready), []
        for callback in ready:
            callback()
        return list(self.heard)

    def turns(self):
        found = []
        while self.ready:
            found += self.turn()
        return found


def test_one_callback_in_each_turn_oldest_first():
    bench = Bench()
    bench.backlog.add_quote("A", 0, b"1")
    bench.backlog.add_quote("B", 0, b"1")
    bench.backlog.add_quote("A", 1, b"2")
    assert bench.dispatcher.is_behind and len(bench.ready) == 1
    assert [bench.turn() for _ in range(3)] == [[("A", 0, b"1")], [("B", 0, b"1")], [("A", 1, b"2")]]
    assert bench.dispatcher.is_behind                # what was read in this turn comes after it
    assert bench.turn() == [] and not bench.dispatcher.is_behind and bench.ready == []


def test_the_newest_quote_of_each_symbol_takes_the_place_of_the_older():
    bench = Bench()
    for record in (b"1", b"2", b"3"):
        bench.backlog.add_quote("A", 0, record)
        bench.backlog.add_quote("A", 1, record)
    assert bench.turns() == [("A", 0, b"3"), ("A", 1, b"3")]
    assert bench.backlog.report() == {"delayed": 2, "coalesced": {"BTC": 2, "ETH": 2}, "given_up": 0}


def test_where_nothing_is_coalesced_every_quote_comes():
    bench = Bench(coalesces=False)
    for record in (b"1", b"2", b"3"):
        bench.backlog.add_quote("A", 0, record)
    assert bench.turns() == [("A", 0, b"1"), ("A", 0, b"2"), ("A", 0, b"3")]
    assert bench.backlog.report()["coalesced"] == {}


def test_private_messages_come_first():
    bench = Bench()
    bench.backlog.add_quote("A", 0, b"1")
    bench.private.append("a fill")
    assert bench.turn() == [] and bench.turn() == []
    bench.private.clear()
    assert bench.turn() == [("A", 0, b"1")]


def test_after_a_slow_callback_some_turns_bring_none():
    bench = Bench()
    bench.dispatcher.tell = lambda *what: (bench.heard.append(what), setattr(bench, "now", bench.now + 0.4))
    for symbol_id in (0, 1):
        bench.backlog.add_quote("A", symbol_id, b"1")
    assert [len(bench.turn()) for _ in range(7)] == [1, 0, 0, 0, 0, 1, 0]


def test_a_signal_has_some_turns_to_itself():
    bench = Bench()
    bench.backlog.give_way()
    bench.backlog.add_quote("A", 0, b"1")
    assert [len(bench.turn()) for _ in range(6)] == [0, 0, 0, 0, 1, 0]


def test_there_is_an_end_to_what_waits():
    bench = Bench(coalesces=False)
    for number in range(MOST_WAITING + 5):
        bench.backlog.add_quote("A", 0, b"%d" % number)
    assert bench.turn() == [("A", 0, b"5")] and bench.backlog.given_up == 5


def test_other_market_data_waits_too():
    bench = Bench()
    mark = SimpleNamespace(symbol="BTC")
    bench.dispatcher.time = True
    bench.backlog.deliver("A", "on_mark_price", mark, "BTC")
    assert bench.heard == [("A", "on_mark_price", mark)] and bench.ready == []
    bench.dispatcher.time = False
    newer, trades = SimpleNamespace(symbol="BTC"), [SimpleNamespace(symbol="BTC") for _ in range(3)]
    bench.backlog.deliver("A", "on_mark_price", mark, "BTC")
    for trade in trades:
        bench.backlog.deliver("A", "on_trade", trade)
    bench.backlog.deliver("A", "on_mark_price", newer, "BTC")
    assert bench.turns() == [("A", "on_mark_price", newer), *(("A", "on_trade", trade) for trade in trades)]


def test_of_a_strategy_that_is_dropped_nothing_waits():
    bench = Bench()
    for strategy in ("A", "B"):
        bench.backlog.add_quote(strategy, 0, b"1")
        bench.backlog.deliver(strategy, "on_trade", SimpleNamespace(symbol="BTC"))
    bench.backlog.drop("A")
    assert {heard[0] for heard in bench.turns()} == {"B"}


def test_nothing_is_delivered_after_the_end():
    bench = Bench()
    bench.backlog.add_quote("A", 0, b"1")
    bench.backlog.close()
    bench.backlog.add_quote("A", 0, b"2")
    bench.dispatcher.time = True
    bench.backlog.deliver("A", "on_trade", SimpleNamespace(symbol="BTC"))
    assert bench.turns() == [] and bench.dispatcher.is_behind


def test_it_is_said_once_and_again_when_it_happens_later():
    bench = Bench()
    for _ in range(3):
        bench.backlog.add_quote("A", 0, b"1")
        bench.turns()
    assert len(bench.log.lines) == 1 and "str is slower than its market data (BTC)" in bench.log.lines[0]
    bench.now = 60.0
    bench.backlog.add_quote("A", 0, b"1")
    assert len(bench.log.lines) == 2


TRADE = Trade(exchange=ExchangeType.BINANCE, symbol="BTC", price=1.0, size=1.0, side=None, timestamp=1)


def bar(start, confirm=False):
    return Kline(exchange=ExchangeType.BINANCE, symbol="BTC", interval=KlineInterval.MINUTE_1, open=1.0, high=1.0, low=1.0,
                 close=1.0, start=start, timestamp=1, confirm=confirm)


@pytest.mark.parametrize(
    ("older", "newer", "replaces"),
    [
        (TRADE, TRADE, False),
        (bar(1), bar(1), True),
        (bar(1), bar(2), False),
        (bar(1, confirm=True), bar(1, confirm=True), False),
        (bar(1), bar(1, confirm=True), False),
        (MarkPrice(exchange=ExchangeType.BINANCE, symbol="BTC", price=1.0, timestamp=1),
         MarkPrice(exchange=ExchangeType.BINANCE, symbol="BTC", price=2.0, timestamp=2), True),
    ],
)
def test_trades_and_finished_bars_are_replaced_by_nothing(older, newer, replaces):
    assert (newer_form_of(older) is not None and newer_form_of(older) == newer_form_of(newer)) == replaces
