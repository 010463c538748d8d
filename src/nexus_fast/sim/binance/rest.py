"""The REST entry of both markets: one HTTP server for /api, /sapi, /fapi and /dapi.

aiohttp's low-level server without its router and middlewares: a path is one dictionary look-up. The moment a
request's bytes arrive is taken in `data_received`, before they are parsed.
"""

import logging
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from nexus_fast.sim.binance import errors, signing
from nexus_fast.sim.binance.errors import VenueError
from nexus_fast.sim.binance.requests import Call, Service
from nexus_fast.sim.binance.routes import Operation, Security
from nexus_fast.sim.faults import NONE, Faults
from nexus_fast.sim.faults.rest import RestRequest
from nexus_fast.sim.timed_http import TimedHandler

_log = logging.getLogger(__name__)
_encode = msgspec.json.encode
_JSON = "application/json"
# Parameters that prove the sender; a key alone comes in a header.
PROOF = {Security.NONE: frozenset(), Security.KEY: frozenset(),
         Security.SIGNED: frozenset(("timestamp", "recvWindow", "signature"))}


class RestServer(web.Server):
    """Answers with the operation of (method, path), or the venue's error."""

    def __init__(self, services: list[tuple[Service, dict[tuple[str, str], Operation]]], faults: Faults = NONE):
        super().__init__(self._answer, access_log=None)
        self.table = {route: (service, operation) for service, table in services for route, operation in table.items()}
        self.paths = {path for _, path in self.table}
        self.faults = faults

    def __call__(self):
        return TimedHandler(self, loop=self._loop, access_log=None)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        received_ns = request.protocol.received_ns
        path = request.path
        found = self.table.get((request.method, path))
        if found is None:
            return self._unknown(path)
        service, operation = found
        body = (await request.read()).decode("utf-8", "replace") if request.can_read_body else ""
        if self.faults.active:
            def perform(seen) -> web.Response:
                return self._serve(request, service, operation, body, received_ns, seen)

            return await RestRequest(self.faults, "binance", request, request.headers.get("X-MBX-APIKEY", ""), perform).answer()
        return self._serve(request, service, operation, body, received_ns)

    def _unknown(self, path: str) -> web.Response:
        if path in self.paths:
            return _response(405, {"code": -1000, "msg": "Request method not supported"}, {})
        return web.Response(status=404, text="<html><body><h2>404 Not found</h2></body></html>",
                            content_type="text/html")

    def _serve(self, request, service: Service, operation: Operation, body: str, received_ns: int, seen=None) -> web.Response:
        """`seen`: the account that a query is shown instead of its own, which a fault may want."""
        query = request.rel_url.raw_query_string
        call = Call(service, {}, received_ns)
        address = request.remote or ""
        try:
            call.params = _params(query, body)
            if operation.is_order:
                service.statistics.order_received(service.name, call.params.get("symbol", ""), received_ns)
            result = self._perform(request, call, operation, address, signing.rest_payload(query, body), seen)
            status, headers = 200, {}
        except VenueError as error:
            if operation.is_order:
                service.statistics.rejects += 1
            status, result, headers = error.status, error.body(), _retry_after(error, service)
        except Exception:
            _log.exception("a REST request failed inside the simulator: %s %s", request.method, request.path)
            status, result, headers = 500, errors.internal().body(), {}
        service.market.flush(call.book)
        counted = call.account.key if operation.is_order and call.account is not None else None
        headers.update(service.limits.headers(address, counted, service.clock.milliseconds()))
        return _response(status, result, headers)

    def _perform(self, request, call: Call, operation: Operation, address: str, payload: str, seen):
        limits, now = call.service.limits, call.service.clock.milliseconds()
        if not (operation.is_order_entry and limits.order_entry_is_free):
            limits.charge_weight(address, operation.weight, now)
        if operation.security == Security.KEY:
            call.identify(request.headers.get("X-MBX-APIKEY"))
        elif operation.security == Security.SIGNED:
            call.prove(request.headers.get("X-MBX-APIKEY"), payload)
        if operation.takes is not None:
            call.refuse_unknown(operation.takes | PROOF[operation.security])
        if seen is not None and call.account is not None and request.method == "GET":
            call.account = seen(call.account)
        return operation.perform(call)


def _params(query: str, body: str) -> dict[str, str]:
    """Query string and form body; where both name a parameter the query string counts, as on the venue. Neither may name
    one twice."""
    return {**(_each_once(body) if not body.startswith("{") else {}), **_each_once(query)}


def _each_once(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name in found:
            raise errors.duplicate(name)
        found[name] = value
    return found


def _retry_after(error: VenueError, service: Service) -> dict[str, str]:
    if error.status != 429 or not error.data:
        return {}
    seconds = (error.data["retryAfter"] - service.clock.milliseconds()) // 1000 + 1
    return {"Retry-After": str(max(1, seconds))}


def _response(status: int, result, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=_encode(result), content_type=_JSON, headers=headers)
