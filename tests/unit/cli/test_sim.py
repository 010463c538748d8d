"""`nexus-fast sim` and `python -m nexus_fast.sim` take the same words for the same thing."""

import pytest
from click.testing import CliRunner

from nexus_fast.cli import sim
from nexus_fast.sim import __main__ as module
from nexus_fast.sim import server

ARGUMENTS = ["--venues", "all", "--order-limit-factor", "1", "--weight-limit-factor", "7", "--listen-key-seconds", "60",
             "--post-only", "expire", "--tls", "--rate", "5", "--seed", "x", "--prices", "stand"]


@pytest.fixture
def started(monkeypatch):
    """What was to be run."""
    runs = []
    for place in (server, module):
        monkeypatch.setattr(place, "run", lambda venues, endpoints, **options: runs.append((venues, options)))
    return runs


def test_both_commands_start_the_same(started):
    done = CliRunner().invoke(sim.command, ARGUMENTS)
    assert done.exit_code == 0, done.output
    module.main(ARGUMENTS)
    (venues, options), of_the_module = started
    assert (venues, {**options, "faults": ()}) == (of_the_module[0], {**of_the_module[1], "faults": ()})
    assert options["tls"] is True
    assert (options["binance"].order_limit_factor, options["binance"].weight_limit_factor) == (1, 7)
    assert (options["binance"].listen_key_seconds, options["binance"].post_only) == (60, "expire")
    assert (options["bybit"].order_limit_factor, options["bybit"].request_limit_factor) == (1, 7)
    assert options["okx"].limit_factor == 1
