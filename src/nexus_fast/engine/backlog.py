"""What the strategies have no time for now: it waits here, and the loop delivers it, one callback in each of its turns.

    Dispatcher, Host ── no time left ──▶ Backlog ── call_soon ──▶ signals, timers, sockets ──▶ the oldest ──▶ call_soon ──▶ …

The sockets are read on meanwhile, so that books, shared memory and order news are up to date. Private messages come before what
waits here, and after a slow callback some turns bring none. With coalesce="when_behind", what is newer takes the place of what is
older: one quote of each symbol, one book, mark price, funding rate or index price, and the last form of each bar. Trades and
finished bars are all delivered. With "never" all is delivered, late.
"""

import itertools
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sized
from typing import Any, NamedTuple

from nexus_fast.engine.dispatch import Dispatcher
from nexus_fast.log import Logger
from nexus_fast.schema import Kline, Trade

MOST_WAITING = 100_000           # what is older than these is given up: a strategy that is behind for good stays behind
SLOW_SECONDS = 0.001
TURNS_TO_PASS = 4                # of the loop, without a callback: from a signal to its handler to who awaits it, each takes one
TOLD_SECONDS = 60.0              # between two lines of the log that say the same


class Quote(NamedTuple):
    symbol_id: int
    record: bytes                # nx_bookl1


class Event(NamedTuple):
    callback: str
    data: Any


def newer_form_of(event: Any) -> Any:
    """Names what an event takes the place of: the same name, the same thing at another time. None: it replaces nothing."""
    if isinstance(event, Trade) or (isinstance(event, Kline) and event.confirm):
        return None
    if isinstance(event, Kline):
        return event.symbol, event.interval, event.start
    return event.symbol


class Backlog:
    """`call(strategy, callback, data)` calls a callback. `ahead`: private messages that wait; they come first."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        call: Callable[[Any, str, Any], None],
        call_soon: Callable[[Callable[[], None]], object],
        symbols: list[str],
        log: Logger,
        *,
        coalesces: bool = True,
        ahead: Sized = (),
        now: Callable[[], float] = time.monotonic,
    ):
        self.call_soon = call_soon
        self.coalesced: Counter[str] = Counter()        # by symbol: what a newer one took the place of
        self.delayed = 0
        self.given_up = 0
        self._dispatcher = dispatcher
        self._call = call
        self._symbols = symbols
        self._log = log
        self._coalesces = coalesces
        self._ahead = ahead
        self._now = now
        self._waiting: OrderedDict[Any, tuple[Any, Quote | Event]] = OrderedDict()
        self._numbers = itertools.count()
        self._told_at: float | None = None
        self._closed = False
        self._turns_to_pass = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add_quote(self, strategy: Any, symbol_id: int, record: bytes) -> None:
        self._add((id(strategy), symbol_id), strategy, Quote(symbol_id, record), self._symbols[symbol_id])

    def deliver(self, strategy: Any, callback: str, data: Any, replaces: Any = None) -> None:
        """Market data that Python decoded: now if there is time. replaces: names what it is a newer form of; None: it is kept
        whatever comes after it."""
        if not self._closed and self._dispatcher.has_time():
            self._call(strategy, callback, data)
            return
        key = None if replaces is None else (id(strategy), callback, replaces)
        self._add(key, strategy, Event(callback, data), data.symbol)

    def drop(self, strategy: Any) -> None:
        """Nothing that waits is for this strategy any more."""
        for key in [key for key, (whose, _) in self._waiting.items() if whose is strategy]:
            del self._waiting[key]

    def give_way(self) -> None:
        """The loop has something to do that takes some turns, as a signal."""
        self._turns_to_pass = TURNS_TO_PASS

    def close(self) -> None:
        """No market data comes to the strategies any more: they have been told to stop."""
        self._closed = True
        self._waiting.clear()
        self._dispatcher.fall_behind()

    def catch_up(self) -> None:
        """In a turn of the loop of its own."""
        if self._closed:
            return
        if not self._waiting:
            self._dispatcher.catch_up()
            return
        self.call_soon(self.catch_up)
        if self._turns_to_pass or len(self._ahead):
            self._turns_to_pass = max(0, self._turns_to_pass - 1)
            return
        began = self._now()
        self._tell_oldest()
        if self._now() - began > SLOW_SECONDS:
            self.give_way()

    def _tell_oldest(self) -> None:
        strategy, what = self._waiting.popitem(last=False)[1]
        if isinstance(what, Quote):
            self._dispatcher.tell(strategy, what.symbol_id, what.record)
        else:
            self._call(strategy, what.callback, what.data)

    def _add(self, key: Any, strategy: Any, what: Quote | Event, symbol: str) -> None:
        if self._closed:
            return
        if not self._dispatcher.is_behind:
            self._dispatcher.fall_behind()
            self.call_soon(self.catch_up)
            self._say(strategy, symbol)
        if key is None or not self._coalesces:
            key = next(self._numbers)
        if key in self._waiting:
            self.coalesced[symbol] += 1
        else:
            self.delayed += 1
        self._waiting[key] = (strategy, what)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
            self.given_up += 1

    def _say(self, strategy: Any, symbol: str) -> None:
        now = self._now()
        if self._told_at is not None and now - self._told_at < TOLD_SECONDS:
            return
        self._told_at = now
        how = "it gets the newest quote of each symbol" if self._coalesces else "it gets every quote, late"
        self._log.warning(
            f"{type(strategy).__name__} is slower than its market data ({symbol}): {how}; timers and signals come in between. "
            f"So far {self.coalesced.total()} were left out for newer ones, {self.given_up} were given up"
        )

    def report(self) -> dict[str, Any]:
        return {"delayed": self.delayed, "coalesced": dict(self.coalesced), "given_up": self.given_up}
