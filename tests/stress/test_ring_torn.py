"""No reader ever sees a torn record, and the test would notice one."""

import pytest

from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingWriter

READS = 100_000_000


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
    status, _, torn_records, _ = race(torn, "read-unchecked", "ring", ring.segment.path, 5_000_000)
    assert status == 1 and torn_records > 0


@pytest.mark.scenario(54)
def test_a_second_process_sees_no_torn_quote_in_the_latest_table(segments, torn, race):
    table = LatestTable.create("latest", 16)
    status, reads, torn_records, _ = race(torn, "read", "latest", table.segment.path, 5_000_000)
    assert (status, reads, torn_records) == (0, 5_000_000, 0)


def test_the_latest_table_test_fails_without_the_check_of_the_stamp(segments, torn, race):
    table = LatestTable.create("latest", 16)
    status, _, torn_records, _ = race(torn, "read-unchecked", "latest", table.segment.path, 5_000_000)
    assert status == 1 and torn_records > 0
