"""Coroutine tests of this folder are played in a process whose time is simulated: an engine on a faulty venue.

    @pytest.mark.scenario(2)
    @engine(symbols=[BTC])
    async def test_…(s): ...             # s: the strategy; s.venue: what is so at the venue (simulated_run.Truth)
"""

import inspect
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from patience import PROCESS_SECONDS, SCRIPT_SECONDS  # noqa: E402
from simulated_time import compiler, simulated_environment  # noqa: E402

# Of real time; the scenarios themselves have their own, simulated limits.
SECONDS = int(SCRIPT_SECONDS)
# Of pytest-xdist: each has a processor of its own for what it plays.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


class Player:
    """The process that plays; it is started with the first scenario, and anew after one that hung."""

    def __init__(self):
        self.process = None

    def start(self):
        self.log = tempfile.TemporaryFile()
        command = [sys.executable, str(Path(__file__).with_name("player.py")), str(SECONDS)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        env=simulated_environment(WORKER))

    def play(self, file, name, parameters):
        """What went wrong, or None."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        begun = self.log.seek(0, 2)
        request = {"file": str(file), "name": name, "parameters": parameters}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        self.log.seek(begun)
        log = self.log.read()[-6000:].decode(errors="replace")
        if not answer:
            return f"the process ended, or took longer than {SECONDS} s\n{log}"
        text = json.loads(answer)
        return None if text is None else f"{text}\n--- log\n{log}"

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(PROCESS_SECONDS)


player = Player()


@pytest.fixture
def s():
    """Stands for the strategy, which lives in the other process."""
    if compiler() is None:
        pytest.skip("simulated time needs a C compiler")


@pytest.fixture(scope="session", autouse=True)
def _end_of_the_player():
    yield
    player.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    parameters = pyfuncitem.callspec.params if hasattr(pyfuncitem, "callspec") else {}
    problem = player.play(pyfuncitem.path, pyfuncitem.originalname, parameters)
    if problem is not None:
        pytest.fail(problem, pytrace=False)
    return True
