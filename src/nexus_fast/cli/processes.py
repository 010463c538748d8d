"""Child processes of the command line: the simulator, and a program that runs against it. Each is ended by its owner."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from nexus_fast.private import open_private

START_SECONDS = 30.0
STOP_SECONDS = 15.0


def start_simulator(directory: Path, **options: Any) -> tuple[subprocess.Popen, Any]:
    """A simulator that listens, with endpoints.toml and simulator.log in the folder; the process, and its log file."""
    endpoints = directory / "endpoints.toml"
    endpoints.unlink(missing_ok=True)
    command = [sys.executable, "-m", "nexus_fast.sim", "--endpoints", str(endpoints)]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        command += [option] * value if isinstance(value, bool) else [option, str(value)]
    log = open_private(directory / "simulator.log", "wb")
    # A Ctrl+C at the terminal is for the program; the simulator ends when its owner ends it.
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    until = time.monotonic() + START_SECONDS
    while not endpoints.exists():
        if process.poll() is not None or time.monotonic() > until:
            stop(process)
            raise RuntimeError(f"the simulator did not start:\n{(directory / 'simulator.log').read_text()}")
        time.sleep(0.02)
    return process, log


class SimulatorProcess:
    """`with SimulatorProcess(rate=100) as simulator`: listens when the block begins, is gone when it ends."""

    def __init__(self, *, cpu: int | None = None, **options: Any):
        self.directory = Path(tempfile.mkdtemp(prefix="nexus_fast_"))
        self.endpoints = self.directory / "endpoints.toml"
        self._cpu = cpu
        self._options = options
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "SimulatorProcess":
        self._process, self._log = start_simulator(self.directory, parent=os.getpid(), **self._options)
        if self._cpu is not None:
            os.sched_setaffinity(self._process.pid, {self._cpu})
        return self

    def __exit__(self, *_: Any) -> None:
        if self._process is not None:
            stop(self._process)
        self._log.close()
        for file in self.directory.iterdir():
            file.unlink()
        self.directory.rmdir()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def statistics(self) -> dict[str, Any]:
        """Ticks, orders, fills, rejects, bad_signatures, wire_us, as the simulator counts them."""
        return msgspec.json.decode(self._control("statistics"))

    def reset_statistics(self) -> None:
        self._control("statistics/reset", b"")

    def _control(self, path: str, body: bytes | None = None) -> bytes:
        base = tomllib.loads(self.endpoints.read_text())["sim"]["control"]
        with urllib.request.urlopen(f"{base}/sim/v1/{path}", data=body, timeout=10) as answer:
            return answer.read()


def stop(process: subprocess.Popen) -> None:
    """Ask it to end, wait, and end it."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
