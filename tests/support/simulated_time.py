"""Simulated time for child processes: simulated_time.c, compiled when needed and preloaded.

    subprocess.run([...], env=simulated_environment())

In such a process an engine and a venue share one event loop and real sockets, and a minute of waiting takes no time.
"""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).with_suffix(".c")
LIBRARY = ROOT / "build" / "tests" / "simulated_time.so"
VARIABLE = "NEXUS_SIMULATED_TIME"
PROCESSOR = "NEXUS_SIMULATED_PROCESSOR"


def compiler() -> list[str] | None:
    """The C compiler's command, in words; None when there is none."""
    words = os.environ.get("CC", "cc").split()
    return words if words and shutil.which(words[0]) else None


def build() -> Path:
    """The library, compiled when its source is newer."""
    if not LIBRARY.exists() or LIBRARY.stat().st_mtime < SOURCE.stat().st_mtime:
        LIBRARY.parent.mkdir(parents=True, exist_ok=True)
        made = LIBRARY.with_suffix(f".{os.getpid()}")
        subprocess.run([*compiler(), "-O2", "-shared", "-fPIC", "-o", made, SOURCE, "-ldl"], check=True)
        os.replace(made, LIBRARY)
    return LIBRARY


def simulated_environment(processor: int = 0) -> dict[str, str]:
    """The environment of a process whose time is simulated; hashes do not depend on the process either. processor: the
    process keeps to this one, counted among those that it may use, round and round."""
    paths = [str(ROOT / "src"), str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    added = {"LD_PRELOAD": str(build()), "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0", VARIABLE: "1",
             PROCESSOR: str(processor)}
    return {**os.environ, **added, "NEXUS_FAST_FENCE": "loopback"}


def is_simulated() -> bool:
    return os.environ.get(VARIABLE) == "1"


def pause(seconds: float) -> None:
    """The machine stands still for so long (a suspended VM, a page that does not come)."""
    ctypes.CDLL(None).simulated_pause(ctypes.c_int64(round(seconds * 1e9)))


def restart() -> None:
    """Back to the beginning: the next run sees the same times as if it were the first."""
    ctypes.CDLL(None).simulated_restart()


def now() -> float:
    """Seconds since the beginning. Unlike any clock this one does not advance by being looked at, so a trace changes nothing."""
    read = ctypes.CDLL(None).simulated_now
    read.restype = ctypes.c_double
    return read()


def step(seconds: float) -> None:
    """The wall clock is set forwards or back; the monotonic one is not."""
    ctypes.CDLL(None).simulated_step(ctypes.c_int64(round(seconds * 1e9)))
