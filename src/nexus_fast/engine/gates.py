"""What keeps an account's orders from leaving, for a time or until it is over. Cancels always leave.

Several causes may hold one account's gate; it opens with the last. The hot path reads one byte, the reason it refuses with.
"""

import time
from typing import Any

from nexus_fast.order.reasons import CLOCK, NOT_RECONCILED, RATE_LIMITED, RECOVERING, STOPPING

__all__ = ["CLOCK", "NOT_RECONCILED", "RATE_LIMITED", "RECOVERING", "STOPPING", "Gates"]


class Gates:
    """`entry` is the OrderEntry; accounts go by their index."""

    def __init__(self, entry: Any):
        self._entry = entry
        self._causes: dict[int, dict[int, float]] = {}      # account -> reason -> CLOCK_MONOTONIC of its end

    def close(self, account: int, reason: int, seconds: float = float("inf")) -> None:
        """A cause that is there already is prolonged, never shortened."""
        causes = self._causes.setdefault(account, {})
        causes[reason] = max(causes.get(reason, 0.0), time.monotonic() + seconds)
        self._set(account)

    def open(self, account: int, reason: int) -> None:
        self._causes.get(account, {}).pop(reason, None)
        self._set(account)

    def remaining(self, account: int, reason: int) -> float:
        """Seconds until this cause ends; 0 when it does not hold."""
        return max(0.0, self._causes.get(account, {}).get(reason, 0.0) - time.monotonic())

    def check(self) -> None:
        """End what has had its time."""
        now = time.monotonic()
        for account, causes in self._causes.items():
            over = [reason for reason, until in causes.items() if until <= now]
            for reason in over:
                del causes[reason]
            if over:
                self._set(account)

    def _set(self, account: int) -> None:
        causes = self._causes.get(account) or {0: 0.0}
        self._entry.close_gate(account, max(causes))
