"""Which stream of which symbol is silent beyond its time, and what follows."""

import pytest

from nexus_fast.config import FRESHNESS, FreshnessConfig
from nexus_fast.constants import BookLevel, DataType, KlineInterval
from nexus_fast.engine import freshness
from nexus_fast.engine.freshness import ANY_AGE, KINDS, LOOKS, Freshness
from nexus_fast.error import ConfigurationError

OPTIONS = {DataType.KLINE: {"interval": KlineInterval.MINUTE_1}, DataType.BOOKL2: {"level": BookLevel.L5}}


class Instrument:
    def __init__(self, symbol, expiry_ms=None):
        self.symbol, self.expiry_ms = symbol, expiry_ms


class Ages:
    """Stands in for the books: a test says which are silent."""

    def __init__(self, entry):
        self.watched, self.due, self.looked = {}, [], []

    def watch(self, symbol_id, limit_ns):
        self.watched[symbol_id] = limit_ns

    def silent(self, most):
        self.looked.append(most)
        due, self.due = self.due, []
        return due


class Log:
    def __init__(self):
        self.lines = []
        self.warning = self.lines.append


class Feed:
    def __init__(self):
        self.log, self.renewed, self.up = Log(), [], True

    def is_up(self, data_type, **options):
        return self.up

    def renew(self, data_type, instruments, **options):
        self.renewed += [(data_type, instrument.symbol, options) for instrument in instruments]


class Host:
    entry = None

    def __init__(self, symbols):
        self.core = self
        self.instruments = symbols
        self.symbol_ids = {instrument.symbol: number for number, instrument in enumerate(symbols)}


class Bench:
    def __init__(self, monkeypatch, config=None):
        self.now = 1000.0
        monkeypatch.setattr(freshness, "BookAges", Ages)
        monkeypatch.setattr(freshness.time, "monotonic", lambda: self.now)
        self.a, self.b, self.dated = Instrument("A"), Instrument("B"), Instrument("D", 1)
        self.feed, self.freshness = Feed(), Freshness(Host([self.a, self.b, self.dated]), config or FreshnessConfig(), Log())

    def watch(self, data_type, *instruments):
        self.freshness.watch(self.feed, data_type, list(instruments), OPTIONS.get(data_type, {}))

    def heard(self, data_type, symbol):
        self.freshness.heard(data_type, symbol, OPTIONS.get(data_type, {}).get("interval"))

    def seconds(self, count):
        for _ in range(int(count)):
            self.now += 1.0
            self.freshness.check()


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


OTHERS = [data_type for data_type in KINDS if data_type is not DataType.BOOKL1]


@pytest.mark.scenario(35, 36)
@pytest.mark.parametrize("data_type", OTHERS)
def test_every_kind_of_stream_has_its_time(bench, data_type):
    """One symbol falls silent while the other is heard: it is told of and subscribed to again when its time is over, and again
    when the silence has doubled."""
    limit = FRESHNESS[KINDS[data_type]][0]
    bench.watch(data_type, bench.a, bench.b)
    for _ in range(int(limit) - 1):
        bench.heard(data_type, "B")
        bench.seconds(1)
    assert bench.feed.renewed == []
    bench.heard(data_type, "B")
    bench.seconds(2)
    assert bench.feed.renewed == [(data_type, "A", OPTIONS.get(data_type, {}))]
    assert "A" in bench.feed.log.lines[0] and KINDS[data_type] in bench.feed.log.lines[0]
    bench.heard(data_type, "B")
    bench.seconds(limit - 2)
    assert len(bench.feed.renewed) == 1
    bench.heard(data_type, "B")
    bench.seconds(3)
    assert len(bench.feed.renewed) == 2
    bench.heard(data_type, "A")
    bench.heard(data_type, "B")
    bench.seconds(limit - 1)
    assert len(bench.feed.renewed) == 2


def test_a_dated_contract_has_more_time(bench):
    bench.watch(DataType.TRADE, bench.dated)
    bench.seconds(FRESHNESS["trades"][1] - 1)
    assert bench.feed.renewed == []
    bench.seconds(2)
    assert bench.feed.renewed == [(DataType.TRADE, "D", {})]
    assert bench.freshness.limit_ns(bench.dated) == 900_000_000_000 and bench.freshness.limit_ns(bench.a) == 60_000_000_000


@pytest.mark.scenario(36)
def test_silent_quotes_are_told_of_in_one_line_and_subscribed_to_anew(bench):
    bench.watch(DataType.BOOKL1, bench.a, bench.b)
    assert bench.freshness._ages.watched == {0: 60_000_000_000, 1: 60_000_000_000}
    bench.freshness._ages.due = [(0, 61_000_000_000), (1, 62_000_000_000)]
    bench.seconds(1)
    assert bench.feed.renewed == [(DataType.BOOKL1, "A", {}), (DataType.BOOKL1, "B", {})]
    (line,) = bench.feed.log.lines
    assert "A 61 s" in line and "B 62 s" in line and "stale" in line


def test_a_feed_that_is_not_connected_is_told_of_elsewhere(bench):
    bench.feed.up = False
    bench.watch(DataType.MARK_PRICE, bench.a)
    bench.seconds(1000)
    assert bench.feed.renewed == bench.feed.log.lines == []


def test_what_nobody_wants_any_more_may_be_silent(bench):
    for data_type in KINDS:
        bench.watch(data_type, bench.a)
        bench.freshness.unwatch(data_type, [bench.a], OPTIONS.get(data_type, {}))
    bench.seconds(2000)
    assert bench.feed.renewed == [] and bench.freshness._ages.watched == {0: 0}


def test_each_look_takes_a_part_of_the_books(monkeypatch):
    bench = Bench(monkeypatch)
    many = Freshness(Host([Instrument(str(number)) for number in range(5000)]), FreshnessConfig(), Log())
    many.check()
    assert many._ages.looked[0] * LOOKS >= 5000 and many._ages.looked[0] < 300
    bench.freshness.check()
    assert bench.freshness._ages.looked == [1]


def test_times_are_configured_by_kind_and_symbol(monkeypatch):
    config = FreshnessConfig(quotes=5, marks=0, per_symbol={"B": FreshnessConfig(quotes=7, trades=9)})
    bench = Bench(monkeypatch, config)
    seconds = bench.freshness.seconds
    assert [seconds(DataType.BOOKL1, i) for i in (bench.a, bench.b, bench.dated)] == [5, 7, 5]
    assert [seconds(DataType.TRADE, i) for i in (bench.a, bench.b, bench.dated)] == [1800, 9, 14_400]
    assert seconds(DataType.INDEX_PRICE, bench.a) == 0
    bench.watch(DataType.MARK_PRICE, bench.a)
    bench.seconds(1000)
    assert bench.feed.renewed == []
    off = Bench(monkeypatch, FreshnessConfig(quotes=0))
    assert off.freshness.limit_ns(off.a) == ANY_AGE
    off.watch(DataType.BOOKL1, off.a)
    assert off.freshness._ages.watched == {}


@pytest.mark.parametrize("fields", [
    {"quotes": -1}, {"trades": "1"}, {"marks": float("inf")}, {"bars": float("nan")}, {"per_symbol": {"A": 5}},
    {"per_symbol": {"A": FreshnessConfig(per_symbol={"B": FreshnessConfig()})}},
])  # fmt: skip
def test_a_time_that_is_none_is_an_error(fields):
    with pytest.raises(ConfigurationError, match="FreshnessConfig"):
        FreshnessConfig(**fields)
