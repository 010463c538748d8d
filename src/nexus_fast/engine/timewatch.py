"""What time does: pauses of the machine, steps of its clock, the difference to the venues' clocks.

After a pause, orders that were still waiting to be sent are dropped, and every book is stale until its next quote. Deadlines
are on the
monotonic clock; a step of the wall clock makes the engine measure the venues' clocks anew, with new orders refused meanwhile.
"""

import time
from typing import Any

from nexus_fast.engine.gates import CLOCK
from nexus_fast.log import Logger
from nexus_fast.order.reasons import TOO_LATE

PAUSE_SECONDS = 1.0              # the loop's turns are a twentieth of that apart
STEP_SECONDS = 0.1               # of the wall clock against the monotonic one, within one turn
# A clock that is as wrong as this is no clock: certificates, bars and journals are wrong with it.
LIMIT_SECONDS = 60.0
MEASURE_SECONDS = 600.0
MEASURE_AGAIN_SECONDS = 10.0     # while it is beyond the limit


class TimeWatch:
    """`host` is nexus_fast.engine.host.Host. check() is called some twenty times a second."""

    def __init__(self, host: Any, log: Logger):
        self._host = host
        self._log = log
        self._monotonic = time.monotonic()
        self._wall = time.time()
        self._measured: dict[int, float] = {}       # account -> CLOCK_MONOTONIC
        self._measuring: set[int] = set()

    def begin_anew(self) -> None:
        """What has just been done was meant to take its time."""
        self._monotonic, self._wall = time.monotonic(), time.time()

    def check(self) -> None:
        monotonic, wall = time.monotonic(), time.time()
        passed, stepped = monotonic - self._monotonic, (wall - self._wall) - (monotonic - self._monotonic)
        self._monotonic, self._wall = monotonic, wall
        if passed > PAUSE_SECONDS or stepped > PAUSE_SECONDS:       # a suspended machine's monotonic clock stands still
            self._on_pause(max(passed, passed + stepped))
        if abs(stepped) > STEP_SECONDS:
            self._log.error(f"this machine's clock was moved by {stepped:.3f} s; measuring the venues' clocks anew")
        for account in self._host.accounts.values():
            age = monotonic - self._measured.setdefault(account.index, monotonic)
            wrong = self._host.gates.remaining(account.index, CLOCK) > 0
            if abs(stepped) > STEP_SECONDS or age > (MEASURE_AGAIN_SECONDS if wrong else MEASURE_SECONDS):
                self.measure(account, in_doubt=abs(stepped) > STEP_SECONDS)

    def _on_pause(self, seconds: float) -> None:
        self._log.warning(f"nothing ran for {seconds:.1f} s: orders that waited are dropped, and books are stale until they move")
        self._host.drop_waiting(TOO_LATE)
        for feed in self._host.feeds.values():
            self._host.on_quotes_lost(feed)

    def measure(self, account: Any, *, in_doubt: bool) -> None:
        """in_doubt: new orders are refused until it is done."""
        if account.index in self._measuring:
            return
        if in_doubt:
            self._host.gates.close(account.index, CLOCK)
        self._measuring.add(account.index)
        self._host.spawn(self._measure(account))

    async def _measure(self, account: Any) -> None:
        """A clock that could not be read is asked for again soon; a gate that is closed meanwhile stays so."""
        measured = False
        try:
            measured = await account.synchronise_clock()
        finally:
            self._measuring.discard(account.index)
            late = 0.0 if measured else MEASURE_SECONDS - MEASURE_AGAIN_SECONDS
            self._measured[account.index] = time.monotonic() - late
        if measured:
            self.judge(account)

    def judge(self, account: Any) -> None:
        """Open the gate, unless this clock is too far from the venue's."""
        off = account.rest.clock_offset_ms / 1000
        if abs(off) <= LIMIT_SECONDS:
            self._host.gates.open(account.index, CLOCK)
            return
        what = f"this machine's clock is {-off:.1f} s from the venue's; no new orders until it is right"
        self._log.error(f"{account.account_type}: {what}")
        self._host.gates.close(account.index, CLOCK)
