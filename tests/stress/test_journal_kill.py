"""Failure scenarios 45 to 47: a journal outlives a kill -9 with every record that was complete, in order."""

import os
import signal
import subprocess
import sys
import time

from patience import WAIT_SECONDS

from nexus_fast.journal import read_journal
from nexus_fast.journal.writer import JournalWriter

CHILD = """
import sys
from nexus_fast.core.types import pack
from nexus_fast.journal.writer import JournalWriter
journal = JournalWriter(sys.argv[1], "strategy.user", records_per_segment=1024)
print("ready", flush=True)
sys.stdin.readline()
number = 0
while True:
    number += 1
    while not journal.append(pack("order_event", number=number, client_id=f"order{number}", price=number * 7)):
        journal.turn()
    if number % 8 == 0:
        journal.turn()
    if number % 500 == 0:
        print(number, flush=True)
"""


def kill_while_appending(directory):
    """Runs the child until it has reported some records, kills it, and returns the last number it reported."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("go\n")
        child.stdin.flush()
        deadline = time.monotonic() + WAIT_SECONDS
        while int(child.stdout.readline()) < 5000:
            assert time.monotonic() < deadline
    finally:
        os.kill(child.pid, signal.SIGKILL)
        rest = child.communicate()[0].split("\n")
    return max([5000, *(int(line) for line in rest[:-1] if line.isdigit())])


def test_every_complete_record_is_read_in_order_after_a_kill(tmp_path):
    reported = kill_while_appending(tmp_path)
    reader = read_journal(tmp_path)
    events = list(reader)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert all(event.price == event.number * 7 and event.client_id == f"order{event.number}" for event in events)
    assert len(events) >= reported
    assert len(reader.torn) <= 1


def test_the_directory_is_free_after_a_kill_and_the_epoch_grows(tmp_path):
    kill_while_appending(tmp_path)
    before = len(list(read_journal(tmp_path)))
    journal = JournalWriter(tmp_path, "strategy.user", records_per_segment=1024)
    assert journal.epoch == 2
    assert len(list(read_journal(tmp_path))) == before
    journal.close()
