"""Questions for bars: what is the same at every venue."""

import asyncio
from abc import ABC, abstractmethod

from nexus_fast.constants import KlineInterval
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.schema import Kline, KlineList

AT_ONCE = 4                     # symbols whose bars are asked for at the same time
KLINES, INDEX_KLINES = "klines", "index_klines"
PRICE_FIELDS = ["timestamp", "symbol", "open", "high", "low", "close"]


class BarRequests(ABC):
    """volume_fields: what a venue's bars of traded prices have beside prices; those of an index have none of them."""

    volume_fields: tuple[str, ...]

    @abstractmethod
    def check_bars(self, kind: str, instruments: list[Instrument], interval: KlineInterval) -> None:
        """Raises KlineSupportedError or SubscriptionError for what the venue does not have. kind: KLINES or INDEX_KLINES."""

    @abstractmethod
    async def bars_of(
        self, kind: str, instrument: Instrument, interval: KlineInterval, limit: int | None, start: int | None, end: int | None
    ) -> list[Kline]:
        """Of one symbol, oldest first, as klines below says."""

    async def klines(
        self,
        instruments: list[Instrument],
        interval: KlineInterval,
        limit: int | None = None,
        start_time: int | None = None,
        end_time: int | None = None,
    ) -> KlineList:
        """Bars whose start lies in start_time … end_time (ms, both included), symbol after symbol, oldest first.

        limit: at most so many of each symbol: the first ones from start_time on, without start_time the last ones.
        Without limit: all of them from start_time on, without start_time as many of the last ones as the venue gives by
        itself (DEFAULT_BARS). As many pages as it takes.
        """
        return await self._all_bars(KLINES, instruments, interval, limit, start_time, end_time)

    async def index_klines(
        self,
        instruments: list[Instrument],
        interval: KlineInterval,
        limit: int | None = None,
        start_time: int | None = None,
        end_time: int | None = None,
    ) -> KlineList:
        """As klines, of the index price; without volumes."""
        return await self._all_bars(INDEX_KLINES, instruments, interval, limit, start_time, end_time)

    async def _all_bars(self, kind, instruments, interval, limit, start, end) -> KlineList:
        self.check_bars(kind, instruments, interval)
        if limit is not None and limit < 1:
            raise ValueError(f"limit={limit}: ask for at least one bar, or leave it out")
        if start is not None and end is not None and start > end:
            raise ValueError(f"start_time={start} lies after end_time={end}; both are milliseconds since 1970")
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(instrument: Instrument) -> list[Kline]:
            async with gate:
                return await self.bars_of(kind, instrument, interval, limit, start, end)

        lists = await asyncio.gather(*(one(instrument) for instrument in instruments))
        volumes = self.volume_fields if kind == KLINES else ()
        return KlineList([bar for bars in lists for bar in bars], [*PRICE_FIELDS, *volumes, "confirm"])
