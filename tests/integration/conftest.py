import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

# A simulator lives as long as one file's tests: left running, each takes a fifth of a processor from the files that follow.
ACCOUNTS = 600                   # more than the tests of one process
_numbers = itertools.count()


@pytest.fixture(scope="module")
def simulator_endpoints(tmp_path_factory):
    """A simulator of the file's own with moving books; the parsed endpoints file."""
    from simulator import read_endpoints, start_simulator

    file, stop = start_simulator(directory=tmp_path_factory.mktemp("simulator"), rate=20, seed=7)
    yield read_endpoints(file)
    stop()


@pytest.fixture(scope="module")
def engine_simulator(tmp_path_factory):
    """A simulator with an account for every test that trades on it."""
    from simulator import read_endpoints, start_simulator

    accounts = [f"key{number}:secret{number}" for number in range(ACCOUNTS)]
    file, stop = start_simulator(directory=tmp_path_factory.mktemp("engines"), rate=40, seed=11, account=accounts,
                                 weight_limit_factor=100)
    yield read_endpoints(file)
    stop()


@pytest.fixture
def venue(engine_simulator, tmp_path):
    """The simulator with an account that nobody has used."""
    from engine_program import Venue

    number = next(_numbers)
    found = Venue(engine_simulator, f"key{number}", f"secret{number}", tmp_path)
    found.reset_statistics()
    return found


@pytest.fixture(scope="module")
def bybit_simulator(tmp_path_factory):
    """A simulated Bybit with an account for every test."""
    from simulator import read_endpoints, start_simulator

    accounts = [f"key{number}:secret{number}" for number in range(ACCOUNTS)]
    directory = tmp_path_factory.mktemp("bybit")
    file, stop = start_simulator(directory=directory, venues="bybit", rate=40, seed=11, account=accounts)
    yield read_endpoints(file)
    stop()


@pytest.fixture
def bybit(bybit_simulator, tmp_path):
    """The simulated Bybit with an account that nobody has used; without faults."""
    from bybit_venue import BybitVenue

    number = next(_numbers)
    found = BybitVenue(bybit_simulator, f"key{number}", f"secret{number}", tmp_path)
    yield found
    found.load_faults()


@pytest.fixture(scope="module")
def okx_simulator(tmp_path_factory):
    """A simulated OKX with an account for every test."""
    from simulator import read_endpoints, start_simulator

    accounts = [f"key{number}:secret{number}:sim" for number in range(ACCOUNTS)]
    file, stop = start_simulator(directory=tmp_path_factory.mktemp("okx"), venues="okx", rate=40, seed=11, account=accounts)
    yield read_endpoints(file)
    stop()


@pytest.fixture
def okx(okx_simulator, tmp_path):
    """The simulated OKX with an account that nobody has used."""
    from okx_venue import OkxVenue

    number = next(_numbers)
    found = OkxVenue(okx_simulator, f"key{number}", f"secret{number}", tmp_path)
    yield found
    found.faults()
