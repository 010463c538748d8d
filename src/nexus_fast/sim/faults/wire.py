"""Faults of one WebSocket connection: what comes in and what goes out passes here, message by message."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any

from picows import WSCloseCode, WSMsgType

from nexus_fast.sim.faults import answers, frames, names
from nexus_fast.sim.faults.rules import FROM_CLIENT, TO_CLIENT, Rule

REMEMBERED = 10_000
RESET = struct.pack("ii", 1, 0)          # SO_LINGER of no time: closing sends RST


def reset(transport: Any) -> None:
    """End a TCP connection with RST, whatever waits to be sent."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    transport.abort()


class Wire:
    """One connection's wire. `faults`: faults.Faults, which asks here. `deaf`: half open, nothing passes either way."""

    def __init__(self, faults: Any, connection: Any):
        self.faults = faults
        self.connection = connection
        self.deaf = False
        self.account = ""
        self._asked: dict[str, tuple[str, ...]] = {}
        self._replaced: dict[str, bytes] = {}
        self._silenced: dict[tuple[int, str], bool] = {}
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------------------------------------ from the client

    def receive(self, payload: bytes, handle: Callable[[bytes], None]) -> None:
        if self.deaf:
            return
        named = names.of_request(payload)
        self._remember(named)
        late, copies = 0.0, 1
        for rule in self._firing(named, FROM_CLIENT, False):
            if rule.kind == "drop":
                return
            if rule.kind == "half_open":
                return self._go_deaf(rule)
            if rule.kind == "cut":
                return self._cut_request(rule, payload, handle)
            if rule.kind == "revoke_session":
                return self._revoke()
            if rule.kind == "ban" and ban_left(rule, self.faults.seconds()) <= 0:
                continue                 # it is over
            if rule.kind in ("answer", "ban"):
                if not self._answer(rule, named, payload):
                    return
            elif rule.kind in ("delay", "reorder"):
                late = max(late, rule.milliseconds())
            elif rule.kind == "duplicate":
                copies += rule["copies"]
        for _ in range(copies):
            if late:
                asyncio.get_running_loop().call_later(late / 1000, self._alive(handle), payload)
            else:
                handle(payload)

    def _remember(self, named: names.Names) -> None:
        if named.account:
            self.account = named.account
        self.faults.hear(self.connection.connections.venue, self.account)
        if named.answers is not None:
            self._asked[str(named.answers)] = named.names
            if len(self._asked) > REMEMBERED:
                del self._asked[next(iter(self._asked))]

    def _answer(self, rule: Rule, named: names.Names, payload: bytes) -> bool:
        """Answer in the venue's place; True when the request is to be executed all the same."""
        if rule.kind == "ban":
            left = ban_left(rule, self.faults.seconds())
            text = answers.too_many(payload, rule["status"], left)
        else:
            text = answers.websocket(payload, rule["status"], rule["code"], rule["text"], rule["retry_after"])
        if rule.kind == "answer" and rule["execute"]:
            self._replaced[str(named.answers)] = text
            return True
        self._put(0, lambda: self._text(text))
        return False

    def _cut_request(self, rule: Rule, payload: bytes, handle: Callable[[bytes], None]) -> None:
        """Before the request is looked at, or after it was executed and before anything is said of it."""
        if rule["execute"]:
            self.deaf = True
            handle(payload)
        self._cut(rule["how"])

    def _revoke(self) -> None:
        if getattr(self.connection, "session", None) is not None:
            self.connection.session = None
        self._put(0, lambda: self._text(answers.SESSION_REVOKED))

    def _alive(self, handle: Callable[[bytes], None]) -> Callable[[bytes], None]:
        def later(payload: bytes) -> None:
            if not self._gone and not self.deaf:
                handle(payload)

        return later

    # ------------------------------------------------------------------------------------------ to the client

    def send(self, payload: bytes) -> None:
        if self.deaf:
            return
        named = names.of_message(payload, self._asked)
        pushed = named.answers is None
        if not pushed:
            payload = self._replaced.pop(str(named.answers), payload)
        raw, again, copies, late, out_of_order, in_bytes = None, 0.0, 1, 0.0, False, None
        for rule in self._firing(named, TO_CLIENT, pushed):
            if rule.kind == "drop" or rule.kind == "silent" and pushed and self._is_silent(rule, named):
                return
            if rule.kind == "half_open":
                return self._go_deaf(rule)
            if rule.kind == "cut":
                return self._put(late, lambda rule=rule: self._cut_message(rule, payload))
            if rule.kind in ("delay", "reorder"):
                late, out_of_order = max(late, rule.milliseconds()), rule.kind == "reorder"
            elif rule.kind in ("duplicate", "double_fill"):
                copies, again = copies + rule["copies"], rule["ms"]
            elif rule.kind == "fragment":
                raw = frames.fragments(payload, rule["parts"], rule["pings"])
            elif rule.kind == "wrong":
                raw = frames.wrong(rule["what"], payload) + (b"" if rule["instead"] else frames.frame(payload))
            elif rule.kind == "one_byte":
                in_bytes = rule["pause_us"] / 1e6
        for number in range(copies):
            wait = late / 1000 + (again / 1000 if number else 0)
            self._emit(payload, raw, in_bytes, wait, out_of_order or number > 0 and again > 0)

    def _emit(self, payload: bytes, raw: bytes | None, in_bytes: float | None, wait: float, out_of_order: bool) -> None:
        if in_bytes is not None:
            data = raw or frames.frame(payload)
            for at in range(len(data)):
                self._put(wait + at * in_bytes, lambda at=at: self._raw(data[at : at + 1]))
            return
        what = (lambda: self._raw(raw)) if raw is not None else (lambda: self._text(payload))
        if out_of_order:
            asyncio.get_running_loop().call_later(wait, lambda: None if self.deaf else what())
        else:
            self._put(wait, what)

    def _is_silent(self, rule: Rule, named: names.Names) -> bool:
        """Decided once for each subscription of this connection."""
        key = rule.number, named.names[-1]
        if key not in self._silenced:
            self._silenced[key] = rule.fires()
        return self._silenced[key]

    def _firing(self, named: names.Names, way: str, pushed: bool) -> list[Rule]:
        connection = self.connection
        account = named.account or self.account or getattr(connection, "account_key", "")
        # Private events are "user" wherever they come.
        kind = "user" if pushed and named.is_private else connection.kind
        return list(self.faults.firing(connection.connections.venue, (kind,), named.names, account, way))

    # ------------------------------------------------------------------------------------------ the socket

    def _put(self, wait: float, what: Callable[[], None]) -> None:
        """Do it after `wait` seconds, and after all that was put before."""
        if not wait and not self._waiting:
            what()
            return
        due = asyncio.get_running_loop().time() + wait
        if self._waiting:
            due = max(due, self._waiting[-1][0])
        self._waiting.append((due, what))
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_at(self._waiting[0][0], self._work)

    def _work(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time() + 0.0005
        while self._waiting and self._waiting[0][0] <= now:
            self._waiting.popleft()[1]()
        self._set_timer()

    @property
    def _gone(self) -> bool:
        transport = self.connection.transport
        return transport is None or transport.is_disconnected

    def _text(self, payload: bytes) -> None:
        if not self._gone:
            self.connection.transport.send(WSMsgType.TEXT, payload)

    def _raw(self, data: bytes) -> None:
        if not self._gone:
            self.connection.transport.underlying_transport.write(data)

    def _cut_message(self, rule: Rule, payload: bytes) -> None:
        """In the middle of the message when `bytes` says where; nothing of it goes out otherwise."""
        if rule["bytes"] is not None:
            self._raw(frames.frame(payload)[: rule["bytes"]])
        if rule["how"] == "reset" and rule["bytes"]:
            # A reset takes back what the peer has not read yet: let the bytes arrive.
            self.deaf = True
            asyncio.get_running_loop().call_later(0.02, self._cut, rule["how"])
        else:
            self._cut(rule["how"])

    def _cut(self, how: str) -> None:
        self.deaf = True
        if self._gone:
            return
        if how == "reset":
            reset(self.connection.transport.underlying_transport)
        else:
            self.connection.transport.send_close(WSCloseCode.GOING_AWAY, b"")
            self.connection.transport.disconnect()

    def _go_deaf(self, rule: Rule) -> None:
        self.deaf = True
        self.connection.transport.underlying_transport.pause_reading()
        if rule["seconds"] is not None:
            asyncio.get_running_loop().call_later(rule["seconds"], self._cut, "reset")

    def heal(self) -> None:
        """The rules are gone: what waits goes out, and a connection that has lost bytes cannot go on."""
        if self.deaf:
            self._cut("reset")
        while self._waiting:
            self._waiting.popleft()[1]()


def ban_left(rule: Rule, now: float) -> float:
    """Seconds that a ban still lasts; it begins with the first request that it strikes."""
    begun = rule.state.setdefault("begun", now)
    return max(0.0, begun + rule["seconds"] - now)
