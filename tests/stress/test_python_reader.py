"""Two Python processes over the compiled modules: order, agreement and the count of what was lost."""

import subprocess
import sys
import time

import numpy

from nexus_fast.core.types import dtype
from nexus_fast.shm.ring import RingReader

COUNT = 100_000
WRITER = f"""
import sys
from nexus_fast.core.types import pack
from nexus_fast.shm.ring import RingWriter
ring = RingWriter("ring", capacity=256)
records = [pack("bookl1", bid=i, ask=i, update_id=i, symbol_id=i, receive_ticks=i) for i in range({COUNT})]
print("ready", flush=True)
sys.stdin.readline()
for record in records:
    ring.publish(record)
"""


def test_a_python_reader_gets_records_in_order_and_counts_the_others(segments):
    writer = subprocess.Popen([sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout.readline() == "ready\n"
        reader = RingReader("ring")
        writer.stdin.write("go\n")
        writer.stdin.flush()
        batch, last, received = numpy.zeros(64, dtype("bookl1")), -1, 0
        deadline = time.monotonic() + 60
        while reader.position < COUNT:
            assert time.monotonic() < deadline
            got = batch[: reader.read_many(batch)]
            for field in ("ask", "update_id", "symbol_id", "receive_ticks"):
                assert (got[field] == got["bid"]).all()
            if len(got):
                assert got["bid"][0] > last and (numpy.diff(got["bid"]) >= 1).all()
                last, received = got["bid"][-1], received + len(got)
        assert received + reader.lost == COUNT and last == COUNT - 1
    finally:
        writer.kill()
        writer.communicate()
