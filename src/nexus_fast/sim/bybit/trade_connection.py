"""wss …/v5/trade: order entry. One login per connection, no signature per order, a time in the header of each request."""

import logging
import secrets
from collections import OrderedDict
from time import perf_counter_ns

from picows import WSCloseCode

from nexus_fast.sim.bybit import errors
from nexus_fast.sim.bybit.errors import VenueError
from nexus_fast.sim.bybit.requests import Call, as_texts
from nexus_fast.sim.bybit.sockets import Socket, request_id
from nexus_fast.sim.bybit.tables import TRADE

REQUEST_IDS_KEPT = 2000
LONGEST_REQUEST_ID = 36
_log = logging.getLogger(__name__)


class TradeConnection(Socket):
    """One trade connection. An order's acknowledgement leaves before the events that it causes."""

    kind = "order"

    def __init__(self, connections, exchange, idle_seconds):
        super().__init__(connections, exchange, idle_seconds)
        self.seen: OrderedDict[str, None] = OrderedDict()

    def on_ws_frame(self, transport, frame) -> None:
        # The moment an order has arrived: before anything is done with it.
        self.received_ns = perf_counter_ns()
        super().on_ws_frame(transport, frame)

    def on_garbage(self) -> None:
        self.answer({"reqId": "", "retCode": 10001, "retMsg": "Params Error", "op": "", "connId": self.identity})

    def on_request(self, request: dict) -> None:
        op = request["op"]
        if op == "ping":
            head = {"reqId": request_id(request, "reqId")} if "reqId" in request else {}
            self.answer({**head, "retCode": 0, "retMsg": "OK", "op": "pong", "data": [str(self.now())],
                         "connId": self.identity})
        elif op == "auth":
            self._authenticate(request)
        else:
            self._order(request, op)

    def _authenticate(self, request: dict) -> None:
        head = {"reqId": request_id(request, "reqId")} if "reqId" in request else {}
        code, text = 0, "OK"
        try:
            if self.account is not None:
                raise VenueError(20001, "Repeat auth")
            self.log_in(request.get("args"))
        except VenueError as error:
            code, text = error.code, error.text
        self.answer({**head, "retCode": code, "retMsg": text, "op": "auth", "connId": self.identity})
        if self.account is None:
            self.close(WSCloseCode.POLICY_VIOLATION, b"")

    def _order(self, request: dict, op: str) -> None:
        name = request_id(request, "reqId")
        call = Call(self.exchange, {}, self.received_ns, self.account)
        code, text, data = 0, "OK", {}
        operation = TRADE.get(op)
        try:
            if operation is None:
                raise VenueError(10404, f"op type is not found: {op[:64]}")
            call.params = self._params(request)
            self._admit(str(name), request, call)
            data = operation.perform(call)
        except VenueError as error:
            code, text = error.code, error.text
            self.exchange.statistics.rejects += operation is not None and operation.is_order
        except Exception:
            _log.exception("a trade request failed inside the simulator: %.200r", request)
            code, text = errors.internal().code, errors.internal().text
        self.answer({"reqId": name, "retCode": code, "retMsg": text, "op": op, "data": data, "retExtInfo": call.ext,
                     "header": self._header(call), "connId": self.identity})
        self.exchange.flush(call)

    @staticmethod
    def _params(request: dict) -> dict[str, str]:
        arguments = request.get("args")
        if not isinstance(arguments, list) or len(arguments) != 1 or not isinstance(arguments[0], dict):
            raise errors.parameter("Params Error")
        params = as_texts(arguments[0])
        if params.get("category") == "option":
            raise VenueError(10404, "category is not correct")
        return params

    def _admit(self, name: str, request: dict, call: Call) -> None:
        """Who is not logged in, comes twice or too late, is refused."""
        if self.account is None:
            raise VenueError(10005, "Request not authorized")
        if len(name) > LONGEST_REQUEST_ID:
            raise errors.parameter("reqId is too long")
        if name:
            if name in self.seen:
                raise VenueError(20006, "Duplicate reqId")
            self.seen[name] = None
            if len(self.seen) > REQUEST_IDS_KEPT:
                self.seen.popitem(last=False)
        header = request.get("header")
        header = as_texts(header) if isinstance(header, dict) else {}
        call.check_time(header.get("X-BAPI-TIMESTAMP", ""), header.get("X-BAPI-RECV-WINDOW", ""))

    def _header(self, call: Call) -> dict[str, str]:
        return {**(call.taken.headers() if call.taken else {}), "Traceid": secrets.token_hex(16),
                "Timenow": str(self.now())}
