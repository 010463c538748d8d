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
    assert reader.torn[0].last and reader.torn[0].unfinished == (raw == bytes(8))


def test_records_behind_a_torn_one_are_read(crashed):
    directory = crashed(20)
    change(directory, 0, 5, 30, b"\xff")
    reader = read_journal(directory)
    assert numbers(reader) == [1, 2, 3, 4, 5, *range(7, 21)]
    (torn,) = reader.torn
    assert (torn.position, torn.count, torn.last) == (5, 1, False) and "checksum" in torn.reason
    assert str(torn).startswith("00000001-000000.journal record 5: checksum ")


def test_an_empty_record_in_front_of_others_is_reported(crashed):
    directory = crashed(10)
    change(directory, 0, 4, 0, bytes(RECORD))
    reader = read_journal(directory)
    assert numbers(reader) == [1, 2, 3, 4, *range(6, 11)]
    (torn,) = reader.torn
    assert torn.reason == "empty, in front of others" and not torn.last


def lose_page(directory):
    change(directory, 1, 0, 0, bytes(16 * RECORD))


def lose_file(directory):
    (directory / "00000001-000001.journal").unlink()


def lose_all_of_a_file(directory):
    (directory / "00000001-000001.journal").write_bytes(bytes(HEADER + 16 * RECORD))


def cut_file(directory):
    os.truncate(directory / "00000001-000001.journal", HEADER + 3 * RECORD + 100)


def lose_the_first_file(directory):
    (directory / "00000001-000000.journal").unlink()


def damage_header(*places):
    def work(directory):
        for at, raw in places:
            change(directory, 1, 0, at - HEADER, raw)

    return work


REST = list(range(33, 41))
DAMAGE = {
    "a page of zeros": (lose_page, [*range(1, 17), *REST], "00000001-000001.journal records 0 to 15: empty, in front of others"),
    "no file": (lose_file, [*range(1, 17), *REST], "00000001-000001.journal records 0 to 15: the file is missing"),
    "no first file": (lose_the_first_file, list(range(17, 41)), "00000001-000000.journal records 0 to 15: the file is missing"),
    "a file of zeros": (lose_all_of_a_file, [*range(1, 17), *REST],
                        "00000001-000001.journal records 0 to 15: empty, in front of others"),
    "a cut file": (cut_file, [*range(1, 20), *REST], "00000001-000001.journal records 3 to 15: cut off after 100 bytes"),
    "no magic": (damage_header((0, b"M")), list(range(1, 41)), "00000001-000001.journal: its header is damaged"),
    "another version": (damage_header((16, b"\x07")), list(range(1, 41)), "00000001-000001.journal: its header is damaged"),
    "another place": (damage_header((48, b"\x07")), list(range(1, 41)),
                      "00000001-000001.journal: its header contradicts its name"),
    "another capacity": (damage_header((40, b"\x20"), (48, b"\x21")), list(range(1, 41)),
                         "00000001-000001.journal: its header says 32 records, another 16"),
    "an empty header": (damage_header((0, bytes(HEADER))), list(range(1, 41)), "00000001-000001.journal: its header is empty"),
}


@pytest.mark.scenario(47)
@pytest.mark.parametrize("name", DAMAGE)
def test_what_is_whole_is_read_whatever_became_of_the_rest(crashed, name):
    """A loss of power leaves pages in any order; a disk loses what it likes."""
    damage, left, reason = DAMAGE[name]
    directory = crashed(40)
    damage(directory)
    reader = read_journal(directory)
    assert numbers(reader) == left
    assert [str(torn) for torn in reader.torn] == [reason] and not reader.torn[0].last


def test_all_headers_are_damaged(crashed):
    """Each record says its own number."""
    directory = crashed(40)
    for file in (0, 1, 2):
        change(directory, file, 0, -HEADER, b"?")
    reader = read_journal(directory)
    assert numbers(reader) == list(range(1, 41))
    assert [str(torn) for torn in reader.torn] == [f"00000001-00000{file}.journal: its header is damaged" for file in (0, 1, 2)]


def test_more_than_one_record_behind_the_last_whole_one_is_no_end(crashed):
    directory = crashed(20)
    change(directory, 1, 2, 100, b"\xff")
    change(directory, 1, 3, 100, b"\xff")
    reader = read_journal(directory)
    assert numbers(reader) == list(range(1, 19))
    assert [(torn.position, torn.count, torn.last) for torn in reader.torn] == [(2, 2, False)]


def test_what_is_appended_while_it_is_read_is_no_hole(crashed, monkeypatch):
    """A page is read, records are appended to it and to the next, the next is read."""
    from nexus_fast.journal import survey

    directory = crashed(40)
    ends = []

    def read_late(content, first, capacity):
        runs = whole_runs(content, first, capacity)
        if first == 17 and not ends:
            ends.append(runs)
            return [(0, 9)]
        return runs

    whole_runs = survey.whole_runs
    monkeypatch.setattr(survey, "whole_runs", read_late)
    reader = read_journal(directory)
    assert numbers(reader) == list(range(1, 41)) and reader.torn == []
    assert ends


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
    for file in (0, 1):
        change(directory, file, 0, -HEADER + 8, b"\x02")
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
