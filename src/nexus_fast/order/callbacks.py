"""The strategies' callbacks: which of them there are, and calling them."""

from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any

from msgspec import Struct

from nexus_fast.constants import OrderStatus
from nexus_fast.error import CallbackInterrupted
from nexus_fast.order.watch import CallbackWatch
from nexus_fast.strategy.api import StrategyApi
from nexus_fast.strategy.base import hears_fills, hears_orders, tell_execution, tell_execution_fee, tell_order

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
OF_FILLS = {"on_fill", "on_fill_fee", "on_partially_filled_order", "on_filled_order"}
# The callbacks of orders by the numbers that a Cython strategy's on_order gets: nx_order_callback in core/types.pxd.
ORDER_CALLBACKS = (
    "on_pending_order",
    "on_accepted_order",
    "on_partially_filled_order",
    "on_filled_order",
    "on_canceling_order",
    "on_canceled_order",
    "on_expired_order",
    "on_failed_order",
    "on_cancel_failed_order",
    "on_modified_order",
    "on_modify_failed_order",
)
# What a Cython strategy hears in a record before the callback: the method's name, whether a strategy has it, and who calls it.
RECORDS = {
    "on_fill": ("on_execution", hears_fills, tell_execution),
    "on_fill_fee": ("on_execution_fee", hears_fills, tell_execution_fee),
    **{
        name: ("on_order", hears_orders, lambda strategy, order, code=code: tell_order(strategy, code, order))
        for code, name in enumerate(ORDER_CALLBACKS)
    },
}
NO_RECORD = ("", lambda strategy: False, None)


def wanted_statuses(strategies: Sequence[Any]) -> list[set[OrderStatus]]:
    """Of which statuses each strategy wants to hear."""
    return [
        {
            status
            for status, name in CALLBACKS.items()
            if getattr(type(s), name) is not getattr(StrategyApi, name) or hears_orders(s)
        }
        for s in strategies
    ]


def quote_callback(strategy: Any) -> str:
    """By which of its methods a strategy hears of quotes."""
    return "on_quote" if type(strategy).on_bookl1 is StrategyApi.on_bookl1 else "on_bookl1"


class Held(Struct, frozen=True):
    """A callback that waits. oid: of the order that it is about, if it is about one."""

    act: Callable[[], None]
    oid: str | None
    is_fill: bool


class Callbacks:
    def __init__(self, watch: CallbackWatch):
        self._watch = watch
        self._held: list[Held] | None = None

    @property
    def are_held(self) -> bool:
        return self._held is not None

    def call(self, strategy: Any, name: str, argument: Any) -> None:
        """Call a strategy's callback; what it raises goes to the log and no further."""
        if self._held is not None:
            act = partial(self.call, strategy, name, argument)
            self._held.append(Held(act, getattr(argument, "oid", None), name in OF_FILLS))
            return
        method, hears, tell = RECORDS.get(name, NO_RECORD)
        if hears(strategy):
            self._run(strategy, method, partial(tell, strategy), argument)
        self._run(strategy, name, getattr(strategy, name), argument)

    def _run(self, strategy: Any, name: str, callback: Callable[[Any], object], argument: Any) -> None:
        began = perf_counter()
        try:
            callback(argument)
        except (Exception, CallbackInterrupted) as error:
            self._watch.raised(strategy, name, error)
        else:
            self._watch.went_well(strategy, name)
        self._watch.took(strategy, name, perf_counter() - began)

    def then(self, act: Callable[[], None]) -> None:
        """Act when the callbacks of a fill have returned."""
        if self._held is not None:
            self._held.append(Held(act, None, True))
        else:
            act()

    def hold(self) -> None:
        """No callback until release(): the cache is brought up to date before on_start."""
        self._held = []

    def release(self) -> None:
        """What was held is told now: the fills, with what came before them of their orders, then the rest, each in its order."""
        held, self._held = self._held or [], None
        last = {one.oid: place for place, one in enumerate(held) if one.is_fill}
        first = [place <= last.get(one.oid, -1) if one.oid else one.is_fill for place, one in enumerate(held)]
        for is_first in (True, False):
            for one in (one for one, is_its in zip(held, first, strict=True) if is_its is is_first):
                one.act()
