import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))


@pytest.fixture(scope="session")
def simulator_endpoints(tmp_path_factory):
    """A simulator of the session's own with moving books; the parsed endpoints file."""
    from simulator import read_endpoints, start_simulator

    file, stop = start_simulator(directory=tmp_path_factory.mktemp("simulator"), rate=20, seed=7)
    yield read_endpoints(file)
    stop()
