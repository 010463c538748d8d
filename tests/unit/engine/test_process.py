"""What the engine does to its process, in one of its own: no collector and no page fault between tick and order."""

import json
import os
import resource
import subprocess
import sys
import time

import pytest

from nexus_fast.engine import process
from nexus_fast.engine.process import MANY_OBJECTS, YOUNG_OBJECTS

PROGRAM = """
import gc, json, mmap
from nexus_fast.engine.process import Tuning

def locked_kb():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmLck")).split()[1])

at_start = gc.get_freeze_count()         # Python 3.12 freezes some objects of its own

def state():
    return {"gc": gc.isenabled(), "frozen": gc.get_freeze_count() > at_start, "locked": locked_kb() > 1000}

tuning = Tuning(None, False)
before = state()
tuning.apply()
during = state()
locked = locked_kb()
later = mmap.mmap(-1, 1 << 26)
during["later"] = locked_kb() - locked >= 1 << 16
tuning.restore()
print(json.dumps([before, during, state(), tuning.report["memory"]]))
"""


@pytest.mark.scenario(56)
def test_the_collector_is_still_and_the_memory_locked_while_it_runs():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    before, during, after, memory = json.loads(done.stdout)
    as_ever = {"gc": True, "frozen": False, "locked": False}
    assert before == after == as_ever
    assert (during["gc"], during["frozen"]) == (False, True)
    if memory != "locked":
        pytest.skip(f"this process may not lock its memory: {memory}")
    unlimited = os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    assert during["locked"] and during["later"] is unlimited        # what is mapped later, such as the journal's next file


@pytest.mark.scenario(56)
@pytest.mark.parametrize(("waiting", "quiet", "collects"), [
    (YOUNG_OBJECTS + 1, True, True), (YOUNG_OBJECTS + 1, False, False), (YOUNG_OBJECTS, True, False),
    (MANY_OBJECTS + 1, False, True)])
def test_it_collects_in_quiet_turns(monkeypatch, waiting, quiet, collects):
    """Or when there is too much to wait for one."""
    done = []
    monkeypatch.setattr(process.gc, "get_count", lambda: (waiting, 0, 0))
    monkeypatch.setattr(process.gc, "collect", done.append)
    process.Tuning(None, False).collect(0 if quiet else time.monotonic_ns() + 10**12)
    assert done == [0] * collects
