"""One WebSocket connection of the venue: keep-alive, login, subscriptions; trading on the private one.

The venue sends no PING of its own. It cuts a connection over which nothing went either way for 30 seconds (close code
4004); a client that has nothing to say sends the bare text `ping` and gets the bare text `pong`.
"""

import logging
import secrets
from time import monotonic, perf_counter_ns

import msgspec

from nexus_fast.sim.account import Account
from nexus_fast.sim.connections import Cadence, Connection, Connections
from nexus_fast.sim.okx import private_channels, public_channels, signing
from nexus_fast.sim.okx.requests import CLIENT_ID, Exchange, as_text
from nexus_fast.sim.okx.socket_trading import OPERATIONS, trade

LOGIN_FAILED, IDLE = 4001, 4004
REQUESTS_PER_HOUR = 480  # of subscribe, unsubscribe and login
MAXIMUM_ARGUMENTS = 65_536  # bytes of one request
_log = logging.getLogger(__name__)
_encode = msgspec.json.encode


class SocketError(Exception):
    """A request is answered by an error event."""

    def __init__(self, code: int, text: str):
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


class OkxConnection(Connection):
    """`place` is "public", "private" or "business". `idle_seconds`: how long it may be silent."""

    def __init__(self, connections: Connections, exchange: Exchange, place: str, idle_seconds: float):
        super().__init__(connections, Cadence(0.0, 0.0))
        self.exchange = exchange
        self.place = place
        self.kind = "order" if place == "private" else "stream"
        self.idle_seconds = idle_seconds
        self.connection_id = secrets.token_hex(4)
        self.account: Account | None = None
        self.subscriptions: dict[bytes, object] = {}  # argument as sent -> Channel or Subscription
        self._active = monotonic()
        self._received_ns = 0
        self._hour_began = self._active
        self._requests = 0

    # ---- life

    def send(self, payload: bytes) -> None:
        self._active = monotonic()
        super().send(payload)

    def maintain(self, now: float) -> None:
        if now - self._active > self.idle_seconds:
            self.cut(IDLE, b"No data received in 30s")

    def cut(self, code: int, reason: bytes) -> None:
        """Close with one of the venue's own codes."""
        self.transport.send_close(code, reason)
        self.transport.disconnect()

    def shutdown_notice(self, now_ms: int) -> bytes:
        return _encode({"event": "notice", "code": "64008", "connId": self.connection_id,
                        "msg": "The connection will soon be closed for a service upgrade. Please reconnect."})

    def on_ws_disconnected(self, transport) -> None:
        super().on_ws_disconnected(transport)
        for key in list(self.subscriptions):
            self._drop(key)

    def on_ws_frame(self, transport, frame) -> None:
        self._received_ns = perf_counter_ns()  # the moment an order has arrived: before anything is done with it
        self._active = monotonic()
        super().on_ws_frame(transport, frame)

    @property
    def account_key(self) -> str:
        """Whose connection it is, for fault scripts."""
        return self.account.key if self.account is not None else ""

    # ---- requests

    def on_text(self, payload: bytes) -> None:
        if payload == b"ping":
            return self.send(b"pong")
        return self._answer(payload)

    def _answer(self, payload: bytes) -> None:
        identity = ""
        try:
            request = self._parse(payload)
            identity = request.get("id", "")
            if request["op"] in OPERATIONS:
                self._trade(request)
            else:
                self._handle(request)
        except SocketError as error:
            self._refuse(error, identity)
        except Exception:
            _log.exception("a WebSocket request failed inside the simulator: %.200r", payload)
            self._refuse(SocketError(63999, "Internal system error"), identity)

    def _parse(self, payload: bytes) -> dict:
        text = payload.decode("utf-8", "replace")
        try:
            request = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError):
            raise SocketError(60012, f"Invalid request: {text[:200]}") from None
        if len(payload) > MAXIMUM_ARGUMENTS or not isinstance(request, dict) or not isinstance(request.get("op"), str):
            raise SocketError(60012, f"Invalid request: {text[:200]}")
        identity, arguments = request.get("id", ""), request.get("args")
        if not isinstance(identity, str) or (identity and not CLIENT_ID.fullmatch(identity)):
            request["id"] = ""
            raise SocketError(60012, f"Invalid request: {text[:200]}")
        if not isinstance(arguments, list) or not all(isinstance(each, dict) for each in arguments) or not arguments:
            if request["op"] not in OPERATIONS:
                raise SocketError(60012, f"Invalid request: {text[:200]}")
        return request

    def _refuse(self, error: SocketError, identity: str) -> None:
        answer = {"event": "error", "code": str(error.code), "msg": error.text, "connId": self.connection_id}
        self.send(_encode({"id": identity, **answer} if identity else answer))

    def _handle(self, request: dict) -> None:
        operation = request["op"]
        if operation not in ("login", "subscribe", "unsubscribe"):
            raise SocketError(60019, f"Invalid op: {operation[:64]}")
        self._charge()
        if operation == "login":
            return self._login(request["args"][0])
        perform = self._subscribe if operation == "subscribe" else self._unsubscribe
        for argument in request["args"]:
            try:
                perform(argument, request.get("id", ""))
            except SocketError as error:
                self._refuse(error, request.get("id", ""))
        return None

    def _charge(self) -> None:
        now = monotonic()
        if now - self._hour_began > 3600:
            self._hour_began, self._requests = now, 0
        self._requests += 1
        if self._requests > REQUESTS_PER_HOUR * self.exchange.limits.factor:
            raise SocketError(60014, "Requests too frequent")

    def _trade(self, request: dict) -> None:
        if self.place != "private":
            raise SocketError(60028, "The current operation is not supported by this URL. Please use the correct URL.")
        if self.account is None or self.account.revoked:
            raise SocketError(60011, "Please log in")
        answer, touched = trade(self.exchange, self.account, request, self._received_ns)
        self.send(_encode(answer))
        self.exchange.flush(touched)

    # ---- login

    def _login(self, argument: dict) -> None:
        try:
            account = self._prove({name: as_text(value) for name, value in argument.items()})
        except SocketError as error:
            self._refuse(error, "")
            self.cut(LOGIN_FAILED, b"Login failed")
            return
        self.account = account
        self.send(_encode({"event": "login", "msg": "", "code": "0", "connId": self.connection_id}))

    def _prove(self, argument: dict[str, str]) -> Account:
        exchange, time_text = self.exchange, argument.get("timestamp", "")
        for name, code in (("apiKey", 60001), ("sign", 60002), ("passphrase", 60003)):
            if not argument.get(name):
                raise SocketError(code, f"{name} can't be empty")
        sent = signing.seconds_milliseconds(time_text)
        if sent is None:
            raise SocketError(60004, "Invalid timestamp")
        if abs(exchange.now() - sent) > signing.WINDOW_MS:
            raise SocketError(60006, "Timestamp request expired")
        account = exchange.accounts.get(argument["apiKey"])
        if account is None or account.revoked:
            raise SocketError(60005, "Invalid apiKey")
        if account.passphrase != argument["passphrase"]:
            raise SocketError(60024, "Wrong passphrase")
        if not signing.is_valid(account.secret, time_text + signing.LOGIN_TARGET, argument["sign"]):
            exchange.statistics.bad_signatures += 1
            raise SocketError(60007, "Invalid sign")
        return account

    # ---- subscriptions

    def _subscribe(self, argument: dict, identity: str) -> None:
        key = _encode(dict(sorted(argument.items())))
        texts = {name: value for name, value in argument.items() if isinstance(value, str)}
        channel = texts.get("channel", "")
        if channel in self._private_names():
            self._subscribe_private(key, texts, argument, identity)
        elif channel in self._public_names():
            self._subscribe_public(key, texts, argument, identity)
        else:
            raise self._no_channel(argument)

    def _private_names(self) -> tuple[str, ...]:
        return private_channels.CHANNELS if self.place == "private" else ()

    def _public_names(self) -> tuple[str, ...]:
        names = {"public": public_channels.PUBLIC, "business": public_channels.BUSINESS}
        return names.get(self.place, ())

    @staticmethod
    def _no_channel(argument: dict) -> SocketError:
        told = ",".join(f"{name}:{value}" for name, value in argument.items())[:300]
        return SocketError(60018, f"Wrong URL or {told} doesn't exist. Please use the correct URL, channel and parameters "
                                  "referring to API document.")

    def _acknowledge(self, event: str, argument: dict, identity: str) -> None:
        answer = {"event": event, "arg": argument, "connId": self.connection_id}
        self.send(_encode({"id": identity, **answer} if identity else answer))

    def _subscribe_public(self, key: bytes, texts: dict, argument: dict, identity: str) -> None:
        channels = self.exchange.channels
        target = channels.target_of(texts)
        if target is None:
            raise self._no_channel(argument)
        self._acknowledge("subscribe", argument, identity)
        if key not in self.subscriptions:
            channel = self.subscriptions[key] = channels.subscribe(self, texts, target)
            channels.begin(self, channel)

    def _subscribe_private(self, key: bytes, texts: dict, argument: dict, identity: str) -> None:
        users, channel = self.exchange.users, texts["channel"]
        if self.account is None or self.account.revoked:
            raise SocketError(60011, "Please log in")
        if channel in private_channels.NEED_KIND and texts.get("instType", "") not in (
                "ANY", "SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"):
            raise self._no_channel(argument)
        if texts.get("instId") and texts["instId"] not in self.exchange.listings:
            raise self._no_channel(argument)
        known = users.connections_of(self.account, channel)
        if self not in known and len(known) >= private_channels.MAXIMUM_CONNECTIONS:
            self._count("channel-conn-count-error", channel, len(known))
            return
        self._acknowledge("subscribe", argument, identity)
        if key in self.subscriptions:
            return
        one = self.subscriptions[key] = users.subscribe(self, self.account, texts)
        if self not in known:
            for each in users.connections_of(self.account, channel):
                each._count("channel-conn-count", channel, len(known) + 1)
        users.begin(one)

    def _count(self, event: str, channel: str, number: int) -> None:
        """How many connections the account has on a channel: told to all of them whenever it changes."""
        self.send(_encode({"event": event, "channel": channel, "connCount": str(number),
                           "connId": self.connection_id}))

    def _unsubscribe(self, argument: dict, identity: str) -> None:
        key = _encode(dict(sorted(argument.items())))
        if key not in self.subscriptions and argument.get("channel") not in (
                *self._public_names(), *self._private_names()):
            raise self._no_channel(argument)
        self._acknowledge("unsubscribe", argument, identity)
        self._drop(key)

    def _drop(self, key: bytes) -> None:
        subscribed = self.subscriptions.pop(key, None)
        if isinstance(subscribed, public_channels.Channel):
            self.exchange.channels.unsubscribe(self, subscribed)
        elif subscribed is not None:
            users, account, channel = self.exchange.users, subscribed.account, subscribed.channel
            users.unsubscribe(subscribed)
            left = users.connections_of(account, channel)
            if self not in left:
                for each in left:
                    each._count("channel-conn-count", channel, len(left))
