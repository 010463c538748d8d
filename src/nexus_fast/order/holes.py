"""Orders of which more is known to be executed than their fills say, or whose fills came without their fees: the venue's list of
trades has the rest, and is asked for it until it has said so.

A question that is not answered is asked again for as long as the order is known. One that is answered and leaves the order short
is asked again too, as the list may lag behind, ANSWERS_NEEDED times: then the rest is given up.
"""

import time

from msgspec import Struct

FIRST_WAIT = 2.0                 # seconds; streams bring a fill and the order's state in either order
LAST_WAIT = 60.0
ANSWERS_NEEDED = 10


class Hole(Struct, gc=False):
    at: float
    wait: float = FIRST_WAIT
    answers: int = 0


class Holes:
    """Orders by number."""

    def __init__(self) -> None:
        self._open: dict[int, Hole] = {}
        self._given_up: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return number in self._open

    def __len__(self) -> int:
        return len(self._open)

    def note(self, number: int, is_short: bool) -> None:
        if not is_short:
            self._open.pop(number, None)
        elif number not in self._open and number not in self._given_up:
            self._open[number] = Hole(time.monotonic() + FIRST_WAIT)

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
        if hole.answers >= ANSWERS_NEEDED:
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
