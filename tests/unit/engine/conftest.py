import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from waiting import Bench


@pytest.fixture
def bench():
    """A poller that waits, on a loop of its own."""
    made = Bench()
    yield made
    made.close()
