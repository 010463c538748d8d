"""The WebSocket API of both markets: requests with signatures or in a session, answers with rate limits.

Spot: wss …/ws-api/v3. USD-M: wss …/ws-fapi/v1. One JSON text frame per request, its `id` echoed as it came. An
order's answer leaves before the user-data and market-data events that it causes.
"""

import logging
from time import perf_counter_ns
from urllib.parse import parse_qs

import msgspec
from picows import WSMsgType

from nexus_fast.sim.account import Account
from nexus_fast.sim.binance import errors, signing
from nexus_fast.sim.binance.errors import VenueError
from nexus_fast.sim.binance.requests import Call, Service
from nexus_fast.sim.binance.routes import Operation, Security
from nexus_fast.sim.connections import Cadence, Connection, Connections


class _Number(str):
    """A JSON number that is not an integer, kept as the text it was sent in: that text is what was signed."""


_log = logging.getLogger(__name__)
_decoder = msgspec.json.Decoder(float_hook=_Number)
_encode = msgspec.json.encode
MAXIMUM_SUBSCRIPTIONS = 1000
# Parameters that prove the sender; who has logged on leaves out key and signature. Every request may ask for its limits.
PROOF = {Security.NONE: frozenset(("returnRateLimits",)), Security.KEY: frozenset(("returnRateLimits", "apiKey")),
         Security.SIGNED: frozenset(("returnRateLimits", "apiKey", "timestamp", "recvWindow", "signature"))}


def as_texts(params: dict) -> dict[str, str]:
    """Parameter values in the textual form in which they are signed."""
    return {name: value if isinstance(value, str) else _text_of(value) for name, value in params.items()}


