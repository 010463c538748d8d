"""What all WebSocket connections of the simulated venues share: pings, life time, message rate, shutdown notice.

A venue's `Cadence` says how often it sends a PING and how long it waits for the PONG before it cuts the connection, how long a
connection may live, and how many messages a second it may send.
"""

from asyncio import get_running_loop
from dataclasses import dataclass
from time import monotonic

from picows import WSCloseCode, WSListener, WSMsgType

from nexus_fast.sim.faults import NONE, Faults, Rule


@dataclass(slots=True)
class Cadence:
    """Times in seconds; `messages_per_second` of 0 means no limit."""

    ping_interval: float
    pong_timeout: float
    lifetime: float = 86_400.0
    messages_per_second: int = 0


class Connections:
    """All open connections of one listener, looked after once a second by `maintain`."""

    def __init__(self, clock):
        self.clock = clock
        self.venue = ""
        self.faults: Faults = NONE       # with `venue`, until Faults.serve says otherwise
        self.open: set[Connection] = set()

    def maintain(self) -> None:
        now = monotonic()
        for connection in list(self.open):
            connection.maintain(now)

    def announce_end(self, rule: Rule) -> None:
        """A fault: the venue says that it ends these connections, and does so some seconds later."""
        if rule.place["venue"] not in ("any", self.venue):
            return
        ending = list(self.open)
        for connection in ending:
            connection.give_notice()
        get_running_loop().call_later(rule["seconds"], self._end, ending)

    def _end(self, ending: list["Connection"]) -> None:
        for connection in ending:
            if connection in self.open:
                connection.close(WSCloseCode.GOING_AWAY, b"")

    def shut_down(self) -> None:
        for connection in list(self.open):
            connection.give_notice()
            connection.transport.send_close(WSCloseCode.GOING_AWAY)
            connection.transport.disconnect()


class Connection(WSListener):
    """One WebSocket connection. Subclasses implement `on_text` and `shutdown_notice`, and say what `kind` they are to a
    fault script: "stream", "user" or "order"."""

    kind = "stream"

    def __init__(self, connections: Connections, cadence: Cadence):
        super().__init__()
        self.connections = connections
        self.faults = connections.faults
        self.wire = None                 # where faults happen to this connection, once some are about
        self.cadence = cadence
        self.transport = None
        self.address = ""
        self._opened = self._last_ping = self._last_pong = monotonic()
        self._second = 0
        self._messages = 0

    def send(self, payload: bytes) -> None:
        if self.faults.active:
            self.faults.send(self, payload)
        else:
            self.transport.send(WSMsgType.TEXT, payload)

    def take(self, payload: bytes, handle) -> None:
        """A text message from the client: `handle(payload)`, unless a fault has other ideas."""
        if self.faults.active:
            self.faults.receive(self, payload, handle)
        else:
            handle(payload)

    def on_text(self, payload: bytes) -> None:
        raise NotImplementedError

    def shutdown_notice(self, now_ms: int) -> bytes:
        """What the venue says before it ends the connection; nothing when it says nothing."""
        raise NotImplementedError

    def give_notice(self) -> None:
        notice = self.shutdown_notice(self.connections.clock.milliseconds())
        if notice:
            self.send(notice)

    def maintain(self, now: float) -> None:
        cadence = self.cadence
        if self.faults.is_deaf(self):
            return                       # half open: no ping leaves, and nothing ends it
        if now - self._opened > cadence.lifetime:
            self.close(WSCloseCode.GOING_AWAY, b"connection lifetime reached")
        elif self._last_ping > self._last_pong and now - self._last_ping > cadence.pong_timeout:
            self.close(WSCloseCode.POLICY_VIOLATION, b"Pong timeout")
        elif now - self._last_ping >= cadence.ping_interval and self._last_ping <= self._last_pong:
            self._last_ping = now
            self.transport.send_ping(str(self.connections.clock.milliseconds()).encode())

    def close(self, code: WSCloseCode, reason: bytes) -> None:
        self.transport.send_close(code, reason)
        self.transport.disconnect()

    # ---- picows

    def on_ws_connected(self, transport) -> None:
        self.transport = transport
        peer = transport.underlying_transport.get_extra_info("peername")
        self.address = peer[0] if peer else ""
        self.connections.open.add(self)

    def on_ws_disconnected(self, transport) -> None:
        self.connections.open.discard(self)

    def on_ws_frame(self, transport, frame) -> None:
        kind = frame.msg_type
        if self.faults.active and self.faults.is_deaf(self):
            return
        if kind == WSMsgType.TEXT:
            if not self._too_many():
                self.take(frame.get_payload_as_bytes(), self.on_text)
        elif kind == WSMsgType.PING:
            if not self._too_many():
                transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.PONG:
            self._last_pong = monotonic()
        elif kind == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif kind == WSMsgType.BINARY:
            self.close(WSCloseCode.UNSUPPORTED_DATA, b"text frames only")

    def _too_many(self) -> bool:
        """The venue counts PING, PONG and JSON messages per second; one more than allowed ends the connection."""
        if not self.cadence.messages_per_second:
            return False
        second = int(monotonic())
        if second != self._second:
            self._second, self._messages = second, 0
        self._messages += 1
        if self._messages <= self.cadence.messages_per_second:
            return False
        self.close(WSCloseCode.POLICY_VIOLATION, b"Too many requests")
        return True
