"""Orders as the strategies see them: venue updates meet the order table, strategies hear what changed.

    OrderUpdate ─▶ Tracker ─▶ Ledger (the table in C, the journal, the order ring) ─▶ Telling ─▶ cache ─▶ on_fill, on_…_order

A trade is counted once (executions.py). What is executed of an order, in the table, is the larger of what the venue says it is
and the sum of its trades; while the sum is the smaller one, there is a hole, and the venue is asked for the trades (holes.py).
Strategies are told of fills, and of an end after its last fill (telling.py). What cannot be about the order is not believed, and
the venue is asked (agreement.py).
"""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from nexus_fast.cache import Cache
from nexus_fast.config import RiskConfig
from nexus_fast.constants import AccountType, OrderStatus
from nexus_fast.exchange.instrument import Instrument, to_mantissa
from nexus_fast.log import Logger
from nexus_fast.order.agreement import contradiction
from nexus_fast.order.callbacks import Callbacks
from nexus_fast.order.events import LAG_SECONDS, OrderUpdate
from nexus_fast.order.executions import NOTHING, Executions, Extra, Taken, extra_of
from nexus_fast.order.fills import FillMaker
from nexus_fast.order.former import Former
from nexus_fast.order.holes import Holes
from nexus_fast.order.hot_news import HotNews
from nexus_fast.order.ledger import Ledger
from nexus_fast.order.matching import Matching
from nexus_fast.order.past import Past
from nexus_fast.order.request_answers import RequestAnswers
from nexus_fast.order.shortfalls import Shortfalls
from nexus_fast.order.states import ACTIONS
from nexus_fast.order.telling import Telling
from nexus_fast.order.view import OrderView
from nexus_fast.order.watch import CallbackWatch
from nexus_fast.schema import Order

QUERY, CONFLICT, CANCEL = ACTIONS["QUERY"], ACTIONS["CONFLICT"], ACTIONS["CANCEL"]
ENDS = ("FILLED", "CANCELED", "EXPIRED")
COUNTS = ("fills", "filled", "rejected", "refused", "canceled", "foreign", "repeated_fills", "contradictions", "holes_given_up",
          "fills_without_trade")
REQUEST_REFUSED = ("CANCEL_REJECTED", "MODIFY_REJECTED")     # their reason is the request's, and not the order's


