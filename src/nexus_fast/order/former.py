"""Orders that are over: known for a while, for what comes late, and then forgotten."""

import time
from collections import deque
from collections.abc import Callable, Container

from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.executions import Extra
from nexus_fast.order.ledger import Ledger

REMEMBERED_SECONDS = 60.0


class Former:
    """`extras`: what is kept of every order beside its slot; it goes with the order. `short`: orders whose trades are to come.
    forgotten: called with the number of an order that is forgotten, and with what was kept of it."""

    def __init__(
        self,
        ledger: Ledger,
        extras: dict[int, Extra],
        short: Container[int],
        forgotten: Callable[[int, Extra], None],
    ):
        self._ledger = ledger
        self._extras = extras
        self._short = short
        self._forgotten = forgotten
        self._numbers: dict[tuple[str, str], int] = {}           # (client id, venue's id) -> number
        self._ended: deque[tuple[float, int, str, str | None]] = deque()

    def find(self, update: OrderUpdate) -> int:
        """An order of ours that is over, whose client id may be another's by now; 0 for none."""
        return self._numbers.get((update.client_id, update.venue_id), 0)

    def add(self, number: int, oid: str, eid: str | None) -> None:
        """Its end is told, or more of it after its end."""
        self._ended.append((time.monotonic(), number, oid, eid))
        if eid and not self._ledger.is_ours(oid):
            self._numbers[oid, eid] = number

    def forget(self) -> None:
        """Let go of orders that were over REMEMBERED_SECONDS ago."""
        now = time.monotonic()
        while self._ended and self._ended[0][0] < now - REMEMBERED_SECONDS:
            _, number, oid, eid = self._ended.popleft()
            if number in self._short:
                self._ended.append((now, number, oid, eid))
            elif not self._is_alive(number):
                self._let_go(number, oid, eid)

    def _is_alive(self, number: int) -> bool:
        """Again. One whose slot is in use by a later order is not."""
        try:
            return not self._ledger.closed(number)
        except KeyError:
            return False

    def _let_go(self, number: int, oid: str, eid: str | None) -> None:
        extra = self._extras.pop(number, None)
        if extra is not None:
            self._forgotten(number, extra)
        if self._numbers.get((oid, eid)) == number:
            del self._numbers[oid, eid]
        if self._ledger.find(oid) in (0, number):
            self._ledger.forget_name(oid)
