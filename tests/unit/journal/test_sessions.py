"""A journal's replay is the engine's table, byte for byte, and every change to either is noticed."""

import struct
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from order_life import Life

from nexus_fast.core.types import layout
from nexus_fast.journal.sessions import last_sessions, replay_epoch, verify
from nexus_fast.journal.writer import checksum
from nexus_fast.order.states import EVENTS, STATES

LIVE = STATES[1:6]
OFFSETS = {name: offset for name, offset, _, _ in layout("order_event")}
HEADER, RECORD = 4096, 256
WITHIN = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def life(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path))

    def make(directory=None):
        return Life(directory or tmp_path_factory.mktemp("journal"))

    return make


# What only the hot path does, with checks of its own before it.
HOT = ("INTENT", "REFUSED", "CANCEL_INTENT", "MODIFY_INTENT")
STEPS = st.one_of(
    st.tuples(st.just("carry"), st.sampled_from(LIVE), st.integers(0, 9)),
    st.tuples(st.just("apply"), st.integers(0, 30), st.sampled_from([e for e in EVENTS if e not in HOT]), st.integers(-1, 12),
              st.integers(-1, 5), st.sampled_from(["", "v1", "v2"]), st.integers(0, 3)),
    st.tuples(st.just("key"), st.text(max_size=200), st.integers(0, 30)),
    st.tuples(st.just("refuse"), st.integers(0, 30)),
)


@WITHIN
@given(st.lists(STEPS, max_size=60))
def test_a_replay_is_the_live_table_byte_for_byte(life, steps):
    """Whatever came, in whatever order, with repetitions and losses."""
    one = life()
    for step, *arguments in steps:
        if step == "key":
            one.ledger.key(arguments[0], f"old{arguments[1]}")
        elif step == "refuse":
            number = one.ledger.find(f"old{arguments[0]}")
            if number and one.ledger.state(number) == "PENDING":
                one.ledger.refuse(number, 3)
        else:
            getattr(one, step)(*arguments)
    live = one.ledger.live()
    one.end()
    replay = replay_epoch(one.directory, 1).replay
    assert replay.differences == []
    assert replay.table.dump() == one.table.dump()
    assert replay.open_orders() == live
    assert [session.problems for session in verify(one.directory)] == [[]]


def lived(life):
    one = life()
    first, second = one.carry("PENDING"), one.carry("ACCEPTED", 2, {7: (100, 2)})
    one.ledger.carry_key("of the first", "old0", "", 0)
    one.ledger.begun(1)
    for event, filled, trade in (("ACCEPTED", -1, -1), ("FILL", 3, 1), ("FILL", 5, 2), ("CANCELED", 5, -1)):
        one.ledger.apply(first, event, filled, "v9", 100, 2, trade)
        if trade > 0:
            one.ledger.told(first, trade, filled, True)
    one.ledger.apply(second, "FILL", 4, "", 100, 2, 8)
    return one


def change(directory, position, field, raw):
    """Another content under a checksum that is right: what only the replay can notice."""
    file = next(directory.glob("*-000000.journal"))
    content = bytearray(file.read_bytes())
    start = HEADER + position * RECORD
    content[start + OFFSETS[field] : start + OFFSETS[field] + len(raw)] = raw
    content[start + 164 : start + 168] = struct.pack("<I", checksum(bytes(content[start : start + RECORD])))
    file.write_bytes(content)


def positions(directory, kinds):
    content = next(directory.glob("*-000000.journal")).read_bytes()[HEADER:]
    return [i for i in range(len(content) // RECORD) if content[i * RECORD + OFFSETS["kind"]] in kinds]


@pytest.mark.parametrize("field, raw", [("state", b"\x02"), ("filled", b"\x09"), ("price", b"\x01"), ("side", b"\x01"),
                                        ("venue_id", b"other"), ("client_id", b"x"), ("kind", b"\x0a"), ("account", b"\x03")])
def test_every_change_of_an_event_is_noticed(life, field, raw):
    one = lived(life)
    one.end()
    for position in positions(one.directory, range(16)):
        file = next(one.directory.glob("*-000000.journal"))
        before = file.read_bytes()
        change(one.directory, position, field, raw)
        if file.read_bytes() != before:
            assert next(verify(one.directory)).problems, (position, field)
        file.write_bytes(before)
    assert next(verify(one.directory)).problems == []


def test_an_event_that_is_missing_is_noticed(life):
    one = lived(life)
    one.end()
    file = next(one.directory.glob("*-000000.journal"))
    whole = file.read_bytes()
    last = positions(one.directory, range(16))[-1]
    content = bytearray(whole[: HEADER + last * RECORD] + whole[HEADER + (last + 1) * RECORD :])
    for position in range(last, (len(content) - HEADER) // RECORD):
        start = HEADER + position * RECORD
        content[start : start + 8] = struct.pack("<Q", position + 1)
    file.write_bytes(content)
    (session,) = verify(one.directory)
    assert "not the one with which the engine ended" in session.problems[0]


def test_what_a_session_left_is_what_the_next_one_finds(life):
    one = lived(life)
    one.die()
    session = last_sessions(one.directory, 2)[0]
    replay = session.replay
    assert not session.ended_cleanly and session.problems == []
    assert [replay.client_id(number) for number in replay.open_orders()] == ["old1"]
    assert replay.trades == {replay.open_orders()[0]: {7: (100, 2), 8: (100, 2)}}
    assert {key: held[:2] for key, held in replay.held_keys().items()} == {"of the first": ("old0", "CANCELED")}


def test_a_key_is_free_when_its_order_failed_and_held_otherwise(life):
    one = life()
    for name in ("fails", "lives", "fills", "comes never"):
        if name != "comes never":
            one.carry("PENDING", name=name)
        one.ledger.key(f"key of what {name}", name)
    one.ledger.apply(one.numbers[0], "REJECTED")
    one.ledger.apply(one.numbers[2], "FILLED", 10)
    replay = one.die()
    held = replay.held_keys()
    assert {key: value[:2] for key, value in held.items()} == {
        "key of what lives": ("lives", ""), "key of what fills": ("fills", "FILLED")}


def test_a_session_that_ended_while_it_began_does_not_count(life):
    one = lived(life)
    one.die()
    two = life(one.directory)
    two.carry("UNKNOWN")
    two.die()
    assert last_sessions(one.directory, 3)[0].epoch == 1


def test_an_order_that_is_not_carried_over_is_noticed(life):
    one = lived(life)
    one.end()
    two = life(one.directory)
    two.ledger.begun(1 << 62)
    two.end()
    first, second = verify(one.directory)
    assert first.problems == [] and second.problems == ["order old1 was not over at the end of epoch 1 and is not carried over"]


def test_events_without_room_are_caught_up_with(life, tmp_path_factory):
    """47: no room for a venue's events: they count, and the journal gets the orders as they stand once there is room."""
    directory = tmp_path_factory.mktemp("full")
    one = Life.__new__(Life)
    one.__init__(directory, records=16)
    number = one.carry()
    for price in range(1, 40):                  # nobody makes the next file ready: 32 records fit
        one.ledger.apply(number, "MODIFIED", min(price, 8), price=price, quantity=10)
    assert one.journal.state()["state"] == "full" and one.ledger.fields(number)["filled"] == 8
    one.ledger.apply(number, "FILLED", 10)
    for _ in range(9):
        one.journal.turn()
    assert one.ledger.catch_up() == 1 and one.ledger.catch_up() == 0
    one.end()
    (session,) = verify(directory)
    assert session.problems == [] and session.replay.refused > 0
