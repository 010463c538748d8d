"""Reading a journal back: order, epochs, and every way in which its end can be torn (failure scenario 47)."""

import os
import shutil

import pytest

from nexus_fast.core.types import pack
from nexus_fast.journal import JournalError, read_journal, show
from nexus_fast.journal.reader import decimal_text
from nexus_fast.journal.writer import JournalWriter

RECORD, HEADER = 256, 4096


def event(number):
    return pack("order_event", number=number, client_id=f"order{number}")


@pytest.fixture
def crashed(tmp_path):
    """crashed(count) -> a copy of a journal's directory as a killed writer leaves it: sixteen records a file."""
    writers = []

    def make(count, name="crashed"):
        journal = JournalWriter(tmp_path / "live", "strategy.user", 16)
        writers.append(journal)
        for number in range(1, count + 1):
            assert journal.append(event(number))
            for _ in range(4):
                journal.turn()
        shutil.copytree(tmp_path / "live", tmp_path / name)
        return tmp_path / name

    yield make
    for journal in writers:
        journal.close()


def change(directory, file, position, offset, raw):
    with open(directory / f"00000001-{file:06d}.journal", "r+b") as stream:
        stream.seek(HEADER + position * RECORD + offset)
        stream.write(raw)


def numbers(reader):
    return [record.number for record in reader]


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 32, 40])
def test_all_records_come_back_in_order(crashed, count):
    reader = read_journal(crashed(count))
    assert numbers(reader) == list(range(1, count + 1))
    assert reader.torn == []


def test_a_journal_is_read_while_it_is_written(tmp_path):
    journal = JournalWriter(tmp_path, "s.u", 16)
    journal.append(event(1))
    assert numbers(read_journal(tmp_path)) == [1]
    journal.append(event(2))
    assert numbers(read_journal(tmp_path)) == [1, 2]


@pytest.mark.scenario(47)
@pytest.mark.parametrize(
    "offset, raw, reason",
    [
        (0, bytes(8), "number 0 where 20 belongs"),
        (200, b"\x01", "checksum"),
        (80, bytes(40), "checksum"),
        (0, b"\x07", "number 7 where 20 belongs"),
    ],
)
def test_a_torn_last_record_is_left_out_and_reported(crashed, offset, raw, reason):
    directory = crashed(20)
    change(directory, 1, 3, offset, raw)
    reader = read_journal(directory)
    assert numbers(reader) == list(range(1, 20))
    assert len(reader.torn) == 1 and reader.torn[0].position == 3 and reason in reader.torn[0].reason
    assert reader.torn[0].bytes_after == 0


def test_records_behind_a_torn_one_are_not_read_and_counted(crashed):
    directory = crashed(20)
    change(directory, 0, 5, 30, b"\xff")
    reader = read_journal(directory)
    assert numbers(reader) == [1, 2, 3, 4, 5]
    assert [t.position for t in reader.torn] == [5, 0]
    assert reader.torn[0].bytes_after > 9 * RECORD and "ends too early" in reader.torn[1].reason


def test_an_empty_record_in_front_of_others_is_reported(crashed):
    directory = crashed(10)
    change(directory, 0, 4, 0, bytes(RECORD))
    reader = read_journal(directory)
    assert numbers(reader) == [1, 2, 3, 4]
    assert reader.torn[0].reason == "empty, in front of others"


@pytest.mark.parametrize("kept", [0, 1, 100, 255])
def test_a_file_that_was_cut_inside_a_record(crashed, kept):
    directory = crashed(10)
    os.truncate(directory / "00000001-000000.journal", HEADER + 9 * RECORD + kept)
    reader = read_journal(directory)
    assert numbers(reader) == list(range(1, 10))
    assert [t.reason for t in reader.torn] == ([f"cut off after {kept} bytes"] if kept else [])


def test_the_next_epoch_is_read_after_a_torn_end_and_the_torn_bytes_stay(crashed):
    directory = crashed(10)
    change(directory, 0, 9, 100, b"\xff")
    journal = JournalWriter(directory, "strategy.user", 16)
    assert journal.epoch == 2
    journal.append(event(100))
    reader = read_journal(directory)
    assert [(reader.epoch, record.number) for record in reader] == [(1, n) for n in range(1, 10)] + [(2, 100)]
    assert len(reader.torn) == 1
    assert numbers(read_journal(directory, since_epoch=2)) == [100]
    assert (directory / "00000001-000000.journal").stat().st_size == HEADER + 10 * RECORD
    assert not (directory / "00000001-000001.journal").exists()
    journal.close()


def test_a_foreign_or_newer_file_is_refused(crashed):
    directory = crashed(3)
    (directory / "00000000-000000.journal").write_bytes(b"hello")
    with pytest.raises(JournalError, match="is no journal file"):
        list(read_journal(directory))
    os.unlink(directory / "00000000-000000.journal")
    change(directory, 0, 0, -HEADER + 8, b"\x02")
    with pytest.raises(JournalError, match="written by another version"):
        list(read_journal(directory))


def test_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(JournalError, match="no such directory"):
        read_journal(tmp_path / "none")


DECIMALS = [(5, 0, "5"), (-5, 3, "-0.005"), (123456, 2, "1234.56"), (0, 1, "0.0")]


@pytest.mark.parametrize("mantissa, scale, text", DECIMALS)
def test_decimal_text(mantissa, scale, text):
    assert decimal_text(mantissa, scale) == text


def test_show_says_what_is_in_an_event(tmp_path):
    journal = JournalWriter(tmp_path, "s.u", 16)
    fields = {"time_ns": 5, "client_id": "abc", "side": 1, "quantity": 25, "size_scale": 1, "price": 99}
    journal.append(pack("order_event", number=7, **fields))
    (line,) = map(show, read_journal(tmp_path))
    assert line.startswith("7 1970-01-01T00:00:00.000000005Z abc venue=- symbol=0 INTENT -> FREE ")
    assert "SELL 2.5 @ 99 filled=0.0" in line
