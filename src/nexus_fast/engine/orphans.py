"""Updates that name an order by the venue's id alone: whose it is, is known when our request was answered, and not before.

Our orders carry our client id, and so do the events about them; one without it is almost always somebody else's order. While an
order of ours is unanswered it may be that one: the update waits until the venue has named ours, HOLD_SECONDS at most, and is
somebody else's then.
"""

import time
from collections import deque
from typing import Any

from nexus_fast.order.events import OrderUpdate

HOLD_SECONDS = 2.0


class Orphans:
    """`host` is told of them in the end, in the order in which they came."""

    def __init__(self, host: Any):
        self._host = host
        self._held: deque[tuple[float, Any, OrderUpdate]] = deque()

    def take(self, account: Any, update: OrderUpdate) -> bool:
        """Whether this update is dealt with: applied to the order that it is about, or kept for a while."""
        if update.client_id or not update.venue_id:
            return False
        number = self._number_of(account, update)
        if number > 0 and not self._waiting(update):
            self._host.tracker.drain()
            self._host.tracker.adopt(number, update)
        elif number or self._waiting(update):
            self._held.append((time.monotonic() + HOLD_SECONDS, account, update))
        return number != 0 or self._waiting(update)

    def check(self) -> None:
        """Often: what can be told now, and what has waited long enough."""
        waiting, self._held = self._held, deque()
        while waiting:
            until, account, update = waiting.popleft()
            number = self._number_of(account, update)
            if number > 0:
                self._host.tracker.adopt(number, update)
            elif number and time.monotonic() < until:
                self._held.append((until, account, update))
            else:
                self._host.on_external_order(account, update)

    def _number_of(self, account: Any, update: OrderUpdate) -> int:
        """As Ledger.by_venue_id: of this symbol, as a venue may number the orders of each symbol apart."""
        core = self._host.core
        number = core.ledger.by_venue_id(account.index, update.venue_id)
        if number > 0 and update.venue_symbol:
            instrument = core.instruments[core.ledger.fields(number)["symbol_id"]]
            return number if instrument.venue_symbol == update.venue_symbol else 0
        return number

    def _waiting(self, update: OrderUpdate) -> bool:
        """An earlier one about the same order waits: they keep their order."""
        return any(held.venue_id == update.venue_id for _, _, held in self._held)
