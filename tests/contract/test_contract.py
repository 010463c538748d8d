"""Some of the seeds of each kind; `make contract` plays all of them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from simulated_time import compiler  # noqa: E402

SECONDS = 8


@pytest.mark.skipif(compiler() is None, reason="simulated time needs a C compiler")
@pytest.mark.parametrize("kind", ["books", "stop"])
def test_what_programs_are_told_and_leave_is_so_at_the_venue(kind):
    command = [sys.executable, "-m", "tests.contract", "--kind", kind, "--seeds", "1-30", "--chunk", "5"]
    command += ["--seconds", str(SECONDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert int(re.search(r"^(\d+) runs, 0 failed", done.stdout, re.M)[1]) >= 5
