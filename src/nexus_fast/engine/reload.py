"""The venues' filters while the engine runs: read again from time to time, and when an order was refused for one.

What has changed takes effect at once: tick, lot, minimum and maximum, notional, and whether the symbol is traded at all. The
scales of prices and quantities stay, as they are in shared memory and in the orders that are open: a finer step than those can
write down is said, and needs a restart.
"""

import asyncio
import time
from typing import Any

import msgspec

from nexus_fast.endpoints import Endpoints
from nexus_fast.exchange.catalogue import NO_LIST, read_list
from nexus_fast.exchange.instrument import Instrument, InstrumentTable, to_mantissa
from nexus_fast.exchange.listing import NAMELESS
from nexus_fast.exchange.one_to_one import by_venue_key, is_reused, venue_key
from nexus_fast.log import Logger

EVERY_SECONDS = 900.0
AGAIN_SECONDS = 10.0             # after a refusal: one question answers for many
# A list without as many symbols that were there before, and a tenth of them, may have been cut: a second one has to agree.
MANY_MISSING = 4
NOT_LISTED = "not listed"
REUSED = "its name is another contract's; restart to trade that one"
STEPS = ("tick_size", "min_price", "lot_size", "market_lot_size", "min_quantity", "market_min_quantity")
SHOWN = ("status", "active", *STEPS, "max_price", "max_quantity", "market_max_quantity", "min_notional")


