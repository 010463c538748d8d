"""Orders as the strategies see them: venue updates meet the order table, strategies hear what changed.

    OrderUpdate ─▶ Tracker ─▶ Ledger (the table in C, the journal, the order ring) ─▶ Order ─▶ cache ─▶ on_…_order

A fill is counted once (executions.py). An order's filled quantity is the larger of what the venue says it is and the sum of its
fills; while the sum is the smaller one, there is a hole, and the venue is asked for the trades (holes.py). What cannot be about
the order is not believed, and the venue is asked (agreement.py).
"""

import contextlib
import itertools
import time
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from nexus_fast.cache import Cache
from nexus_fast.constants import OrderSide, OrderStatus, OrderType, TimeInForce, WsOrderResultType
from nexus_fast.exact import OWN
from nexus_fast.exchange.instrument import Instrument, from_mantissa, to_mantissa
from nexus_fast.log import Logger
from nexus_fast.order.agreement import contradiction
from nexus_fast.order.callbacks import CALLBACKS, Callbacks, wanted_statuses
from nexus_fast.order.events import LAG_SECONDS, OrderUpdate
from nexus_fast.order.executions import Executions, Extra
from nexus_fast.order.holes import Holes
from nexus_fast.order.ledger import Ledger
from nexus_fast.order.reasons import reason_text
from nexus_fast.order.states import ACTIONS
from nexus_fast.schema import Order

NOTIFY, QUERY, CANCEL_FAILED = ACTIONS["NOTIFY"], ACTIONS["QUERY"], ACTIONS["NOTIFY_CANCEL_FAILED"]
NOTIFY_FILL, CONFLICT, CANCEL = ACTIONS["NOTIFY_FILL"], ACTIONS["CONFLICT"], ACTIONS["CANCEL"]
SIDES = (OrderSide.BUY, OrderSide.SELL)
TYPES = (OrderType.MARKET, OrderType.LIMIT, OrderType.POST_ONLY)
TIMES_IN_FORCE = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
ENDS = ("FILLED", "CANCELED", "EXPIRED")
REDUCE_ONLY = 1
# States of the table to statuses. UNKNOWN is PENDING to a program that was written for NexusTrader: nothing is concluded.
STATUSES = {
    "PENDING": OrderStatus.PENDING,
    "UNKNOWN": OrderStatus.PENDING,
    "ACCEPTED": OrderStatus.ACCEPTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "CANCELING": OrderStatus.CANCELING,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "FAILED": OrderStatus.FAILED,
}
COUNTS = ("fills", "filled", "rejected", "refused", "canceled", "foreign", "repeated_fills", "contradictions", "holes_given_up")
REMEMBERED_SECONDS = 60.0        # how long an order that is over is still known, for what is late


