"""What OKX's answers to an account's order requests mean for its orders.

An answer finds its order by its id (gateway/request_ids.py) and its op. A yes to a cancel or an amendment says that the request
was taken, not that it is done: the orders channel says that, and until then the request's deadline stands.
"""

from typing import Any

from nexus_fast.constants import WsOrderResultType
from nexus_fast.exchange.modification import apply_refusal
from nexus_fast.exchange.okx.outcomes import classify
from nexus_fast.exchange.okx.websocket_api import Message, decode_result
from nexus_fast.exchange.outcome import Outcome, Request, Verdict
from nexus_fast.gateway.okx import ID_OVERFLOW
from nexus_fast.gateway.request_ids import read_request_id
from nexus_fast.log import Logger
from nexus_fast.order.events import OrderUpdate

OPERATIONS: dict[str, Request] = {"order": "place", "cancel-order": "cancel", "amend-order": "modify"}


class OrderAnswers:
    """`account` is asked to renew(reason) when the venue refused the session."""

    def __init__(self, account: Any, host: Any, log: Logger):
        self._account = account
        self._host = host
        self._log = log

    def on_answer(self, message: Message) -> None:
        request, number = self._find(message)
        if not number:
            self._log.warning(f"an answer to an unknown request: {message.op} {message.id}: {message.code} {message.msg}")
            return
        result = decode_result(message)
        if result is None:
            verdict = classify(request, message.code, message.msg)
        else:
            verdict = classify(request, message.code, message.msg, result.s_code, result.s_msg)
        tracker = self._host.tracker
        tracker.drain()
        if result is not None:
            said = OrderUpdate(event="ACCEPTED", client_id=result.cl_ord_id, venue_id=result.ord_id)
            if tracker.refuses(number, said):
                return
        handle = {"place": self._on_place, "cancel": self._on_cancel, "modify": self._on_modify}[request]
        handle(number, verdict, result.ord_id if result is not None else "")
        if verdict.rate_limited:
            self._host.on_rate_limited(self._account, verdict.pause_ms / 1000, verdict.reason)
        if verdict.filtered:
            self._host.on_filter_refused(self._account)
        if verdict.resync_clock:
            self._host.times.measure(self._account, in_doubt=True)
        if verdict.session_lost:
            self._account.renew(verdict.reason)

    def _find(self, message: Message) -> tuple[Request, int]:
        """(which request, the order's number). The op says which; without one (an event "error") the id alone does."""
        find, name = self._host.tracker.ledger.find, message.id or ""
        request = OPERATIONS.get(message.op)
        if request == "place":
            return request, find(name)
        if request is None:
            return read_request_id(name, find, ID_OVERFLOW)
        # Another order may have this text as its own client id: it is not the one that is answered.
        _, number = read_request_id(name, lambda text: 0 if text == name else find(text), ID_OVERFLOW)
        return request, number

    def _on_place(self, number: int, verdict: Verdict, venue_id: str) -> None:
        tracker = self._host.tracker
        if verdict.outcome is Outcome.ACCEPTED:
            tracker.apply_to(number, OrderUpdate(event="ACCEPTED", client_id="", venue_id=venue_id))
        elif verdict.outcome is Outcome.REFUSED:
            tracker.apply_to(number, OrderUpdate(event="REJECTED", client_id="", reason=verdict.reason))
            tracker.result(number, WsOrderResultType.ACK_REJECTED, verdict.reason)
        else:
            tracker.doubt(number, verdict.reason)

    def _on_cancel(self, number: int, verdict: Verdict, venue_id: str) -> None:
        if verdict.outcome is Outcome.ACCEPTED:
            return
        tracker = self._host.tracker
        tracker.ledger.answered(number)
        event = "CANCEL_REJECTED" if verdict.outcome is Outcome.REFUSED else "CANCEL_DOUBT"
        tracker.apply_to(number, OrderUpdate(event=event, client_id="", reason=f"cancel: {verdict.reason}"))

    def _on_modify(self, number: int, verdict: Verdict, venue_id: str) -> None:
        if verdict.outcome is not Outcome.ACCEPTED:
            apply_refusal(self._host, number, verdict)
