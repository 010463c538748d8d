"""What became of requests about orders, as the strategies hear of it beside the orders' own states."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from nexus_fast.constants import WsOrderResultType
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.ledger import Ledger
from nexus_fast.order.telling import Telling


class RequestAnswers:
    """`call(strategy, name, argument)` calls a callback."""

    def __init__(
        self,
        ledger: Ledger,
        telling: Telling,
        instruments: Sequence[Instrument],
        strategies: Sequence[Any],
        call: Callable[[Any, str, Any], None],
    ):
        self._ledger = ledger
        self._telling = telling
        self._instruments = instruments
        self._strategies = strategies
        self._call = call

    def result(self, number: int, kind: WsOrderResultType, reason: str) -> None:
        """Tell the strategy what became of a request whose answer was not a plain yes."""
        fields = self._ledger.fields(number)
        instrument = self._instruments[fields["symbol_id"]]
        event = {
            "oid": fields["client_id"],
            "symbol": instrument.symbol,
            "exchange": instrument.exchange,
            "result_type": kind,
            "reason": reason,
            "timestamp": time.time_ns() // 1_000_000,
        }
        self._call(self._strategies[fields["strategy"]], "on_ws_order_request_result", event)

    def answer_modification(self, number: int, before: dict, update: OrderUpdate) -> None:
        """What became of a modification, once. A change that was not asked for here is one, too; an order's end is an answer."""
        now = self._ledger.fields(number)
        if update.event == "MODIFY_REJECTED":
            self.modify_failed(number, WsOrderResultType.ACK_REJECTED, update.reason or "modify: refused")
        elif before["modifying"] or (before["price"], before["quantity"]) != (now["price"], now["quantity"]):
            self._telling.tell_request(now, "on_modified_order")

    def modify_failed(self, number: int, kind: WsOrderResultType, reason: str) -> None:
        """The order is as it was; the strategy hears why."""
        self.result(number, kind, reason)
        self._telling.tell_request(self._ledger.fields(number), "on_modify_failed_order", reason)
