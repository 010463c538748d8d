"""Orders as the strategies see them: venue updates meet the order table, strategies hear what changed.

    OrderUpdate ─▶ Tracker ─▶ Ledger (the table in C, the journal, the order ring) ─▶ Order ─▶ cache ─▶ on_…_order

A fill is counted once, by the venue's trade id, whichever stream brings it first. An order's filled quantity is the larger of
what the venue says it is and the sum of its fills; while the sum is the smaller one, there is a hole, and the venue is asked for
the trades.
"""

import contextlib
import itertools
import time
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nexus_fast.cache import Cache
from nexus_fast.constants import OrderSide, OrderStatus, OrderType, TimeInForce, WsOrderResultType
from nexus_fast.exchange.instrument import Instrument, from_mantissa, to_mantissa
from nexus_fast.log import Logger
from nexus_fast.order.events import LAG_SECONDS, OrderUpdate
from nexus_fast.order.ledger import Ledger
from nexus_fast.order.reasons import reason_text
from nexus_fast.order.states import ACTIONS
from nexus_fast.schema import Order
from nexus_fast.strategy.api import StrategyApi

NOTIFY, QUERY, CANCEL_FAILED = ACTIONS["NOTIFY"], ACTIONS["QUERY"], ACTIONS["NOTIFY_CANCEL_FAILED"]
NOTIFY_FILL, CONFLICT, CANCEL = ACTIONS["NOTIFY_FILL"], ACTIONS["CONFLICT"], ACTIONS["CANCEL"]
SIDES = (OrderSide.BUY, OrderSide.SELL)
TYPES = (OrderType.MARKET, OrderType.LIMIT, OrderType.POST_ONLY)
TIMES_IN_FORCE = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
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
SEEN_TRADES = 100_000
HOLE_SECONDS = 2.0               # streams bring a fill and the order's state in either order
REMEMBERED_SECONDS = 60.0        # how long an order that is over is still known, for what is late


