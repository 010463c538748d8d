"""The REST entry: /api/v5 under one HTTP server, a path is one dictionary look-up.

Every answer is `{"code": "0", "msg": "", "data": […]}`; order entry adds `inTime` and `outTime` in microseconds.
"""

import logging
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from nexus_fast.sim.account import Account
from nexus_fast.sim.faults import NONE, Faults
from nexus_fast.sim.faults.rest import RestRequest
from nexus_fast.sim.okx import errors, orders, signing
from nexus_fast.sim.okx.errors import VenueError
from nexus_fast.sim.okx.requests import Call, Exchange, as_text
from nexus_fast.sim.okx.socket_trading import check_deadline
from nexus_fast.sim.okx.tables import REST, Operation
from nexus_fast.sim.timed_http import TimedHandler

_log = logging.getLogger(__name__)
_encode = msgspec.json.encode


class RestServer(web.Server):
    """Answers with the operation of (method, path), or the venue's error."""

    def __init__(self, exchange: Exchange, faults: Faults = NONE):
        super().__init__(self._answer, access_log=None)
        self.exchange = exchange
        self.faults = faults
        self.paths = {path for _, path in REST}

    def __call__(self):
        return TimedHandler(self, loop=self._loop, access_log=None)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        received_ns = request.protocol.received_ns
        operation = REST.get((request.method, request.path))
        if operation is None:
            if request.path in self.paths:
                return _response(errors.wrong_method().status, errors.wrong_method().body())
            return _response(404, {"code": "404", "msg": "Not Found", "data": []})
        body = (await request.read()) if request.can_read_body else b""
        if self.faults.active:
            def perform(seen) -> web.Response:
                return self._serve(request, operation, body, received_ns, seen)

            return await RestRequest(self.faults, "okx", request, request.headers.get("OK-ACCESS-KEY", ""), perform).answer()
        return self._serve(request, operation, body, received_ns)

    def _serve(self, request, operation: Operation, body: bytes, received_ns: int, seen=None) -> web.Response:
        """`seen`: gives the account that a query is shown instead of its own, which a fault may want."""
        exchange, call = self.exchange, None
        received_us, status = exchange.clock.microseconds(), 200
        try:
            call = self._call(request, operation, body)
            if seen is not None and call.account is not None and request.method == "GET":
                call.account = seen(call.account)
            if operation.places:
                _count_orders(call, received_ns)
            rows = operation.perform(call)
            answer = {"code": orders.answer_code(rows) if operation.is_entry else "0", "data": rows, "msg": ""}
            if operation.places:
                exchange.statistics.rejects += sum(row["sCode"] != "0" for row in rows)
            if operation.is_entry:
                answer.update(inTime=str(received_us), outTime=str(exchange.clock.microseconds()))
        except VenueError as error:
            status, answer = error.status, error.body()
        except Exception:
            _log.exception("a REST request failed inside the simulator: %s %s", request.method, request.path)
            status, answer = errors.internal().status, errors.internal().body()
        if call is not None and call.touched:
            exchange.flush(call.touched.values())
        return _response(status, answer)

    def _call(self, request, operation: Operation, body: bytes) -> Call:
        exchange, address = self.exchange, request.remote or ""
        account = self._prove(request, body) if operation.is_private else None
        params, items = _parameters(request, body)
        call = Call(exchange, params, items, account=account, address=address)
        if operation.is_entry:
            deadline = request.headers.get("expTime", "")
            if deadline:
                check_deadline(exchange, deadline)
        else:
            call.charge(request.path)
        return call

    def _prove(self, request, body: bytes) -> Account:
        """Key, time, passphrase and signature, in the venue's order of complaints."""
        headers, exchange = request.headers, self.exchange
        for name, code in (("OK-ACCESS-KEY", 50103), ("OK-ACCESS-PASSPHRASE", 50104), ("OK-ACCESS-SIGN", 50106),
                           ("OK-ACCESS-TIMESTAMP", 50107)):
            if not headers.get(name):
                raise errors.header_empty(code, name)
        time_text = headers["OK-ACCESS-TIMESTAMP"]
        sent = signing.iso_milliseconds(time_text)
        if sent is None:
            raise errors.bad_timestamp()
        if abs(exchange.now() - sent) > signing.WINDOW_MS:
            raise errors.expired()
        account = exchange.accounts.get(headers["OK-ACCESS-KEY"])
        if account is None or account.revoked:
            raise errors.bad_key()
        if headers["OK-ACCESS-PASSPHRASE"] != account.passphrase:
            raise errors.bad_passphrase()
        signed = time_text + request.method + request.raw_path + body.decode("utf-8", "replace")
        if not signing.is_valid(account.secret, signed, headers["OK-ACCESS-SIGN"]):
            exchange.statistics.bad_signatures += 1
            raise errors.bad_signature()
        return account


def _parameters(request, body: bytes) -> tuple[dict[str, str], list[dict[str, str]] | None]:
    """Query string for GET, JSON body for POST: an object, or a list of objects for what takes many orders."""
    if request.method == "GET":
        return dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)), None
    if not body:
        raise VenueError(50000, "Body for POST request cannot be empty.", 400)
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise errors.not_json() from None
    items = decoded if isinstance(decoded, list) else [decoded]
    if not all(isinstance(each, dict) for each in items):
        raise errors.not_json()
    texts = [{name: as_text(value) for name, value in each.items()} for each in items]
    return (texts[0] if texts else {}), texts


def _count_orders(call: Call, received_ns: int) -> None:
    listing = call.exchange.listings.get(call.params.get("instId", ""))
    if listing is not None:
        call.exchange.statistics.order_received(listing.instrument.market, listing.instrument_id, received_ns)


def _response(status: int, answer: dict) -> web.Response:
    return web.Response(status=status, body=_encode(answer), content_type="application/json")
