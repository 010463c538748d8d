"""What a record costs: loops in C over the same functions that the engine runs, COUNT operations a round.

    python -m pytest bench/micro/test_shm.py --benchmark-enable --benchmark-columns=min,median,rounds

The lines printed (with -s), and `per_operation_ns` in the saved JSON, are nanoseconds per operation of the fastest and
the median round.
"""

import ctypes
import mmap
import multiprocessing
import os
import subprocess
from pathlib import Path

import pytest

from nexus_fast.core import write_header
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingWriter

COUNT = 100_000
LOOPS = ("publish", "publish_events", "write_latest", "read_latest", "read_ring", "append", "checksum", "follow")
SOURCE = Path(__file__).with_name("shm.c")
FLAGS = ["-std=gnu11", "-O3", "-shared", "-fPIC", "-Wall", "-Wextra", "-Wno-unused-function"]


@pytest.fixture(scope="module")
def loops(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shm")
    write_header(folder / "nexus_fast.h")
    library = folder / "loops.so"
    subprocess.run(["gcc", *FLAGS, f"-I{folder}", SOURCE, "-o", library], check=True)
    return load(library)


def load(library):
    loaded = ctypes.CDLL(str(library))
    loaded.path = library
    for name in LOOPS:
        getattr(loaded, name).restype = ctypes.c_uint64
    return loaded


class Mapping:
    """A segment's or a journal's file in this process's memory."""

    def __init__(self, path, writable=True):
        with open(path, "r+b" if writable else "rb") as file:
            self.memory = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))


@pytest.fixture
def segments(tmp_path, monkeypatch):
    directory = Path("/dev/shm") / f"nexus_fast-bench-{os.getpid()}"
    monkeypatch.setenv("NEXUS_FAST_SHM", str(directory))
    yield
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()


@pytest.fixture
def measure(benchmark):
    def run(function, mapping, *arguments):
        first = [] if mapping is None else [address(mapping)]
        benchmark.pedantic(function, [*first, *arguments, count()], rounds=50, warmup_rounds=5)
        if benchmark.stats is not None:
            stats = benchmark.stats.stats
            figures = {"min": stats.min / COUNT * 1e9, "median": stats.median / COUNT * 1e9}
            benchmark.extra_info["per_operation_ns"] = figures
            print(f"\n{benchmark.name}: {figures['min']:.1f} ns at best, median {figures['median']:.1f} ns")

    return run


def count():
    return ctypes.c_uint64(COUNT)


def address(mapping):
    return ctypes.c_void_p(mapping.base)


def test_publish_alone(loops, segments, measure):
    """One 128-byte record into a ring of 64 Ki records."""
    measure(loops.publish, Mapping(RingWriter("ring").segment.path))


def test_publish_in_cache_alone(loops, segments, measure):
    """One 128-byte record into a ring of 64: all of it stays in the first-level cache."""
    measure(loops.publish, Mapping(RingWriter("ring", capacity=64).segment.path))


def follow_in_a_process(library, path, stop, ready):
    loops, mapping = load(library), Mapping(path)
    ready.set()
    loops.follow(address(mapping), ctypes.byref(stop))


def test_publish_with_a_reader(loops, segments, measure):
    """The same while a second process reads every record that it can."""
    context = multiprocessing.get_context("spawn")
    ring = RingWriter("ring")
    stop, ready = context.Value(ctypes.c_int, 0, lock=False), context.Event()
    reader = context.Process(target=follow_in_a_process, args=(loops.path, ring.segment.path, stop, ready))
    reader.start()
    try:
        assert ready.wait(30)
        measure(loops.publish, Mapping(ring.segment.path))
    finally:
        stop.value = 1
        reader.join(10)
        reader.kill()


def test_publish_an_order_event_alone(loops, segments, measure):
    """One 256-byte record into a ring of 16 Ki records."""
    measure(loops.publish_events, Mapping(RingWriter("ring", "order_event", 16384).segment.path))


def test_read_ring(loops, segments, measure):
    """One 128-byte record out of a ring that nobody writes."""
    mapping = Mapping(RingWriter("ring", capacity=1024).segment.path)
    loops.publish(address(mapping), count())
    measure(loops.read_ring, mapping)


def test_write_latest(loops, segments, measure):
    measure(loops.write_latest, Mapping(LatestTable.create("latest", 16).segment.path))


def test_read_latest(loops, segments, measure):
    mapping = Mapping(LatestTable.create("latest", 16).segment.path)
    loops.write_latest(address(mapping), count())
    measure(loops.read_latest, mapping)


@pytest.mark.parametrize("records", [16, 65536])
def test_journal_append(loops, tmp_path, measure, records):
    """One event, with its checksum, into mapped pages: 16 records stay in the cache, 65536 go through memory."""
    path = tmp_path / "pages"
    path.write_bytes(bytes(records * 256))
    mapping = Mapping(path)
    measure(loops.append, mapping, ctypes.c_uint64(records))


def test_checksum(loops, measure):
    """One checksum after the other, each waiting for the last."""
    measure(loops.checksum, None)
