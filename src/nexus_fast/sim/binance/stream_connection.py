"""A market-data connection: its path, its subscriptions, and the requests that change them.

On USD-M a subscription on the wrong route is acknowledged and then silent, as on the venue: /public (and no route)
carries books, /market the rest, /private user data.
"""

import re
from urllib.parse import parse_qs, unquote

import msgspec

from nexus_fast.sim.binance.stream_names import is_served
from nexus_fast.sim.binance.streams import StreamHub
from nexus_fast.sim.connections import Cadence, Connection, Connections

MAXIMUM_STREAMS = 1024
NO_STREAM = "Invalid request: invalid stream"
PUBLIC, MARKET, PRIVATE = "public", "market", "private"

_PUBLIC_STREAM = re.compile(r"(?:[^@]+@(?:bookTicker|trade|rpiDepth.*|depth.*)|!bookTicker)$")
_encode = msgspec.json.encode


class StreamConnection(Connection):
    """A market-data connection, or a user-data one: USD-M's on /private, COIN-M's with a listen key for a stream's name."""

    def __init__(self, connections: Connections, cadence: Cadence, hub: StreamHub, path: str, users=None):
        """users: of portfolio margin, whose stream brings nothing else; None for the market's own."""
        super().__init__(connections, cadence)
        self.hub = hub
        self.users = hub.service.users if users is None else users
        self.route, self.combined, self.first = parse_path(path, hub.is_routed)
        if users is not None:
            self.route = PRIVATE
        self.kind = "user" if self.route == PRIVATE else "stream"
        self.names: dict[str, None] = {}
        self.listen_keys: list[tuple[str, frozenset[str]]] = listen_keys_of(path)

    def on_ws_connected(self, transport) -> None:
        super().on_ws_connected(transport)
        if all(map(self._exists, self.first)):
            self.subscribe(self.first)
        else:
            self._refuse(2, NO_STREAM, None)
        if self.route == PRIVATE:
            for key, events in self.listen_keys:
                self.users.attach(self, key, events)

    def on_ws_disconnected(self, transport) -> None:
        super().on_ws_disconnected(transport)
        self.unsubscribe(list(self.names))
        if self.route == PRIVATE or self.hub.has_listen_keys:
            self.users.detach(self)

    def shutdown_notice(self, now_ms: int) -> bytes:
        event = b'{"e":"serverShutdown","E":%d}' % now_ms
        return b'{"stream":"!serverShutdown","data":' + event + b"}" if self.combined else event

    @property
    def account_key(self) -> str:
        """Whose user data these are; "" for market data."""
        by_key = self.users.by_key if self.route == PRIVATE else {}
        found = [by_key[key].account.key for key in (*self.names, *(key for key, _ in self.listen_keys)) if key in by_key]
        return found[0] if found else ""

    # ---- requests

    def on_text(self, payload: bytes) -> None:
        try:
            request = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError) as error:
            return self._refuse(3, f"Invalid JSON: {error}", None)
        if not isinstance(request, dict) or "method" not in request:
            return self._refuse(2, "Invalid request: missing field `method`", None)
        identity = request.get("id")
        if not (identity is None or isinstance(identity, int) or (isinstance(identity, str) and len(identity) <= 36)):
            return self._refuse(2, "Invalid request: request ID must be an unsigned integer", None)
        self._handle(request["method"], request.get("params") or [], identity)
        return None

    def _handle(self, method: str, params: list, identity) -> None:
        if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
                return self._refuse(2, "Invalid request: `params` must be a list of strings", identity)
            if method == "SUBSCRIBE" and len(self.names) + len(params) > MAXIMUM_STREAMS:
                return self._refuse(2, f"Invalid request: more than {MAXIMUM_STREAMS} streams", identity)
            if method == "SUBSCRIBE" and not all(map(self._exists, params)):
                return self._refuse(2, NO_STREAM, identity)
            self._reply(None, identity)
            (self.subscribe if method == "SUBSCRIBE" else self.unsubscribe)(params)
        elif method == "LIST_SUBSCRIPTIONS":
            self._reply(list(self.names), identity)
        elif method == "GET_PROPERTY" and params == ["combined"]:
            self._reply(self.combined, identity)
        elif method == "SET_PROPERTY" and params[:1] == ["combined"]:
            self._set_combined(params, identity)
        elif method in ("GET_PROPERTY", "SET_PROPERTY"):
            self._refuse(0, "Unknown property", identity)
        else:
            self._refuse(2, f"Invalid request: unknown variant `{method}`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, "
                         "`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`", identity)
        return None

    def _set_combined(self, params: list, identity) -> None:
        if len(params) != 2 or not isinstance(params[1], bool):
            return self._refuse(1, "Invalid value type: expected Boolean", identity)
        names = list(self.names)
        self.unsubscribe(names)
        self.combined = params[1]
        self.subscribe(names)
        return self._reply(None, identity)

    def _reply(self, result, identity) -> None:
        self.send(_encode({"result": result, "id": identity}))

    def _refuse(self, code: int, message: str, identity) -> None:
        self.send(_encode({"code": code, "msg": message, "id": identity}))

    # ---- subscriptions

    def subscribe(self, names: list[str]) -> None:
        for name in names:
            if name in self.names:
                continue
            self.names[name] = None
            if self.route == PRIVATE:
                self.users.attach(self, name, frozenset())
            elif self._is_listen_key(name):
                self.users.attach(self, name, frozenset())
            elif self._carries(name):
                channel = self.hub.channel(name)
                (channel.combined if self.combined else channel.raw).append(self)

    def unsubscribe(self, names: list[str]) -> None:
        for name in names:
            if self.names.pop(name, self) is self:
                continue
            if self.route == PRIVATE or self.hub.has_listen_keys:
                self.users.detach(self, name)
            if not self._carries(name):
                continue
            channel = self.hub.channel(name)
            subscribers = channel.combined if self.combined else channel.raw
            if self in subscribers:
                subscribers.remove(self)

    def _is_listen_key(self, name: str) -> bool:
        """Listen keys stand among the names of COIN-M's streams."""
        return self.hub.has_listen_keys and "@" not in name and not name.startswith("!")

    def _exists(self, name: str) -> bool:
        return self.route == PRIVATE or self._is_listen_key(name) or is_served(name, self.hub.is_spot)

    def _carries(self, name: str) -> bool:
        """Whether this route carries the stream."""
        if not self.hub.is_routed:
            return True
        if self.route == PRIVATE:
            return False
        return bool(_PUBLIC_STREAM.match(name)) == (self.route == PUBLIC)


