"""What all WebSocket connections of the venue share: requests as JSON objects with `op`, the idle limit, logins.

The venue sends no pings of its own: it cuts a connection over which nothing went either way for ten minutes. Private and
trade connections may ask for less by `?max_active_time=30s` (30s to 600s, or 1m to 10m).
"""

import re
import secrets
from time import monotonic
from urllib.parse import parse_qs

import msgspec
from picows import WSCloseCode

from nexus_fast.sim.account import Account
from nexus_fast.sim.bybit import errors, signing
from nexus_fast.sim.bybit.errors import VenueError
from nexus_fast.sim.bybit.requests import Exchange, decode
from nexus_fast.sim.connections import Cadence, Connection, Connections

IDLE_SECONDS = 600.0
_ACTIVE = re.compile(r"([0-9]{1,3})([sm])", re.ASCII)
_encode = msgspec.json.encode


def connection_id() -> str:
    return f"{secrets.token_hex(10)}-{secrets.token_hex(2)}"


def active_seconds(path: str, usual: float) -> float:
    """The idle limit that the address asks for, else the usual one."""
    asked = _ACTIVE.fullmatch(parse_qs(path.partition("?")[2]).get("max_active_time", [""])[0])
    seconds = int(asked[1]) * (60 if asked[2] == "m" else 1) if asked else 0
    return float(seconds) if 30 <= seconds <= 600 else usual


class Socket(Connection):
    """One connection. Subclasses implement `on_request` and, for what is no JSON object with an op, `on_garbage`."""

    def __init__(self, connections: Connections, exchange: Exchange, idle_seconds: float):
        super().__init__(connections, Cadence(0.0, 0.0))
        self.exchange = exchange
        self.idle_seconds = idle_seconds
        self.identity = connection_id()
        self.account: Account | None = None
        self.last_heard = monotonic()
        self.received_ns = 0

    def send(self, payload: bytes) -> None:
        self.last_heard = monotonic()
        super().send(payload)

    def maintain(self, now: float) -> None:
        if now - self.last_heard > self.idle_seconds:
            self.close(WSCloseCode.GOING_AWAY, b"")

    def shutdown_notice(self, now_ms: int) -> bytes:
        """The venue ends connections without a word."""
        return b""

    @property
    def account_key(self) -> str:
        """Whose connection this is, to a fault script."""
        return self.account.key if self.account is not None else ""

    def on_ws_frame(self, transport, frame) -> None:
        self.last_heard = monotonic()
        super().on_ws_frame(transport, frame)

    def on_text(self, payload: bytes) -> None:
        try:
            request = decode(payload)
        except (msgspec.DecodeError, RecursionError):
            request = None
        if not isinstance(request, dict) or not isinstance(request.get("op"), str):
            self.on_garbage()
        else:
            self.on_request(request)

    def on_request(self, request: dict) -> None:
        raise NotImplementedError

    def on_garbage(self) -> None:
        self.answer({"success": False, "ret_msg": "Params Error", "conn_id": self.identity, "req_id": "", "op": ""})

    def answer(self, message: dict) -> None:
        self.send(_encode(message))

    def now(self) -> int:
        return self.exchange.clock.milliseconds()

    def log_in(self, arguments) -> None:
        """`[key, expires, signature]`; the signature must not have expired. Raises the venue's error."""
        if not isinstance(arguments, list) or len(arguments) != 3:
            raise errors.parameter("Params Error")
        key, expires, signature = (str(argument) for argument in arguments)
        account = self.exchange.accounts.get(key)
        if account is None or account.revoked:
            raise errors.bad_key()
        if not expires.isascii() or not expires.isdigit() or len(expires) > 18 or int(expires) <= self.now():
            raise VenueError(10002, "The request time exceeds the time window range.")
        if not signing.is_valid(account.secret, signing.login_payload(expires), signature):
            self.exchange.statistics.bad_signatures += 1
            raise VenueError(10004, "Error sign, please check your signature generation algorithm.")
        self.account = account


def request_id(request: dict, name: str = "req_id"):
    """What the client calls its request, if it is a text or a number."""
    value = request.get(name, "")
    return value if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
