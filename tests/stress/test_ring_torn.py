"""No reader ever sees a torn record, and the test would notice one."""

import pytest

from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingWriter

READS = 100_000_000
TRIES = 50                       # of what needs both processes at the same moment: on a loaded machine one may wait for its turn


def torn_without_the_check(race, program, kind, path):
    """(exit status, torn records) of the first race that tore one."""
    for _ in range(TRIES):
        status, _, torn_records, _ = race(program, "read-unchecked", kind, path, 5_000_000)
        if torn_records:
            break
    return status, torn_records


@pytest.mark.slow
def test_a_second_process_sees_no_torn_record_in_the_ring(segments, torn, race):
    ring = RingWriter("ring", capacity=65536)
    status, reads, torn_records, _ = race(torn, "read", "ring", ring.segment.path, READS)
    assert (status, reads, torn_records) == (0, READS, 0)


@pytest.mark.scenario(53)
@pytest.mark.parametrize("record, capacity", [("bookl1", 2), ("bookl1", 64), ("order_event", 64)])
def test_a_reader_that_is_lapped_all_the_time_sees_no_torn_record(segments, torn, race, record, capacity):
    ring = RingWriter("ring", record, capacity)
    status, reads, torn_records, lost = race(torn, "read", "ring", ring.segment.path, 300_000)
    assert (status, reads, torn_records) == (0, 300_000, 0)
    assert lost > 0


def test_the_ring_test_fails_without_the_check_of_the_stamp(segments, torn, race):
    ring = RingWriter("ring", capacity=4)
    status, torn_records = torn_without_the_check(race, torn, "ring", ring.segment.path)
    assert status == 1 and torn_records > 0


@pytest.mark.scenario(54)
def test_a_second_process_sees_no_torn_quote_in_the_latest_table(segments, torn, race):
    table = LatestTable.create("latest", 16)
    status, reads, torn_records, _ = race(torn, "read", "latest", table.segment.path, 5_000_000)
    assert (status, reads, torn_records) == (0, 5_000_000, 0)


def test_the_latest_table_test_fails_without_the_check_of_the_stamp(segments, torn, race):
    table = LatestTable.create("latest", 16)
    status, torn_records = torn_without_the_check(race, torn, "latest", table.segment.path)
    assert status == 1 and torn_records > 0
