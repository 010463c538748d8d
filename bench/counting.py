"""Instructions, counted by valgrind's callgrind: they repeat exactly, on whatever machine and beside whatever neighbour.

callgrind's processor has no SHA instructions, so a signature costs there what it costs a processor without them.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.build import ROOT, BuildError, c_program
from bench.runs import engine_environment


class CountError(Exception):
    """The counted program did not end well; the text has its last words."""


def why_not() -> str:
    """Why nothing can be counted here; empty when it can."""
    if shutil.which("valgrind") is None:
        return "valgrind is not installed (Debian: apt install valgrind)"
    include = [Path(folder, "valgrind", "callgrind.h") for folder in ("/usr/include", "/usr/local/include")]
    if not any(path.exists() for path in include):
        return "valgrind's header callgrind.h is not installed"
    return ""


def valgrind_version() -> str:
    return subprocess.run(["valgrind", "--version"], capture_output=True, text=True).stdout.strip()


def environment(layout: int = 0) -> dict[str, str]:
    """Nothing that differs from run to run: hash seed, arguments of the shell, a send() that leaves the machine alone.

    Another layout puts Python's objects at other addresses: `os.environ` takes memory before anything else does.
    """
    padding = {f"NEXUS_BENCH_PADDING_{number}": "x" * (37 * number % 200) for number in range(5 * layout)}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "CC") if name in os.environ}
    path = engine_environment()["PYTHONPATH"]
    fixed = {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "LD_PRELOAD": str(c_program("no_send", shared=True))}
    return {**kept, **padding, **fixed}


def count(module: str, arguments: list[str], layout: int = 0, limit: float = 600) -> tuple[dict[str, int], str]:
    """Runs `python -m module` under callgrind. ({name of the dump: instructions}, its stdout)."""
    with tempfile.TemporaryDirectory(prefix="nexus-bench-count-") as folder:
        out = Path(folder, "out")
        command = [
            "valgrind",
            "--tool=callgrind",
            "--instr-atstart=no",
            f"--callgrind-out-file={out}",
            "--quiet",
            sys.executable,
            "-m",
            module,
            *arguments,
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(layout), timeout=limit)
        except subprocess.TimeoutExpired:
            raise CountError(f"{module}: still running after {limit:.0f} s under callgrind") from None
        if done.returncode:
            raise CountError(f"{module} ended with status {done.returncode} under callgrind:\n{done.stderr[-3000:]}")
        return dumps(Path(folder)), done.stdout


def dumps(folder: Path) -> dict[str, int]:
    """The least of each name: now and then a pass is the one in which Python asks for more memory."""
    found: dict[str, int] = {}
    for path in folder.iterdir():
        text = path.read_text()
        name = re.search(r"^desc: Trigger: Client Request: (.+)$", text, re.M)
        total = re.search(r"^(?:summary|totals): (\d+)", text, re.M)
        if name and total:
            found[name[1]] = min(int(total[1]), found.get(name[1], int(total[1])))
    return found


__all__ = ["BuildError", "CountError", "count", "valgrind_version", "why_not"]