def _text_of(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return "" if value is None else _encode(value).decode()


class WebsocketApiConnection(Connection):
    """One connection, with its session and its user-data subscriptions."""

    kind = "order"

    def __init__(self, connections: Connections, cadence: Cadence, service: Service, operations: dict[str, Operation],
                 path: str):
        super().__init__(connections, cadence)
        self.service = service
        self.operations = operations
        self.session: Account | None = None
        self.authorized_since = 0
        self.connected_since = service.clock.milliseconds()
        self.subscriptions: dict[int, Account] = {}
        self.next_subscription = 0
        query = parse_qs(path.partition("?")[2])
        self.returns_limits = query.get("returnRateLimits", ["true"])[0].lower() != "false"

    def shutdown_notice(self, now_ms: int) -> bytes:
        return b'{"event":{"e":"serverShutdown","E":%d}}' % now_ms

    def on_ws_frame(self, transport, frame) -> None:
        # The moment an order has arrived: before anything is done with it.
        received_ns = perf_counter_ns()
        if frame.msg_type == WSMsgType.TEXT:
            self.take(frame.get_payload_as_bytes(), lambda payload: self.on_request(payload, received_ns))
        else:
            super().on_ws_frame(transport, frame)

    def on_ws_disconnected(self, transport) -> None:
        super().on_ws_disconnected(transport)
        for subscription_id, account in self.subscriptions.items():
            self.service.users.unsubscribe(account, self, subscription_id)

    def subscribe_to(self, account: Account, end: int = 0) -> int:
        """The number of the account's subscription, which there may be already; `end` in ms, 0 is never."""
        number = next((n for n, each in self.subscriptions.items() if each is account), None)
        if number is None:
            if len(self.subscriptions) >= MAXIMUM_SUBSCRIPTIONS:
                raise VenueError(-2036, "Too many user data stream subscriptions.")
            number = self.next_subscription
            self.next_subscription += 1
            self.subscriptions[number] = account
        self.service.users.subscribe(account, self, number, end)
        return number

    # ---- a request

    def on_request(self, payload: bytes, received_ns: int) -> None:
        identity, call = None, None
        try:
            request = _parse(payload)
            identity = request.get("id")
            call, result = self._perform(request, received_ns)
            answer = b'"status":200,"result":' + _encode(result)
        except VenueError as error:
            answer = b'"status":%d,"error":%b' % (error.status, _encode(error.body()))
            if error.code == -2015 and self.session is not None and self.session.revoked:
                identity, self.session = None, None
        except Exception:
            _log.exception("a WebSocket API request failed inside the simulator: %.200r", payload)
            answer = b'"status":500,"error":' + _encode(errors.internal().body())
        self.send(b'{"id":%b,%b%b}' % (_encode(identity), answer, self._limits(call)))
        self.service.market.flush(call.book if call is not None else None)

    def _perform(self, request: dict, received_ns: int) -> tuple[Call, object]:
        method = request.get("method")
        if not isinstance(method, str) or not method:
            raise errors.missing("method")
        operation = self.operations.get(method)
        if operation is None:
            raise VenueError(-1000, f"Unknown method '{method}'.")
        params = request.get("params") or {}
        if not isinstance(params, dict):
            raise VenueError(-1100, "Illegal type of 'params': an object is expected.")
        call = Call(self.service, as_texts(params), received_ns, connection=self)
        if operation.is_order:
            self.service.statistics.order_received(self.service.name, call.params.get("symbol", ""), received_ns)
        try:
            self._authorize(call, operation)
            if operation.takes is not None:
                call.refuse_unknown(operation.takes | PROOF[operation.security])
            result = self._charged(call, operation)
        except VenueError:
            if operation.is_order:
                self.service.statistics.rejects += 1
            raise
        call.is_order = operation.is_order
        return call, result

    def _charged(self, call: Call, operation: Operation):
        """Order entry costs weight only when it fails (since April 2026); all else always."""
        now = self.service.clock.milliseconds()
        limits = self.service.limits
        if not operation.is_order_entry:
            limits.charge_weight(self.address, operation.weight, now)
            return operation.perform(call)
        try:
            if self.service.name != "spot" and not limits.order_entry_is_free:
                limits.charge_weight(self.address, operation.weight, now)
            return operation.perform(call)
        except VenueError:
            if not limits.order_entry_is_free:
                limits.charge_weight(self.address, operation.weight, now)
            raise

    def _authorize(self, call: Call, operation: Operation) -> None:
        params = call.params
        if operation.security == Security.NONE:
            return
        if "apiKey" not in params and self.session is not None:
            if self.session.revoked:
                raise errors.bad_key()
            call.account = self.session
            if operation.security == Security.SIGNED:
                call.check_time()
        elif operation.security == Security.KEY:
            call.identify(params.get("apiKey"))
        else:
            if "apiKey" not in params:
                raise errors.missing("apiKey")
            call.prove(params["apiKey"], signing.websocket_payload(params))

    def _limits(self, call: Call | None) -> bytes:
        wanted = self.returns_limits
        if call is not None and "returnRateLimits" in call.params:
            wanted = call.params["returnRateLimits"].lower() == "true"
        if not wanted:
            return b""
        key = call.account.key if call is not None and call.is_order and call.account is not None else None
        return b',"rateLimits":' + self.service.limits.websocket_tail(
            self.address, key, self.service.clock.milliseconds())


def _parse(payload: bytes) -> dict:
    try:
        request = _decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise VenueError(-1135, f"Invalid JSON: {error}") from None
    if not isinstance(request, dict):
        raise VenueError(-1135, "Invalid JSON Request")
    return request


# ---- session


def session_logon(call: Call) -> dict:
    """Only Ed25519 keys may log on."""
    if call.account.public_key is None:
        raise VenueError(-4056, "HMAC-SHA-256 API key is not supported.")
    connection = call.connection
    connection.session, connection.authorized_since = call.account, call.service.clock.milliseconds()
    return session_status(call)


def session_status(call: Call) -> dict:
    connection = call.connection
    session = connection.session
    return {"apiKey": session.key if session else None,
            "authorizedSince": connection.authorized_since if session else None,
            "connectedSince": connection.connected_since, "returnRateLimits": connection.returns_limits,
            "serverTime": call.service.clock.milliseconds(), "userDataStream": bool(connection.subscriptions)}


def session_logout(call: Call) -> dict:
    call.connection.session = None
    return session_status(call)


# ---- user data subscriptions (spot)


def subscribe(call: Call) -> dict:
    """`userDataStream.subscribe` (in a session) and `userDataStream.subscribe.signature` (any key)."""
    connection = call.connection
    if call.account in connection.subscriptions.values():
        raise VenueError(-2035, "User Data Stream subscription is already active.")
    return {"subscriptionId": connection.subscribe_to(call.account)}


def subscribe_in_session(call: Call) -> dict:
    if call.connection.session is None:
        raise VenueError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
    call.account = call.connection.session
    return subscribe(call)


def unsubscribe(call: Call) -> dict:
    """One subscription by its id, or all of the connection."""
    connection = call.connection
    wanted = call.integer("subscriptionId")
    numbers = list(connection.subscriptions) if wanted is None else [wanted]
    for number in numbers:
        account = connection.subscriptions.pop(number, None)
        if account is None:
            raise VenueError(-2036, "User Data Stream subscription does not exist.")
        call.service.users.unsubscribe(account, connection, number)
    return {}


def list_subscriptions(call: Call) -> list:
    return [{"subscriptionId": number} for number in call.connection.subscriptions]


