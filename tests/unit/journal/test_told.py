"""Which fills the next session tells: killed at any record, those of which the journal does not say that they were told."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from order_life import Life
from successors import assert_verified, begin, order, restart, start, upkeep

from nexus_fast.core.types import layout
from nexus_fast.journal import read_journal
from nexus_fast.journal.reader import show
from nexus_fast.journal.sessions import replay_epoch, what_is_left

HEADER, RECORD = 4096, 256
KIND_AT = next(offset for name, offset, _, _ in layout("order_event") if name == "kind")
WITHIN = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def fresh(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path / "shm"))
    return lambda: tmp_path_factory.mktemp("told") / "journal"


class Story:
    """Orders that are filled and end, and what of it was told: `steps` as (records by then, what, order, trade)."""

    def __init__(self, directory):
        self.life = begin(directory, records=1024)
        self.steps, self.waiting, self.filled, self.told = [], [], {}, {}

    def place(self, n):
        if n not in self.filled:
            self.filled[n], self.told[n] = 0, 0
            order(self.life, f"o{n}")

    def fill(self, n):
        if n in self.filled:
            self.filled[n] += 1
            trade = self.filled[n]
            self.life.ledger.apply(self.number(n), "FILL", trade, "v", 100, 1, trade)
            self.note("fill", n, trade)
            self.waiting.append((n, trade))

    def tell(self, _):
        """Fills are told in the order in which they were journalled."""
        if self.waiting:
            n, trade = self.waiting.pop(0)
            self.told[n] += 1
            self.life.ledger.told(self.number(n), trade, self.told[n], True)
            self.note("told", n, trade)

    def end(self, n):
        if n in self.filled:
            self.life.ledger.apply(self.number(n), "CANCELED", self.filled[n])

    def number(self, n):
        return self.life.ledger.find(f"o{n}")

    def note(self, *what):
        self.steps.append((records_in(self.life.directory), *what))

    def expected(self, records):
        """(executed, told) when so many records were written."""
        by_then = [step[1:] for step in self.steps if step[0] <= records]
        return tuple({(f"o{n}", trade) for what, n, trade in by_then if what == kind} for kind in ("fill", "told"))


def records_in(directory):
    content = (directory / "00000001-000000.journal").read_bytes()
    return max((i // RECORD for i in range(HEADER, len(content), RECORD) if any(content[i : i + 8])), default=15) - 15


def cut(directory, target, records):
    """What a kill leaves after this record."""
    target.mkdir(parents=True)
    content = (directory / "00000001-000000.journal").read_bytes()
    end = HEADER + records * RECORD
    (target / "00000001-000000.journal").write_bytes(content[:end] + bytes(len(content) - end))


def told_again(directory):
    found = [(replay.client_id(number), replay.past(number)) for replay, number in what_is_left(directory, 1 << 60).orders]
    return {(name, trade) for name, past in found for trade in past.untold}


STEPS = st.lists(st.tuples(st.sampled_from(["place", "fill", "fill", "tell", "tell", "end"]), st.integers(0, 3)), max_size=30)


@WITHIN
@given(STEPS, st.floats(0, 1))
def test_killed_at_any_record_every_fill_is_told_and_none_that_was_told_is_told_again(fresh, steps, where):
    story = Story(fresh())
    begun = records_in(story.life.directory)
    for what, n in steps:
        getattr(story, what)(n)
    last = records_in(story.life.directory)
    story.life.die()
    records = begun + round(where * (last - begun))
    copy = fresh()
    cut(story.life.directory, copy, records)
    executed, told = story.expected(records)
    again = told_again(copy)
    assert told | again == executed and not told & again
    # The next session is killed before it tells any: the one after it has the same to tell.
    second = start(copy)
    second.die()
    assert told_again(copy) == again
    assert_verified(copy)


def test_a_fill_without_a_trade_and_the_trades_that_came_after_it_are_not_told_again(fresh):
    story = Story(fresh())
    story.place(0)
    story.life.ledger.apply(story.number(0), "CANCELED", 5)
    story.life.ledger.told(story.number(0), -1, 5, False)
    story.life.ledger.apply(story.number(0), "FILL", 5, "v", 100, 5, 1)
    story.life.die()
    assert what_is_left(story.life.directory, 2).orders == []


def test_what_is_executed_beyond_the_trades_keeps_the_order(fresh):
    """A cancel's answer said five; the trades were still to come."""
    story = Story(fresh())
    story.place(0)
    story.fill(0)
    story.tell(0)
    story.life.ledger.apply(story.number(0), "CANCELED", 5)
    second = restart(story.life)
    (past,) = second.inherited.orders.values()
    assert (past.told, past.untold) == (1, {}) and second.ledger.live() == []
    second.die()


