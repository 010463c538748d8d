"""The hot half of one engine, put together: tables sized for the instruments, shared memory, journal, order entry."""

import errno
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xxhash

from nexus_fast.config import Config
from nexus_fast.constants import ExchangeType
from nexus_fast.engine.dispatch import Dispatcher
from nexus_fast.engine.inheritance import inherit, read_left
from nexus_fast.error import AlreadyRunningError, ConfigurationError
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.feed.market import MarketFeed
from nexus_fast.feed.symbols import SymbolTable
from nexus_fast.journal.error import JournalError
from nexus_fast.journal.files import journal_path
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.order.entry import OrderEntry
from nexus_fast.order.ledger import Ledger
from nexus_fast.order.route import RouteTable
from nexus_fast.order.table import OrderTable, base36
from nexus_fast.private import make_folder, replace_file
from nexus_fast.shm.error import SegmentBusy
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.names import segment_name
from nexus_fast.shm.ring import RingWriter
from nexus_fast.shm.symbols import remove_symbols, write_symbols
from nexus_fast.wire.registry import VENUE_NUMBERS

logger = logging.getLogger("nexus_fast.engine")

MARKET_RECORDS = 65536
ORDER_RECORDS = 16384
LAST_SESSION = 36**8 - 1                  # what a client id has room for


class Core:
    """`wake` is called when the hot path has news for the cold half; `on_error(strategy, exception)` hears of exceptions
    in the strategies' quote callbacks. accounts: their names, by index. Raises AlreadyRunningError when another process runs
    this strategy id."""

    def __init__(
        self,
        config: Config,
        instruments: Sequence[Instrument],
        accounts: Sequence[str],
        wake: Callable[[], None],
        on_error: Callable[[Any, Exception], None],
    ):
        self.instruments = list(instruments)
        self.symbol_ids = {instrument.symbol: number for number, instrument in enumerate(self.instruments)}
        self._by_venue = {(i.exchange, i.type, i.venue_symbol): i for i in self.instruments}
        self._names = [segment_name(config.strategy_id, config.user_id, part) for part in ("market", "latest", "orders")]
        market, latest, orders = self._names
        count = max(1, len(self.instruments))
        try:
            self.market_ring = RingWriter(market, "bookl1", MARKET_RECORDS)
            self.order_ring = RingWriter(orders, "order_event", ORDER_RECORDS)
            self.latest = LatestTable.create(latest, count)
        except SegmentBusy as error:
            raise AlreadyRunningError(
                f"strategy_id={config.strategy_id!r} of user_id={config.user_id!r} is running already ({error}). Stop that "
                "process, or give this program another strategy_id."
            ) from None
        directory = journal_directory(config)
        self.journal = JournalWriter(directory, f"{config.strategy_id}.{config.user_id}")
        try:
            self._begin(config, directory, accounts, count, wake)
        except BaseException:
            self.journal.close()
            # Let go of without a word of an end: who watches the segments sees an engine that died, as its predecessor may have.
            self.market_ring = self.order_ring = self.latest = self.entry = self.ledger = None
            raise
        self.dispatcher = Dispatcher(count, on_error)
        self.feeds: list[MarketFeed] = []            # what writes into the segments
        self._write_directory(market, self.market_ring.segment.epoch)
        self._write_directory(latest, self.latest.segment.epoch)

    def _begin(
        self, config: Config, directory: Path, accounts: Sequence[str], count: int, wake: Callable[[], None]
    ) -> None:
        """The order half, with what earlier sessions left."""
        left = read_left(directory, self.journal.epoch)
        session, identity = next_session(directory), identity_of(config.strategy_id, config.user_id)
        table = OrderTable(session, identity)
        self.routes = RouteTable(count, max(1, len(accounts)))
        self.entry = OrderEntry(table, self.routes, self.journal, self.order_ring, count, wake)
        self.entry.stages.enabled = config.measure
        self.entry.deadline_ns = config.request_timeout_ms * 1_000_000
        self.ledger = Ledger(self.entry)
        self.ledger.begin_session(session, identity)
        strategies = [type(strategy).__name__ for strategy in config.strategies]
        adopt = config.open_orders_at_start != "leave"
        self.inheritance = inherit(self, left, accounts, strategies, config.cache_expired_time, adopt)

    def symbol_table(self, exchange: ExchangeType, *types: Any) -> SymbolTable:
        """The venue's names of some kinds of instruments, which must be unique among them."""
        chosen = [i for i in self.instruments if i.exchange is exchange and i.type in types]
        table = SymbolTable(max(16, len(chosen)))
        for i in chosen:
            code = VENUE_NUMBERS[exchange.value]
            table.add(i.venue_symbol.encode(), self.symbol_ids[i.symbol], i.price_scale, i.size_scale, code)
        return table

    def by_venue_symbol(self, exchange: ExchangeType, type: Any, venue_symbol: str) -> Instrument | None:
        return self._by_venue.get((exchange, type, venue_symbol))

    def replace_instrument(self, number: int, instrument: Instrument) -> None:
        """Its filters are others now; symbol, venue symbol and scales are what they were."""
        self.instruments[number] = instrument
        self._by_venue[instrument.exchange, instrument.type, instrument.venue_symbol] = instrument

    def heartbeat(self) -> None:
        self.market_ring.heartbeat()
        self.order_ring.heartbeat()
        self.journal.turn()
        self.ledger.catch_up()

    def close(self, clean: bool = True) -> None:
        """clean: nothing is left at the venues that was not meant to stay there. The journal says so to who comes after, a
        guard above all."""
        try:
            if clean:
                self.ledger.end_session()
        except JournalError as error:
            logger.error("the session's end is not in the journal: %s", error)
        self.journal.close()
        for name in self._names[:2]:
            remove_symbols(name)
        for feed in self.feeds:
            feed.retire()
        self.market_ring.close(unlink=True)
        self.order_ring.close(unlink=True)
        self.latest.close(unlink=True)

    def _write_directory(self, segment: str, epoch: int) -> None:
        write_symbols(
            segment,
            epoch,
            [
                {
                    "symbol": i.symbol,
                    "id": number,
                    "exchange": i.exchange.value,
                    "price_scale": i.price_scale,
                    "size_scale": i.size_scale,
                }
                for number, i in enumerate(self.instruments)
            ],
        )


