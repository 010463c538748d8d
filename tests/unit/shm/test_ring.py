"""The ring byte by byte: stamps, wrap, laps, records that were left half-written, take-over."""

import struct

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.core.types import dtype, pack
from nexus_fast.shm.error import SegmentError, SegmentRetired
from nexus_fast.shm.ring import RingReader, RingWriter

HEAD = 384


def quote(number):
    return pack("bookl1", bid=number, symbol_id=number % 7)


def open_pair(capacity=8, start="newest"):
    writer = RingWriter("ring", capacity=capacity)
    return writer, RingReader("ring", start=start)


def publish(writer, numbers):
    for number in numbers:
        writer.publish(quote(number))


def bids(reader):
    return [record.bid for record in reader]


def poke(writer, offset, value):
    with open(writer.segment.path, "r+b") as file:
        file.seek(offset)
        file.write(struct.pack("<Q", value))


def peek(writer, offset):
    with open(writer.segment.path, "rb") as file:
        file.seek(offset)
        return struct.unpack("<Q", file.read(8))[0]


def slot(index, size=128):
    return 4096 + index * size


def test_a_record_stands_in_its_slot_with_its_stamp():
    writer, _ = open_pair()
    publish(writer, range(10))
    with open(writer.segment.path, "rb") as file:
        raw = file.read()
    assert raw[slot(1) : slot(2)] == struct.pack("<Q", 2 * 9 + 2) + quote(9)[8:]
    assert raw[slot(2) : slot(3)] == struct.pack("<Q", 2 * 2 + 2) + quote(2)[8:]
    assert peek(writer, HEAD) == 10


def test_an_order_event_keeps_all_its_256_bytes():
    writer = RingWriter("orders", "order_event", 4)
    reader = RingReader("orders", "order_event")
    event = bytes(range(256))
    writer.publish(event)
    assert reader.read_bytes() == struct.pack("<Q", 2) + event[8:]


def test_a_new_reader_begins_with_what_comes_next_or_with_the_oldest():
    writer, newest = open_pair()
    publish(writer, range(3))
    late, oldest = RingReader("ring"), RingReader("ring", start="oldest")
    publish(writer, [3])
    assert (bids(newest), bids(late), bids(oldest)) == ([0, 1, 2, 3], [3], [0, 1, 2, 3])


def test_nothing_new_is_none_and_ends_an_iteration_that_can_go_on():
    writer, reader = open_pair()
    assert reader.read() is None and bids(reader) == []
    publish(writer, [1])
    assert bids(reader) == [1] and reader.read_bytes() is None


def test_a_full_ring_is_read_whole():
    writer, reader = open_pair()
    publish(writer, range(8))
    assert bids(reader) == list(range(8)) and reader.lost == 0


@pytest.mark.scenario(53)
def test_a_lapped_reader_is_told_how_many_it_lost_and_goes_on_with_newer_ones():
    writer, reader = open_pair()
    publish(writer, range(9))
    got = bids(reader)
    assert got == list(range(3, 9)) and reader.lost == 3
    publish(writer, range(9, 109))
    assert bids(reader) == list(range(103, 109)) and reader.lost == 3 + 94


def test_the_smallest_ring_works():
    writer, reader = open_pair(capacity=2)
    publish(writer, range(2))
    assert bids(reader) == [0, 1]
    publish(writer, range(2, 7))
    assert bids(reader) == [6] and reader.lost == 4


def test_a_record_that_is_being_written_is_not_there_yet():
    writer, reader = open_pair()
    publish(writer, [1])
    poke(writer, slot(0), 1)
    assert reader.read() is None and reader.lost == 0
    poke(writer, slot(0), 2)
    assert reader.read().bid == 1


@pytest.mark.scenario(53)
def test_a_record_that_is_being_overwritten_counts_as_lost():
    writer, reader = open_pair()
    publish(writer, range(8))
    poke(writer, slot(0), 2 * 8 + 1)
    assert reader.read().bid == 2 and reader.lost == 2


def test_positions_go_on_after_a_take_over_and_the_oldest_is_of_the_new_epoch():
    writer, reader = open_pair()
    publish(writer, range(3))
    writer.close()
    writer = RingWriter("ring", capacity=8)
    assert writer.position == 3 and reader.segment.epoch == 2
    publish(writer, [3])
    assert bids(reader) == [0, 1, 2, 3]
    assert bids(RingReader("ring", start="oldest")) == [3]


def test_a_writer_that_died_inside_a_record_is_followed_up():
    writer, reader = open_pair()
    publish(writer, range(3))
    writer.close()
    poke(writer, slot(3), 2 * 3 + 1)
    writer = RingWriter("ring", capacity=8)
    assert bids(reader) == [0, 1, 2]
    publish(writer, [30])
    assert bids(reader) == [30] and reader.lost == 0


def test_a_writer_that_died_before_it_stored_the_head_is_followed_up():
    writer, reader = open_pair()
    publish(writer, range(3))
    writer.close()
    poke(writer, HEAD, 2)
    writer = RingWriter("ring", capacity=8)
    assert writer.position == 3 and peek(writer, HEAD) == 3
    publish(writer, [3])
    assert bids(reader) == [0, 1, 2, 3]


def test_a_reader_of_a_removed_ring_reads_the_rest_and_is_told():
    writer, reader = open_pair()
    publish(writer, [1, 2])
    writer.close(unlink=True)
    assert (reader.read().bid, reader.read().bid) == (1, 2)
    with pytest.raises(SegmentRetired, match="open it again"):
        reader.read()
    with pytest.raises(SegmentRetired):
        reader.read_many(bytearray(128))


def test_a_reader_of_a_closed_ring_waits_for_the_next_writer():
    writer, reader = open_pair()
    writer.close()
    assert reader.read() is None
    publish(RingWriter("ring", capacity=8), [5])
    assert reader.read().bid == 5


def test_read_many_fills_an_array():
    writer, reader = open_pair()
    publish(writer, range(5))
    target = numpy.zeros(4, dtype("bookl1"))
    assert reader.read_many(target) == 4
    assert list(target["bid"]) == [0, 1, 2, 3]
    assert reader.read_many(target) == 1 and target["bid"][0] == 4
    assert reader.read_many(target) == 0


def test_wrong_sizes_are_refused():
    writer, reader = open_pair()
    with pytest.raises(ValueError, match="record was 127 bytes"):
        writer.publish(bytes(127))
    with pytest.raises(ValueError, match="holds no record"):
        reader.read_many(bytearray(100))
    with pytest.raises(ValueError, match="start was 'first'"):
        RingReader("ring", start="first")


def test_closed_ends_say_so():
    writer, reader = open_pair()
    writer.close()
    reader.close()
    with pytest.raises(SegmentError):
        writer.publish(quote(1))
    with pytest.raises(SegmentError):
        reader.read()


@settings(max_examples=150, deadline=None)
@given(
    capacity=st.sampled_from([2, 4, 8, 16]),
    steps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=20),
)
def test_a_reader_gets_what_a_list_says_in_order_and_counts_the_rest(capacity, steps):
    writer = RingWriter("property", capacity=capacity)
    reader = RingReader("property")
    published, got = [], []
    for writes, reads in steps:
        for _ in range(writes):
            published.append(len(published))
            writer.publish(quote(published[-1]))
        for _ in range(reads):
            record = reader.read()
            if record is None:
                break
            got.append(record.bid)
            assert record.bid >= len(published) - capacity
            assert record.bid + 1 == len(got) + reader.lost
    got += bids(reader)
    assert got == sorted(set(got)) and len(got) + reader.lost == len(published)
    writer.close(unlink=True)
