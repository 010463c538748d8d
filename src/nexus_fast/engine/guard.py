"""A process of its own that cancels everything when the engine's heart stops: for venues that have no dead man's switch.

The engine writes the time into the header of its shared memory some twenty times a second. While that number changes, the
engine lives.
When it stands still for too long, everything on the accounts is canceled over the guard's own connections, until the venues
list nothing.
An engine that ends cleanly takes its shared memory with it: then there is nothing to guard until the next one starts.
"""

import asyncio
import os
import struct
import time
from collections.abc import Sequence
from typing import Any

from nexus_fast.engine.safety import AGAIN_SECONDS, emergency_of
from nexus_fast.error import NO_ANSWER
from nexus_fast.log import Logger
from nexus_fast.shm.names import segment_name
from nexus_fast.shm.segment import segment_path

HEARTBEAT_AT = 256               # offset in the header, docs/memory-model.md
LOOK_SECONDS = 0.1


class Heartbeat:
    """`age()`: seconds since the engine's heart was last seen to beat; None when no engine has its shared memory there."""

    def __init__(self, strategy_id: str, user_id: str):
        self._path = segment_path(segment_name(strategy_id, user_id, "orders"))
        self._last: int | None = None
        self._changed = time.monotonic()

    def age(self) -> float | None:
        beat = self._read()
        if beat != self._last:
            self._last, self._changed = beat, time.monotonic()
        return None if beat is None else time.monotonic() - self._changed

    def _read(self) -> int | None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            raw = os.pread(descriptor, 8, HEARTBEAT_AT)
        finally:
            os.close(descriptor)
        return struct.unpack("<q", raw)[0] if len(raw) == 8 else None


async def cancel_all(account_type: Any, rest: Any, log: Logger) -> None:
    """Returns when the venue lists no open order."""
    while True:
        wait = AGAIN_SECONDS
        try:
            if await emergency_of(account_type).cancel_everything(rest, account_type) == 0:
                log.critical(f"{account_type}: the venue confirms that no order is open")
                return
        except NO_ANSWER as error:
            log.error(f"{account_type}: canceling everything failed: {error}; trying again")
            wait = max(wait, getattr(error, "retry_after_ms", 0) / 1000)
        await asyncio.sleep(wait)


async def guard(heartbeat: Heartbeat, accounts: Sequence[tuple[Any, Any]], after: float, log: Logger, once: bool = False) -> None:
    """accounts: (account type, REST client). once: return after everything has been canceled."""
    living = False
    while True:
        age = heartbeat.age()
        if age is None and living:
            log.info("the engine has ended cleanly; waiting for the next one")
        elif age is not None and age < after and not living and age < LOOK_SECONDS * 2:
            log.info("an engine is running")
        if age is not None and age >= after:
            log.critical(f"the engine's heart has not beaten for {age:.1f} s: canceling everything")
            await asyncio.gather(*(cancel_all(account_type, rest, log) for account_type, rest in accounts))
            if once:
                return
            while (age := heartbeat.age()) is not None and age >= after:
                await asyncio.sleep(LOOK_SECONDS)
        living = age is not None
        await asyncio.sleep(LOOK_SECONDS)
