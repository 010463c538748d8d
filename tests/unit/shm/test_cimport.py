"""A user's own Cython module writes and reads through the handles, with the GIL released, without an include path."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import nexus_fast.core
from nexus_fast.core.types import pack
from nexus_fast.journal import read_journal
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingReader, RingWriter

INSTALLED = Path(nexus_fast.core.__file__).parents[2]
MODULE = """
from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memset
from nexus_fast.core.abi cimport require_abi
from nexus_fast.core.clock cimport clock_ticks, ticks_to_ns
from nexus_fast.core.types cimport nx_bookl1, nx_order_event
from nexus_fast.journal.writer cimport JournalWriter, journal_append, nx_journal
from nexus_fast.shm.latest cimport LatestTable, latest_read, latest_write, nx_latest
from nexus_fast.shm.ring cimport RingReader, RingWriter, nx_ring, nx_ring_reader, ring_publish, ring_read
from nexus_fast.shm.segment cimport segment_heartbeat
require_abi()

def publish(RingWriter writer, int count):
    cdef int i
    cdef nx_ring* ring = writer.handle()
    cdef nx_bookl1 quote
    memset(&quote, 0, sizeof(quote))
    with nogil:
        for i in range(count):
            quote.bid = i
            ring_publish(ring, &quote)
        segment_heartbeat(ring.segment, 12345)

def read(RingReader reader):
    cdef nx_ring_reader* handle = reader.handle()
    cdef nx_bookl1 quote
    cdef int64_t total = 0
    with nogil:
        while ring_read(handle, &quote) == 1:
            total += quote.bid
    return total

def latest(LatestTable table, uint32_t slot, int64_t bid):
    cdef nx_latest* handle = table.handle()
    cdef nx_bookl1 quote, back
    cdef int found
    memset(&quote, 0, sizeof(quote))
    quote.bid = bid
    with nogil:
        latest_write(handle, slot, &quote)
        found = latest_read(handle, slot, &back)
    return found, back.bid

def journal(JournalWriter writer, int count):
    cdef nx_journal* handle = writer.handle()
    cdef nx_order_event event
    cdef int i, appended = 0
    memset(&event, 0, sizeof(event))
    with nogil:
        for i in range(count):
            event.number = i + 1
            if journal_append(handle, &event) != 0:
                break
            appended += 1
    return appended

def span():
    return ticks_to_ns(clock_ticks()), ticks_to_ns(0)
"""
BUILD = """
import sys
from setuptools import Extension, setup
from Cython.Build import cythonize
installed = sys.argv.pop()
sys.argv[1:] = ["build_ext", "--inplace"]
setup(ext_modules=cythonize([Extension("users_shm", ["users_shm.pyx"])], include_path=[installed], quiet=True))
"""


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    folder = tmp_path_factory.mktemp("users")
    (folder / "users_shm.pyx").write_text(MODULE)
    (folder / "build.py").write_text(BUILD)
    subprocess.run([sys.executable, "build.py", str(INSTALLED)], cwd=folder, check=True, capture_output=True)
    (library,) = folder.glob("users_shm*.so")
    spec = importlib.util.spec_from_file_location("users_shm", library)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ring(users):
    writer = RingWriter("ring", capacity=64)
    reader, second = RingReader("ring"), RingReader("ring")
    users.publish(writer, 50)
    assert users.read(reader) == sum(range(50))
    assert [quote.bid for quote in second] == list(range(50))
    assert writer.segment.describe()["heartbeat_ns"] == 12345


def test_latest(users):
    table = LatestTable.create("latest", 8)
    assert users.latest(table, 3, 77) == (1, 77)
    assert users.latest(table, 3, -5) == (1, -5)


def test_journal(users, tmp_path):
    journal = JournalWriter(tmp_path / "journal", "s.u", 16)
    assert users.journal(journal, 40) == 32
    assert [event.number for event in read_journal(tmp_path / "journal")] == list(range(1, 33))


def test_ticks(users):
    assert users.span()[0] > 0 and users.span()[1] == 0


def test_a_closed_journal_refuses(users, tmp_path):
    journal = JournalWriter(tmp_path / "journal", "s.u", 16)
    journal.close()
    assert users.journal(journal, 1) == 0


def test_an_event_is_journalled_as_it_was_packed(tmp_path):
    journal = JournalWriter(tmp_path / "journal", "s.u", 16)
    raw = pack("order_event", number=1, client_id="x" * 39, symbol_id=2**32 - 1, checksum=5, sequence=9, strategy=255)
    assert journal.append(raw)
    (event,) = read_journal(tmp_path / "journal")
    assert (event.client_id, event.symbol_id, event.strategy, event.sequence) == ("x" * 39, 2**32 - 1, 255, 1)
