"""The bench is not an installed package: tests import it from the root, and skip without a compiler."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))


@pytest.fixture(scope="session")
def program():
    """program("exchange") builds and returns the path of a C program of the bench."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    from bench.build import c_program

    return c_program
