"""Segments that no writer makes: a damaged file, or somebody else wrote into it. Readers and writers refuse them or go on; they
neither crash nor hang. In child processes, each with an alarm."""

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from nexus_fast.core import write_header
from nexus_fast.core.types import pack
from nexus_fast.shm.error import SegmentDamaged, SegmentError, SegmentMismatch
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingReader, RingWriter
from nexus_fast.shm.symbols import read_symbols, symbols_path, write_symbols

SANITIZED = ("-std=c11", "-D_DEFAULT_SOURCE", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
EDGES = (0, 1, 3, 127, 4096, 1 << 24, 1 << 32, 1 << 40, 1 << 62, 1 << 63, (1 << 64) - 1)
WORDS = {
    "capacity": 24, "fingerprint": 32, "data_offset": 40, "total_size": 48, "epoch": 128, "writer_pid": 136,
    "writer_start": 144, "state": 152, "epoch_start": 160, "heartbeat_ns": 256, "head": 384,
}  # fmt: skip
SLOTS = 4
CHILD = """
import signal, sys
from nexus_fast.core.types import pack
from nexus_fast.shm.error import SegmentError
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingReader, RingWriter
kind, act = sys.argv[1:]
signal.alarm(20)
try:
    if act == "read" and kind == "ring":
        for start in ("oldest", "newest"):
            reader = RingReader("book", start=start)
            reader.segment.describe()
            for _ in range(100):
                if reader.read() is None:
                    break
            reader.read_many(bytearray(1280))
    elif act == "read":
        table = LatestTable.attach("book")
        table.segment.describe()
        [table.read(slot) for slot in (*range(6), 2**32 - 1)]
    else:
        writer = RingWriter("book", capacity=4) if kind == "ring" else LatestTable.create("book", 4)
        for number in range(9):
            if kind == "ring":
                reader = reader if number else RingReader("book")
                writer.publish(pack("bookl1", bid=number))
                assert reader.read().bid == number
            else:
                writer.write(number % 4, pack("bookl1", bid=number))
                assert LatestTable.attach("book").read(number % 4).bid == number
except SegmentError as error:
    assert act == "read", error
    print(type(error).__name__, error)
"""


def segment_file(kind, records=6):
    """A segment that its writer has left, with records in it."""
    writer = RingWriter("book", capacity=SLOTS) if kind == "ring" else LatestTable.create("book", SLOTS)
    for number in range(records):
        quote = pack("bookl1", bid=number)
        writer.publish(quote) if kind == "ring" else writer.write(number % SLOTS, quote)
    path = writer.segment.path
    writer.close()
    return path


def poke(path, place, value, width="<Q"):
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(struct.pack(width, value))


def run_child(kind, act):
    return subprocess.run([sys.executable, "-c", CHILD, kind, act], capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """hostile.c with the generated header, under the sanitizers."""
    folder = tmp_path_factory.mktemp("hostile")
    write_header(folder / "nexus_fast.h")
    source, program = Path(__file__).with_name("hostile.c"), folder / "hostile"
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    trial = ["gcc", *SANITIZED, folder / "empty.c", "-o", program]
    if not shutil.which("gcc") or subprocess.run(trial, capture_output=True).returncode:
        pytest.skip("gcc has no sanitizers here")
    subprocess.run(["gcc", *SANITIZED, f"-I{folder}", source, "-o", program], check=True)
    return program


@pytest.mark.parametrize("kind, seed", [("ring", 1), ("ring", 2), ("latest", 3)])
def test_thousands_of_spoilt_segments_under_the_sanitizers(hostile, kind, seed):
    result = subprocess.run([hostile, kind, "20000", str(seed)], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, (result.returncode, result.stderr[-2000:])
    cases, refused, damaged, read = map(int, result.stdout.split())
    assert 1000 < refused < cases and read > 1000 and (kind == "latest" or 1000 < damaged < cases)


@pytest.mark.parametrize("field", ["capacity", "data_offset", "total_size"])
@pytest.mark.parametrize("value", EDGES)
def test_numbers_that_contradict_each_other_are_refused(segments, field, value):
    path = segment_file("ring")
    good = {"capacity": SLOTS, "data_offset": 4096, "total_size": 4096 + SLOTS * 128}[field]
    if value == good:
        return
    poke(path, WORDS[field], value)
    with pytest.raises(SegmentMismatch, match="contradict each other|shorter than its header says"):
        RingReader("book")


@pytest.mark.parametrize("size", [0, 1, 8, 64, 256, 1 << 31, (1 << 32) - 1])
def test_records_of_another_size_are_refused(segments, size):
    poke(segment_file("ring"), 20, size, "<I")
    with pytest.raises(SegmentDamaged, match="'book' is damaged: the numbers in its header contradict each other; start"):
        RingReader("book")


def test_every_field_at_its_edges_is_read_and_taken_over_without_harm(segments):
    """In this process: what crashes or hangs stands in the cases below, in a child."""
    for kind in ("ring", "latest"):
        for name, place in WORDS.items():
            for value in EDGES:
                poke(segment_file(kind), place, value)
                try:
                    reader = RingReader("book", start="oldest") if kind == "ring" else LatestTable.attach("book")
                    reader.segment.describe()
                    list(zip(range(20), reader, strict=False)) if kind == "ring" else [reader.read(i) for i in range(6)]
                except SegmentError:
                    pass
                writer = RingWriter("book", capacity=SLOTS) if kind == "ring" else LatestTable.create("book", SLOTS)
                assert 1 <= writer.segment.epoch < 1 << 24, (name, value)
                writer.close(unlink=True)


STAMPS = {
    "all stamps are 2^63": (1 << 63,) * SLOTS,
    "all stamps are 2^64 - 1": ((1 << 64) - 1,) * SLOTS,
    "stamps of positions far ahead": tuple(2 * ((1 << 61) + slot) + 2 for slot in range(SLOTS)),
    "odd stamps far ahead": tuple(2 * ((1 << 61) + slot) + 1 for slot in range(SLOTS)),
    "stamps of another slot": (20, 20, 20, 20),
    "stamps of nothing": (0, 0, 0, 0),
}


@pytest.mark.parametrize("stamps", STAMPS.values(), ids=STAMPS)
@pytest.mark.parametrize("kind", ["ring", "latest"])
@pytest.mark.parametrize("act", ["read", "write"])
def test_no_stamp_holds_a_reader_or_a_writer(segments, kind, stamps, act):
    path = segment_file(kind)
    for slot, stamp in enumerate(stamps):
        poke(path, 4096 + slot * 128, stamp)
    result = run_child(kind, act)
    assert result.returncode == 0, (result.returncode, result.stderr)
    assert kind == "latest" or act == "write" or result.stdout.startswith("SegmentDamaged"), result.stdout


@pytest.mark.parametrize("head", [1, 7, 1 << 40, 1 << 62, 1 << 63, (1 << 64) - 1])
@pytest.mark.parametrize("act", ["read", "write"])
def test_a_head_that_no_record_bears_out(segments, head, act):
    poke(segment_file("ring"), WORDS["head"], head)
    result = run_child("ring", act)
    assert result.returncode == 0, (result.returncode, result.stderr)
    assert act == "write" or head < 6 or result.stdout.startswith("SegmentDamaged")


def test_a_stamp_that_is_spoilt_while_it_is_read_is_named_and_not_waited_for(segments):
    writer = RingWriter("book", capacity=SLOTS)
    reader = RingReader("book")
    writer.publish(pack("bookl1", bid=1))
    poke(writer.segment.path, 4096, 1 << 63)
    with pytest.raises(SegmentDamaged, match="at position 0 stands what no writer of it stores"):
        reader.read()
    with pytest.raises(SegmentDamaged):
        reader.read_many(bytearray(256))


def test_a_damaged_ring_is_replaced_with_the_next_epoch_and_its_readers_are_told(segments):
    poke(segment_file("ring"), 4096, 1 << 63)
    reader = RingReader("book")
    writer = RingWriter("book", capacity=SLOTS)
    assert reader.segment.retired
    assert (writer.position, writer.segment.epoch) == (0, 3)


def test_a_file_with_holes_is_not_filled(segments):
    """Its header agrees with its size; no room was ever reserved for it."""
    path = segment_file("latest")
    capacity = 1 << 25
    poke(path, WORDS["capacity"], capacity)
    poke(path, WORDS["total_size"], 4096 + capacity * 128)
    with open(path, "r+b") as file:
        file.truncate(4096 + capacity * 128)
    table = LatestTable.attach("book")
    assert table.read(1).bid == 5 and table.read(capacity - 1) is None
    assert Path(path).stat().st_blocks * 512 < 1 << 20


HEAD = '{"version": 1, "epoch": 1, "symbols": '
NO_DIRECTORIES = [
    "", "[]", "null", "7", "{", "[" * 100_000, "\udcff", '{"version": 1}', '{"version": 1, "epoch": "x", "symbols": []}',
    HEAD + "5}", HEAD + "[5]}", HEAD + '[{"symbol": "A"}]}', HEAD + '[{"symbol": [], "id": 0}]}',
]  # fmt: skip


def with_id(number):
    return HEAD + json.dumps([{"id": number, "symbol": "A", "exchange": "b", "price_scale": 1, "size_scale": 1}]) + "}"


@pytest.mark.parametrize("text", [*NO_DIRECTORIES, *map(with_id, (-1, 1 << 32, 1.5, "1", None, True))])
def test_a_damaged_symbol_directory_is_named(segments, text):
    write_symbols("book", 1, [])
    Path(symbols_path("book")).write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(SegmentMismatch, match="symbol directory .*'book'"):
        read_symbols("book", 1)
