"""The REST entry: one HTTP server for /v5 whose answers are `{"retCode", "retMsg", "result", "retExtInfo", "time"}`."""

import logging
import secrets
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from nexus_fast.sim.bybit import errors
from nexus_fast.sim.bybit.errors import VenueError
from nexus_fast.sim.bybit.requests import Call, Exchange, as_texts, decode
from nexus_fast.sim.bybit.tables import REST, Operation
from nexus_fast.sim.connections import Connections
from nexus_fast.sim.faults.rest import RestRequest
from nexus_fast.sim.timed_http import TimedHandler

_log = logging.getLogger(__name__)
_encode = msgspec.json.encode


class RestServer(web.Server):
    """Answers with the operation of (method, path), or the venue's error."""

    def __init__(self, exchange: Exchange, connections: Connections):
        super().__init__(self._answer, access_log=None)
        self.exchange = exchange
        self.sockets = connections

    def __call__(self):
        return TimedHandler(self, loop=self._loop, access_log=None)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        received_ns = request.protocol.received_ns
        operation = REST.get((request.method, request.path))
        if not self.exchange.limits.address_allowed(request.remote or "", self.exchange.clock.milliseconds()):
            return web.Response(status=403, text="access too frequent", content_type="text/html")
        if operation is None:
            return web.Response(status=404, text="404 page not found")
        body = (await request.read()).decode("utf-8", "replace") if request.can_read_body else ""
        faults = self.sockets.faults
        if faults.active:
            def perform(seen) -> web.Response:
                return self._serve(request, operation, body, received_ns, seen)

            return await RestRequest(faults, "bybit", request, request.headers.get("X-BAPI-API-KEY", ""), perform).answer()
        return self._serve(request, operation, body, received_ns)

    def _serve(self, request: web.BaseRequest, operation: Operation, body: str, received_ns: int, seen=None) -> web.Response:
        """`seen`: the account that a query is shown instead of its own, which a fault may want."""
        call = Call(self.exchange, {}, received_ns)
        sent = body if request.method == "POST" else request.rel_url.raw_query_string
        status = 200
        try:
            call.params = _params(request.method, sent)
            answer = {"retCode": 0, "retMsg": "OK", "result": self._perform(request, call, operation, sent, seen)}
        except VenueError as error:
            self.exchange.statistics.rejects += operation.is_order
            status, answer = error.status, {"retCode": error.code, "retMsg": error.text, "result": {}}
        except Exception:
            _log.exception("a REST request failed inside the simulator: %s %s", request.method, request.path)
            error = errors.internal()
            answer = {"retCode": error.code, "retMsg": error.text, "result": {}}
        now = call.now()
        self.exchange.flush(call)
        headers = {"Timenow": str(now), "Traceid": secrets.token_hex(16), **(call.taken.headers() if call.taken else {})}
        return web.Response(status=status, body=_encode({**answer, "retExtInfo": call.ext, "time": now}),
                            content_type="application/json", headers=headers)

    def _perform(self, request: web.BaseRequest, call: Call, operation: Operation, sent: str, seen) -> dict:
        if operation.is_private:
            call.prove(request.headers, sent)
            if operation.limit:
                call.taken = self.exchange.limits.take_request(call.account.key, request.path, operation.limit, call.now())
                if not call.taken.allowed:
                    raise errors.too_many_visits()
            if seen is not None and request.method == "GET":
                call.account = seen(call.account)
        return operation.perform(call)


def _params(method: str, sent: str) -> dict[str, str]:
    """A GET's query string, a POST's JSON object."""
    if method != "POST":
        return dict(parse_qsl(sent, keep_blank_values=True))
    try:
        params = decode(sent or "{}")
    except (msgspec.DecodeError, RecursionError):
        raise errors.parameter("params error: the body is not JSON") from None
    if not isinstance(params, dict):
        raise errors.parameter("params error: the body is not a JSON object")
    return as_texts(params)
