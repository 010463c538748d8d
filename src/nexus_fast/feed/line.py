"""A market-data connection and the subscriptions that it carries, whatever the venue.

A venue's `Dialect` says how a subscription is written and how its answer is read. Subscriptions are made in batches, and made
again after every reconnect. A venue may acknowledge what it then never sends (a wrong route, a retired channel), so a connection
that has subscriptions and brings no data is an error, not a calm market.
"""

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct

from nexus_fast.feed.connection import WebSocketConnection
from nexus_fast.feed.renewal import Overlap
from nexus_fast.feed.unusable import Unusable

SILENT_SECONDS = 10.0            # after a subscription is acknowledged
QUIET_SECONDS = 60.0             # without data on a connection that had some


class Answer(Struct):
    """What the venue says to a request. number: of the request; None for what belongs to none (a pong, a greeting)."""

    number: int | None = None
    error: str | None = None


class Dialect(Protocol):
    """How one venue wants it said. keep_alive: a text frame sent every keep_alive_seconds; None where pings suffice."""

    batch: int                   # topics in one request
    batch_seconds: float         # between two requests
    keep_alive: bytes | None
    keep_alive_seconds: float
    age_seconds: float           # after which a connection is succeeded by another; the venue closes it not much later

    def subscribe(self, number: int, topics: list[str]) -> bytes: ...

    def unsubscribe(self, number: int, topics: list[str]) -> bytes: ...

    def answer(self, payload: bytes) -> Answer | None:
        """None for a message that is data or a notice."""


class Line:
    """One connection. `feed` has host, log and is told on_line_down(line). `remake` makes another that can take its place."""

    def __init__(
        self,
        feed: Any,
        name: str,
        url: str,
        handler: Any,
        dialect: Dialect,
        *,
        urgent: bool,
        remake: Callable[[], "Line"] | None = None,
    ):
        self.remake = remake
        self.overlap: Overlap | None = None
        self.topics: dict[str, None] = {}
        self.handler = handler
        self.unusable = Unusable(name, handler, feed.log)
        self.connection = WebSocketConnection(
            name,
            self._address,
            handler,
            feed.host.poller if urgent else None,
            urgent=urgent,
            on_up=self._on_up,
            on_down=self._on_down,
            ssl_context=feed.host.ssl_context,
        )
        self._feed = feed
        self._url = url
        self._dialect = dialect
        self._numbers = itertools.count(1)
        self._requests: dict[int, list[str]] = {}
        self._waiting: list[bytes] = []
        self._sender: asyncio.Task | None = None
        self._acknowledged_at = 0.0
        self._messages_then = 0
        self._warned = False
        self._kept_alive_at = 0.0

    async def _address(self) -> str:
        return self._url

    def subscribe(self, topics: list[str]) -> None:
        new = [topic for topic in topics if topic not in self.topics]
        self.topics.update(dict.fromkeys(new))
        if new:
            self._send(self._dialect.subscribe, new)

    def unsubscribe(self, topics: list[str]) -> None:
        old = [topic for topic in topics if self.topics.pop(topic, 0) is None]
        if old:
            self._send(self._dialect.unsubscribe, old)

    def renew(self, topics: list[str]) -> None:
        """Subscribe once more to what is silent: the venue may have let go of it without a word."""
        known = [topic for topic in topics if topic in self.topics]
        if known:
            self._send(self._dialect.unsubscribe, known)
            self._send(self._dialect.subscribe, known)

    def _on_up(self, connection: WebSocketConnection) -> None:
        self._acknowledged_at = 0.0
        self._kept_alive_at = time.monotonic()
        self._waiting.clear()
        self._requests.clear()
        self._send(self._dialect.subscribe, list(self.topics))
        self._feed.host.on_feed_status(self._feed, self.connection.name, True)

    def _on_down(self) -> None:
        self._waiting.clear()
        self._requests.clear()
        self._feed.on_line_down(self)
        self._feed.host.on_feed_status(self._feed, self.connection.name, False)

    def _send(self, write: Any, topics: list[str]) -> None:
        """In batches and in order; nothing while the connection is down, as _on_up subscribes to everything."""
        if not self.connection.is_up:
            return
        for start in range(0, len(topics), self._dialect.batch):
            batch = topics[start : start + self._dialect.batch]
            number = next(self._numbers)
            self._requests[number] = batch
            self._waiting.append(write(number, batch))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        while self._waiting and self.connection.is_up:
            self.connection.send(self._waiting.pop(0))
            if self._waiting:
                await asyncio.sleep(self._dialect.batch_seconds)

    def on_answer(self, payload: bytes) -> bool:
        """Whether the message is an answer and no data, or has come over this line's successor already."""
        answer = self._dialect.answer(payload)
        if answer is None:
            return self.overlap is not None and self.overlap.repeats(payload)
        topics = self._requests.pop(answer.number, None) if answer.number is not None else None
        if answer.error:
            self._feed.log.error(f"{self.connection.name}: the venue refused a subscription: {answer.error}: {topics or '?'}")
        elif topics is not None:
            self._acknowledged_at = time.monotonic()
            self._messages_then = self.handler.messages
            self._warned = False
        return True

    def check(self) -> None:
        """Keep-alive and watchdog, once a second."""
        if not self.connection.is_up:
            return
        now = time.monotonic()
        if self.unusable.check(now):
            self.connection.drop()
            return
        if self.remake is not None and now - self.connection.connected_at > self._dialect.age_seconds:
            self._feed.replace(self)
        if self._dialect.keep_alive is not None and now - self._kept_alive_at >= self._dialect.keep_alive_seconds:
            self._kept_alive_at = now
            self.connection.send(self._dialect.keep_alive)
        if not self.topics or not self._acknowledged_at:
            return
        if self.handler.messages == self._messages_then and not self._warned:
            if now - self._acknowledged_at > SILENT_SECONDS:
                self._warned = True
                self._feed.host.on_feed_silent(self._feed, self.connection.name, list(self.topics))
        quiet = (time.monotonic_ns() - self.handler.last_message_ns) / 1e9
        if quiet > QUIET_SECONDS:
            self._feed.log.warning(f"{self.connection.name}: no data for {quiet:.0f} s, connecting again")
            self.connection.drop()
