"""What the engine does to its own process: pins it, locks its memory, stills the garbage collector, keeps the core awake.

`Tuning.apply()` and `Tuning.restore()`; every step is best effort and says in `report` what it could do.
"""

import contextlib
import ctypes
import gc
import os
import resource
import time

MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
# The cyclic collector runs when this many new objects wait for it and no message came for QUIET_NS. Little at a time: an object
# costs 0.1 to 0.4 us, and the tick that ends the quiet waits for all of them.
YOUNG_OBJECTS = 500
QUIET_NS = 2_000_000
# Without a quiet moment, this many make it run all the same.
MANY_OBJECTS = 2_000


def is_quiet(last_message_ns: int) -> bool:
    """No market data for a while: something cold may be done."""
    return time.monotonic_ns() - last_message_ns > QUIET_NS


class Tuning:
    def __init__(self, cpu: int | None, hold_awake: bool):
        self.report: dict[str, str] = {}
        self._cpu = cpu
        self._hold_awake = hold_awake
        self._affinity: set[int] | None = None
        self._latency_file = None
        self._gc_was_on = False

    def apply(self) -> None:
        self._pin()
        self._lock_memory()
        self._still_collector()
        if self._hold_awake:
            self._keep_awake()

    def restore(self) -> None:
        if self._affinity is not None:
            os.sched_setaffinity(0, self._affinity)
        if self._latency_file is not None:
            self._latency_file.close()
        if self._gc_was_on:
            gc.unfreeze()
            gc.enable()
        ctypes.CDLL(None).munlockall()

    def collect(self, last_message_ns: int) -> None:
        """A cold turn: collect what is new when there is enough of it, in a quiet moment if there is one."""
        waiting = gc.get_count()[0]
        if (waiting > YOUNG_OBJECTS and is_quiet(last_message_ns)) or waiting > MANY_OBJECTS:
            gc.collect(0)

    def _pin(self) -> None:
        if self._cpu is None:
            self.report["cpu"] = "not pinned"
            return
        self._affinity = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {self._cpu})
        self.report["cpu"] = f"pinned to {self._cpu}"

    def _lock_memory(self) -> None:
        """With a limit on locked memory, locking what is still to come would make allocations fail: then only what is there."""
        limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
        free = limit == resource.RLIM_INFINITY or os.geteuid() == 0
        libc = ctypes.CDLL(None, use_errno=True)
        done = libc.mlockall(MCL_CURRENT) == 0
        if done and free:
            # On fault: a new mapping (the journal's next file) is locked page by page, not filled within one call.
            libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)
        self.report["memory"] = "locked" if done else f"not locked: {os.strerror(ctypes.get_errno())}"

    def _still_collector(self) -> None:
        self._gc_was_on = gc.isenabled()
        gc.collect()
        gc.freeze()
        gc.disable()
        self.report["gc"] = "frozen; runs in quiet turns"

    def _keep_awake(self) -> None:
        """While this file is open with a 0 in it, the kernel lets no core into a deep sleep state."""
        with contextlib.suppress(OSError):
            self._latency_file = open("/dev/cpu_dma_latency", "wb", buffering=0)
            self._latency_file.write(b"\0\0\0\0")
        self.report["sleep states"] = "held off" if self._latency_file else "left to the kernel"
