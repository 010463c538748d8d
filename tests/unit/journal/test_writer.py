"""The journal's files byte by byte, and what its writer says when there is no room."""

import json
import os
import resource
import struct
import subprocess
import sys

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from nexus_fast.core.types import fingerprint, pack
from nexus_fast.journal.error import JournalBusy, JournalError
from nexus_fast.journal.writer import JournalWriter, checksum

NO_ROOM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
from nexus_fast.journal.writer import JournalWriter
journal = JournalWriter(sys.argv[1], "s.u", 16)
"""


def open_journal(directory, records=16):
    return JournalWriter(directory, "strategy.user", records)


def event(number):
    return pack("order_event", number=number, client_id=f"order{number}", quantity=number * 3)


def python_checksum(raw):
    """The checksum as docs/memory-model.md words it."""
    words = list(struct.unpack("<32Q", raw))[1:]
    words[19] &= 0xFFFFFFFF
    total, places = 0x9E3779B97F4A7C15, 0
    for word in words:
        total = (total + word) % 2**64
        places = (places + total) % 2**64
    total = total * 0xD6E8FEB86659FD93 % 2**64
    total = ((total ^ total >> 32) + places) * 0x9FB21C651E98DF25 % 2**64
    return total >> 32


@given(st.binary(min_size=256, max_size=256))
def test_checksum_is_the_documented_one(raw):
    assert checksum(raw) == python_checksum(raw)


@given(st.binary(min_size=256, max_size=256), st.integers(0, 255), st.integers(1, 255))
def test_checksum_notices_a_changed_byte_unless_it_does_not_count(raw, place, change):
    changed = bytearray(raw)
    changed[place] ^= change
    outside = place < 8 or 164 <= place < 168
    assert (checksum(raw) == checksum(changed)) == outside


def test_header_and_records_stand_at_the_documented_places(tmp_path):
    journal = open_journal(tmp_path)
    for number in (1, 2):
        assert journal.append(event(number))
    raw = (tmp_path / "00000001-000000.journal").read_bytes()
    assert len(raw) == 4096 + 16 * 256
    assert struct.unpack_from("<8sIIQ", raw) == (b"NXJRNL1\0", 1, 256, fingerprint("order_event"))
    assert struct.unpack_from("<QQQQ", raw, 24) == (1, 0, 16, 1)
    assert struct.unpack_from("<Q", raw, 56)[0] == xxhash.xxh64_intdigest(b"strategy.user")
    assert struct.unpack_from("<q", raw, 72)[0] == os.getpid()
    assert raw[128:384].rstrip(b"\0") == b"strategy.user"
    second = raw[4096 + 256 : 4096 + 512]
    assert struct.unpack_from("<Q", second)[0] == 2
    assert struct.unpack_from("<I", second, 164)[0] == python_checksum(second)
    assert second[8:164] + second[168:] == event(2)[8:164] + event(2)[168:]
    assert raw[4096 + 512 :] == bytes(14 * 256)


def test_an_append_goes_into_the_next_file_when_one_is_full(tmp_path):
    journal = open_journal(tmp_path)
    for number in range(1, 18):
        assert journal.append(event(number))
    raw = (tmp_path / "00000001-000001.journal").read_bytes()
    assert struct.unpack_from("<QQQQ", raw, 24) == (1, 1, 16, 17)
    assert struct.unpack_from("<QQ", raw, 4096) == (17, 17)


def test_without_a_turn_two_files_are_all_there_is(tmp_path):
    journal = open_journal(tmp_path)
    assert journal.state()["room"] == 32
    assert [journal.append(event(i)) for i in range(33)] == [True] * 32 + [False]
    assert (journal.state()["state"], journal.state()["refused"]) == ("full", 1)
    for _ in range(4):
        journal.turn()
    assert journal.append(event(33)) and journal.state()["state"] == "no_next"
    for _ in range(4):
        journal.turn()
    assert journal.state()["state"] == "ok"


def test_turns_keep_it_going(tmp_path):
    journal = open_journal(tmp_path)
    for number in range(1000):
        assert journal.append(event(number))
        journal.turn()
    assert (journal.state()["state"], journal.state()["appended"], journal.state()["files"]) == ("ok", 1000, 63)
    assert sum(path.suffix == ".journal" for path in tmp_path.iterdir()) == 64


@pytest.mark.scenario(47, 56)
def test_appending_takes_no_page_fault(tmp_path):
    journal = open_journal(tmp_path, 4096)
    record = event(1)
    journal.append(record)
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(2048):
        journal.append(record)
    assert resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before < 16  # 128 pages; some are Python's own


def test_close_leaves_what_was_written_and_nothing_else(tmp_path):
    journal = open_journal(tmp_path)
    for number in range(3):
        journal.append(event(number))
    journal.close()
    journal.close()
    assert {path.name for path in tmp_path.iterdir()} == {"lock", "journal.json", "00000001-000000.journal"}
    assert (tmp_path / "00000001-000000.journal").stat().st_size == 4096 + 3 * 256
    assert journal.state()["state"] == "closed"
    with pytest.raises(JournalError, match="closed"):
        journal.append(event(1))
    with pytest.raises(JournalError, match="closed"):
        journal.turn()


@pytest.mark.parametrize("appended", [0, 16, 17, 32])
def test_close_at_the_edges_of_files(tmp_path, appended):
    journal = open_journal(tmp_path)
    for number in range(appended):
        assert journal.append(event(number))
    journal.close()
    sizes = [path.stat().st_size for path in sorted(tmp_path.glob("*.journal"))]
    assert sum(size - 4096 for size in sizes) == appended * 256


def test_a_second_writer_is_refused_with_the_pid_of_the_first(tmp_path):
    journal = open_journal(tmp_path)
    with pytest.raises(JournalBusy, match=f"in use by process {os.getpid()}: stop that one first"):
        open_journal(tmp_path)
    journal.close()
    open_journal(tmp_path).close()


def test_epochs_grow_even_when_the_files_are_deleted(tmp_path):
    for expected in (1, 2, 3):
        journal = open_journal(tmp_path)
        assert journal.epoch == expected
        journal.append(event(1))
        journal.close()
        for path in tmp_path.glob("*.journal"):
            path.unlink()
    (tmp_path / "journal.json").unlink()
    (tmp_path / "00000041-000000.journal").write_bytes(b"x" * 5000)
    assert open_journal(tmp_path).epoch == 42


def test_the_epoch_is_on_the_disk_while_it_is_used(tmp_path):
    open_journal(tmp_path)
    assert json.loads((tmp_path / "journal.json").read_text()) == {"epoch": 1, "identity": "strategy.user"}


def test_another_identity_is_refused_and_lets_go_of_the_directory(tmp_path):
    open_journal(tmp_path).close()
    with pytest.raises(JournalError, match="belongs to 'strategy.user', this program is 'other.user'"):
        JournalWriter(tmp_path, "other.user")
    open_journal(tmp_path).close()


def test_a_damaged_state_file_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "journal.json").write_text("{")
    with pytest.raises(JournalError, match="write it again as"):
        open_journal(tmp_path)


@pytest.mark.parametrize("records", [0, 15, 17, 2**25])
def test_record_counts_that_do_not_fill_pages_are_refused(tmp_path, records):
    with pytest.raises(ValueError, match=f"records_per_segment was {records}"):
        open_journal(tmp_path, records)


def run_without_room(directory, limit, code):
    return subprocess.run([sys.executable, "-c", NO_ROOM + code, directory, str(limit)], capture_output=True, text=True)


def test_no_room_for_the_first_file_is_an_error_with_a_remedy(tmp_path):
    result = run_without_room(tmp_path, 4096, "")
    assert "lower records_per_segment" in result.stderr
    assert not list(tmp_path.glob("*.journal"))


@pytest.mark.scenario(47)
def test_no_room_later_is_a_state_and_ends_when_there_is_room_again(tmp_path):
    code = (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
        "print([journal.append(bytes(256)) for _ in range(17)].count(True))\n"
        "for _ in range(9): journal.turn()\n"
        "print(journal.state()['state'])\n"
        "print([journal.append(bytes(256)) for _ in range(17)].count(True), journal.state()['state'])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "import time; time.sleep(1.05)\n"
        "for _ in range(9): journal.turn()\n"
        "print(journal.append(bytes(256)))\n"
        "for _ in range(4): journal.turn()\n"
        "print(journal.state()['state'])\n"
    )
    result = run_without_room(tmp_path, 8192, code)
    assert result.stdout.split("\n")[:5] == ["17", "no_space", "15 full", "True", "ok"], result.stderr
