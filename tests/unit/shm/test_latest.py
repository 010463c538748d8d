"""The latest table, its stamps, and the symbol directory beside it."""

import json
import struct

import pytest

from nexus_fast.core.types import pack
from nexus_fast.shm import open_latest, segment_name
from nexus_fast.shm.error import SegmentMismatch, SegmentMissing
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.symbols import read_symbols, remove_symbols, symbols_path, write_symbols


def quote(bid):
    return pack("bookl1", bid=bid, ask=bid + 1)


def entry(number, symbol):
    return {"id": number, "symbol": symbol, "exchange": "binance", "price_scale": 2, "size_scale": 3}


def poke_stamp(table, slot, value):
    with open(table.segment.path, "r+b") as file:
        file.seek(4096 + slot * 128)
        file.write(struct.pack("<Q", value))


def test_a_slot_has_nothing_until_it_is_written_and_then_the_last():
    table = LatestTable.create("latest", 4)
    reader = LatestTable.attach("latest")
    assert reader.read(1) is None
    table.write(1, quote(5))
    table.write(1, quote(6))
    assert (reader.read(1).bid, reader.read(1).ask) == (6, 7)
    assert reader.read(0) is None and reader.read(2) is None
    assert reader.read(1).sequence == (1 << 40) + 4


def test_record_bytes_stand_in_their_slot():
    table = LatestTable.create("latest", 4)
    table.write(3, quote(9))
    with open(table.segment.path, "rb") as file:
        assert file.read()[4096 + 3 * 128 :] == struct.pack("<Q", (1 << 40) + 2) + quote(9)[8:]


def test_a_new_writer_empties_the_table():
    table = LatestTable.create("latest", 4)
    reader = LatestTable.attach("latest")
    table.write(1, quote(5))
    table.close()
    table = LatestTable.create("latest", 4)
    assert reader.read(1) is None
    table.write(1, quote(6))
    assert reader.read(1).bid == 6 and reader.read(1).sequence == (2 << 40) + 2


def test_a_slot_that_was_left_half_written_is_empty_and_heals():
    table = LatestTable.create("latest", 4)
    table.write(1, quote(5))
    poke_stamp(table, 1, (1 << 40) + 3)
    assert table.read(1) is None
    table.write(1, quote(6))
    assert table.read(1).bid == 6 and table.read(1).sequence == (1 << 40) + 4


def test_slots_outside_are_refused_or_empty():
    table = LatestTable.create("latest", 4)
    with pytest.raises(IndexError, match="slot was 4, the table has 4"):
        table.write(4, quote(1))
    with pytest.raises(ValueError, match="quote was 5 bytes"):
        table.write(0, b"short")
    assert table.read(4) is None and table.read(2**32 - 1) is None


def test_a_reader_cannot_write():
    LatestTable.create("latest", 4)
    with pytest.raises(PermissionError, match="only its creator writes"):
        LatestTable.attach("latest").write(0, quote(1))


def test_a_capacity_that_is_no_power_of_two_serves():
    assert LatestTable.create("latest", 5).capacity == 5


def test_quotes_are_found_by_symbol_and_again_after_a_restart():
    name = segment_name("strategy", "user", "latest")
    table = LatestTable.create(name, 8)
    write_symbols(name, table.segment.epoch, [entry(3, "BTCUSDT.BINANCE")])
    quotes = open_latest("strategy", "user")
    assert quotes["BTCUSDT.BINANCE"] is None
    table.write(3, quote(50))
    assert quotes["BTCUSDT.BINANCE"].bid == 50
    table.close()
    table = LatestTable.create(name, 8)
    with pytest.raises(SegmentMismatch, match="of epoch 1, the segment of epoch 2"):
        quotes["BTCUSDT.BINANCE"]
    write_symbols(name, table.segment.epoch, [entry(0, "ETHUSDT.BINANCE"), entry(1, "BTCUSDT.BINANCE")])
    table.write(1, quote(51))
    assert quotes["BTCUSDT.BINANCE"].bid == 51
    with pytest.raises(KeyError, match="none of the 2 symbols"):
        quotes["SOLUSDT.BINANCE"]


def test_the_directory_goes_with_the_segment(segments):
    table = LatestTable.create("latest", 8)
    write_symbols("latest", table.segment.epoch, [])
    table.close(unlink=True)
    assert list(segments.iterdir()) == []


def test_a_table_of_another_size_is_opened_anew():
    name = segment_name("strategy", "user", "latest")
    table = LatestTable.create(name, 8)
    write_symbols(name, table.segment.epoch, [entry(3, "BTCUSDT.BINANCE")])
    quotes = open_latest("strategy", "user")
    assert quotes["BTCUSDT.BINANCE"] is None
    table.close()
    table = LatestTable.create(name, 16)
    write_symbols(name, table.segment.epoch, [entry(12, "BTCUSDT.BINANCE")])
    table.write(12, quote(8))
    assert quotes["BTCUSDT.BINANCE"].bid == 8


def test_symbol_directory_is_plain_json_and_private(segments):
    path = write_symbols("latest", 7, [{**entry(0, "BTCUSDT.BINANCE"), "lot": "0.001"}])
    with open(path, encoding="utf-8") as file:
        assert json.load(file) == {
            "version": 1, "epoch": 7, "symbols": [{**entry(0, "BTCUSDT.BINANCE"), "lot": "0.001"}],
        }  # fmt: skip
    assert [p.name for p in segments.iterdir()] == ["latest.symbols.json"]
    assert read_symbols("latest", 7)["BTCUSDT.BINANCE"]["id"] == 0
    remove_symbols("latest")
    remove_symbols("latest")
    with pytest.raises(SegmentMissing, match="no symbol directory"):
        read_symbols("latest")


@pytest.mark.parametrize(
    "symbols, text",
    [
        ([{"id": 1, "symbol": "A"}], "lacks exchange, price_scale, size_scale"),
        ([entry(1, "A"), entry(1, "B")], "same id twice"),
        ([entry(1, "A"), entry(2, "A")], "same symbol twice"),
    ],
)
def test_a_directory_that_is_no_function_is_refused(symbols, text):
    with pytest.raises(ValueError, match=text):
        write_symbols("latest", 1, symbols)


def test_a_directory_of_another_version_is_refused():
    write_symbols("latest", 1, [])
    with open(symbols_path("latest"), "w", encoding="utf-8") as file:
        json.dump({"version": 2}, file)
    with pytest.raises(SegmentMismatch, match="has version 2"):
        read_symbols("latest")