class Reload:
    """`host` is nexus_fast.engine.host.Host; table: what the strategies look instruments up in."""

    def __init__(self, host: Any, table: InstrumentTable, endpoints: Endpoints, log: Logger):
        self._host = host
        self._table = table
        self._endpoints = endpoints
        self._log = log
        self._asked: dict[Any, float] = dict.fromkeys(self._feed_types(), time.monotonic())
        self._waits: dict[Any, float] = {}                          # seconds from that to the next, where not EVERY_SECONDS
        self._failures: dict[Any, int] = {}
        self._too_fine: set[str] = set()
        self._told: set[tuple] = set()                              # twins that a symbol was not switched over to
        self._doubted: dict[Any, set[str]] = {}                     # what the last list lacked, while it is not believed

    def _feed_types(self) -> list[Any]:
        return [connector.account_type for found in self._host.config.public_conn_config.values() for connector in found]

    def check(self) -> None:
        """Often."""
        now = time.monotonic()
        for feed_type, asked in self._asked.items():
            if now - asked >= self._waits.get(feed_type, EVERY_SECONDS):
                self._asked[feed_type] = now
                self._waits.pop(feed_type, None)
                self._host.spawn(self._reload(feed_type))

    def after_refusal(self, exchange: Any) -> None:
        """An order was refused for a filter that it passed here. A list that was asked for a moment ago may not know yet."""
        for feed_type in self._feed_types():
            if feed_type.exchange is exchange:
                self._waits[feed_type] = min(AGAIN_SECONDS, self._waits.get(feed_type, AGAIN_SECONDS))
        self.check()

    def _ask_again(self, feed_type: Any) -> float:
        """After a failure: soon, then later and later. In how many seconds."""
        failures = self._failures[feed_type] = self._failures.get(feed_type, 0) + 1
        self._waits[feed_type] = min(AGAIN_SECONDS * 2 ** (failures - 1), EVERY_SECONDS)
        return self._waits[feed_type]

    async def _reload(self, feed_type: Any) -> None:
        testnet = self._host.config.basic_config[feed_type.exchange].testnet
        try:
            found, skipped = await read_list(feed_type, testnet, self._endpoints)
        except NO_LIST as error:
            why = str(error) or type(error).__name__
            wait = self._ask_again(feed_type)
            what = f"{feed_type}: the list of instruments could not be read again: {why}"
            self._log.warning(f"{what}; the last one holds on, asking again in {wait:.0f} s")
            return
        self._failures.pop(feed_type, None)
        listed = by_venue_key(found)
        missing = self._missing(found, listed, {name for name, _ in skipped})
        if not self._is_believed(feed_type, missing, len(listed)):
            missing = {}
        self._tell_twins(found, listed)
        for number, known in enumerate(self._host.core.instruments):
            newer = missing.get(known.symbol) or _of_symbol(listed, known)
            if newer is not None:
                self._apply(number, known, newer)
            if number % 200 == 0:
                await asyncio.sleep(0)           # quotes come first

    def _missing(self, found: list[Instrument], listed: dict[tuple, Instrument], unread: set[str]) -> dict[str, Instrument]:
        """What was listed until now and is of a kind that the list has, as it is from now on: not traded. A row that cannot be
        read is there: its former values hold. One without a readable name may be any of them."""
        kinds = {(instrument.exchange, instrument.type) for instrument in found}
        return {} if NAMELESS in unread else {
            known.symbol: msgspec.structs.replace(known, status=NOT_LISTED, active=False)
            for known in self._host.core.instruments
            if (known.exchange, known.type) in kinds
            and known.status != NOT_LISTED
            and known.venue_symbol not in unread
            and _of_symbol(listed, known) is None
        }

    def _tell_twins(self, found: list[Instrument], listed: dict[tuple, Instrument]) -> None:
        """A symbol whose contract no longer trades, and whose name another one has by now: it is never switched over."""
        for instrument in found:
            known = self._table.find(instrument.symbol) if instrument.active else None
            if known is None or venue_key(known) == venue_key(instrument) or venue_key(instrument) in self._told:
                continue
            own = _of_symbol(listed, known)
            if own is None or not own.active:
                self._told.add(venue_key(instrument))
                self._log.error(
                    f"{known.symbol} stands for {known.venue_symbol} in this session and not for {instrument.venue_symbol}, "
                    "which the venue lists in its place: it is not traded until a restart"
                )

    def _is_believed(self, feed_type: Any, missing: dict[str, Instrument], count: int) -> bool:
        """One symbol leaves, or a few. Many at once leave only when the next list says so, too."""
        if len(missing) < max(MANY_MISSING, count // 10) or missing.keys() <= self._doubted.get(feed_type, set()):
            self._doubted.pop(feed_type, None)
            return True
        self._doubted[feed_type] = set(missing)
        self._asked[feed_type], self._waits[feed_type] = time.monotonic(), AGAIN_SECONDS
        self._log.error(
            f"{feed_type}: the list of instruments lacks {len(missing)} that were there ({', '.join(sorted(missing)[:5])} …); "
            f"asking again in {AGAIN_SECONDS:.0f} s before they are taken off"
        )
        return False

    def _apply(self, number: int, known: Instrument, newer: Instrument) -> None:
        if known.status == REUSED:
            return
        if is_reused(known, newer):
            newer = msgspec.structs.replace(known, status=REUSED, active=False)
        newer = msgspec.structs.replace(newer, price_scale=known.price_scale, size_scale=known.size_scale)
        if newer == known:
            return
        if not _is_exact(newer):
            if known.symbol not in self._too_fine:
                self._too_fine.add(known.symbol)
                self._log.error(
                    f"{known.symbol}: its new steps are finer than the scales of this session ({_changes(known, newer)}); "
                    "restart to use them. Until then the former ones hold."
                )
            return
        if changes := _changes(known, newer):
            self._log.warning(f"{known.symbol}: the venue has changed its filters: {changes}")
        self._host.core.replace_instrument(number, newer)
        self._table.replace(newer)
        for account in self._host.accounts.values():
            if self._host.core.routes.has(number, account.index):
                self._host.prepare_route(number, account.index)


def _of_symbol(listed: dict[tuple, Instrument], known: Instrument) -> Instrument | None:
    """The row of what the symbol stands for, as long as it has that symbol."""
    newer = listed.get(venue_key(known))
    return None if newer is None or newer.symbol != known.symbol else newer


def _is_exact(instrument: Instrument) -> bool:
    try:
        for name in STEPS:
            scale = instrument.price_scale if "price" in name or name == "tick_size" else instrument.size_scale
            to_mantissa(getattr(instrument, name), scale)
    except ValueError:
        return False
    return True


def _changes(known: Instrument, newer: Instrument) -> str:
    differ = [name for name in SHOWN if getattr(known, name) != getattr(newer, name)]
    return ", ".join(f"{name} {getattr(known, name)} -> {getattr(newer, name)}" for name in differ)
