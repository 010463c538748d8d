"""A strategy that only raises exceptions is halted, alone: the others go on.

Its new orders are refused, what it has open is canceled until nothing is, and market data comes to it no more. It still hears of
its orders and fills. Only a restart ends this.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from nexus_fast.engine.backlog import Backlog
from nexus_fast.engine.core import Core
from nexus_fast.log import Logger
from nexus_fast.order.reasons import STRATEGY_HALTED

AGAIN_SECONDS = 1.0              # between two rounds of canceling what is open


class Halts:
    """`subscribers`: lists of strategies that hear of other market data than quotes. drop_waiting(reason, index): refuses
    orders of the strategy that wait to be sent. keep(what, work): see nexus_fast.tasks."""

    def __init__(
        self,
        core: Core,
        strategies: Sequence[Any],
        subscribers: dict[Any, list],
        drop_waiting: Callable[[int, int], None],
        keep: Callable[[str, Callable[[], Coroutine]], object],
        log: Logger,
    ):
        self.why: dict[int, str] = {}                # by the strategy's index
        self._core = core
        self._strategies = strategies
        self._subscribers = subscribers
        self._drop_waiting = drop_waiting
        self._keep = keep
        self._log = log

    def are_about(self, strategy: Any) -> bool:
        """Whether the strategy is halted."""
        return bool(self.why) and self._index(strategy) in self.why

    def halt(self, strategy: Any, why: str, backlog: Backlog) -> None:
        """Idempotent."""
        index = self._index(strategy)
        if index is None or index in self.why:
            return
        self.why[index] = why
        self._core.entry.close_strategy(index, STRATEGY_HALTED)
        self._drop_waiting(STRATEGY_HALTED, index)
        self._core.dispatcher.drop(strategy)
        for listeners in self._subscribers.values():
            listeners[:] = [listener for listener in listeners if listener is not strategy]
        backlog.drop(strategy)
        name = type(strategy).__name__
        self._log.critical(
            f"{name} is halted: {why}. Its new orders are refused, its open ones are canceled, and market data comes to it no "
            "more; only a restart ends this"
        )
        self._keep(f"{name}: canceling the orders of a halted strategy", lambda: self._cancel(index, name))

    @contextlib.contextmanager
    def lifted(self, index: int) -> Iterator[None]:
        """The engine itself sends in the strategy's name, halted or not."""
        self._core.entry.close_strategy(index, 0)
        try:
            yield
        finally:
            if index in self.why:
                self._core.entry.close_strategy(index, STRATEGY_HALTED)

    async def _cancel(self, index: int, name: str) -> None:
        """Until nothing of it is open, also what is unanswered."""
        ledger = self._core.ledger
        while live := ledger.live(strategy=index):
            for number in live:
                ledger.cancel(number)
            await asyncio.sleep(AGAIN_SECONDS)
        self._log.critical(f"{name} is halted and has no open order")

    def _index(self, strategy: Any) -> int | None:
        return next((index for index, one in enumerate(self._strategies) if one is strategy), None)

    def report(self) -> dict[str, str]:
        return {type(self._strategies[index]).__name__: why for index, why in self.why.items()}
