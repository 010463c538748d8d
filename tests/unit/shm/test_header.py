"""Programs in C and C++ read the segments with the generated header alone."""

import shutil
import subprocess

import pytest

from nexus_fast.core import header_text, write_header
from nexus_fast.core.types import pack
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingWriter

READER = """
#include "nexus_fast.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void *map_file(const char *path, uint64_t *size) {
    struct stat status;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0) return NULL;
    *size = (uint64_t)status.st_size;
    return mmap(NULL, *size, PROT_READ, MAP_SHARED, file, 0);
}

int main(int count, char **values) {
    uint64_t size;
    nx_ring_reader reader;
    nx_latest latest;
    nx_bookl1 quote;
    void *ring = map_file(values[1], &size);
    if (count != 3 || nx_segment_check(ring, size, NX_SEGMENT_RING, NX_FINGERPRINT_BOOKL1, sizeof quote) != 0) return 1;
    if (nx_ring_reader_open(&reader, ring, 1) != 0) return 1;
    while (nx_ring_read(&reader, &quote) == 1)
        printf("%lld %lld %.3f %u\\n", (long long)quote.bid, (long long)quote.ask, quote.bid_value, quote.symbol_id);
    void *table = map_file(values[2], &size);
    if (nx_segment_check(table, size, NX_SEGMENT_LATEST, NX_FINGERPRINT_BOOKL1, sizeof quote) != 0) return 1;
    nx_latest_open(&latest, table);
    printf("%d %d ", nx_latest_read(&latest, 0, &quote), nx_latest_read(&latest, 2, &quote));
    printf("%lld\\n", (long long)quote.bid);
    return 0;
}
"""


@pytest.mark.parametrize("compiler, ending, standard", [("gcc", "c", "c11"), ("g++", "cc", "c++17")])
def test_a_foreign_program_reads_ring_and_latest_table(tmp_path, compiler, ending, standard):
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} here")
    write_header(tmp_path / "nexus_fast.h")
    source = tmp_path / f"reader.{ending}"
    source.write_text(READER)
    flags = [f"-std={standard}", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wno-unused-function"]
    if ending == "c":
        flags.append("-D_DEFAULT_SOURCE")
    subprocess.run([compiler, *flags, source, "-o", tmp_path / "reader"], check=True)
    ring, table = RingWriter("ring", capacity=4), LatestTable.create("latest", 4)
    for number in (10, 11):
        ring.publish(pack("bookl1", bid=number, ask=-number, bid_value=number / 8, symbol_id=4_000_000_000))
    table.write(2, pack("bookl1", bid=77))
    output = subprocess.run(
        [tmp_path / "reader", ring.segment.path, table.segment.path], capture_output=True, text=True, check=True
    ).stdout
    assert output == "10 -10 1.250 4000000000\n11 -11 1.375 4000000000\n0 1 77\n"


def test_header_is_cut_out_of_the_declarations_without_leftovers():
    text = header_text()
    assert '"""' not in text and "cdef" not in text
    for name in ("nx_bookl1", "nx_order_event", "nx_segment", "nx_ring_read", "nx_latest_read", "nx_event_checksum"):
        assert name in text