class Tracker:
    """`query(number)` asks the venue about an order whose outcome is in doubt. account_type: of an account, by its index.
    `halted`: the kill switch; whatever the venue still accepts is canceled. `fills.on_executed`, `telling.on_told`: see there."""

    def __init__(
        self,
        ledger: Ledger,
        cache: Cache,
        instruments: Sequence[Instrument],
        strategies: Sequence[Any],
        query: Callable[[int], None],
        log: Logger,
        account_type: Callable[[int], AccountType],
        watch: CallbackWatch | None = None,
        risk: RiskConfig | None = None,
    ):
        self.ledger = ledger
        self.cache = cache
        self.counts = dict.fromkeys(COUNTS, 0)
        self._instruments = instruments
        self._query = query
        self._log = log
        self._extras: dict[int, Extra] = {}
        self.halted = False
        self._executions = Executions(instruments, self.counts)
        callbacks = Callbacks(watch or CallbackWatch(log))
        self.callback, self.hold, self.release = callbacks.call, callbacks.hold, callbacks.release
        self._view = OrderView(instruments, self._extras, risk)
        self.refusal = self._view.refusal
        self.fills = FillMaker(cache, self._view, instruments, account_type)
        self.holes = Holes()
        self._former = Former(ledger, self._extras, self.holes, self._forgotten)
        self.former, self.forget = self._former.find, self._former.forget
        self.telling = Telling(cache, self._view, self.fills, strategies, callbacks, self._former.add)
        self.number_of = Matching(ledger, self._former, instruments).number_of
        self._hot_news = HotNews(ledger, cache, self._view, self.telling, strategies, self._note_refusal, self._stop_if_halted)
        self.drain, self.settle, self.settle_some = self._hot_news.drain, self._hot_news.settle, self._hot_news.settle_some
        self._request_answers = RequestAnswers(ledger, self.telling, instruments, strategies, self.callback)
        self.result, self.modify_failed = self._request_answers.result, self._request_answers.modify_failed
        self.shortfalls = Shortfalls(ledger, self._extras, self.holes, self.telling, self.counts, log)

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

    def apply_to(self, number: int, update: OrderUpdate, *, whole: bool = False) -> bool:
        """False when it contradicts the order, and nothing of it was believed. whole: see agreement.contradiction."""
        if self.refuses(number, update, whole=whole):
            return False
        self.drain()
        fields = self.ledger.fields(number)
        if update.event == "FILL" and update.trade_id < 0 and not update.filled:
            update = replace(update, event="ACCEPTED")       # partially filled with nothing
        extra = self._extra(number)
        if update.reason is not None and update.event not in REQUEST_REFUSED:
            extra.reason = update.reason
        taken = self._executions.take(extra, fields, update)
        if update.event == "MODIFIED":
            extra.modified_at = time.monotonic()
        before, _, actions = self._change(number, fields, extra, update, taken.repeated)
        if actions or taken is not NOTHING or update.filled:
            self._tell(number, extra, update, taken, before, actions)
        if update.event in ("MODIFIED", "MODIFY_REJECTED"):
            self._request_answers.answer_modification(number, fields, update)
        return True

    def _change(self, number: int, fields: dict, extra: Extra, update: OrderUpdate, repeated: bool) -> tuple[str, str, int]:
        """The table, and the answer that was awaited; as Ledger.apply."""
        price_scale, size_scale = fields["price_scale"], fields["size_scale"]
        filled = -1 if update.filled is None else to_mantissa(update.filled, size_scale)
        if update.event in ("FILL", "FILLED") or update.trade_id >= 0:
            filled = max(filled, extra.counted, fields["filled"] if repeated else -1)
        modified = update.event == "MODIFIED" and update.price is not None and update.quantity is not None
        changed = self.ledger.apply(
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
            update.reason or "",
        )
        if update.event in ("ACCEPTED", "REJECTED", "MODIFIED"):
            if changed[1] != "CANCELING":
                self.ledger.answered(number)
        elif update.event == "MODIFY_REJECTED":
            self.modification_answered(number)
        return changed

    def _tell(self, number: int, extra: Extra, update: OrderUpdate, taken: Taken, before: str, actions: int) -> None:
        """Everybody who hears of the change, and what follows from it."""
        fields = self.ledger.fields(number)
        self._hot_news.settled(number)
        self.shortfalls.note(fields, extra)
        self._count(fields["state"], before)
        self.telling.tell(fields, extra, update, taken, before, actions)
        self._act(number, before, fields["state"], actions)

    def refuses(self, number: int, update: OrderUpdate, *, whole: bool = True) -> bool:
        """Whether the update contradicts the order. Then it is counted and named, and the venue is asked."""
        fields = self.ledger.fields(number)
        extra = self._extras.get(number) or extra_of(fields)
        brought = _mantissa(update.last_quantity, fields["size_scale"]) if self._executions.is_new(number, extra, update) else 0
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
            self.apply_to(number, update.as_modification(), whole=True)
        return self.apply_to(number, update, whole=True) and is_certain

    def _is_later(self, number: int, asked: float | None) -> bool:
        """Whether what was asked for at this time knows the last modification that is known here."""
        known = self._extras[number].modified_at if number in self._extras else None
        return asked is None or known is None or asked >= known + LAG_SECONDS

    def _act(self, number: int, before: str, after: str, actions: int) -> None:
        if actions & (CONFLICT | QUERY):
            self._query(number)
        if actions & CONFLICT:
            self._log.warning("an update contradicts what is known; asking the venue", number=number, state=before)
            return
        if actions & CANCEL:
            name = self.ledger.fields(number)["client_id"]
            self._log.error(f"order {name} lives, although it was held to have failed; canceling it")
            if self.ledger.cancel(number):
                self._query(number)              # it could not leave: whether the order lives has to be known all the same
        elif before != after:
            self._stop_if_halted(number, after)

    def _note_refusal(self, number: int) -> None:
        self.counts["refused"] += 1
        fields = self.ledger.fields(number)
        self._extra(number).reason = self.refusal(fields["reason"], fields)

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

    def carry(self, number: int, past: Past) -> None:
        """An order of an earlier session, with its fills that were told there. The others are told as the venue lists them, or by
        tell_untold(); an end that was not told, after the last of them."""
        fields = self.ledger.fields(number)
        extra = self._extras[number] = Extra(told=past.told)
        if self.ledger.closed(number):
            self._former.add(number, fields["client_id"], fields["venue_id"])
            extra.shown = OrderStatus.ACCEPTED if fields["filled"] > past.told else None
        for update in self._executions.carry(extra, fields, past):
            extra.unpaid[update.trade_id] = self.fills.of_earlier(fields, update)
        self.cache.apply_order(self._view.order(fields))
        self.shortfalls.note(fields, extra)

    def tell_untold(self, number: int, past: Past) -> None:
        """The fills that an earlier session journalled and did not tell, in the journal's words: those that the venue has not
        listed meanwhile."""
        for update in self._executions.untold(self._extra(number), self.ledger.fields(number), past):
            self.apply_to(number, update)

    def _forgotten(self, number: int, extra: Extra) -> None:
        self._executions.forget(number, extra)
        self.holes.forget(number)

    def _count(self, after: str, before: str) -> None:
        names = {"FILLED": "filled", "FAILED": "rejected", "CANCELED": "canceled"}
        if after != before and after in names:
            self.counts[names[after]] += 1

    # ------------------------------------------------------------------------------------------ to the strategies

    def order(self, number: int) -> Order:
        """As it stands now, as far as it was told."""
        return self._view.order(self.ledger.fields(number))

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
            fields = self.ledger.fields(number)
            extra = self._extras[number] = extra_of(fields)
            if self.ledger.closed(number):           # it was forgotten, and is for a while what it was
                self._former.add(number, fields["client_id"], fields["venue_id"])
        return extra


def _mantissa(value: Decimal | None, scale: int) -> int:
    """For the journal: 0 where the event brings no fill, or one finer than the symbol's scale."""
    if value is None:
        return 0
    try:
        return to_mantissa(value, scale)
    except ValueError:
        return 0
