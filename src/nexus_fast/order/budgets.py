"""What each venue takes of orders per time, as windows that the hot path counts in (nexus_fast.order.budget).

Windows go by name within a venue: accounts whose orders the venue counts together name the same one.
"""

from dataclasses import dataclass
from typing import Any

from nexus_fast.config import Config
from nexus_fast.order.budget import Budget


@dataclass(frozen=True)
class Window:
    """`limit` orders in so many seconds. sliding: the last seconds at any moment; else windows that begin again at multiples of
    their length. reducible: reduce-only orders count in it too, and a part is kept for them."""

    name: str
    limit: int
    seconds: int
    sliding: bool = False
    reducible: bool = True


Windows = tuple[list[Window], list[Window]]      # of a new order, of a modification


class Budgets:
    def __init__(self, config: Config):
        self._connectors = {
            connector.account_type: connector
            for connectors in config.private_conn_config.values()
            for connector in connectors
        }
        self._held: dict[tuple[Any, str], Budget] = {}

    def of(self, account_type: Any, windows: list[Window]) -> list[Budget]:
        """Those that exist go on counting. None for an account that is not to be counted."""
        connector = self._connectors.get(account_type)
        if connector is None or not connector.enable_rate_limit:
            return []
        found = []
        for window in windows:
            key = (account_type.exchange, window.name)
            if key not in self._held:
                reserve = connector.order_reserve if window.reducible else 0.0
                self._held[key] = Budget(window.limit, window.seconds, window.sliding, connector.order_budget, reserve)
            found.append(self._held[key])
        return found

    def get(self, exchange: Any, name: str) -> Budget | None:
        """A window that a route counts in; None where none does, or not yet."""
        return self._held.get((exchange, name))
