"""Who gets which bars, and when the trades are wanted no more."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from patience import WAIT_SECONDS

from nexus_fast.constants import DataType, ExchangeType, KlineInterval, OrderSide
from nexus_fast.engine.bars import Bars
from nexus_fast.schema import Trade

PERP = SimpleNamespace(symbol="BTCUSDT-PERP.BINANCE", exchange=ExchangeType.BINANCE)
SECOND = {"interval": KlineInterval.SECOND_1, "use_aggregator": True}
VOLUME = {"volume_threshold": 1.0, "volume_type": "DEFAULT"}
KLINE, TRADE = DataType.KLINE, DataType.TRADE


class Feed:
    def __init__(self):
        self.calls = []

    def subscribe(self, data_type, instruments):
        self.calls.append(("subscribe", data_type))

    def unsubscribe(self, data_type, instruments):
        self.calls.append(("unsubscribe", data_type))


class Program:
    def __init__(self):
        self.bars = []

    def on_kline(self, bar):
        self.bars.append(bar)


class Host:
    """What Bars asks of the engine's host."""

    is_silent = False

    def __init__(self):
        self.subscribers = {}
        self.cached = []
        self.tasks = []
        self.cache = SimpleNamespace(apply_data=lambda data_type, bar: self.cached.append((data_type, bar)))
        self.backlog = SimpleNamespace(deliver=lambda strategy, name, bar, replaces: getattr(strategy, name)(bar))

    def keep(self, what, make):
        self.tasks.append(asyncio.get_running_loop().create_task(make()))

    def trade(self, timestamp, size=1.0):
        trade = Trade(ExchangeType.BINANCE, OrderSide.BUY, PERP.symbol, 100.0, size, timestamp)
        for listener in list(self.subscribers.get((TRADE, PERP.symbol, None), ())):
            listener.on_trade(trade)


@pytest.fixture
def play():
    """Runs a scenario(host, bars, feed) on a loop and ends what it has begun."""

    def run(scenario):
        async def whole():
            host, feed = Host(), Feed()
            try:
                result = scenario(host, Bars(host), feed)
                if asyncio.iscoroutine(result):
                    await result
            finally:
                for task in host.tasks:
                    task.cancel()
                await asyncio.gather(*host.tasks, return_exceptions=True)

        asyncio.run(whole())

    return run


def test_two_strategies_share_the_trades_and_get_the_same_bar(play):
    def scenario(host, bars, feed):
        first, second = Program(), Program()
        for program in (first, second, first):
            bars.subscribe(program, KLINE, PERP, feed, **SECOND)
        host.trade(1_000_000)
        host.trade(1_001_000)
        assert feed.calls == [("subscribe", TRADE)]
        assert len(first.bars) == 1 and first.bars == second.bars
        assert host.cached == [(KLINE, first.bars[0])]
        bars.unsubscribe(first, KLINE, PERP, feed, **SECOND)
        host.trade(1_002_000)
        assert (len(first.bars), len(second.bars)) == (1, 2)
        assert feed.calls == [("subscribe", TRADE)]
        bars.unsubscribe(second, KLINE, PERP, feed, **SECOND)
        assert feed.calls == [("subscribe", TRADE), ("unsubscribe", TRADE)]

    play(scenario)


def test_the_trades_stay_while_another_wants_them(play):
    def scenario(host, bars, feed):
        program, trader = Program(), SimpleNamespace(on_trade=lambda trade: None)
        host.subscribers[TRADE, PERP.symbol, None] = [trader]
        bars.subscribe(program, DataType.VOLUME_KLINE, PERP, feed, **VOLUME)
        bars.subscribe(program, KLINE, PERP, feed, **SECOND)
        host.trade(1_000_000, 2.5)
        assert [bar.interval for bar in program.bars] == [KlineInterval.VOLUME] * 2
        bars.unsubscribe(program, DataType.VOLUME_KLINE, PERP, feed, **VOLUME)
        bars.unsubscribe(program, KLINE, PERP, feed, **SECOND)
        assert host.subscribers[TRADE, PERP.symbol, None] == [trader]
        assert ("unsubscribe", TRADE) not in feed.calls

    play(scenario)


def test_the_clock_ends_the_bar_of_a_symbol_that_is_not_traded_any_more(play):
    async def scenario(host, bars, feed):
        program = Program()
        bars.subscribe(program, KLINE, PERP, feed, build_with_no_updates=False, **SECOND)
        host.trade(time.time_ns() // 1_000_000)
        async with asyncio.timeout(WAIT_SECONDS):
            while not program.bars:
                await asyncio.sleep(0.01)
        assert program.bars[0].volume == 1.0
        bars.unsubscribe(program, KLINE, PERP, feed, **SECOND)
        async with asyncio.timeout(WAIT_SECONDS):
            await host.tasks[0]

    play(scenario)


def test_late_trades_are_told(play, monkeypatch):
    async def scenario(host, bars, feed):
        told = []
        monkeypatch.setattr(bars, "_log", SimpleNamespace(warning=told.append))
        bars.subscribe(Program(), KLINE, PERP, feed, **SECOND)
        now = time.time_ns() // 1_000_000
        host.trade(now)
        host.trade(now - 5000)
        async with asyncio.timeout(WAIT_SECONDS):
            while not told:
                await asyncio.sleep(0.01)
        assert told == ["trades that came after their bar was published and are in no bar: 1"]

    play(scenario)
