"""What the answers of Bybit's trade WebSocket mean for the orders.

A yes to a new order, a cancel or an amendment says that it was accepted for processing. It changes nothing here: the order stream
says what became of it, and where that stays silent the request's deadline passes and the venue is asked.
"""

from typing import Any

from nexus_fast.constants import WsOrderResultType
from nexus_fast.exchange.bybit.instruments import CATEGORIES
from nexus_fast.exchange.bybit.outcomes import classify
from nexus_fast.exchange.bybit.trade_api import Answer
from nexus_fast.exchange.modification import apply_refusal
from nexus_fast.exchange.outcome import Outcome, Request, Verdict
from nexus_fast.gateway.request_ids import read_request_id
from nexus_fast.log import Logger
from nexus_fast.order.events import OrderUpdate

REQUESTS: dict[str, Request] = {"order.create": "place", "order.cancel": "cancel", "order.amend": "modify"}


class OrderAnswers:
    """`account` is asked to renew_trade() when the venue takes no more requests on this connection; its `limits` hear of the
    venue's."""

    def __init__(self, account: Any, host: Any, log: Logger):
        self._account = account
        self._host = host
        self._log = log

    def on_answer(self, answer: Answer) -> None:
        request = REQUESTS.get(answer.op)
        # What stands behind the dot tells requests of one kind about one order apart.
        _, number = read_request_id((answer.req_id or "").partition(".")[0], self._host.tracker.ledger.find)
        if request is None or not number:
            self._log.warning(f"an answer to an unknown request: {answer.op} {answer.req_id}: {answer.code} {answer.message}")
            return
        named, tracker = answer.named, self._host.tracker
        if tracker.refuses(number, OrderUpdate(event="ACCEPTED", client_id=named.order_link_id, venue_id=named.order_id)):
            return
        if answer.limit:
            self._note_limit(number, request, answer.limit)
        verdict = classify(request, answer.code, answer.message, pause_ms=answer.pause_ms)
        if verdict.outcome is not Outcome.ACCEPTED:
            tracker.drain()
            {"place": self._on_place, "cancel": self._on_cancel, "modify": self._on_modify}[request](number, verdict)
        if verdict.rate_limited:
            self._host.on_rate_limited(self._account, verdict.pause_ms / 1000, verdict.reason)
        if verdict.filtered:
            self._host.on_filter_refused(self._account)
        if verdict.resync_clock:
            self._host.times.measure(self._account, in_doubt=True)
        if verdict.session_lost:
            self._log.error(f"the trade connection takes no more requests ({verdict.reason}); connecting again")
            self._account.renew_trade()

    def _note_limit(self, number: int, request: Request, limit: int) -> None:
        instrument = self._host.core.instruments[self._host.core.ledger.fields(number)["symbol_id"]]
        self._account.limits.heard(CATEGORIES[instrument.type], request, limit)

    def on_late_refusal(self, number: int, reason: str) -> None:
        """The order stream says why the matching engine did not do what was accepted for processing (docs/v5/enum#rejectreason):
        the order lives on as it was."""
        canceling = self._host.tracker.ledger.state(number) == "CANCELING"
        (self._on_cancel if canceling else self._on_modify)(number, Verdict(Outcome.REFUSED, reason))

    def _on_place(self, number: int, verdict: Verdict) -> None:
        tracker = self._host.tracker
        if verdict.outcome is Outcome.REFUSED:
            tracker.apply_to(number, OrderUpdate(event="REJECTED", client_id="", reason=verdict.reason))
            tracker.result(number, WsOrderResultType.ACK_REJECTED, verdict.reason)
        else:
            tracker.doubt(number, verdict.reason)

    def _on_cancel(self, number: int, verdict: Verdict) -> None:
        tracker = self._host.tracker
        tracker.ledger.answered(number)
        event = "CANCEL_REJECTED" if verdict.outcome is Outcome.REFUSED else "CANCEL_DOUBT"
        tracker.apply_to(number, OrderUpdate(event=event, client_id="", reason=f"cancel: {verdict.reason}"))

    def _on_modify(self, number: int, verdict: Verdict) -> None:
        apply_refusal(self._host, number, verdict)
