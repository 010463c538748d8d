"""What an append costs the hot path: no system call and no page fault, over a file's end too."""

import os
import platform
import subprocess
import sys

import pytest
from patience import PROCESS_SECONDS

APPENDS = 100_000
CHILD = """
import ctypes, gc, resource, struct, sys
from nexus_fast.core.types import pack
from nexus_fast.journal.writer import JournalWriter
mode, directory, appends = sys.argv[1], sys.argv[2], int(sys.argv[3])
journal = JournalWriter(directory, "a.b")
record = pack("order_event", number=1, client_id="x")
append = journal.append
gc.disable()

def run(count):
    for _ in range(count):
        append(record)

run(1000)
if mode == "faults":
    run(1000)
    before = resource.getrusage(resource.RUSAGE_SELF)
    run(appends)
    after = resource.getrusage(resource.RUSAGE_SELF)
    state = journal.state()
    print(after.ru_minflt - before.ru_minflt, after.ru_majflt - before.ru_majflt, state["appended"], state["files"])
else:
    libc = ctypes.CDLL(None, use_errno=True)
    exit_number = int(sys.argv[4])
    # One rule: exit is allowed, every other system call kills.
    steps = struct.pack("<HBBI", 0x20, 0, 0, 0) + struct.pack("<HBBI", 0x15, 0, 1, exit_number)
    steps += struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000) + struct.pack("<HBBI", 0x06, 0, 0, 0x80000000)
    text = ctypes.create_string_buffer(steps)
    program = struct.pack("<H6xQ", 4, ctypes.addressof(text))
    holder = ctypes.create_string_buffer(program)
    call = libc.syscall
    # Called once before, as a first call makes the library look the function up.
    call(39)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(holder), 0, 0):
        sys.exit(77)
    if mode == "calls":
        run(appends)
    else:
        call(39)                        # getpid: what the filter is there for
    call(exit_number, 5)
"""
EXIT = {"x86_64": 60, "aarch64": 93}


def child(mode, directory, *arguments):
    command = [sys.executable, "-c", CHILD, mode, str(directory), str(APPENDS), *map(str, arguments)]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    return subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_SECONDS, env=environment)


def test_an_append_faults_no_page(tmp_path):
    """Best of three: the kernel may write pages back at the very moment, and protects them for it."""
    seen = []
    for number in range(3):
        done = child("faults", tmp_path / str(number))
        minor, major, appended, files = map(int, done.stdout.split())
        assert appended == APPENDS + 2000 and files == 2, done.stderr
        seen.append(minor + major)
        if seen[-1] == 0:
            return
    raise AssertionError(f"page faults in {APPENDS} appends: {seen}")


@pytest.mark.skipif(platform.machine() not in EXIT, reason="the number of exit is not known here")
def test_an_append_makes_no_system_call(tmp_path):
    """Under a filter that kills at any system call but the process's end."""
    done = child("calls", tmp_path / "calls", EXIT[platform.machine()])
    if done.returncode == 77:
        pytest.skip("no seccomp here")
    assert done.returncode == 5, (done.returncode, done.stderr)
    assert child("proof", tmp_path / "proof", EXIT[platform.machine()]).returncode < 0        # and it would have noticed one
