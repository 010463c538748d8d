"""As many seeds as fit in some seconds; `make chaos` plays all of them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from simulated_time import compiler  # noqa: E402

SECONDS = 20


@pytest.mark.skipif(compiler() is None, reason="simulated time needs a C compiler")
def test_random_strategies_on_random_faults_agree_with_their_venues():
    command = [sys.executable, "-m", "tests.chaos", "--seeds", "1-400", "--seconds", str(SECONDS), "--chunk", "10"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = int(re.search(r"^(\d+) runs, 0 failed", done.stdout, re.M)[1])
    assert runs >= 10
    for venue in ("binance", "bybit", "okx"):
        assert re.search(rf"\b{venue} \d", done.stdout), f"no run on {venue} alone:\n{done.stdout}"


@pytest.mark.skipif(compiler() is None, reason="simulated time needs a C compiler")
@pytest.mark.parametrize("seed", [58458])
def test_seeds_that_found_something_agree(seed):
    """58458: a market-data connection that outlived its engine wrote into memory that was unmapped."""
    command = [sys.executable, "-m", "tests.chaos", "--seed", str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
