"""A simulator that goes on between programs: its folder has endpoints.toml, simulator.log and simulator.pid."""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from nexus_fast.cli.processes import STOP_SECONDS, start_simulator
from nexus_fast.private import make_folder, replace_file


class KeptSimulator:
    """`with KeptSimulator(folder, rate=20) as simulator`: the one that runs in the folder, whatever its options are, or a new
    one. It goes on when the block ends."""

    def __init__(self, directory: str | Path, **options: Any):
        self.directory = Path(directory).absolute()
        self.endpoints = self.directory / "endpoints.toml"
        self.was_running = False
        self._options = options

    def __enter__(self) -> "KeptSimulator":
        make_folder(self.directory)
        self.was_running = running(self.directory) is not None
        if not self.was_running:
            process, log = start_simulator(self.directory, **self._options)
            log.close()
            replace_file(self.directory / "simulator.pid", f"{process.pid}\n")
        return self

    def __exit__(self, *_: Any) -> None:
        """It is left alone."""


def running(directory: Path) -> int | None:
    """The process id of the folder's simulator; None where none runs. An id that is another program's by now is none."""
    try:
        pid = int((directory / "simulator.pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    ours = b"nexus_fast.sim" in words and os.fsencode(directory / "endpoints.toml") in words
    return pid if ours and (directory / "endpoints.toml").exists() else None


def stop_kept(directory: str | Path) -> bool:
    """End the folder's simulator; False where none runs."""
    folder = Path(directory).absolute()
    pid = running(folder)
    (folder / "simulator.pid").unlink(missing_ok=True)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        while _lives(pid):
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
    return True


def _lives(pid: int) -> bool:
    """Not a zombie: who started it may not have asked for its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
