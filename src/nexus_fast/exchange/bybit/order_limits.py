"""How many orders Bybit takes of an account per time: in the last second, by category and kind of request.

The venue's figure differs with the account's tier, and stands in every answer's header.
Source: bybit-exchange.github.io/docs/v5/rate-limit.
"""

from nexus_fast.constants import ExchangeType
from nexus_fast.exchange.outcome import Request
from nexus_fast.order.budgets import Budgets, Window, Windows

LIMITS: dict[str, dict[str, int]] = {
    "spot": {"place": 20, "modify": 10},
    "linear": {"place": 10, "modify": 10},
    "inverse": {"place": 10, "modify": 10},
}


class OrderLimits:
    """factor: of an address that takes so many times the venue's own figures."""

    def __init__(self, budgets: Budgets, factor: int):
        self._budgets = budgets
        self._limits = {
            (category, request): limit * factor for category, limits in LIMITS.items() for request, limit in limits.items()
        }

    def windows(self, category: str) -> Windows:
        place, modify = (
            [Window(f"{category} {kind}", self._limits[category, kind], 1, sliding=True, reducible=category != "spot")]
            for kind in ("place", "modify")
        )
        return place, modify

    def heard(self, category: str, request: Request, limit: int) -> None:
        """An answer's header says it. Cancels are not counted here."""
        if self._limits.get((category, request), limit) == limit:
            return
        self._limits[category, request] = limit
        budget = self._budgets.get(ExchangeType.BYBIT, f"{category} {request}")
        if budget is not None:
            budget.set_limit(limit)
