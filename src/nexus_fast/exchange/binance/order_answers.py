"""What Binance's answers to an account's order requests mean for its orders. WebSocket API and REST alike."""

import time
from typing import Any

import msgspec

from nexus_fast.constants import WsOrderResultType
from nexus_fast.exchange.binance.outcomes import classify
from nexus_fast.exchange.binance.snapshot import read_order, read_placed
from nexus_fast.exchange.binance.websocket_api import Answer
from nexus_fast.exchange.modification import apply_refusal
from nexus_fast.exchange.outcome import Outcome, Verdict
from nexus_fast.gateway.request_ids import read_request_id
from nexus_fast.log import Logger
from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.states import EVENTS


class LimitData(msgspec.Struct, rename="camel"):
    """With an error of a limit: when requests are taken again, by the venue's clock, ms."""

    retry_after: int = 0
    server_time: int = 0


class OrderAnswers:
    """`account`: whose answers these are."""

    def __init__(self, account: Any, host: Any, log: Logger):
        self._account = account
        self._host = host
        self._log = log

    def on_answer(self, request_id: str, answer: Answer) -> None:
        kind, number = read_request_id(request_id, self._host.tracker.ledger.find)
        if not number:
            self._log.warning(f"an answer to an unknown request: {request_id}")
            return
        {"place": self.on_place, "cancel": self.on_cancel, "modify": self.on_modify}[kind](number, answer)

    def by_kind(self, number: int, kind: int, answer: Answer) -> None:
        """REST: the connection knows which request was out. kind: nx_order_event_kind of the request."""
        handlers = {"INTENT": self.on_place, "CANCEL_INTENT": self.on_cancel, "MODIFY_INTENT": self.on_modify}
        handlers[EVENTS[kind]](number, answer)

    def on_place(self, number: int, answer: Answer) -> None:
        tracker = self._host.tracker
        tracker.drain()
        if answer.error is None and answer.status == 200:
            tracker.apply_to(number, read_placed(answer.result))
            return
        verdict = _verdict("place", answer)
        if verdict.outcome is Outcome.REFUSED:
            tracker.apply_to(number, OrderUpdate(event="REJECTED", client_id="", reason=verdict.reason))
            tracker.result(number, WsOrderResultType.ACK_REJECTED, verdict.reason)
        else:
            tracker.doubt(number, verdict.reason)
        self._note(verdict)

    def _note(self, verdict: Verdict) -> None:
        """What an answer says beside the order."""
        if verdict.rate_limited:
            self._host.on_rate_limited(self._account, verdict.pause_ms / 1000, verdict.reason)
        if verdict.filtered:
            self._host.on_filter_refused(self._account)
        if verdict.resync_clock:
            self._host.times.measure(self._account, in_doubt=True)

    def on_cancel(self, number: int, answer: Answer) -> None:
        tracker = self._host.tracker
        tracker.drain()
        if answer.error is None and answer.status == 200:
            # With what was filled before: on USD-M this answer may be ahead of the private stream's last fills.
            tracker.apply_to(number, read_order(answer.result))
            return
        tracker.ledger.answered(number)
        verdict = _verdict("cancel", answer)
        event = "CANCEL_REJECTED" if verdict.outcome is Outcome.REFUSED else "CANCEL_DOUBT"
        tracker.apply_to(number, OrderUpdate(event=event, client_id="", reason=f"cancel: {verdict.reason}"))
        self._note(verdict)

    def on_modify(self, number: int, answer: Answer) -> None:
        verdict = _verdict("modify", answer)
        tracker = self._host.tracker
        if answer.result and tracker.refuses(number, read_placed(answer.result)):
            return
        if verdict.outcome is Outcome.ACCEPTED:
            tracker.modification_answered(number)
            return                       # the private stream brings the new price and quantity
        apply_refusal(self._host, number, verdict)
        self._note(verdict)


def _verdict(request: str, answer: Answer) -> Verdict:
    """What an answer means for the order."""
    if answer.error is None:
        return classify(request, answer.status)
    return classify(request, answer.status, answer.error.code, answer.error.msg, pause_of(answer))


def pause_of(answer: Answer) -> int:
    """For how long the venue wants to be left alone, in ms; 0 where it does not say."""
    if answer.pause_ms or answer.error is None or not answer.error.data:
        return answer.pause_ms
    try:
        data = msgspec.json.decode(answer.error.data, type=LimitData)
    except msgspec.MsgspecError:
        return 0
    return max(0, data.retry_after - (data.server_time or time.time_ns() // 1_000_000)) if data.retry_after else 0