def test_a_fee_that_was_not_told_keeps_the_order_until_it_is(fresh):
    story = Story(fresh())
    story.place(0)
    story.fill(0)
    story.life.ledger.told(story.number(0), 1, 1, False)
    story.end(0)
    second = restart(story.life)
    ((number, past),) = second.inherited.orders.items()
    assert past.heard == {1: False} and past.trades == {1: (100, 1)}
    second.ledger.told(number, 1, 1, True)
    third = restart(second)
    assert third.inherited.orders == {}
    third.die()


def test_fees_that_are_given_up_do_not_keep_the_order(fresh):
    story = Story(fresh())
    story.place(0)
    story.fill(0)
    story.life.ledger.told(story.number(0), 1, 1, False)
    story.end(0)
    story.life.ledger.told(story.number(0), -1, 1, True)
    story.life.die()
    assert what_is_left(story.life.directory, 2).orders == []


def test_a_journal_that_does_not_note_what_was_told_has_told_everything(fresh, monkeypatch):
    """One that an earlier version wrote: its first record does not say that it does."""
    monkeypatch.setattr(Life, "__init__", with_an_old_session(Life.__init__))
    story = Story(fresh())
    story.place(0)
    story.place(1)
    story.fill(0)
    story.fill(1)
    story.end(1)
    monkeypatch.undo()
    story.life.die()
    file = story.life.directory / "00000001-000000.journal"
    assert told_again(story.life.directory) == set()
    replay = replay_epoch(story.life.directory, 1).replay
    assert not replay.notes_told and replay.past(replay.left_orders()[0]).told == 1 and len(replay.left_orders()) == 1
    assert file.exists()


def with_an_old_session(make):
    def made(self, *arguments, **options):
        make(self, *arguments, **options)
        file = next(self.directory.glob(f"{self.journal.epoch:08d}-000000.journal"))
        rewrite(file, 0, "filled", bytes(8))

    return made


def rewrite(file, position, field, raw):
    import struct

    from nexus_fast.journal.writer import checksum

    offset = next(offset for name, offset, _, _ in layout("order_event") if name == field)
    content = bytearray(file.read_bytes())
    start = HEADER + position * RECORD
    content[start + offset : start + offset + len(raw)] = raw
    content[start + 164 : start + 168] = struct.pack("<I", checksum(bytes(content[start : start + RECORD])))
    with file.open("r+b") as out:
        out.write(content[: start + RECORD])


def test_a_record_that_found_no_room_is_written_when_there_is_some(fresh):
    life = begin(fresh(), records=16)
    number = order(life, "o0")
    life.ledger.apply(number, "FILL", 1, "v", 100, 1, 1)
    while life.journal.state()["room"]:
        life.ledger.key("fills the files", "nobody")
    life.ledger.told(number, 1, 1, True)
    assert told_again(life.directory) == {("o0", 1)}
    upkeep(life, 9)
    life.ledger.catch_up()
    assert told_again(life.directory) == set()
    life.die()


@pytest.mark.parametrize("lost", [37, 41])
def test_a_trade_is_known_by_either_of_its_records(fresh, lost):
    """A hole that takes the record of a carried trade leaves that it was told, and how much it was worth; one that takes the
    record that it was told lets it come again."""
    story = Story(fresh())
    story.place(0)
    story.fill(0)
    story.tell(0)
    second = restart(story.life, records=64)
    second.die()
    file = next(story.life.directory.glob("00000002-000000.journal"))
    content = bytearray(file.read_bytes())
    position = next(i for i in range(HEADER, len(content), RECORD) if content[i + KIND_AT] == lost)
    content[position + 100] ^= 255
    file.write_bytes(content)
    replay = replay_epoch(story.life.directory, 2).replay
    past = replay.past(replay.left_orders()[0])
    assert past.trades[1][1] == 1 and (list(past.untold) == [1]) == (lost == 41)


def test_a_record_of_what_was_told_is_shown(fresh):
    story = Story(fresh())
    story.place(0)
    story.fill(0)
    story.tell(0)
    reader = read_journal(story.life.directory)
    lines = [show(event, reader.names) for event in reader]
    assert lines[-1].endswith("o0 told trade=1, 1 in all")
    story.life.die()


def test_the_fills_of_an_order_that_a_session_leaves_out_stay_with_it(fresh):
    """Its account is missing twice; the session that has it again tells what none told."""
    story = Story(fresh())
    story.place(0)
    for _ in range(2):
        story.fill(0)
    story.tell(0)
    story.end(0)
    second = restart(story.life, accounts=["perp"])
    third = restart(second, accounts=["perp"])
    assert third.inherited.orders == {} and third.inherited.left_out == 1
    fourth = restart(third)
    (past,) = fourth.inherited.orders.values()
    assert (past.told, past.heard, list(past.untold)) == (1, {1: True}, [2])
    fourth.die()
    assert_verified(story.life.directory)
