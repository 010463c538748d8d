"""A WebSocket connection that is kept: made, watched, made again. picows connects; a FrameReader reads.

A peer that says nothing for PING_AFTER seconds is sent a ping; one that is silent for DEAD_AFTER seconds is dropped. Between
attempts the wait doubles, with jitter, from FIRST_WAIT to LAST_WAIT seconds, which stays far below the 300 connections in
five minutes that the strictest venue allows.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from picows import WSError, WSHandshakeError, WSMsgType, ws_connect

from nexus_fast import authorities, fence
from nexus_fast.answers import redirected, told
from nexus_fast.engine.hot_connection import HotConnection
from nexus_fast.engine.poller import Poller
from nexus_fast.feed.frames import LONGEST_MESSAGE, HandshakeListener, PayloadHandler, install
from nexus_fast.surroundings import JITTER

logger = logging.getLogger("nexus_fast.feed")

READ_BUFFER = 16 * 1024
FIRST_WAIT, LAST_WAIT = 0.1, 15.0
PING_AFTER, DEAD_AFTER = 15.0, 30.0
HANDSHAKE_TIMEOUT = 10.0


def is_reset(transport: asyncio.Transport) -> bool:
    """Whether the peer has reset the connection. uvloop stops watching a socket on which an error and unread bytes come
    together: it reads those once, and the error never."""
    sock = transport.get_extra_info("socket")
    return sock is not None and sock.fileno() >= 0 and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def _refusal(error: WSHandshakeError, url: str) -> str:
    """Why there is no connection, without the address's path: it may hold a listen key."""
    host, response = urlsplit(url).hostname, error.response
    if response is None:
        return f"{host}: {told(error)}"
    if 300 <= response.status < 400:
        return redirected(url, response.headers.get("Location"), int(response.status))
    return f"{host} answers the handshake with status {int(response.status)}"


class WebSocketConnection:
    """`url` is awaited before each attempt (a listen key may have to be fetched first). `on_up(self)` runs when frames
    can be sent, `on_down()` when they no longer can. `urgent`: market data, which the poller reads in every round."""

    def __init__(
        self,
        name: str,
        url: Callable[[], Awaitable[str]],
        handler: PayloadHandler,
        poller: Poller | None,
        *,
        urgent: bool,
        on_up: Callable[["WebSocketConnection"], None],
        on_down: Callable[[], None],
        ssl_context: ssl.SSLContext | None = None,
    ):
        self.name = name
        self.handler = handler
        self.connected_at = 0.0
        self.attempts = 0
        self.connects = 0
        self.transport = None
        self._url = url
        self._poller = poller
        self._urgent = urgent
        self.on_up = on_up
        self.on_down = on_down
        self._ssl_context = ssl_context
        self._lost = asyncio.Event()
        self._hot: HotConnection | None = None
        self._task: asyncio.Task | None = None
        self._stopping = False

    def start(self) -> None:
        """Idempotent."""
        if self._task is not None:
            return
        self._task = asyncio.get_running_loop().create_task(self._keep(), name=f"connection {self.name}")

    async def stop(self) -> None:
        self._stopping = True
        self.drop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def is_up(self) -> bool:
        return self.transport is not None

    def send(self, text: bytes | str) -> None:
        """One text frame; ConnectionError when the connection is down."""
        if self.transport is None:
            raise ConnectionError(f"{self.name} is not connected")
        self.transport.send(WSMsgType.TEXT, text)

    def drop(self) -> None:
        """Close the connection; unless it is being stopped, another takes its place."""
        if self.transport is not None:
            self.transport.disconnect(False)

    async def _keep(self) -> None:
        wait = FIRST_WAIT
        while not self._stopping:
            self.attempts += 1
            try:
                await self._serve()
                wait = FIRST_WAIT
            except (OSError, WSError, TimeoutError, ConnectionError) as error:
                logger.warning("%s: cannot connect: %s", self.name, told(error))
            except asyncio.CancelledError:
                # Not always a request to end: the handshake of a connection that is cut gives up in this way as well.
                if self._stopping or asyncio.current_task().cancelling():
                    raise
                logger.warning("%s: the connection was cut while it was made", self.name)
            except Exception:
                logger.exception("%s: connecting failed", self.name)
            if not self._stopping:
                await asyncio.sleep(wait * JITTER.uniform(0.5, 1.0))
                wait = min(2 * wait, LAST_WAIT)

    async def _serve(self) -> None:
        """One connection's life."""
        self._lost.clear()
        listener = HandshakeListener(self.handler, self._lost.set)
        url = await self._url()
        transport = await self._connect(listener, url)
        if transport.is_disconnected:
            # picows reports a connection that is closed in the middle of the handshake as made, and says no more of it.
            raise ConnectionError("the peer closed the connection during the handshake")
        self.transport = transport
        self.connects += 1
        self.connected_at = time.monotonic()
        self.handler.last_message_ns = self.handler.last_control_ns = time.monotonic_ns()
        try:
            self.on_up(self)
            await self._watch(listener)
        finally:
            self.transport = None
            if self._hot is not None:
                self._poller.remove(self._hot)
                self._hot = None
            self.on_down()
            transport.disconnect(False)

    async def _connect(self, listener: HandshakeListener, url: str) -> Any:
        try:
            transport, _ = await ws_connect(
                lambda: listener,
                url,
                ssl_context=self._ssl_context or authorities.context_of(url),
                websocket_handshake_timeout=HANDSHAKE_TIMEOUT,
                enable_auto_pong=False,
                read_buffer_init_size=READ_BUFFER,
                disconnect_on_exception=False,
                # Neither to another host nor through a proxy: what is said on a private connection logs on.
                max_redirects=0,
                max_frame_size=LONGEST_MESSAGE,
                logger_name=logging.getLogger("nexus_fast.picows"),
                socket_factory=fence.check_url,         # of every address that is connected to; it makes none
            )
            return transport
        except WSHandshakeError as error:
            raise ConnectionError(_refusal(error, url)) from None

    async def _watch(self, listener: HandshakeListener) -> None:
        pinged = False
        taken = False
        while not self._lost.is_set():
            if not taken:
                taken = self._take_over(listener)
            try:
                async with asyncio.timeout(1.0 if taken else 0.005):
                    await self._lost.wait()
            except TimeoutError:
                pass
            if is_reset(self.transport.underlying_transport):
                logger.warning("%s: the connection was reset", self.name)
                return
            heard = max(self.handler.last_message_ns, self.handler.last_control_ns)
            silent = (time.monotonic_ns() - heard) / 1e9
            if silent > DEAD_AFTER:
                logger.warning("%s: nothing heard for %.0f s, reconnecting", self.name, silent)
                return
            if silent > PING_AFTER and not pinged:
                self.transport.send_ping()
            pinged = silent > PING_AFTER
        if not self._stopping:
            logger.info("%s: the connection is closed", self.name)

    def _take_over(self, listener: HandshakeListener) -> bool:
        """From picows' parser to ours, at the first moment when no byte is in between."""
        reader = install(self.transport, listener, READ_BUFFER, self._urgent)
        if reader is None:
            return False
        if self._poller is not None:
            transport = self.transport.underlying_transport
            self._hot = HotConnection(asyncio.get_running_loop(), transport, self.handler, self._urgent)
            self._poller.add(self._hot)
        return True
