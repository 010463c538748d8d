"""Everything that recurs and is cold: heartbeats, the journal's next pages, deadlines, the collector, forgetting."""

import asyncio
import time
from collections.abc import Callable

from nexus_fast.cache import Cache
from nexus_fast.engine.host import Host
from nexus_fast.engine.process import Tuning, is_quiet
from nexus_fast.log import Logger

UPKEEP_SECONDS = 0.05
SETTLED_IN_QUIET = 20            # orders after one upkeep, each in a turn of the loop of its own
FORGET_SECONDS = 60.0
FORGOTTEN_AT_ONCE = 100          # closed orders, about a microsecond each; 2,000 a second


class Upkeep:
    """tuning: None where the process's collector is left as it is."""

    def __init__(self, host: Host, cache: Cache, tuning: Tuning | None, log: Logger):
        self._host = host
        self._cache = cache
        self._tuning = tuning
        self._log = log

    async def keep_up(self) -> None:
        """A tick that comes in between waits for one chore, not for all."""
        while True:
            await asyncio.sleep(UPKEEP_SECONDS)
            for chore in self._chores():
                try:
                    chore()
                except Exception as error:
                    self._log.exception("upkeep failed", error)
                if not self._host.core.dispatcher.is_behind:
                    await asyncio.sleep(0)               # else a turn of the loop may be as long as a callback
            if is_quiet(self._last_message_ns()):
                await self._settle_in_quiet()

    def _chores(self) -> tuple[Callable[[], object], ...]:
        return (self._host.core.heartbeat, *self._host.chores(), self._forget_some, self._collect)

    def _last_message_ns(self) -> int:
        return max((feed.last_message_ns for feed in self._host.market_feeds), default=0)

    def _collect(self) -> None:
        if self._tuning is not None:
            self._tuning.collect(self._last_message_ns())

    async def _settle_in_quiet(self) -> None:
        """Some orders, each in a turn of the loop of its own."""
        for _ in range(SETTLED_IN_QUIET):
            if not self._host.tracker.settle_some(1):
                return
            await asyncio.sleep(0)

    async def forget(self) -> None:
        """As _forget_some; what is seldom there."""
        while True:
            await asyncio.sleep(FORGET_SECONDS)
            self._cache.forget_others(self._expired_ms())

    def _forget_some(self) -> None:
        """Closed orders leave the cache after Config.cache_expired_time seconds."""
        self._cache.forget_closed(self._expired_ms(), FORGOTTEN_AT_ONCE)

    def _expired_ms(self) -> int:
        return time.time_ns() // 1_000_000 - self._host.config.cache_expired_time * 1000
