"""What the strategies' callbacks raise, and how long they take: said once with all that is known, then by its count."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from traceback import walk_tb
from typing import Any

from nexus_fast.log import Logger
from nexus_fast.mistakes import is_ours

SAID_SECONDS = 60.0              # after which what goes on is said again


@dataclass
class Tally:
    count: int = 0
    longest: float = 0.0         # seconds; of exceptions 0
    said_at: float = 0.0

    def is_due(self, now: float) -> bool:
        """At the 1st, 10th, 100th …, and once a minute."""
        due = str(self.count).strip("0") == "1" or now - self.said_at >= SAID_SECONDS
        if due:
            self.said_at = now
        return due


class CallbackWatch:
    """slow_ms: a callback that takes longer is named. most_errors: so many exceptions in a row of one callback, and
    `on_too_many(strategy, text)` is called; None: never."""

    def __init__(
        self,
        log: Logger,
        slow_ms: float = 50.0,
        most_errors: int | None = None,
        on_too_many: Callable[[Any, str], None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ):
        self.slow_seconds = slow_ms / 1000
        self._log = log
        self._most_errors = most_errors
        self._on_too_many = on_too_many
        self._now = now
        self._errors: dict[tuple, Tally] = {}            # callback, type, file, line
        self._slow: dict[str, Tally] = {}                # by callback
        self._in_a_row: Counter[tuple[int, str]] = Counter()

    def raised(self, strategy: Any, name: str, error: BaseException) -> None:
        where = _line(error)
        callback = _full_name(strategy, name)
        tally = self._errors.setdefault((callback, type(error).__name__, *where), Tally())
        tally.count += 1
        what = f"{callback} raised {type(error).__name__}"
        if tally.count == 1:
            tally.said_at = self._now()
            self._log.exception(what, error)
        elif tally.is_due(self._now()):
            self._log.error(f"{what} once more, {tally.count} times by now, at {where[0]}:{where[1]}: {error}")
        self._in_a_row[id(strategy), name] += 1
        if self._in_a_row[id(strategy), name] == self._most_errors and self._on_too_many is not None:
            self._on_too_many(strategy, f"{callback} raised {self._most_errors} exceptions in a row, {type(error).__name__} last")

    def went_well(self, strategy: Any, name: str) -> None:
        if self._in_a_row:
            self._in_a_row.pop((id(strategy), name), None)

    def took(self, strategy: Any, name: str, seconds: float) -> None:
        """Of every callback that Python calls, and of every quote that took long."""
        if seconds <= self.slow_seconds:
            return
        callback = _full_name(strategy, name)
        tally = self._slow.setdefault(callback, Tally())
        tally.count += 1
        tally.longest = max(tally.longest, seconds)
        if tally.is_due(self._now()):
            limit, longest = self.slow_seconds * 1000, tally.longest * 1000
            self._log.warning(
                f"{callback} took {seconds * 1000:.0f} ms, in which nothing was read and no order answered; "
                f"{tally.count} calls took longer than {limit:.0f} ms by now, {longest:.0f} ms at most"
            )

    def report(self) -> dict[str, Any]:
        return {
            "callback_errors": sum(tally.count for tally in self._errors.values()),
            "slow_callbacks": {
                callback: {"count": tally.count, "longest_ms": round(tally.longest * 1000, 3)}
                for callback, tally in self._slow.items()
            },
            "exceptions": {
                f"{callback}: {kind}, {file}:{line}": tally.count
                for (callback, kind, file, line), tally in self._errors.items()
            },
        }


def _full_name(strategy: Any, name: str) -> str:
    return name if strategy is None else f"{type(strategy).__name__}.{name}"


def _line(error: BaseException) -> tuple[str, int]:
    """File and line where it was raised: the program's own last line, where there is one."""
    lines = [(trace.f_code.co_filename, number) for trace, number in walk_tb(error.__traceback__)]
    own = [line for line in lines if not is_ours(line[0])]
    return (own or lines or [("?", 0)])[-1]
