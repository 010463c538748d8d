"""The strategies' callbacks: which of them there are, and calling them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from nexus_fast.constants import OrderStatus
from nexus_fast.log import Logger
from nexus_fast.strategy.api import StrategyApi

CALLBACKS = {
    OrderStatus.PENDING: "on_pending_order",
    OrderStatus.ACCEPTED: "on_accepted_order",
    OrderStatus.PARTIALLY_FILLED: "on_partially_filled_order",
    OrderStatus.FILLED: "on_filled_order",
    OrderStatus.CANCELING: "on_canceling_order",
    OrderStatus.CANCELED: "on_canceled_order",
    OrderStatus.FAILED: "on_failed_order",
    OrderStatus.CANCEL_FAILED: "on_cancel_failed_order",
    OrderStatus.EXPIRED: "on_expired_order",
}


def wanted_statuses(strategies: Sequence[Any]) -> list[set[OrderStatus]]:
    """Of which statuses each strategy wants to hear."""
    return [
        {status for status, name in CALLBACKS.items() if getattr(type(s), name) is not getattr(StrategyApi, name)}
        for s in strategies
    ]


class Callbacks:
    def __init__(self, log: Logger):
        self._log = log
        self._held: list[Callable[[], None]] | None = None

    @property
    def are_held(self) -> bool:
        return self._held is not None

    def call(self, strategy: Any, name: str, argument: Any) -> None:
        """Call a strategy's callback; what it raises is logged with its traceback and goes no further."""
        if self._held is not None:
            self._held.append(partial(self.call, strategy, name, argument))
            return
        try:
            getattr(strategy, name)(argument)
        except Exception as error:
            self._log.exception(f"{type(strategy).__name__}.{name} raised {type(error).__name__}", error)

    def then(self, act: Callable[[], None]) -> None:
        """Act when the callbacks before it have returned."""
        if self._held is not None:
            self._held.append(act)
        else:
            act()

    def hold(self) -> None:
        """No callback until release(): the cache is brought up to date before on_start."""
        self._held = []

    def release(self) -> None:
        """What was held is told now, in its order."""
        held, self._held = self._held or [], None
        for told in held:
            told()
