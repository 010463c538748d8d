"""Order entry by REST: connections that are open before the order, each with one request out at a time.

The request is a template that the hot path fills and sends (nexus_fast.order.entry), and a plain yes is dealt with in C
(nexus_fast.feed.responses). Here the connection is kept, and any other response is read and handed on. A response that never
comes leaves the order in doubt, never refused.
"""

import asyncio
import logging
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiofastnet

from nexus_fast import authorities, fence
from nexus_fast.answers import told, within
from nexus_fast.engine.hot_connection import HotConnection
from nexus_fast.engine.poller import Poller
from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.connection import is_reset
from nexus_fast.feed.responses import ResponseReader
from nexus_fast.gateway.channel import Channel
from nexus_fast.gateway.session import pause_of
from nexus_fast.order.entry import OrderEntry
from nexus_fast.surroundings import JITTER

logger = logging.getLogger("nexus_fast.rest")

FIRST_WAIT, LAST_WAIT = 0.1, 15.0
# A venue closes a connection that is idle; another one is made before that.
IDLE_SECONDS = 50.0
CONNECT_SECONDS = 10.0
# A connection on which a response does not come is of no use for the next request.
ANSWER_SECONDS = 20.0
# Of one response with its head. An answer to an order has some hundred bytes; nothing is unpacked here.
LONGEST_RESPONSE = 1024 * 1024


class _Parser:
    """Responses that are not dealt with in C, by llhttp. One that is no HTTP, or too long, ends the connection: what follows it
    could be taken for the answer to another request."""

    def __init__(self, owner: "RestEntry", on_broken: Callable[[Exception], None]):
        import httptools

        self._owner = owner
        self._on_broken = on_broken
        self._broken = False
        self._taken = 0
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._headers: dict[str, str] = {}
        self.reader: ResponseReader | None = None

    def feed(self, data: bytes) -> None:
        if self._broken:
            return
        self._taken += len(data)
        try:
            self._parser.feed_data(data)
            if self._taken > LONGEST_RESPONSE:
                raise ConnectionError(f"a response of more than {LONGEST_RESPONSE} bytes")
        except Exception as error:
            self._broken = True
            logger.error("%s: a response cannot be read: %s", self._owner.name, told(error.__context__ or error))
            self._on_broken(error)

    def on_message_begin(self) -> None:
        self.reader.unfinished = True
        self._body.clear()
        self._headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._headers["Retry-After"] = value.decode("ascii", "replace")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.reader.unfinished = False
        self._taken = 0
        status = self._parser.get_status_code()
        if status < 200:
            return                       # "100 Continue" and its like: the response is still to come
        self._owner.on_response(status, bytes(self._body), pause_of(status, self._headers))


class RestEntry:
    """`on_answer(number, kind, status, body, pause_ms)` for every response; `on_lost(number, kind)` when a connection ended
    with a request out; `on_free(channel)` when the channel can take another."""

    def __init__(
        self,
        name: str,
        url: str,
        entry: OrderEntry,
        poller: Poller | None,
        ssl_context: ssl.SSLContext | None,
        on_answer: Callable[[int, int, int, bytes, int], None],
        on_lost: Callable[[int, int], None],
        on_free: Callable[[Channel], None],
    ):
        self.name = name
        self.channel = Channel(framed=False)
        self.up = asyncio.Event()
        self._entry = entry
        self._url = urlsplit(url)
        self._poller = poller
        self._ssl_context = ssl_context
        self._on_answer = on_answer
        self._on_lost = on_lost
        self._on_free = on_free
        # What came, without its body, in the order of the bodies that wait for a quiet moment.
        self._answers: deque[tuple[int, int, int, int]] = deque()
        deferred = None if poller is None else poller.deferred
        self._bodies = CommandFeed(self._take_answer, self._cannot_take, deferred)
        self._task: asyncio.Task | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._keep(), name=f"connection {self.name}")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def on_response(self, status: int, body: bytes, pause_ms: int) -> None:
        found = self.channel.answered()
        if found is None:
            raise ConnectionError(f"a response to no request, with status {status}")
        self._on_free(self.channel)
        self._answers.append((*found, status, pause_ms))
        self._bodies.feed(body)

    def _take_answer(self, body: bytes) -> None:
        number, kind, status, pause_ms = self._answers.popleft()
        self._on_answer(number, kind, status, body, pause_ms)

    def _cannot_take(self, body: bytes, error: Exception) -> None:
        logger.error("%s: a response could not be used: %r", self.name, body[:400], exc_info=error)

    async def _keep(self) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                await self._serve()
                wait = FIRST_WAIT
            except Exception as error:
                expected = isinstance(error, OSError)
                logger.warning("%s: cannot connect: %s", self.name, told(error), exc_info=None if expected else error)
                await asyncio.sleep(wait * JITTER.uniform(0.5, 1.0))
                wait = min(2 * wait, LAST_WAIT)

    async def _serve(self) -> None:
        """One connection's life."""
        secure = self._url.scheme == "https"
        fence.check_url(self._url.geturl())
        given = self._ssl_context or authorities.context_of(self._url.geturl())
        context = (given or ssl.create_default_context()) if secure else None
        loop = asyncio.get_running_loop()
        lost = loop.create_future()
        reader = self._make_reader(lost)
        async with within(CONNECT_SECONDS, f"connecting to {self._url.netloc}"):
            transport, _ = await aiofastnet.create_connection(
                loop, lambda: reader, self._url.hostname, self._url.port or (443 if secure else 80), ssl=context
            )
        hot = self._poll(transport, reader)
        reader.handler.last_message_ns = time.monotonic_ns()
        self.channel.attach(transport, not secure)
        self.up.set()
        self._on_free(self.channel)
        try:
            out, since = None, 0
            while not lost.done():
                await asyncio.wait((lost,), timeout=1.0)
                if self.channel.in_flight != out:
                    out, since = self.channel.in_flight, time.monotonic_ns()
                quiet = time.monotonic_ns() - (reader.handler.last_message_ns if out is None else since)
                if is_reset(transport) or quiet / 1e9 > (IDLE_SECONDS if out is None else ANSWER_SECONDS):
                    break
        finally:
            self.up.clear()
            self.channel.detach()
            if hot is not None:
                self._poller.remove(hot)
            transport.abort()
            found = self.channel.answered()
            if found is not None:
                self._on_lost(*found)

    def _make_reader(self, lost: asyncio.Future) -> ResponseReader:
        def on_lost(error: Exception | None) -> None:
            if not lost.done():
                lost.set_result(error)

        parser = _Parser(self, on_lost)
        parser.reader = ResponseReader(self.channel, self._entry, parser.feed, lambda: self._on_free(self.channel), on_lost)
        return parser.reader

    def _poll(self, transport: Any, reader: ResponseReader) -> HotConnection | None:
        if self._poller is None:
            return None
        hot = HotConnection(asyncio.get_running_loop(), transport, reader.handler, False)
        self._poller.add(hot)
        return hot
