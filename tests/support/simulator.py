"""Starts the simulator as a process of its own for tests.

    endpoints_file, stop = start_simulator(rate=50)
    ...
    stop()

Loaded by path (`tests/` is no package): see `load` at the top of the integration tests' conftest.
"""

import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from patience import PROCESS_SECONDS

SOURCE = Path(__file__).resolve().parents[2] / "src"


def start_simulator(*, directory: str | Path | None = None, **options) -> tuple[Path, Callable[[], None]]:
    """Start `python -m nexus_fast.sim` and wait until it listens; returns (endpoints file, stop function).

    Options are those of the command with underscores, e.g. `rate=50, seed=7, account=["k:s"], order_limit_factor=1`.
    Prices stand unless a test says prices="walk": nothing but the test fills an order or moves it away from the book.
    """
    options.setdefault("prices", "stand")
    directory = Path(directory or tempfile.mkdtemp(prefix="nexus_fast_sim_"))
    file = directory / "endpoints.toml"
    command = [sys.executable, "-m", "nexus_fast.sim", "--endpoints", str(file), "--parent", str(os.getpid())]
    for name, value in options.items():
        if isinstance(value, bool):
            command += [f"--{name.replace('_', '-')}"] * value
            continue
        for one in value if isinstance(value, (list, tuple)) else [value]:
            command += [f"--{name.replace('_', '-')}", str(one)]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(
        [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]))
    log = (directory / "simulator.log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    _wait(process, file, directory / "simulator.log")

    def stop() -> None:
        process.terminate()
        try:
            process.wait(PROCESS_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()

    return file, stop


def _wait(process: subprocess.Popen, file: Path, log: Path) -> None:
    deadline = time.monotonic() + PROCESS_SECONDS
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"the simulator did not start:\n{log.read_text()}")
        time.sleep(0.02)


def read_endpoints(file: str | Path) -> dict:
    """`read_endpoints(file)["binance"]["spot"]["rest"]`."""
    return tomllib.loads(Path(file).read_text(encoding="utf-8"))
