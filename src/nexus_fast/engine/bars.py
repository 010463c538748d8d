"""Subscriptions to bars that are made here from trades: which aggregator serves whom, and when its bars are over."""

import asyncio
import time
from functools import partial
from typing import Any

from nexus_fast.constants import DataType, KlineInterval
from nexus_fast.engine.backlog import newer_form_of
from nexus_fast.engine.host import Host
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.feed.aggregation import TimeKlineAggregator, VolumeKlineAggregator
from nexus_fast.log import Logger
from nexus_fast.schema import Kline

# Between two looks at the clock, seconds.
SHORTEST_WAIT, LONGEST_WAIT = 0.01, 0.5


class Bars:
    """One aggregator per symbol and kind of bar, whoever wants it. It takes its trades as a strategy does: as one of
    the subscribers of the symbol's trades, through its on_trade."""

    def __init__(self, host: Host):
        self._host = host
        self._made: dict[tuple, Any] = {}
        self._listeners: dict[tuple, list] = {}
        self._watching = False
        self._late = 0
        self._log = Logger("bars")

    def subscribe(self, strategy: Any, data_type: DataType, instrument: Instrument, feed: Any, **options: Any) -> None:
        key = _key(data_type, instrument, options, options.get("build_with_no_updates", True))
        listeners = self._listeners.setdefault(key, [])
        if strategy not in listeners:
            listeners.append(strategy)
        if key not in self._made:
            self._made[key] = self._make(key, instrument)
            self._trade_listeners(instrument).append(self._made[key])
            feed.subscribe(DataType.TRADE, [instrument])
            self._watch()

    def unsubscribe(self, strategy: Any, data_type: DataType, instrument: Instrument, feed: Any, **options: Any) -> None:
        for with_no_updates in (True, False):
            key = _key(data_type, instrument, options, with_no_updates)
            listeners = self._listeners.get(key, [])
            if strategy in listeners:
                listeners.remove(strategy)
            if key in self._made and not listeners:
                self._drop(key, instrument, feed)

    def _drop(self, key: tuple, instrument: Instrument, feed: Any) -> None:
        trades = self._trade_listeners(instrument)
        trades.remove(self._made.pop(key))
        del self._listeners[key]
        if not trades:
            feed.unsubscribe(DataType.TRADE, [instrument])

    def _trade_listeners(self, instrument: Instrument) -> list:
        return self._host.subscribers.setdefault((DataType.TRADE, instrument.symbol, None), [])

    def _make(self, key: tuple, instrument: Instrument) -> Any:
        publish = partial(self._publish, self._listeners[key])
        what = (instrument.exchange, instrument.symbol)
        if key[0] is DataType.VOLUME_KLINE:
            return VolumeKlineAggregator(*what, key[2], publish, key[3])
        return TimeKlineAggregator(*what, key[2], publish, key[3])

    def _publish(self, listeners: list, bar: Kline) -> None:
        self._host.cache.apply_data(DataType.KLINE, bar)
        for strategy in () if self._host.is_silent else list(listeners):
            self._host.backlog.deliver(strategy, "on_kline", bar, newer_form_of(bar))

    # ------------------------------------------------------------------------------------------ the clock

    def _watch(self) -> None:
        if not self._watching:
            self._watching = True
            self._host.keep("the clock of the bars", self._advance)

    async def _advance(self) -> None:
        """Bars whose symbol is not traded any more end too."""
        while self._made:
            now = time.time_ns() // 1_000_000
            timed = [made for made in self._made.values() if isinstance(made, TimeKlineAggregator)]
            for aggregator in timed:
                aggregator.advance(now)
            self._tell_of_late_trades(sum(aggregator.late for aggregator in timed))
            due = min((made.due_ms for made in timed if made.due_ms is not None), default=now + 1000)
            await asyncio.sleep(min(max((due - now) / 1000, SHORTEST_WAIT), LONGEST_WAIT))
        self._watching = False

    def _tell_of_late_trades(self, late: int) -> None:
        if late > self._late:
            self._log.warning(f"trades that came after their bar was published and are in no bar: {late - self._late}")
        self._late = late


def is_made_here(data_type: DataType, options: dict[str, Any]) -> bool:
    return data_type is DataType.VOLUME_KLINE or bool(options.get("use_aggregator"))


def _key(data_type: DataType, instrument: Instrument, options: dict[str, Any], with_no_updates: bool) -> tuple:
    if data_type is DataType.VOLUME_KLINE:
        return data_type, instrument.symbol, float(options["volume_threshold"]), options["volume_type"]
    interval: KlineInterval = options["interval"]
    return data_type, instrument.symbol, interval, with_no_updates