class Tracker:
    """`query(number)` asks the venue about an order whose outcome is in doubt. `halted`: the kill switch; whatever the venue
    still accepts is canceled."""

    def __init__(
        self,
        ledger: Ledger,
        cache: Cache,
        instruments: Sequence[Instrument],
        strategies: Sequence[Any],
        query: Callable[[int], None],
        log: Logger,
    ):
        self.ledger = ledger
        self.cache = cache
        self.counts = dict.fromkeys(COUNTS, 0)
        self.holes = Holes()
        self._instruments = instruments
        self._strategies = strategies
        self._query = query
        self._log = log
        self._extras: dict[int, Extra] = {}
        # Orders that rest and have news for the cache alone. An order that ends is told of, and leaves: its slot may be taken.
        self._unsettled: dict[int, None] = {}
        self._wanted = wanted_statuses(strategies)
        self.halted = False
        self._executions = Executions(instruments, self.counts)
        self._former: dict[tuple[str, str], int] = {}            # (client id, venue's id) of orders that are over -> number
        self._ended: deque[tuple[float, int, str, str | None]] = deque()
        callbacks = Callbacks(log)
        self.callback, self.hold, self.release = callbacks.call, callbacks.hold, callbacks.release

    # ------------------------------------------------------------------------------------------ from the hot path

    def drain(self) -> None:
        """Tell the strategies of what the hot path did since the last turn: orders sent, refused, accepted, cancels sent.

        An Order is made for a strategy that has the callback; for the others the cache catches up when it is asked.
        """
        for number, strategy, state in self.ledger.entry.take_notes():
            if state == "FAILED":
                self._note_refusal(number)
            elif STATUSES[state] not in self._wanted[strategy]:
                self._unsettled[number] = None
                self._stop_if_halted(number, state)
                continue
            self._tell(number, self.ledger.fields(number), STATUSES[state])
            self._stop_if_halted(number, state)

    def settle_some(self, count: int) -> bool:
        """Bring the cache up to date about some orders, the oldest first; whether more of them wait."""
        for number in list(itertools.islice(self._unsettled, count)):
            del self._unsettled[number]
            self._settle_one(number)
        return bool(self._unsettled)

    def _note_refusal(self, number: int) -> None:
        self.counts["refused"] += 1
        self._extra(number).reason = reason_text(self.ledger.fields(number)["reason"])

    def settle(self) -> None:
        """Bring the cache up to what the order table says, also about orders whose callbacks are still to come."""
        numbers, self._unsettled = self._unsettled, {}
        for number in (*numbers, *self.ledger.entry.noted()):
            self._settle_one(number)

    def _settle_one(self, number: int) -> None:
        with contextlib.suppress(KeyError):      # its slot is in use by a later order
            self.cache.apply_order(self.order(number))

    # ------------------------------------------------------------------------------------------ from the venues

    def apply(self, update: OrderUpdate, account: int | None = None) -> int:
        """Apply what a stream says on an account; returns the order's number, 0 when the order is not ours."""
        self.drain()
        number = self.number_of(update, account)
        if not number:
            self.counts["foreign"] += 1
            return 0
        self.apply_to(number, update)
        return number

    def number_of(self, update: OrderUpdate, account: int | None = None) -> int:
        """The order of ours that this is about; 0 for somebody else's, whose client id may be that of one of ours."""
        # A client_oid that is free again may be in use by its next order while the last one's messages still come.
        number = self.former(update) or self.ledger.find(update.client_id)
        return number if number and self._is_about(number, update, account) else 0

    def former(self, update: OrderUpdate) -> int:
        """An order of ours that is over, whose client id may be another's by now; 0 for none."""
        return self._former.get((update.client_id, update.venue_id), 0)

    def _is_about(self, number: int, update: OrderUpdate, account: int | None) -> bool:
        """A client id of our own making is nobody else's. Client ids of strategies are unique for one symbol at best."""
        if self.ledger.is_ours(update.client_id):
            return True
        fields = self.ledger.fields(number)
        instrument = self._instrument(fields)
        if account not in (None, fields["account"]) or (instrument and update.venue_symbol not in ("", instrument.venue_symbol)):
            return False
        return not (self.ledger.closed(number) and fields["venue_id"] and update.venue_id not in ("", fields["venue_id"]))

    def apply_to(self, number: int, update: OrderUpdate, *, whole: bool = False) -> bool:
        """False when it contradicts the order, and nothing of it was believed. whole: see agreement.contradiction."""
        if self.refuses(number, update, whole=whole):
            return False
        fields = self.ledger.fields(number)
        if update.event == "FILL" and update.trade_id < 0 and not update.filled:
            update = replace(update, event="ACCEPTED")       # partially filled with nothing
        # What is late for an order that is over is kept no longer than the order's other news.
        is_forgotten = number not in self._extras and self.ledger.closed(number)
        extra = Extra() if is_forgotten else self._extra(number)
        if update.reason is not None:
            extra.reason = update.reason
        repeated = self._executions.take(extra, fields, update)
        if update.event == "MODIFIED":
            extra.modified_at = time.monotonic()
        filled = self._change(number, fields, extra, update, repeated)
        if not is_forgotten:
            self.holes.note(number, max(filled, fields["filled"]) > extra.counted or extra.fees_missing > 0)
        return True

    def _change(self, number: int, fields: dict, extra: Extra, update: OrderUpdate, repeated: bool) -> int:
        """The table, and everybody who hears of it; the cumulative quantity, -1 where none is known."""
        price_scale, size_scale = fields["price_scale"], fields["size_scale"]
        filled = -1 if update.filled is None else to_mantissa(update.filled, size_scale)
        if update.event in ("FILL", "FILLED") or update.trade_id >= 0:
            filled = max(filled, extra.counted, fields["filled"] if repeated else -1)
        modified = update.event == "MODIFIED" and update.price is not None and update.quantity is not None
        before, after, actions = self.ledger.apply(
            number,
            update.event,
            filled,
            update.venue_id,
            _mantissa(update.last_price, price_scale),
            _mantissa(update.last_quantity, size_scale),
            update.trade_id,
            (update.time_ms or 0) * 1_000_000,
            to_mantissa(update.price, price_scale) if modified else 0,
            to_mantissa(update.quantity, size_scale) if modified else 0,
        )
        if update.event in ("ACCEPTED", "REJECTED", "MODIFIED"):
            if after != "CANCELING":
                self.ledger.answered(number)
        elif update.event == "MODIFY_REJECTED":
            self.modification_answered(number)
        self._act(number, before, after, actions)
        if not actions and update.trade_id >= 0 and (not repeated or update.fee is not None):
            self.cache.apply_order(self.order(number))       # a fill whose quantity was known: its fee was not
        return filled

    def refuses(self, number: int, update: OrderUpdate, *, whole: bool = True) -> bool:
        """Whether the update contradicts the order. Then it is counted and named, and the venue is asked."""
        fields, extra = self.ledger.fields(number), self._extras.get(number) or Extra()
        brought = _mantissa(update.last_quantity, fields["size_scale"]) if self._executions.is_new(number, update) else 0
        said = contradiction(update, fields, self._instrument(fields), extra.counted + brought, whole=whole)
        if said is None:
            return False
        self.counts["contradictions"] += 1
        if self.ledger.closed(number):
            self._log.error(f"order {fields['client_id']} is over; what the venue says of it is not believed: {said}")
            return True
        extra = self._extra(number)
        if extra.contradiction != said:
            extra.contradiction = said
            self._log.error(f"order {fields['client_id']}: what the venue says of it is not believed: {said}; asking the venue")
        if fields["state"] in ("PENDING", "CANCELING"):
            self.doubt(number, f"what the venue says contradicts the order: {said}")
        self._query(number)
        return True

    def adopt(self, number: int, update: OrderUpdate, asked: float | None = None) -> bool:
        """Apply an order as the venue has it: also a modification whose answer was lost. asked: when the question was put that
        this answers; None: a stream says it by itself. False: it contradicts the order and was not taken, or its price and
        quantity were not, because they are others than those of a modification that the answer may be too old to know. The
        venue's own times cannot tell: its clock may have been set."""
        if self.refuses(number, update):
            return False
        fields = self.ledger.fields(number)
        ours = fields["price"], fields["quantity"]
        theirs = _mantissa(update.price, fields["price_scale"]), _mantissa(update.quantity, fields["size_scale"])
        differs = update.event in ("ACCEPTED", "FILL") and fields["price"] != 0 and theirs != ours and all(theirs)
        is_certain = not differs or self._is_later(number, asked)
        if differs and is_certain:
            update = replace(update, event="MODIFIED")
        elif update.event in ENDS and theirs[1] > ours[1]:
            self.apply_to(number, _modification_of(update), whole=True)
        return self.apply_to(number, update, whole=True) and is_certain

    def _is_later(self, number: int, asked: float | None) -> bool:
        """Whether what was asked for at this time knows the last modification that is known here."""
        known = self._extras[number].modified_at if number in self._extras else None
        return asked is None or known is None or asked >= known + LAG_SECONDS

    def _act(self, number: int, before: str, after: str, actions: int) -> None:
        if actions & CONFLICT:
            self._log.warning("an update contradicts what is known; asking the venue", number=number, state=before)
            self._query(number)
            return
        if actions & QUERY:
            self._query(number)
        if actions & CANCEL:
            name = self.ledger.fields(number)["client_id"]
            self._log.error(f"order {name} lives, although it was held to have failed; canceling it")
        if actions & CANCEL_FAILED:
            self._tell(number, self.ledger.fields(number), OrderStatus.CANCEL_FAILED)
        elif actions & (NOTIFY | NOTIFY_FILL):
            self._count(after, before)
            self._tell(number, self.ledger.fields(number))
        if actions & CANCEL:
            if self.ledger.cancel(number):
                self._query(number)              # it could not leave: whether the order lives has to be known all the same
        elif before != after:
            self._stop_if_halted(number, after)

    def _stop_if_halted(self, number: int, state: str) -> None:
        """What the venue accepts after the kill switch is canceled at once."""
        if self.halted and state in ("ACCEPTED", "PARTIALLY_FILLED"):
            self.ledger.cancel(number)

    def modification_answered(self, number: int) -> None:
        """The answer to a modification ends the wait for it, but not for the order's own answer or for a cancel's."""
        if self.ledger.state(number) in ("ACCEPTED", "PARTIALLY_FILLED"):
            self.ledger.answered(number)

    def doubt(self, number: int, reason: str) -> None:
        """The outcome of the order's last request is unknown."""
        state = self.ledger.state(number)
        if self.ledger.closed(number):
            return
        event = "CANCEL_DOUBT" if state == "CANCELING" else "DOUBT"
        self._extra(number).reason = reason
        self._act(number, *self.ledger.apply(number, event))

    def carry(self, number: int, trades: dict[int, tuple[int, int]]) -> None:
        """An order of an earlier session, and the fills that were counted there."""
        self._executions.carry(self._extra(number), number, trades)
        self.cache.apply_order(self.order(number))

    def hole_asked(self, number: int, *, answered: bool) -> None:
        """The venue was asked for the trades of an order in self.holes, and what it said is applied."""
        if not self.holes.asked(number, answered=answered):
            return
        fields, extra = self.ledger.fields(number), self._extra(number)
        counted, filled = (from_mantissa(value, fields["size_scale"]) for value in (extra.counted, fields["filled"]))
        self.counts["holes_given_up"] += 1
        self._log.error(
            f"order {fields['client_id']}: {filled} executed, fills of {counted} are known, {extra.fees_missing} of them without "
            "their fee; the venue's list of trades does not have the rest, which is given up: fee and average are short"
        )

    def lose_hole(self, number: int) -> None:
        """Its slot is in use by a later order."""
        if self.holes.forget(number):
            self.counts["holes_given_up"] += 1
            self._log.error(f"order number {number} was short of fills when it had to be forgotten: fee and average are short")

    def forget(self) -> None:
        """Let go of orders that were over REMEMBERED_SECONDS ago."""
        before = time.monotonic() - REMEMBERED_SECONDS
        while self._ended and self._ended[0][0] < before:
            _, number, oid, eid = self._ended.popleft()
            if number in self.holes:
                self._ended.append((time.monotonic(), number, oid, eid))     # its missing fills are still to come
                continue
            try:
                if not self.ledger.closed(number):
                    continue                     # alive again
            except KeyError:
                pass                             # its slot is in use by a later order
            self._extras.pop(number, None)
            self.holes.forget(number)
            if self._former.get((oid, eid)) == number:
                del self._former[oid, eid]
            if self.ledger.find(oid) in (0, number):
                self.ledger.forget_name(oid)

    def _count(self, after: str, before: str) -> None:
        names = {"FILLED": "filled", "FAILED": "rejected", "CANCELED": "canceled"}
        if after != before and after in names:
            self.counts[names[after]] += 1

    # ------------------------------------------------------------------------------------------ to the strategies

    def order(self, number: int, fields: dict | None = None, status: OrderStatus | None = None) -> Order:
        """The order as it stands now."""
        fields = fields or self.ledger.fields(number)
        instrument = self._instrument(fields)
        extra = self._extras.get(number) or Extra()
        quantity = from_mantissa(fields["quantity"], fields["size_scale"])
        filled = from_mantissa(fields["filled"], fields["size_scale"])
        traded = instrument is not None and extra.last_price and extra.last_quantity
        last_cost = instrument.cost(extra.last_price, extra.last_quantity) if traded else None
        return Order(
            exchange=instrument.exchange,
            symbol=instrument.symbol,
            status=status or STATUSES[fields["state"]],
            oid=fields["client_id"],
            eid=fields["venue_id"] or None,
            amount=quantity,
            filled=filled,
            timestamp=fields["changed_ns"] // 1_000_000,
            type=TYPES[fields["type"]],
            side=SIDES[fields["side"]],
            time_in_force=TIMES_IN_FORCE[fields["time_in_force"]],
            price=float(from_mantissa(fields["price"], fields["price_scale"])) if fields["price"] else None,
            average=None if extra.average is None else float(extra.average),
            last_filled_price=None if extra.last_price is None else float(extra.last_price),
            last_filled=extra.last_quantity,
            remaining=OWN.subtract(quantity, filled),
            fee=extra.fee,
            fee_currency=extra.fee_currency,
            cost=last_cost,
            cum_cost=extra.cost,
            reduce_only=bool(fields["flags"] & REDUCE_ONLY),
            reason=extra.reason or (reason_text(fields["reason"]) if fields["reason"] else None),
        )

    def _tell(self, number: int, fields: dict, status: OrderStatus | None = None) -> None:
        order = self.order(number, fields, status)
        self.cache.apply_order(order)
        self._unsettled.pop(number, None)
        if order.is_closed:
            self._ended.append((time.monotonic(), number, order.oid, order.eid))
            if order.eid and not self.ledger.is_ours(order.oid):
                self._former[order.oid, order.eid] = number
        self.callback(self._strategies[fields["strategy"]], CALLBACKS[order.status], order)
        if status is OrderStatus.CANCEL_FAILED:
            self.cache.apply_order(self.order(number, fields))

    def result(self, number: int, kind: WsOrderResultType, reason: str) -> None:
        """Tell the strategy what became of a request whose answer was not a plain yes."""
        fields = self.ledger.fields(number)
        instrument = self._instruments[fields["symbol_id"]]
        event = {
            "oid": fields["client_id"],
            "symbol": instrument.symbol,
            "exchange": instrument.exchange,
            "result_type": kind,
            "reason": reason,
            "timestamp": time.time_ns() // 1_000_000,
        }
        self.callback(self._strategies[fields["strategy"]], "on_ws_order_request_result", event)

    def refuse_locally(self, strategy: Any, order: Order) -> None:
        """An order that never got a slot: a symbol nobody knows, an amount that cannot be written down."""
        self.counts["refused"] += 1
        self.cache.apply_order(order)
        self.callback(strategy, "on_failed_order", order)

    def _instrument(self, fields: dict) -> Instrument | None:
        return self._instruments[fields["symbol_id"]] if fields["symbol_id"] < len(self._instruments) else None

    def _extra(self, number: int) -> Extra:
        extra = self._extras.get(number)
        if extra is None:
            extra = self._extras[number] = Extra()
        return extra


def _modification_of(update: OrderUpdate) -> OrderUpdate:
    """What made an order larger before it ended."""
    return replace(update, event="MODIFIED", filled=None, trade_id=-1, last_quantity=None, fee=None)


def _mantissa(value: Decimal | None, scale: int) -> int:
    """For the journal: 0 where the event brings no fill, or one finer than the symbol's scale."""
    if value is None:
        return 0
    try:
        return to_mantissa(value, scale)
    except ValueError:
        return 0
