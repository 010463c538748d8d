"""Bars from trades: against sums over the trades themselves, whatever the trades are."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.constants import ExchangeType, KlineInterval, OrderSide
from nexus_fast.error import KlineSupportedError
from nexus_fast.feed.aggregation import SETTLE_MS, TimeKlineAggregator, VolumeKlineAggregator, bar_bounds
from nexus_fast.schema import Trade

EXCHANGE, SYMBOL = ExchangeType.BINANCE, "BTCUSDT.BINANCE"
BUY, SELL = OrderSide.BUY, OrderSide.SELL
START = 1_700_000_040_000               # a full minute
MINUTE = KlineInterval.MINUTE_1


def trade(time, price=100.0, size=1.0, side=BUY):
    return Trade(EXCHANGE, side, SYMBOL, price, size, time)


cents = st.integers(1, 10**7).map(lambda n: n / 100)
sizes = st.integers(1, 10**6).map(lambda n: n / 10**5)
steps = st.one_of(st.integers(0, 300), st.integers(0, 400_000))
market = st.lists(st.tuples(steps, cents, sizes, st.sampled_from([BUY, SELL])), min_size=1, max_size=60)


def trades_of(rows):
    now, made = START, []
    for step, price, size, side in rows:
        now += step
        made.append(trade(now, price, size, side))
    return made


def total(trades, value=lambda t: Fraction(repr(t.size))):
    return float(sum(map(value, trades), Fraction(0)))


def assert_is_bar_of(bar, trades):
    assert (bar.exchange, bar.symbol, bar.confirm) == (EXCHANGE, SYMBOL, True)
    prices = [t.price for t in trades]
    assert (bar.open, bar.high, bar.low, bar.close) == (prices[0], max(prices), min(prices), prices[-1])
    bought = [t for t in trades if t.side is BUY]

    def cost(t):
        return Fraction(repr(t.price)) * Fraction(repr(t.size))

    assert (bar.volume, bar.buy_volume, bar.taker_volume) == (total(trades), total(bought), total(bought))
    assert (bar.quote_volume, bar.taker_quote_volume) == (total(trades, cost), total(bought, cost))


class Timed:
    """An aggregator with the local clock in hand: the venue's time plus what the way takes."""

    def __init__(self, interval=MINUTE, delay=0, **options):
        self.bars = []
        self.now = 0
        self.delay = delay
        self.aggregator = TimeKlineAggregator(
            EXCHANGE, SYMBOL, interval, self.bars.append, now_ms=lambda: self.now, **options
        )

    def see(self, *trades):
        for one in trades:
            self.now = one.timestamp + self.delay
            self.aggregator.on_trade(one)

    def wait_until(self, venue_time):
        self.now = venue_time + self.delay
        self.aggregator.advance(self.now)


