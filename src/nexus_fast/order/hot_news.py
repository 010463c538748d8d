"""What the hot path did with orders, for the cache and the strategies: orders sent, refused, accepted, cancels sent.

An Order is made for a strategy that has the callback; for the others the cache catches up when it is asked, or in quiet turns.
"""

import contextlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from nexus_fast.cache import Cache
from nexus_fast.order.callbacks import wanted_statuses
from nexus_fast.order.ledger import Ledger
from nexus_fast.order.telling import Telling
from nexus_fast.order.view import STATUSES, OrderView


class HotNews:
    """refused: called with the number of an order that was refused here; entered: with a number and the state that it entered."""

    def __init__(
        self,
        ledger: Ledger,
        cache: Cache,
        view: OrderView,
        telling: Telling,
        strategies: Sequence[Any],
        refused: Callable[[int], None],
        entered: Callable[[int, str], None],
    ):
        self._ledger = ledger
        self._cache = cache
        self._view = view
        self._telling = telling
        self._wanted = wanted_statuses(strategies)
        self._refused = refused
        self._entered = entered
        # Orders that rest and have news for the cache alone. An order that ends is told of, and leaves: its slot may be taken.
        self._unsettled: dict[int, None] = {}

    def drain(self) -> None:
        """Tell the strategies of what was done since the last turn."""
        for number, strategy, state in self._ledger.entry.take_notes():
            if state == "FAILED":
                self._refused(number)
            elif STATUSES[state] not in self._wanted[strategy]:
                self._unsettled[number] = None
                self._entered(number, state)
                continue
            self.settled(number)
            self._telling.tell_state(self._ledger.fields(number), STATUSES[state])
            self._entered(number, state)

    def settled(self, number: int) -> None:
        """The cache has the order as it is, by another way."""
        self._unsettled.pop(number, None)

    def settle_some(self, count: int) -> bool:
        """Bring the cache up to date about some orders, the oldest first; whether more of them wait."""
        for number in list(itertools.islice(self._unsettled, count)):
            del self._unsettled[number]
            self._settle_one(number)
        return bool(self._unsettled)

    def settle(self) -> None:
        """Bring the cache up to what the order table says, also about orders whose callbacks are still to come."""
        numbers, self._unsettled = self._unsettled, {}
        for number in (*numbers, *self._ledger.entry.noted()):
            self._settle_one(number)

    def _settle_one(self, number: int) -> None:
        with contextlib.suppress(KeyError):      # its slot is in use by a later order
            self._cache.apply_order(self._view.order(self._ledger.fields(number)))
