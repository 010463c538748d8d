"""The ring's bench: every record comes back, and what readers did not read they know of."""

import os

import pytest

from bench import ring
from bench.path.world import segments
from nexus_fast.shm.ring import RingWriter


@pytest.fixture
def rings(program):
    with segments() as folder:
        made = [RingWriter(name, "bookl1", 1024) for name in ("there", "back")]
        yield folder, [writer.segment.path for writer in made]


def test_there_and_back(rings):
    folder, (there, back) = rings
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        pytest.skip("the two ends spin: each wants a processor")
    first, last = processors[0], processors[-1]
    for found in (
        ring.call("line", folder / "line", first, last, 200)["ns"],
        ring.call("one-way", there, back, first, last, 200)["ns"],
    ):
        assert found["n"] == 200 and 0 < found["min"] <= found["p50"] <= found["max"]


@pytest.mark.parametrize("readers", [0, 3])
def test_readers_read_or_know_what_they_lost(rings, readers):
    _, (there, _) = rings
    found = ring.call("throughput", there, readers, 20_000)
    assert found["readers"] == readers and found["write_ns"] > 0
    assert (found["reads_per_second"] + found["lost"] > 0) == bool(readers)
