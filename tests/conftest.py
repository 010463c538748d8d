import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

_own = []                                # the segment directory of this run


@pytest.fixture(autouse=True)
def log_as_it_was():
    """An engine of one test says where the lines of the whole process go; the next test hears them as if it were the first."""
    logger = logging.getLogger("nexus_fast")
    level, propagate, handlers = logger.level, logger.propagate, list(logger.handlers)
    yield
    logger.setLevel(level)
    logger.propagate = propagate
    logger.handlers[:] = handlers


def pytest_configure(config):
    from nexus_fast import fence

    fence.put_up(fence.LOOPBACK)         # no test leaves the machine, nor does a process that one starts
    config.addinivalue_line("markers", "scenario(*numbers): of the failure scenarios, listed in tests/scenarios/README.md")
    # Two runs on one machine, or a run beside an engine, have the same strategy ids: each has segments of its own.
    if "NEXUS_FAST_SHM" not in os.environ:
        _own.append(tempfile.mkdtemp(prefix="nexus_fast_tests_", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
        os.environ["NEXUS_FAST_SHM"] = _own[0]


def pytest_unconfigure(config):
    if _own:
        del os.environ["NEXUS_FAST_SHM"]
        shutil.rmtree(_own.pop(), ignore_errors=True)
