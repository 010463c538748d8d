"""What the public connectors of all venues share: lines, who uses which topic, the watchdog, lost quotes.

A venue's feed derives from PublicFeed and says which topic carries what, and on which lines.
"""

import asyncio
import time
from typing import Any

from nexus_fast.constants import DataType
from nexus_fast.feed.line import Line
from nexus_fast.feed.renewal import Overlap
from nexus_fast.log import Logger
from nexus_fast.tasks import Tasks

WATCH_SECONDS = 1.0
REPLACE_SECONDS = 20.0           # how long a new connection may take to bring data before it takes over all the same
OVERLAP_SECONDS = 1.0


class PublicFeed:
    """`host` is the engine's side (see nexus_fast.engine.host). `market` is the name of its parser in wire/registry.

    `quotes`: the lines that carry best bid and ask, as many as PublicConnectorConfig.connections; all carry the same topics, and
    the first arrival of an update wins (feed/market.pyx). `others`: lines for everything else, opened when first needed."""

    def __init__(self, host: Any, account_type: Any, market: str, symbols: Any, log: Logger):
        self.account_type = account_type
        self.market = market
        self.host = host
        self.symbols = symbols
        self.log = log
        self.quotes: list[Line] = []
        self.others: list[Line] = []
        self._uses: dict[str, set[DataType]] = {}           # a topic may bring several kinds of data
        self.tasks = Tasks(log)
        self._successions: set[Line] = set()

    # ------------------------------------------------------------------------------------------ the venue's part

    def topic(self, data_type: DataType, instrument: Any, **options: Any) -> str:
        """Raises SubscriptionError for data that this market does not have."""
        raise NotImplementedError(f"{type(self).__name__} does not name its topics")

    def lines_of(self, data_type: DataType, **options: Any) -> list[Line]:
        raise NotImplementedError(f"{type(self).__name__} does not name its lines")

    # ------------------------------------------------------------------------------------------ what the engine calls

    def open(self) -> None:
        for line in self.quotes:
            line.connection.start()
        self.tasks.keep(f"{self.account_type}: the watchdog of its connections", self._watch)

    async def close(self) -> None:
        await self.tasks.close()
        await asyncio.gather(*(line.connection.stop() for line in (*self.quotes, *self.others)))

    def subscribe(self, data_type: DataType, instruments: list, **options: Any) -> None:
        topics = [self.topic(data_type, instrument, **options) for instrument in instruments]
        for topic in topics:
            self._uses.setdefault(topic, set()).add(data_type)
        for line in self.lines_of(data_type, **options):
            line.connection.start()
            line.subscribe(topics)
        self.host.freshness.watch(self, data_type, instruments, options)

    def unsubscribe(self, data_type: DataType, instruments: list, **options: Any) -> None:
        topics = [self.topic(data_type, instrument, **options) for instrument in instruments]
        for topic in topics:
            self._uses.get(topic, set()).discard(data_type)
        unused = [topic for topic in topics if not self._uses.get(topic)]
        for line in self.lines_of(data_type, **options):
            line.unsubscribe(unused)
        self.host.freshness.unwatch(data_type, instruments, options)

    def is_up(self, data_type: DataType, **options: Any) -> bool:
        """Whether a connection that carries such data is up."""
        return any(line.connection.is_up for line in self.lines_of(data_type, **options))

    def renew(self, data_type: DataType, instruments: list, **options: Any) -> None:
        """Subscribe once more to streams that are silent."""
        topics = [self.topic(data_type, instrument, **options) for instrument in instruments]
        for line in self.lines_of(data_type, **options):
            line.renew(topics)

    # ------------------------------------------------------------------------------------------ what the lines call

    def on_line_down(self, line: Line) -> None:
        """Books can no longer be trusted once the last connection that carries them is gone."""
        if line in self.quotes and not any(other.connection.is_up for other in self.quotes):
            self.host.on_quotes_lost(self)

    def replace(self, line: Line) -> None:
        """The venue is about to close the line's connection, by notice or by age: another takes its place."""
        lines = self.quotes if line in self.quotes else self.others
        if line.remake is None or line in self._successions or line not in lines or not line.connection.is_up:
            return
        self.log.info(f"{line.connection.name}: making the connection that takes its place")
        self._successions.add(line)
        self.tasks.spawn(self._replace(line, lines, line.remake()))

    async def _replace(self, old: Line, lines: list[Line], new: Line) -> None:
        """Make before break: the new connection is heard before the old one is left. What both bring counts once."""
        new.overlap = old.overlap = Overlap()
        new.subscribe(list(old.topics))
        new.connection.start()
        try:
            until = time.monotonic() + REPLACE_SECONDS
            wanted = 2 if old.topics else 0                  # an acknowledgement alone is no data
            while time.monotonic() < until and not (new.connection.is_up and new.handler.messages >= wanted):
                await asyncio.sleep(0.05)
            new.subscribe([topic for topic in old.topics if topic not in new.topics])
            new.unsubscribe([topic for topic in new.topics if topic not in old.topics])
            lines[lines.index(old)] = new
            await asyncio.sleep(OVERLAP_SECONDS)
        finally:
            left = old if new in lines else new
            await left.connection.stop()
            new.overlap = old.overlap = None
            self._successions.discard(old)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for line in (*self.quotes, *self.others):
                line.check()
