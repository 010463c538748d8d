"""What the strategies are told of their orders, and in which order.

    a fill    order table and journal ─▶ position, order in the cache ─▶ on_fill ─▶ on_partially_filled_order or on_filled_order
    an end    its fills ─▶ on_canceled_order, on_expired_order, on_failed_order

A fill is told by its trade. Where the venue's total is ahead of the trades, nothing is told of the rest yet, and an end waits for
it: the trades are asked for (holes.py), and what they do not bring in time is told as one fill without a trade (tell_rest).
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from msgspec.structs import replace

from nexus_fast.cache import Cache
from nexus_fast.constants import OrderStatus
from nexus_fast.order.callbacks import CALLBACKS, Callbacks
from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.executions import Extra, Taken
from nexus_fast.order.fills import FillMaker
from nexus_fast.order.states import ACTIONS
from nexus_fast.order.view import STATUSES, OrderView
from nexus_fast.schema import Fill, Order

NOTIFY, CANCEL_FAILED = ACTIONS["NOTIFY"], ACTIONS["NOTIFY_CANCEL_FAILED"]
UNANSWERED = ("PENDING", "UNKNOWN")
ENDS = ("FILLED", "CANCELED", "EXPIRED", "FAILED")
NO_TRADE = -1


def note_nothing(number: int, trade_id: int, told: int, with_fee: bool) -> None:
    """As Telling.on_told."""


class Telling:
    """ended: called with an order's number and ids when its end is told.

    `on_told`: called when the callbacks of a fill have returned, with the order's number, the trade's id (NO_TRADE: it has none),
    the sum of the order's fills that were told (a mantissa), and whether its fee was told with it. With NO_TRADE it says that
    fees which were not told are not waited for any more."""

    def __init__(
        self,
        cache: Cache,
        view: OrderView,
        fills: FillMaker,
        strategies: Sequence[Any],
        callbacks: Callbacks,
        ended: Callable[[int, str, str | None], None],
    ):
        self.on_told: Callable[[int, int, int, bool], None] = note_nothing
        self._cache = cache
        self._view = view
        self._fills = fills
        self._strategies = strategies
        self._callbacks = callbacks
        self._ended = ended

    def tell(self, fields: dict, extra: Extra, update: OrderUpdate, taken: Taken, before: str, actions: int) -> None:
        """What an update brought. fields: the order with it; before: the state before it."""
        after = fields["state"]
        if after not in ENDS:
            extra.shown = None
        elif after != before:
            extra.shown = extra.shown or (OrderStatus.ACCEPTED if before in UNANSWERED else STATUSES[before])
        self.tell_trade(fields, extra, update, taken)
        if actions & CANCEL_FAILED:
            self.tell_state(fields, OrderStatus.CANCEL_FAILED, update.reason)
            self._cache.apply_order(self._view.order(fields))
        elif after == "CANCELING" != before:
            self.tell_state(fields, OrderStatus.CANCELING)
        elif actions & NOTIFY and self._is_acceptance(fields, extra, taken, before):
            self._call(fields, "on_accepted_order", self._order(fields))
        self.tell_end(fields, extra)

    def _is_acceptance(self, fields: dict, extra: Extra, taken: Taken, before: str) -> bool:
        """That the venue has an order is told by its first fill, or by itself."""
        if fields["state"] in ENDS and fields["filled"] <= extra.told:
            return False
        return before in UNANSWERED and not taken.amount

    # ------------------------------------------------------------------------------------------ fills

    def tell_trade(self, fields: dict, extra: Extra, update: OrderUpdate, taken: Taken) -> None:
        """Nothing of a trade that was told, except a fee that it was told without."""
        if taken.amount:
            self._show_filled(fields, extra)
            self._tell_fill(fields, extra, self._fills.of_trade(fields, extra, taken.amount, update, self._callbacks.are_held))
        elif taken.is_paid:
            self._tell_fee(fields, extra, extra.unpaid.pop(update.trade_id, None), update)

    def tell_rest(self, fields: dict, extra: Extra) -> None:
        """What the venue has executed of the order and has no trades for, and the end that waited for it."""
        rest = fields["filled"] - extra.told
        if rest > 0:
            extra.told = fields["filled"]
            self._show_filled(fields, extra)
            self._tell_fill(fields, extra, self._fills.of_rest(fields, extra, rest, self._callbacks.are_held))
        self.tell_end(fields, extra)

    def _show_filled(self, fields: dict, extra: Extra) -> None:
        """The last fill of an order tells that it is filled; any other end comes after it."""
        if fields["state"] == "FILLED" and extra.told >= fields["filled"]:
            extra.shown = None

    def _tell_fill(self, fields: dict, extra: Extra, fill: Fill) -> None:
        number, strategy = fields["number"], self._strategies[fields["strategy"]]
        if fill.fee is None and fill.trade_id is not None:
            extra.unpaid[fill.trade_id] = fill
        if fill.order.is_closed:
            self._ended(number, fill.oid, fill.eid)
        name = "on_filled_order" if fill.order.is_filled else "on_partially_filled_order"
        trade_id = NO_TRADE if fill.trade_id is None else fill.trade_id
        self._callbacks.call(strategy, "on_fill", fill)
        self._callbacks.call(strategy, name, fill.order)
        self._callbacks.then(partial(self.on_told, number, trade_id, extra.told, fill.fee is not None))

    def _tell_fee(self, fields: dict, extra: Extra, fill: Fill | None, update: OrderUpdate) -> None:
        """fill: as it was told without its fee; None: it was a part of one without a trade."""
        fill = self._fills.with_fee(fields, fill, update)
        self._callbacks.call(self._strategies[fields["strategy"]], "on_fill_fee", fill)
        self._callbacks.then(partial(self.on_told, fields["number"], fill.trade_id, extra.told, True))

    def give_up_fees(self, number: int, extra: Extra) -> None:
        """Fees that were not told are not waited for any more, also by no later session."""
        self._callbacks.then(partial(self.on_told, number, NO_TRADE, extra.told, True))

    # ------------------------------------------------------------------------------------------ states

    def tell_state(self, fields: dict, status: OrderStatus, reason: str | None = None) -> None:
        """A state by the callback of its name. reason: of this callback alone."""
        order = self._order(fields, status)
        if reason is not None:
            order = replace(order, reason=reason)
        if order.is_closed:
            self._ended(fields["number"], order.oid, order.eid)
        if status is OrderStatus.FILLED:                 # of less than it was: it was made smaller
            order = replace(order, last_filled=Decimal(0))
        self._call(fields, CALLBACKS[status], order)

    def tell_request(self, fields: dict, name: str, reason: str | None = None) -> None:
        """What became of a request about an order. That it is over is the answer to all of them."""
        if fields["state"] not in ENDS:
            order = self._order(fields)
            self._call(fields, name, order if reason is None else replace(order, reason=reason))

    def tell_end(self, fields: dict, extra: Extra) -> None:
        """An end that was not told yet, once its fills were."""
        if extra.shown is not None and extra.told >= fields["filled"]:
            extra.shown = None
            self.tell_state(fields, STATUSES[fields["state"]])

    def _order(self, fields: dict, status: OrderStatus | None = None) -> Order:
        order = self._view.order(fields, status)
        self._cache.apply_order(order)
        return order

    def _call(self, fields: dict, name: str, argument: Any) -> None:
        self._callbacks.call(self._strategies[fields["strategy"]], name, argument)