class TestByTime:
    @settings(max_examples=150, deadline=None)
    @given(market, st.booleans(), st.integers(-5000, 5000), st.booleans())
    def test_each_bar_is_that_of_its_minute(self, rows, with_no_updates, delay, with_clock):
        trades = trades_of(rows)
        timed = Timed(delay=delay, build_with_no_updates=with_no_updates)
        for one in trades:
            if with_clock:
                timed.wait_until(one.timestamp)
            timed.see(one)
        timed.wait_until(trades[-1].timestamp + 60_000 + SETTLE_MS)
        minutes = {}
        for one in trades:
            minutes.setdefault(one.timestamp // 60_000 * 60_000, []).append(one)
        last = max(minutes)
        every = range(min(minutes), last + 60_000, 60_000) if with_no_updates else sorted(minutes)
        bars = [bar for bar in timed.bars if bar.start <= last]
        assert [bar.start for bar in bars] == list(every)
        close = None
        for bar in bars:
            assert bar.timestamp == bar.start + 60_000
            if bar.start in minutes:
                assert_is_bar_of(bar, minutes[bar.start])
            else:
                assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (close, close, close, close, 0)
            close = bar.close
        assert timed.aggregator.late == 0

    def test_the_boundary_belongs_to_the_later_bar(self):
        timed = Timed()
        timed.see(trade(START + 59_999, size=1.0), trade(START + 60_000, size=2.0))
        (bar,) = timed.bars
        assert (bar.start, bar.timestamp, bar.volume) == (START, START + 60_000, 1.0)

    def test_without_a_later_trade_the_clock_ends_it_once_the_last_trades_must_be_here(self):
        timed = Timed(delay=700)
        timed.see(trade(START + 10))
        timed.wait_until(START + 60_000 + SETTLE_MS - 1)
        assert timed.bars == []
        assert timed.aggregator.due_ms == START + 60_000 + 700 + SETTLE_MS
        timed.wait_until(START + 60_000 + SETTLE_MS)
        assert [bar.start for bar in timed.bars] == [START]

    def test_a_trade_of_a_bar_that_is_out_is_dropped_and_counted(self):
        timed = Timed()
        timed.see(trade(START), trade(START + 60_000), trade(START + 59_999), trade(START + 120_000))
        assert [bar.volume for bar in timed.bars] == [1.0, 1.0]
        assert timed.aggregator.late == 1

    def test_within_a_bar_the_order_of_arrival_counts(self):
        timed = Timed()
        timed.see(trade(START + 20, 2.0), trade(START + 10, 1.0), trade(START + 60_000))
        assert (timed.bars[0].open, timed.bars[0].close) == (2.0, 1.0)

    def test_before_the_first_trade_there_is_nothing(self):
        timed = Timed()
        timed.wait_until(START)
        assert timed.bars == [] and timed.aggregator.due_ms is None

    @pytest.mark.parametrize("price, size", [(0.0, 1.0), (1.0, 0.0)])
    def test_bookings_of_the_venue_are_no_trades(self, price, size):
        timed = Timed()
        timed.see(trade(START, price, size))
        assert timed.aggregator.due_ms is None

    def test_volume_is_no_length_of_time(self):
        with pytest.raises(KlineSupportedError, match="subscribe_volume_kline"):
            Timed(KlineInterval.VOLUME)


def milliseconds(*date):
    return int(datetime(*date, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    "interval, start, end",
    [
        (KlineInterval.SECOND_1, (2026, 11, 22, 21, 7, 9), (2026, 11, 22, 21, 7, 10)),
        (KlineInterval.HOUR_4, (2026, 11, 22, 20), (2026, 11, 23)),
        (KlineInterval.DAY_1, (2026, 11, 22), (2026, 11, 23)),
        (KlineInterval.WEEK_1, (2026, 11, 16), (2026, 11, 23)),
        (KlineInterval.MONTH_1, (2026, 11, 1), (2026, 12, 1)),
    ],
)
def test_bounds(interval, start, end):
    at = milliseconds(2026, 11, 22, 21, 7, 9) + 123
    assert bar_bounds(at, interval) == (milliseconds(*start), milliseconds(*end))
    assert bar_bounds(milliseconds(*end), interval)[0] == milliseconds(*end)


def test_the_last_month_of_a_year():
    bounds = bar_bounds(milliseconds(2027, 12, 31, 23, 59, 59), KlineInterval.MONTH_1)
    assert bounds == (milliseconds(2027, 12, 1), milliseconds(2028, 1, 1))


class TestByVolume:
    @settings(max_examples=150, deadline=None)
    @given(market, st.sampled_from(["DEFAULT", "BUY", "SELL"]), st.sampled_from([0.1, 0.3, 1.7, 10.0]))
    def test_every_bar_holds_the_threshold_and_nothing_is_lost(self, rows, volume_type, threshold):
        bars = []
        aggregator = VolumeKlineAggregator(EXCHANGE, SYMBOL, threshold, bars.append, volume_type)
        trades = trades_of(rows)
        for one in trades:
            aggregator.on_trade(one)
        counted = [t for t in trades if volume_type == "DEFAULT" or t.side is OrderSide[volume_type]]
        whole = sum((Decimal(repr(t.size)) for t in counted), Decimal(0))
        assert len(bars) == whole // Decimal(repr(threshold))
        for number, bar in enumerate(bars):
            assert_is_bar_of(bar, pieces(counted, number, Fraction(repr(threshold))))
            assert bar.interval is KlineInterval.VOLUME and bar.volume == threshold

    def test_a_large_trade_makes_several_bars(self):
        bars = []
        aggregator = VolumeKlineAggregator(EXCHANGE, SYMBOL, 0.3, bars.append)
        aggregator.on_trade(trade(START, 100.0, 0.1))
        aggregator.on_trade(trade(START + 5, 200.0, 0.8, SELL))
        assert [(b.open, b.close, b.volume, b.buy_volume) for b in bars] == [
            (100.0, 200.0, 0.3, 0.1), (200.0, 200.0, 0.3, 0.0), (200.0, 200.0, 0.3, 0.0),
        ]  # fmt: skip
        assert [(b.start, b.timestamp) for b in bars] == [(START, START + 5), (START + 5, START + 5)] + [
            (START + 5, START + 5)
        ]


class Piece:
    """A part of a trade, its size a fraction whose repr Fraction reads."""

    def __init__(self, whole, size):
        self.price, self.side, self.size = whole.price, whole.side, Size(size)


class Size(Fraction):
    def __repr__(self):
        return f"{self.numerator}/{self.denominator}"


def pieces(trades, number, threshold):
    """What lies between number * threshold and the next multiple, on the line of all volume."""
    low, high, at, found = number * threshold, (number + 1) * threshold, Fraction(0), []
    for one in trades:
        size = Fraction(repr(one.size))
        begin, end = max(low, at), min(high, at + size)
        if begin < end:
            found.append(Piece(one, end - begin))
        at += size
    return found
