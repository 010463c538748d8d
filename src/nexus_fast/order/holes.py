"""Orders of which more is known to be executed than their trades say, or whose trades came without their fees: the venue's list
of trades has the rest, and is asked for it until it has said so.

A question that is not answered is asked again for as long as the order is known. One that is answered and leaves the order short
is asked again too, as the list may lag behind, ANSWERS_NEEDED times: then the rest is given up. While strategies wait to be told
what was executed, the first question comes sooner, and they wait END_SECONDS at most.
"""

import time

from msgspec import Struct

from nexus_fast.order.events import LAG_SECONDS

FIRST_WAIT = 2.0                 # seconds; streams bring a fill and the order's state in either order
UNTOLD_WAIT = 0.3                # as FIRST_WAIT, where somebody waits
LAST_WAIT = 60.0
ANSWERS_NEEDED = 10
END_SECONDS = LAG_SECONDS        # by then the list has caught up with the venue


class Hole(Struct, gc=False):
    """at: when to ask. until: when what is not told yet is told without its trades; None: everything is told."""

    at: float
    wait: float = FIRST_WAIT
    answers: int = 0
    until: float | None = None


class Holes:
    """Orders by number."""

    def __init__(self) -> None:
        self._open: dict[int, Hole] = {}
        self._given_up: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return number in self._open

    def __len__(self) -> int:
        return len(self._open)

    def numbers(self) -> list[int]:
        return list(self._open)

    def note(self, number: int, is_short: bool, *, is_untold: bool = False) -> None:
        """An order as it stands now. is_untold: of what it is short of, strategies have not been told all."""
        hole = self._open.get(number)
        if not is_short:
            self._open.pop(number, None)
        elif hole is None and (is_untold or number not in self._given_up):
            hole = self._open[number] = Hole(time.monotonic() + FIRST_WAIT)
        if hole is not None:
            _hurry(hole, is_untold)

    def overdue(self) -> list[int]:
        """Orders whose strategies have waited long enough."""
        now = time.monotonic()
        return [number for number, hole in self._open.items() if hole.until is not None and hole.until <= now]

    def due(self) -> list[int]:
        """Orders to ask about now. None is due again before asked() says what became of it."""
        now = time.monotonic()
        found = [number for number, hole in self._open.items() if hole.at <= now]
        for number in found:
            self._open[number].at = float("inf")
        return found

    def asked(self, number: int, *, answered: bool) -> bool:
        """The question is over. True when the rest is given up with it."""
        hole = self._open.get(number)
        if hole is None:
            return False
        hole.answers += answered
        if hole.answers >= ANSWERS_NEEDED and hole.until is None:
            del self._open[number]
            self._given_up.add(number)
            return True
        hole.wait = min(2 * hole.wait, LAST_WAIT)
        hole.at = time.monotonic() + hole.wait
        return False

    def forget(self, number: int) -> bool:
        """The order is known no longer. Whether it was short to the end."""
        self._given_up.discard(number)
        return self._open.pop(number, None) is not None


def _hurry(hole: Hole, is_untold: bool) -> None:
    if not is_untold:
        hole.until = None
    elif hole.until is None:
        now = time.monotonic()
        hole.until, hole.wait = now + END_SECONDS, UNTOLD_WAIT
        if hole.at != float("inf"):              # nobody is asking
            hole.at = min(hole.at, now + UNTOLD_WAIT)