class Extra(Struct, gc=False):
    """What an order has besides its slot."""

    reason: str | None = None
    average: Decimal | None = None
    cost: Decimal | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    last_price: Decimal | None = None
    last_quantity: Decimal | None = None
    counted: int = 0                         # sum of its unique fills, mantissa
    paid: Decimal = Decimal(0)               # what its unique fills were worth
    modified_at: float | None = None         # when its last modification became known, by the clock that nobody sets


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
        self.counts = {"fills": 0, "filled": 0, "rejected": 0, "refused": 0, "canceled": 0, "foreign": 0, "repeated_fills": 0}
        self._instruments = instruments
        self._strategies = strategies
        self._query = query
        self._log = log
        self._extras: dict[int, Extra] = {}
        # Orders that rest and have news for the cache alone. An order that ends is told of, and leaves: its slot may be taken.
        self._unsettled: dict[int, None] = {}
        self._wanted = [
            {status for status, name in CALLBACKS.items() if getattr(type(s), name) is not getattr(StrategyApi, name)}
            for s in strategies
        ]
        self.halted = False
        self._seen: dict[tuple[int, int], bool] = {}             # (order, trade) -> its fee is counted
        self._seen_order: deque[tuple[int, int]] = deque()
        self._holes: dict[int, float] = {}                       # order -> when to ask for its trades
        self._former: dict[tuple[str, str], int] = {}            # (client id, venue's id) of orders that are over -> number
        self._ended: deque[tuple[float, int, str, str | None]] = deque()
        self._held: list[tuple[Any, str, Any]] | None = None

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

    def apply(self, update: OrderUpdate) -> int:
        """Apply a venue's update; returns the order's number, 0 when the order is not ours."""
        self.drain()
        # A client_oid that is free again may be in use by its next order while the last one's messages still come.
        number = self._former.get((update.client_id, update.venue_id)) or self.ledger.find(update.client_id)
        if not number:
            self.counts["foreign"] += 1
            return 0
        self.apply_to(number, update)
        return number

    def apply_to(self, number: int, update: OrderUpdate) -> None:
        fields = self.ledger.fields(number)
        price_scale, size_scale = fields["price_scale"], fields["size_scale"]
        # What is late for an order that is over is kept no longer than the order's other news.
        extra = self._extras.get(number) or (Extra() if self.ledger.closed(number) else self._extra(number))
        last_quantity = _mantissa(update.last_quantity, size_scale)
        repeated = self._remember_fill(number, update)
        if update.trade_id >= 0 and not repeated:
            extra.counted += last_quantity
        self._keep(extra, fields, update, repeated)
        if update.event == "MODIFIED":
            extra.modified_at = time.monotonic()
        filled = -1 if update.filled is None else to_mantissa(update.filled, size_scale)
        if update.event in ("FILL", "FILLED"):
            filled = max(filled, extra.counted, fields["filled"] if repeated else -1)
        modified = update.event == "MODIFIED" and update.price is not None and update.quantity is not None
        before, after, actions = self.ledger.apply(
            number,
            update.event,
            filled,
            update.venue_id,
            _mantissa(update.last_price, price_scale),
            last_quantity,
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
        self._note_hole(number, max(filled, fields["filled"]), extra)
        self._act(number, before, after, actions)
        if not actions and update.trade_id >= 0 and (not repeated or update.fee is not None):
            self.cache.apply_order(self.order(number))       # a fill whose quantity was known: its fee was not

    def adopt(self, number: int, update: OrderUpdate, asked: float | None = None) -> bool:
        """Apply an order as the venue has it: also a modification whose answer was lost. asked: when the question was put that
        this answers; None: a stream says it by itself. False: price and quantity were not taken, because they are others than
        those of a modification that the answer may be too old to know. The venue's own times cannot tell: its clock may have been
        set."""
        fields = self.ledger.fields(number)
        ours = fields["price"], fields["quantity"]
        theirs = _mantissa(update.price, fields["price_scale"]), _mantissa(update.quantity, fields["size_scale"])
        differs = update.event in ("ACCEPTED", "FILL") and fields["price"] != 0 and theirs != ours and all(theirs)
        is_certain = not differs or self._is_later(number, asked)
        if differs and is_certain:
            update = replace(update, event="MODIFIED")
        self.apply_to(number, update)
        return is_certain

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
            self.ledger.cancel(number)
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

    def _remember_fill(self, number: int, update: OrderUpdate) -> bool:
        """True when this fill was counted before: a venue may say it twice, over two streams or after a reconnect. Both sides
        of one trade may be ours."""
        if update.trade_id < 0:
            return False
        key = (number, update.trade_id)
        if key in self._seen:
            self.counts["repeated_fills"] += 1
            return True
        self._remember(key)
        return False

    def _remember(self, key: tuple[int, int], with_fee: bool = False) -> None:
        self._seen[key] = with_fee
        self._seen_order.append(key)
        if len(self._seen_order) > SEEN_TRADES:
            self._seen.pop(self._seen_order.popleft(), None)

    def carry(self, number: int, trades: dict[int, tuple[int, int]]) -> None:
        """An order of an earlier session, and the fills that were counted there."""
        for trade_id, (_, quantity) in trades.items():
            self._remember((number, trade_id), True)
            self._extra(number).counted += quantity
        self.cache.apply_order(self.order(number))

    def _keep(self, extra: Extra, fields: dict, update: OrderUpdate, repeated: bool) -> None:
        """fields: the order as it was before the update."""
        number = fields["number"]
        if update.reason is not None:
            extra.reason = update.reason
        if update.average is not None:
            extra.average = update.average
        if update.cost is not None:
            extra.cost = update.cost
        if update.trade_id < 0:
            return
        if not repeated:
            self.counts["fills"] += 1
            extra.last_price, extra.last_quantity = update.last_price, update.last_quantity
            self._add_up(extra, fields, update)
        if update.fee is not None and not self._seen.get((number, update.trade_id), True):
            self._seen[number, update.trade_id] = True
            extra.fee = (extra.fee or Decimal(0)) + update.fee
            extra.fee_currency = update.fee_currency

    def _add_up(self, extra: Extra, fields: dict, update: OrderUpdate) -> None:
        """Cost and average by the fills themselves, where the venue does not say them with the fill."""
        if not update.last_price or not update.last_quantity:
            return
        instrument = self._instruments[fields["symbol_id"]]
        extra.paid += instrument.cost(update.last_price, update.last_quantity)
        quantity = from_mantissa(extra.counted, fields["size_scale"])
        if update.cost is None and update.average is None and extra.counted >= fields["filled"]:
            extra.cost = extra.paid
            extra.average = _average(instrument, quantity, extra.paid)

    def _note_hole(self, number: int, filled: int, extra: Extra) -> None:
        if filled > extra.counted:
            self._holes.setdefault(number, time.monotonic() + HOLE_SECONDS)
        elif self._holes:
            self._holes.pop(number, None)

    def holes(self) -> list[int]:
        """Orders with more filled than their fills add up to, for a while now; each is named once."""
        now = time.monotonic()
        due = [number for number, at in self._holes.items() if at <= now]
        for number in due:
            del self._holes[number]
        return due

    def forget(self) -> None:
        """Let go of orders that were over REMEMBERED_SECONDS ago."""
        before = time.monotonic() - REMEMBERED_SECONDS
        while self._ended and self._ended[0][0] < before:
            _, number, oid, eid = self._ended.popleft()
            try:
                if not self.ledger.closed(number):
                    continue                     # alive again
            except KeyError:
                pass                             # its slot is in use by a later order
            self._extras.pop(number, None)
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
        instrument = self._instruments[fields["symbol_id"]] if fields["symbol_id"] < len(self._instruments) else None
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
            remaining=quantity - filled,
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

    def callback(self, strategy: Any, name: str, argument: Any) -> None:
        """Call a strategy's callback; what it raises is logged with its traceback and goes no further."""
        if self._held is not None:
            self._held.append((strategy, name, argument))
            return
        try:
            getattr(strategy, name)(argument)
        except Exception as error:
            self._log.exception(f"{type(strategy).__name__}.{name} raised {type(error).__name__}", error)

    def hold(self) -> None:
        """No callback until release(): the cache is brought up to date before on_start."""
        self._held = []

    def release(self) -> None:
        """What was held is told now, in its order."""
        held, self._held = self._held or [], None
        for strategy, name, argument in held:
            self.callback(strategy, name, argument)

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

    def _extra(self, number: int) -> Extra:
        extra = self._extras.get(number)
        if extra is None:
            extra = self._extras[number] = Extra()
        return extra


def _average(instrument: Instrument, quantity: Decimal, cost: Decimal) -> Decimal:
    """The price at which the whole quantity has this cost."""
    size = quantity * instrument.contract_size
    return (size / cost if instrument.is_inverse else cost / size) if cost and size else Decimal(0)


def _mantissa(value: Decimal | None, scale: int) -> int:
    """For the journal: 0 where the event brings no fill, or one finer than the symbol's scale."""
    if value is None:
        return 0
    try:
        return to_mantissa(value, scale)
    except ValueError:
        return 0
