"""One connection of OKX's private WebSocket: its cold requests (login, subscriptions) with their answers, its paged snapshots."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from nexus_fast.answers import within
from nexus_fast.error import VenueError
from nexus_fast.exchange.okx.outcomes import number_of
from nexus_fast.exchange.okx.websocket_api import Message, Pages, subscription
from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.connection import WebSocketConnection

REQUEST_SECONDS = 10.0
LOGIN = "login"                  # has no id of its own


class Conversation:
    """`send` gives the connection a text; ConnectionError when it is down."""

    def __init__(self, send: Callable[[bytes], None]):
        self._send = send
        self._numbers = itertools.count(1)
        self._pending: dict[str, asyncio.Future] = {}

    async def log_in(self, text: bytes) -> None:
        """Raises VenueError, ConnectionError, TimeoutError."""
        await self._ask(LOGIN, text)

    async def subscribe(self, argument: dict[str, str]) -> None:
        name = f"r{next(self._numbers)}"
        await self._ask(name, subscription(name, "subscribe", [argument]))

    async def _ask(self, name: str, text: bytes) -> Message:
        future = asyncio.get_running_loop().create_future()
        self._pending[name] = future
        try:
            self._send(text)
            async with within(REQUEST_SECONDS, name):
                return await future
        finally:
            self._pending.pop(name, None)

    def on_event(self, message: Message) -> bool:
        """Whether the event answers a request. An error without an id is the login's while that is awaited."""
        name = message.id or (LOGIN if message.event in (LOGIN, "error") else "")
        future = self._pending.get(name)
        if future is None:
            return False
        if future.done():
            return True
        if message.event == "error" or message.code not in ("", "0"):
            code = number_of(message.code)
            future.set_exception(VenueError(message.code if code is None else code, message.msg, venue="okx"))
        else:
            future.set_result(message)
        return True

    def on_lost(self) -> None:
        for future in self._pending.values():
            if not future.done():
                future.set_exception(ConnectionError("the connection was lost before the answer came"))
        self._pending.clear()


class PrivateConnection(WebSocketConnection):
    """`on_message(connection, payload)`, as two of them may be up for a while."""

    def __init__(self, name: str, url: Callable[[], Awaitable[str]], host: Any, on_message: Any, on_error: Any, **handlers: Any):
        handler = CommandFeed(lambda payload: on_message(self, payload), on_error, host.deferred)
        super().__init__(name, url, handler, host.poller, urgent=False, ssl_context=host.ssl_context, **handlers)
        self.conversation = Conversation(self.send)
        self.pages = {"account": Pages(), "positions": Pages()}
