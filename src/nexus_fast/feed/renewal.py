"""Make before break: a connection whose end is announced is succeeded by another while it still serves."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from nexus_fast.answers import reading, told, within
from nexus_fast.error import NO_ANSWER
from nexus_fast.feed.connection import WebSocketConnection

logger = logging.getLogger("nexus_fast.feed")

RENEW_SECONDS = 30.0             # for the successor to be up and prepared
RETRY_SECONDS = 2.0              # after a successor that could not be made
MEMORY = 20_000


Prepare = Callable[[WebSocketConnection], Awaitable[None]]
Swap = Callable[[WebSocketConnection], None]


async def renew(
    old: WebSocketConnection,
    make: Callable[[], WebSocketConnection],
    prepare: Prepare,
    swap: Swap,
    overlap_seconds: float,
) -> None:
    """`prepare(new)` logs on and subscribes, `swap(new)` puts it in its predecessor's place. The old one is read for
    overlap_seconds more and then closed, without a word to its owner. While no successor can be made it serves on, and another
    is tried, until there is one or it has come to its end by itself."""
    while old.is_up and not await _succeed(old, make(), prepare, swap, overlap_seconds):
        await asyncio.sleep(RETRY_SECONDS)


async def _succeed(
    old: WebSocketConnection, new: WebSocketConnection, prepare: Prepare, swap: Swap, overlap_seconds: float
) -> bool:
    up = asyncio.Event()
    on_up, on_down = new.on_up, new.on_down
    new.on_up, new.on_down = lambda connection: up.set(), _nothing
    new.start()
    try:
        with reading("what the venue says to a new connection"):
            async with within(RENEW_SECONDS, "the new connection"):
                await up.wait()
                await prepare(new)
        if not new.is_up:
            raise ConnectionError("it was lost again")
    except NO_ANSWER as error:
        logger.warning("%s: no successor could be made: %s", old.name, told(error))
        await new.stop()
        return False
    except asyncio.CancelledError:
        await new.stop()
        raise
    new.on_up, new.on_down = on_up, on_down
    old.on_up, old.on_down = _nothing, _nothing
    swap(new)
    try:
        await asyncio.sleep(overlap_seconds)
    finally:
        await old.stop()
    return True


def _nothing(*_: Any) -> None:
    """Of a connection that is not yet, or no longer, its owner's."""


class Overlap:
    """Two connections bring the same messages for a while: each is let through once, by its bytes."""

    def __init__(self):
        self._seen: set[int] = set()
        self._order: deque[int] = deque()

    def repeats(self, payload: bytes) -> bool:
        key = hash(payload)
        if key in self._seen:
            return True
        self._seen.add(key)
        self._order.append(key)
        if len(self._order) > MEMORY:
            self._seen.discard(self._order.popleft())
        return False