def journal_directory(config: Config) -> Path:
    """Private to the user; one directory for each strategy id. Raises ConfigurationError where there cannot be one."""
    directory = journal_path(config.journal_directory, config.strategy_id, config.user_id)
    try:
        make_folder(directory)
        if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "it cannot be written to")
    except OSError as error:
        raise ConfigurationError(
            f"the journal needs a folder that this user can write to, and {directory.absolute()} is none ({error.strerror}). "
            "Give another with Config(journal_directory=…), or start in a folder that can be written to."
        ) from None
    return directory


def next_session(directory: Path) -> int:
    """The session's start in ms, later than any before it in this directory whatever the clock did: client ids are made
    from it and must never repeat. Raises JournalError where the last one cannot be read: two sessions of one start would give
    two orders the same id."""
    file = directory / "session"
    session = max(time.time_ns() // 1_000_000, last_session_start(file) + 1)
    replace_file(file, str(session))
    return session


def last_session_start(file: Path) -> int:
    try:
        text = file.read_bytes()[:64].decode("ascii", "backslashreplace").strip()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise JournalError(f"{file}, the start of the last session, cannot be read ({error.strerror})") from error
    if not text.isdecimal() or not 0 < int(text) < LAST_SESSION:
        raise JournalError(
            f"{file} is damaged: it holds {text!r} where the start of the last session belongs, in ms since 1970. Write a "
            f"time into it that is later than every session of this journal: `date +%s000 > {file}`, if the clock was right."
        )
    return int(text)


def identity_of(strategy_id: str, user_id: str) -> str:
    """Three characters that tell the ids of different strategies apart."""
    number = xxhash.xxh3_64_intdigest(f"{strategy_id}\0{user_id}".encode()) % 36**3
    return base36(number, 3)
