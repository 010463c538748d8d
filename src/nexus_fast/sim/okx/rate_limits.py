"""Sliding windows of two seconds: per user, instrument and operation for orders, per address or user for the rest.

Order entry: 60 requests per operation and instrument, 300 orders in batches, and 1000 new or amended orders per
account, for REST and WebSocket together. A quoting demo would end within seconds with these, so that `factor` (1000
by default; 1 gives the venue's own) multiplies them all.
"""

from collections import deque
from dataclasses import dataclass, field

WINDOW_MS = 2000
PER_OPERATION = 60
PER_BATCH_OPERATION = 300
PER_ACCOUNT = 1000
REQUESTS = 20  # of everything that is no order entry: what most of the venue's paths allow


@dataclass(slots=True)
class RateLimits:
    """All windows of the venue by name."""

    factor: int = 1000
    _windows: dict[tuple, deque[int]] = field(default_factory=dict)

    def take(self, name: tuple, limit: int, now_ms: int, amount: int = 1) -> bool:
        """Count `amount` under `name`; False, and nothing is counted, when that is more than the window allows."""
        window = self._windows.get(name)
        if window is None:
            window = self._windows[name] = deque()
        while window and window[0] <= now_ms - WINDOW_MS:
            window.popleft()
        if len(window) + amount > limit * self.factor:
            return False
        window.extend([now_ms] * amount)
        return True
