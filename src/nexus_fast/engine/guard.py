"""A process of its own that cancels everything when the engine's heart stops: for venues that have no dead man's switch.

The engine writes the time into the header of its shared memory some twenty times a second. While that number changes, the
engine lives.
When it stands still for too long, everything on the accounts is canceled over the guard's own connections, until the venues
list nothing.
An engine that ends cleanly takes its shared memory with it and says so in its journal: then there is nothing to guard until the
next one starts. Shared memory that is gone without that proof is an engine that is gone.
"""

import asyncio
import contextlib
import os
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nexus_fast.answers import reading, told
from nexus_fast.engine.safety import AGAIN_SECONDS, emergency_of, leave_mark
from nexus_fast.error import NO_ANSWER
from nexus_fast.journal.error import JournalError
from nexus_fast.journal.kill_mark import KillMark
from nexus_fast.journal.sessions import last_sessions
from nexus_fast.log import Logger
from nexus_fast.shm.names import segment_name
from nexus_fast.shm.segment import segment_path

HEARTBEAT_AT = 256               # offset in the header, docs/memory-model.md
LOOK_SECONDS = 0.1
LONGEST_WAIT = 60.0              # between two attempts to cancel everything


class Heartbeat:
    """In the header of the shared memory of orders."""

    def __init__(self, strategy_id: str, user_id: str):
        self._path = segment_path(segment_name(strategy_id, user_id, "orders"))
        self._last: int | None = None
        self._changed = time.monotonic()

    def silence(self) -> tuple[float, bool]:
        """(seconds since it was last seen to change, to appear or to vanish; whether it is there)."""
        beat = self._read()
        if beat != self._last:
            self._last, self._changed = beat, time.monotonic()
        return time.monotonic() - self._changed, beat is not None

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
            with reading("what is open"):
                listed = await emergency_of(account_type).cancel_everything(rest, account_type)
            if listed == 0:
                log.critical(f"{account_type}: the venue confirms that no order is open")
                return
        except NO_ANSWER as error:
            log.error(f"{account_type}: canceling everything failed: {told(error)}; trying again")
            # However long the venue says, as whoever answers may not be the venue.
            wait = min(max(wait, getattr(error, "retry_after_ms", 0) / 1000), LONGEST_WAIT)
        await asyncio.sleep(wait)


class Engine:
    """The engine that is watched: its heart, and in `directory`, its journal's, the proof of how it ended."""

    def __init__(self, heartbeat: Heartbeat, directory: Path):
        self.mark = KillMark(directory)
        self.directory = directory
        self._heartbeat = heartbeat
        self._seen = False

    def silence(self) -> tuple[float, bool]:
        """(seconds since its heart was last seen to beat, whether its shared memory is there)."""
        silent, there = self._heartbeat.silence()
        self._seen |= there
        return silent, there

    def stopped(self) -> str:
        """What a heart that stands still leaves; as open_end."""
        try:
            return "" if self.directory.is_dir() and self.mark.is_settled() else "its heart does not beat"
        except OSError as error:
            return str(error)

    def open_end(self) -> str:
        """Why something may be open that nobody looks after; "" when there is proof that nothing is."""
        if not self.directory.is_dir():
            return f"there is no journal in {self.directory} to tell how it ended" if self._seen else ""
        try:
            if self.mark.is_settled():
                return ""
            if self.mark.exists():
                return f"its kill switch has not been confirmed: {self.mark.read()}"
            sessions = last_sessions(self.directory, 1 << 62)
        except (JournalError, OSError) as error:
            return str(error)
        if not sessions or (sessions[0].ended_cleanly and not sessions[0].damage):
            return ""
        return f"its journal has no clean end (epoch {sessions[0].epoch})"


async def guard(engine: Engine, accounts: Sequence[tuple[Any, Any]], after: float, log: Logger, once: bool = False) -> None:
    """accounts: (account type, REST client). once: return after everything has been canceled."""
    was, end = None, ""
    while True:
        silent, there = engine.silence()
        if there is not was:
            end = "" if there else engine.open_end()
            log.info(_said(was, there, end))
            was = there
        if silent >= after:
            end = engine.stopped() if there else end
            if end:
                gone = f"the engine's heart has not beaten for {silent:.1f} s" if there else f"the engine is gone, and {end}"
                await _cancel_everything(engine, accounts, gone, log)
                if once:
                    return
            while (found := engine.silence())[1] is there and found[0] >= after:
                await asyncio.sleep(LOOK_SECONDS)
            was = None
        await asyncio.sleep(LOOK_SECONDS)


def _said(was: bool | None, there: bool, end: str) -> str:
    if there:
        return "an engine is there"
    if end:
        return f"no engine is there, and {end}: its orders are canceled unless one comes"
    return "the engine has ended cleanly; waiting for the next one" if was else "nothing to guard; waiting for an engine"


async def _cancel_everything(engine: Engine, accounts: Sequence[tuple[Any, Any]], why: str, log: Logger) -> None:
    """With the mark first: an engine that wakes up, or is started, meanwhile finds it."""
    log.critical(f"{why}: canceling everything; no engine starts until `nexus-fast journal clear-kill {engine.directory}`")
    leave_mark(engine.mark, why, log, "guard")
    await asyncio.gather(*(cancel_all(account_type, rest, log) for account_type, rest in accounts))
    with contextlib.suppress(OSError):               # it stays a mark
        engine.mark.confirm()
