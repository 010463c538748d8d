"""Engines that die by SIGKILL: in a forked child, so that what they leave is all that they leave.

    found = run_and_die(script, venue, strategy_id="x", …)      # script ends with s.die(what)

`what` (anything JSON can say) is what run_and_die returns. The same strategy_id and directory make the next engine its successor.
"""

import ctypes
import json
import os
import platform
import signal
import struct
import sys
import time
import traceback

from engine_program import Scripted, run_strategies
from patience import SCRIPT_SECONDS


class Dying(Scripted):
    """`out`: a descriptor."""

    out = -1

    def die(self, what=None):
        os.write(self.out, json.dumps(what).encode())
        os.kill(os.getpid(), signal.SIGKILL)


def run_and_die(script, venue, *, symbols=(), around=None, before=None, **options):
    """around: a context manager's function of the child (venue) -> another venue, for what belongs to the child, such as a proxy.
    before: called first in the child. It may die at the wire instead (die_at_the_wire), and say nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            if before is not None:
                before()
            strategy = Dying(script, symbols)
            strategy.out = writing
            if around is None:
                run_strategies([strategy], venue, **options)
            else:
                with around(venue) as other:
                    run_strategies([strategy], other, **options)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(3)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        status = _wait(child)
        text = pipe.read()
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGKILL, signal.SIGSYS)
    assert killed, f"the engine ended by itself: {status}"
    return json.loads(text) if text else None


def _wait(child):
    until = time.monotonic() + SCRIPT_SECONDS
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError("the engine did not die in time")
        time.sleep(0.005)


# The system calls by which bytes leave: write, writev, sendto, sendmsg, sendmmsg.
WIRE = {"x86_64": (1, 20, 44, 46, 307), "aarch64": (64, 66, 206, 211, 269)}


def die_at_the_wire():
    """From now on this process ends at the call that would send its first byte, before the byte is out. Raises OSError where the
    kernel has no such filters."""
    numbers = WIRE[platform.machine()]
    steps = struct.pack("<HBBI", 0x20, 0, 0, 0)                                         # load the call's number
    for left, number in zip(range(len(numbers) - 1, -1, -1), numbers, strict=True):
        steps += struct.pack("<HBBI", 0x15, left + 1, 0, number)                        # one of these: to the last step
    steps += struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000) + struct.pack("<HBBI", 0x06, 0, 0, 0x80000000)    # allow; kill
    text = ctypes.create_string_buffer(steps)
    program = ctypes.create_string_buffer(struct.pack("<H6xQ", len(steps) // 8, ctypes.addressof(text)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "no filter of system calls")
