"""Engines that die by SIGKILL: in a forked child, so that what they leave is all that they leave.

    found = run_and_die(script, venue, strategy_id="x", …)      # script ends with s.die(what)

`what` (anything JSON can say) is what run_and_die returns. The same strategy_id and directory make the next engine its successor.
"""

import json
import os
import signal
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
    before: called first in the child."""
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
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"the engine ended by itself: {status}"
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