def parse_path(path: str, is_routed: bool) -> tuple[str, bool, list[str]]:
    """(route, combined, streams named in the path). Only USD-M has routes; without one it is /public."""
    place, _, query = path.partition("?")
    parts = [unquote(part) for part in place.split("/") if part]
    route = PUBLIC
    if is_routed and parts and parts[0] in (PUBLIC, MARKET, PRIVATE):
        route = parts.pop(0)
    combined = bool(parts) and parts[0] == "stream"
    names = parts[1:]
    for streams in parse_qs(query).get("streams", []):
        names += [name for name in streams.split("/") if name]
    return route, combined, names


def is_stream_path(path: str, is_routed: bool) -> bool:
    parts = [part for part in path.partition("?")[0].split("/") if part]
    if is_routed and parts and parts[0] in (PUBLIC, MARKET, PRIVATE):
        parts.pop(0)
    return bool(parts) and parts[0] in ("ws", "stream")


def listen_keys_of(path: str) -> list[tuple[str, frozenset[str]]]:
    """[(listen key, allowed events)] of `?listenKey=K&events=A/B&listenKey=K2…`; no events means all of them."""
    out: list[tuple[str, frozenset[str]]] = []
    for pair in path.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        if name == "listenKey":
            out.append((unquote(value), frozenset()))
        elif name == "events" and out:
            out[-1] = (out[-1][0], frozenset(unquote(value).split("/")))
    return out
