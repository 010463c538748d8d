"""Segments: header bytes, the claim, take-over, and what is refused."""

import os
import resource
import signal
import struct
import subprocess
import sys

import pytest

from nexus_fast.core.types import fingerprint
from nexus_fast.shm.error import SegmentBusy, SegmentError, SegmentMismatch, SegmentMissing
from nexus_fast.shm.segment import Segment, process_start, segment_directory

HOLDER = """
import sys, time
from nexus_fast.shm.segment import Segment
segment = Segment.create("book", "ring", "bookl1", 8)
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder():
    """Another process that has claimed the segment "book"."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def ring(name="book", record="bookl1", capacity=8):
    return Segment.create(name, "ring", record, capacity)


def test_header_stands_at_the_documented_places(segments):
    segment = ring()
    raw = (segments / "book").read_bytes()
    assert len(raw) == 4096 + 8 * 128
    assert struct.unpack_from("<8sIIII", raw) == (b"NXSEG1\0\0", 1, 1, 1, 128)
    assert struct.unpack_from("<QQQQ", raw, 24) == (8, fingerprint("bookl1"), 4096, 4096 + 8 * 128)
    assert struct.unpack_from("<QqQQ", raw, 128) == (1, os.getpid(), process_start(os.getpid()), 1)
    segment.close()


def test_files_and_directory_are_private(segments):
    segment = ring()
    assert os.stat(segment.path).st_mode & 0o777 == 0o600
    assert os.stat(segments).st_mode & 0o777 == 0o700


def test_default_directory_is_the_users_own(monkeypatch):
    monkeypatch.delenv("NEXUS_FAST_SHM")
    there_before = os.path.exists(f"/dev/shm/nexus_fast-{os.getuid()}")
    assert segment_directory() == f"/dev/shm/nexus_fast-{os.getuid()}"
    if not there_before:
        os.rmdir(segment_directory())


def test_a_directory_that_others_can_write_to_is_refused(segments):
    segments.mkdir(mode=0o700)
    segments.chmod(0o777)
    with pytest.raises(SegmentError, match="nobody else can write to"):
        ring()


def test_a_directory_behind_a_link_is_refused(segments, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    segments.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SegmentError, match="must be a directory"):
        ring()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", ".hidden", "a b", "x" * 201, "a\0b"])
def test_names_that_are_no_plain_file_names_are_refused(name):
    with pytest.raises(ValueError, match="segment name was"):
        ring(name)


@pytest.mark.parametrize("capacity", [0, 1, 3, 6, 1000])
def test_a_ring_needs_a_power_of_two(capacity):
    with pytest.raises(ValueError, match=f"capacity of a ring was {capacity}"):
        ring(capacity=capacity)


def test_a_second_writer_in_the_process_is_refused():
    first = ring()
    with pytest.raises(SegmentBusy, match=f"process {os.getpid()}"):
        ring()
    first.close()


def test_a_second_writer_is_told_the_pid_of_the_first(holder):
    with pytest.raises(SegmentBusy, match=rf"'book' is being written by process {holder.pid} \(epoch 1\): stop"):
        ring()


def test_a_killed_writers_segment_is_taken_over_with_the_next_epoch(holder):
    reader = Segment.attach("book", "ring", "bookl1")
    assert reader.describe()["writer_alive"]
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert not reader.describe()["writer_alive"]
    segment = ring()
    assert (segment.epoch, segment.fresh) == (2, False)
    described = reader.describe()
    assert (described["epoch"], described["writer_pid"], described["writer_alive"]) == (2, os.getpid(), True)


def test_a_closed_segment_is_taken_over_with_the_next_epoch():
    ring().close()
    reader = Segment.attach("book", "ring", "bookl1")
    assert reader.describe()["state"] == "closed"
    assert ring().epoch == 2
    assert reader.describe()["state"] == "open"


def test_another_geometry_takes_the_name_and_retires_the_old_one():
    ring(capacity=8).close()
    reader = Segment.attach("book", "ring", "bookl1")
    segment = ring(capacity=16)
    assert reader.describe()["state"] == "retired"
    assert segment.fresh and segment.epoch == 2
    assert Segment.attach("book", "ring", "bookl1").describe()["capacity"] == 16


def test_a_file_that_is_no_segment_is_replaced(segments):
    segments.mkdir(mode=0o700)
    (segments / "book").write_bytes(b"something else")
    assert ring().fresh


def test_close_with_unlink_removes_the_file_and_only_its_own(segments):
    first = ring()
    os.unlink(first.path)
    second = ring()
    first.close(unlink=True)
    assert os.path.exists(second.path)
    second.close(unlink=True)
    assert not os.path.exists(second.path)


def test_attach_says_what_is_missing_or_wrong(segments):
    with pytest.raises(SegmentMissing, match="start its writer first"):
        Segment.attach("book", "ring", "bookl1")
    ring()
    with pytest.raises(SegmentMismatch, match="is no latest"):
        Segment.attach("book", "latest", "bookl1")
    with pytest.raises(SegmentMismatch, match="another record than 'order_event'"):
        Segment.attach("book", "ring", "order_event")


@pytest.mark.parametrize(
    "offset, raw, text", [(0, bytes(8), "not ready"), (8, b"\x02", "layout version"), (32, b"\0", "another record")]
)
def test_attach_refuses_a_header_it_does_not_know(segments, offset, raw, text):
    segment = ring()
    with open(segment.path, "r+b") as file:
        file.seek(offset)
        file.write(raw)
    with pytest.raises(SegmentMismatch, match=text):
        Segment.attach("book", "ring", "bookl1")


def test_attach_refuses_a_file_that_was_cut(segments):
    segment = ring()
    segment.close()
    os.truncate(segment.path, 4096 + 128)
    with pytest.raises(SegmentMismatch, match="shorter than its header says"):
        Segment.attach("book", "ring", "bookl1")


def test_no_room_is_an_error_with_a_remedy_and_leaves_nothing(segments):
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, {resource.RLIM_INFINITY}))\n"
        "from nexus_fast.shm.segment import Segment\n"
        "Segment.create('book', 'ring', 'bookl1', 1024)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "needs 135168 bytes" in result.stderr and "lower the capacity" in result.stderr
    assert not (segments / "book").exists()


def test_heartbeat_moves_forward():
    segment = ring()
    before = segment.describe()["heartbeat_ns"]
    segment.heartbeat()
    assert segment.describe()["heartbeat_ns"] >= before > 0


def test_a_closed_segment_says_so():
    segment = ring()
    segment.close()
    segment.close()
    with pytest.raises(SegmentError, match="'book' is closed"):
        segment.describe()
