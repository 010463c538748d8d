"""The engine as a client of the bench's venue: every question is answered, and no order is held back."""

import os

import pytest

from bench.rest import serving
from bench.runs import Scene, run

# More than the venue's own limit of ten seconds, which the bench's venue does not have.
TICKS, WARM_UP = 600, 100


@pytest.mark.parametrize(("family", "entry"), [("spot", "ws"), ("usd_m", "ws"), ("spot", "rest")])
def test_every_tick_gets_its_order(program, family, entry):
    processors = sorted(os.sched_getaffinity(0))
    scene = Scene("cython", family, "block", gap_us=200, ticks=TICKS, warm_up=WARM_UP, events="none", entry=entry,
                  exchange_cpu=processors[0], client_cpu=processors[-1])
    program("exchange")
    with serving() as (rest_port, unknown):
        result = run(scene, rest_port)
    assert unknown == []
    assert (result["bad_signatures"], result["refused"]) == (0, 0)
    assert result["orders"] >= TICKS + WARM_UP - result["lost"] - 20 and result["lost"] <= 10
