"""Rolling windows: per account and operation over a second, per client address over five.

The venue's order limits (10 a second for contracts; spot 20, 10 amendments) would end a quoting demo within seconds: they
are multiplied by `order_factor` (1000 by default; 1 gives the venue's own). All else keeps the venue's limits, times
`request_factor`, for many programs that share one address.
"""

from collections import deque
from dataclasses import dataclass, field

ADDRESS_REQUESTS, ADDRESS_SECONDS = 600, 5
ORDERS_OF_CONTRACTS = {"create": 10, "amend": 10, "cancel": 10}
ORDERS_OF_SPOT = {"create": 20, "amend": 10, "cancel": 20}


@dataclass(slots=True)
class Taken:
    """What a request was told of its limit: the venue's X-Bapi-Limit headers."""

    allowed: bool
    limit: int
    left: int
    reset_ms: int

    def headers(self) -> dict[str, str]:
        return {"X-Bapi-Limit": str(self.limit), "X-Bapi-Limit-Status": str(self.left),
                "X-Bapi-Limit-Reset-Timestamp": str(self.reset_ms)}


@dataclass(slots=True)
class RateLimits:
    """All windows of the venue."""

    order_factor: int = 1000
    request_factor: int = 1
    _windows: dict[tuple, deque[int]] = field(default_factory=dict)

    def take_order(self, account_key: str, is_spot: bool, deed: str, now_ms: int, amount: int = 1) -> Taken:
        """`deed`: create, amend or cancel; a batch counts its orders."""
        limit = (ORDERS_OF_SPOT if is_spot else ORDERS_OF_CONTRACTS)[deed] * self.order_factor
        return self._take((account_key, is_spot, deed), limit, 1000, now_ms, amount)

    def take_request(self, account_key: str, path: str, limit: int, now_ms: int) -> Taken:
        return self._take((account_key, path), limit * self.request_factor, 1000, now_ms, 1)

    def address_allowed(self, address: str, now_ms: int) -> bool:
        limit = ADDRESS_REQUESTS * self.request_factor
        return self._take((address,), limit, ADDRESS_SECONDS * 1000, now_ms, 1).allowed

    def _take(self, name: tuple, limit: int, length_ms: int, now_ms: int, amount: int) -> Taken:
        window = self._windows.get(name)
        if window is None:
            window = self._windows[name] = deque()
        while window and window[0] <= now_ms - length_ms:
            window.popleft()
        allowed = len(window) + amount <= limit
        if allowed:
            window.extend([now_ms] * amount)
        reset = (window[0] if window and not allowed else now_ms) + (0 if allowed else length_ms)
        return Taken(allowed, limit, max(0, limit - len(window)), reset)
