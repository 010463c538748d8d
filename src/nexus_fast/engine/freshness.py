"""How long each subscribed stream of each symbol has been silent, and what follows when it is too long.

A connection that lives says nothing about one of its streams. A symbol whose quotes have been silent beyond its time has a stale
book: `is_stale` says so, and orders that need the book are refused until the next quote. Every kind of stream that is silent
beyond its time is told of in the log and subscribed to again, each time again when the silence is twice as old.
"""

import time
from typing import Any

from msgspec import Struct

from nexus_fast.config import FreshnessConfig
from nexus_fast.constants import DataType
from nexus_fast.feed.ages import BookAges
from nexus_fast.log import Logger

KINDS = {
    DataType.BOOKL1: "quotes",
    DataType.BOOKL2: "depth",
    DataType.TRADE: "trades",
    DataType.KLINE: "bars",
    DataType.MARK_PRICE: "marks",
    DataType.FUNDING_RATE: "marks",
    DataType.INDEX_PRICE: "marks",
}
LOOKS = 20                       # calls of check in which every book is looked at once
SECOND = 1_000_000_000
ANY_AGE = 2**63 - 1


class _Stream(Struct):
    """One that is subscribed to. heard_at, due_at: monotonic seconds."""

    feed: Any
    instrument: Any
    options: dict
    limit: float
    heard_at: float
    due_at: float


class Freshness:
    """`host` has core (instruments, symbol_ids, entry)."""

    def __init__(self, host: Any, config: FreshnessConfig, log: Logger):
        self._core = host.core
        self._config = config
        self._log = log
        self._ages = BookAges(host.core.entry)
        self._streams: dict[tuple, _Stream] = {}         # by (data type, symbol, interval)
        self._silent: list[tuple[DataType, _Stream, float]] = []
        self._each_look = len(host.core.instruments) // LOOKS + 1
        self._next_second = 0.0

    def seconds(self, data_type: DataType, instrument: Any) -> float:
        """How long this stream may be silent; 0: as long as it likes."""
        return self._config.seconds(KINDS[data_type], instrument.symbol, instrument.expiry_ms is not None)

    def limit_ns(self, instrument: Any) -> int:
        """How old a quote may be."""
        seconds = self.seconds(DataType.BOOKL1, instrument)
        return int(seconds * SECOND) if seconds else ANY_AGE

    def watch(self, feed: Any, data_type: DataType, instruments: list, options: dict) -> None:
        now = time.monotonic()
        for instrument in instruments:
            key = data_type, instrument.symbol, options.get("interval")
            limit = self.seconds(data_type, instrument)
            if not limit or key in self._streams:
                continue
            self._streams[key] = _Stream(feed, instrument, options, limit, now, now + limit)
            if data_type is DataType.BOOKL1:
                self._ages.watch(self._core.symbol_ids[instrument.symbol], int(limit * SECOND))

    def unwatch(self, data_type: DataType, instruments: list, options: dict) -> None:
        for instrument in instruments:
            found = self._streams.pop((data_type, instrument.symbol, options.get("interval")), None)
            if found is not None and data_type is DataType.BOOKL1:
                self._ages.watch(self._core.symbol_ids[instrument.symbol], 0)

    def heard(self, data_type: DataType, symbol: str, interval: Any) -> None:
        """Something has come that is no quote; quotes are looked at where they lie."""
        stream = self._streams.get((data_type, symbol, interval))
        if stream is not None:
            stream.heard_at = time.monotonic()
            stream.due_at = stream.heard_at + stream.limit

    def check(self) -> None:
        """Some of the books each time, all other streams once a second."""
        for number, silent_ns in self._ages.silent(self._each_look):
            stream = self._streams.get((DataType.BOOKL1, self._core.instruments[number].symbol, None))
            if stream is not None:
                self._silent.append((DataType.BOOKL1, stream, silent_ns / SECOND))
        now = time.monotonic()
        if now >= self._next_second:
            self._next_second = now + 1.0
            self._look_at_streams(now)
            self._tell_and_renew()

    def _look_at_streams(self, now: float) -> None:
        for (data_type, _, _), stream in self._streams.items():
            if now >= stream.due_at and data_type is not DataType.BOOKL1:
                silent = now - stream.heard_at
                stream.due_at = now + silent
                self._silent.append((data_type, stream, silent))

    def _tell_and_renew(self) -> None:
        """A line for each feed and kind. A feed that is not connected is told of elsewhere, and subscribes to all when it is."""
        groups: dict[tuple, list[tuple[_Stream, float]]] = {}
        for data_type, stream, silent in self._silent:
            groups.setdefault((id(stream.feed), data_type), []).append((stream, silent))
        self._silent.clear()
        for (_, data_type), found in groups.items():
            feed = found[0][0].feed
            connected = [(stream, silent) for stream, silent in found if feed.is_up(data_type, **stream.options)]
            if not connected:
                continue
            names = ", ".join(f"{stream.instrument.symbol} {silent:.0f} s" for stream, silent in connected[:5])
            stale = "; their books are stale until the next one" if data_type is DataType.BOOKL1 else ""
            feed.log.warning(f"no {KINDS[data_type]} of {len(connected)} symbols: {names}{stale}; subscribing again")
            for stream, _ in connected:
                feed.renew(data_type, [stream.instrument], **stream.options)
