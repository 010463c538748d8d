"""What a process is started with: closed streams, masked signals, SIGPIPE as the shell has it, core dumps."""

import inspect
import os
import random
import signal
import subprocess
import sys

import pytest

from nexus_fast.error import ConfigurationError
from nexus_fast.feed import connection
from nexus_fast.gateway import rest_entry
from nexus_fast.surroundings import JITTER, anchored

HOLD = "from nexus_fast.surroundings import put_right; put_right()\n"


def run(code, closed=(), **more):
    def before():
        for number in closed:
            os.close(number)

    return subprocess.run([sys.executable, "-c", code], preexec_fn=before, timeout=60, **more)


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2), (1, 2)])
def test_no_socket_gets_the_number_of_a_stream(closed, tmp_path):
    """libuv ends the process when it closes a handle with such a number, and what is printed would go to a venue."""
    code = HOLD + (
        "import asyncio, os, socket, uvloop\n"
        "async def main():\n"
        "    server = await asyncio.start_server(lambda r, w: w.close(), '127.0.0.1', 0)\n"
        "    r, w = await asyncio.open_connection(*server.sockets[0].getsockname())\n"
        "    numbers = [w.get_extra_info('socket').fileno(), server.sockets[0].fileno(), socket.socket().fileno()]\n"
        "    w.close(); server.close()\n"
        f"    open({str(tmp_path / 'numbers')!r}, 'w').write(repr(numbers))\n"
        "uvloop.run(main())\n"
    )
    assert run(code, closed).returncode == 0
    assert min(eval((tmp_path / "numbers").read_text())) > 2


def test_streams_that_are_open_stay_what_they_are():
    result = run(HOLD + "print('said')", stdout=subprocess.PIPE)
    assert result.stdout == b"said\n"


def test_lines_go_to_the_stream_that_is_there():
    code = "from nexus_fast.log import Logger, configure; from nexus_fast.config import LogConfig\n"
    code += "configure(LogConfig(colors=True)); Logger('x').warning('heard')"
    assert b"heard" in run(HOLD + code, (1,), stderr=subprocess.PIPE).stderr
    assert run(HOLD + code, (0, 1, 2)).returncode == 0


def test_signals_that_were_masked_are_heard():
    code = HOLD + "import signal; print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())))"
    masked = {signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, masked)
    try:
        result = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=60)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert result.stdout == "[<Signals.SIGHUP: 1>]\n"


def test_a_peer_that_hangs_up_does_not_end_the_process():
    code = "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n" + HOLD + (
        "import os; r, w = os.pipe(); os.close(r)\n"
        "try: os.write(w, b'x')\n"
        "except BrokenPipeError: print('an error')\n"
    )
    assert run(code, stdout=subprocess.PIPE).stdout == b"an error\n"


DUMP = "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)\n"


@pytest.mark.parametrize("wanted", ["", "1"])
def test_a_process_with_keys_leaves_no_core(tmp_path, wanted, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_CORE_DUMPS", wanted)
    keep = "from nexus_fast.surroundings import keep_secrets; keep_secrets(); import ctypes\n"
    ask = run(keep + "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))", stdout=subprocess.PIPE)     # PR_GET_DUMPABLE
    assert int(ask.stdout) == (1 if wanted else 0)
    if dumps_core(tmp_path, ""):                 # the kernel writes them here at all
        assert dumps_core(tmp_path, keep) == bool(wanted)


def dumps_core(folder, code):
    code = f"{DUMP}os.chdir({str(folder)!r})\n{code}os.abort()"
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)
    return os.WCOREDUMP(os.waitpid(child, 0)[1])


def test_letters_that_the_terminal_lacks_are_written_in_another_way():
    code = "from nexus_fast.log import Logger, configure; configure()\n"
    code += "Logger('x').warning('\\u5e01\\u5b89\\u4eba\\u751fUSDT fell')"
    surroundings = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    result = run(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings)
    assert b"\\u5e01\\u5b89\\u4eba\\u751fUSDT fell" in result.stdout and result.stderr == b""


def test_pauses_do_not_repeat_when_the_program_seeds_random():
    draws = []
    for _ in range(2):
        random.seed(1)
        draws.append([JITTER.uniform(0, 1) for _ in range(4)])
    assert draws[0] != draws[1]
    sources = [inspect.getsource(module) for module in (connection, rest_entry)]
    assert all("JITTER.uniform" in text and "random.uniform" not in text for text in sources)


def test_paths_stay_where_they_were_when_the_program_goes_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = anchored(".nexus_fast")
    monkeypatch.chdir("/")
    assert path == str(tmp_path / ".nexus_fast")


def test_a_working_directory_that_is_gone_is_named(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert anchored("/var/lib/x") == "/var/lib/x"
    with pytest.raises(ConfigurationError, match="working directory has been removed.*whole paths"):
        anchored(".nexus_fast")
