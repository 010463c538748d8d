"""What a session takes over stands in its own journal, all of it, through any number of restarts; or it does not start."""

import time

import pytest
from order_life import Life
from successors import HOUR, assert_verified, begin, held, order, restart, start, upkeep

from nexus_fast.journal.error import JournalError
from nexus_fast.journal.sessions import verify
from nexus_fast.order.past import Past


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path / "shm"))
    return tmp_path / "journal"


@pytest.mark.parametrize("end", ["lives", "FILLED"])
def test_every_key_holds_through_three_restarts_in_small_files(directory, end):
    """48: 400 orders in files of 16 records; each restart writes more keys than two files have room for."""
    life = begin(directory, slots=1024)
    for n in range(400):
        number = order(life, f"order{n}", f"key {n} " + "x" * (70 * (n % 3)))
        if end != "lives":
            life.ledger.apply(number, end, 10)
            life.ledger.told(number, -1, 10, False)
    expected = {f"key {n} " + "x" * (70 * (n % 3)): f"order{n}" for n in range(400)}
    for _ in range(3):
        life = restart(life, slots=1024)
        assert {key: oid for key, (oid, _, _) in life.inherited.keys.items()} == expected
        assert len(life.inherited.orders) == (400 if end == "lives" else 0)
    life.die()
    assert held(directory) == expected
    assert_verified(directory)


def test_orders_and_their_fills_go_over_in_small_files(directory):
    life = begin(directory)
    trades = {n: (100 + n, 1) for n in range(70)}
    order(life, "many fills", trades=trades)
    for _ in range(3):
        life = restart(life)
        assert list(life.inherited.orders.values()) == [Past(trades, 0, dict.fromkeys(trades, True))]
        assert life.ledger.find("many fills") in life.inherited.orders
    life.die()
    assert_verified(directory)


def test_an_order_that_is_left_out_twice_keeps_its_key(directory):
    """The session that leaves it out has no order of that id, and still knows whose the key is."""
    life = begin(directory)
    order(life, "resting", "only once")
    for options in ({"adopt": False}, {"accounts": ["perp"]}, {"adopt": False}, {}):
        life = restart(life, **options)
        assert life.inherited.keys == {"only once": ("resting", "", 0)}
        assert (len(life.inherited.orders), life.inherited.left_out) == ((1, 0) if not options else (0, 1))
    life.die()
    assert_verified(directory)


@pytest.mark.parametrize("end, holds", [("FILLED", True), ("REJECTED", False)])
def test_a_key_whose_orders_end_found_no_room_at_first(directory, end, holds):
    """47 and 48: the journal gets the order as it stands later, and that is its end, too."""
    life = begin(directory)
    number = order(life, "ends late", "once", state="PENDING")
    while life.journal.state()["room"]:
        life.ledger.key("fills the files", "nobody")
    life.ledger.apply(number, end, 10 if end == "FILLED" else -1)
    upkeep(life, 9)
    assert life.ledger.catch_up() == 1
    for _ in range(2):
        life = restart(life)
        found = life.inherited.keys.get("once")
        assert (found and found[:2]) == (("ends late", "FILLED") if holds else None)
        assert not holds or found[2] > 0
    life.die()


def test_keys_of_orders_that_ended_long_ago_are_let_go_and_verify_knows(directory):
    life = begin(directory)
    life.ledger.apply(order(life, "a", "short"), "CANCELED", 0)
    life = restart(life, key_seconds=HOUR)
    assert list(life.inherited.keys) == ["short"]
    life = restart(life, key_seconds=0)
    assert life.inherited.keys == {}
    life.die()
    assert_verified(directory)


def test_a_carry_over_that_finds_no_room_is_no_start(directory, monkeypatch):
    """A full disk: the next start, with room, has everything."""
    life = begin(directory)
    for n in range(40):
        order(life, f"order{n}", f"key {n}")
    life.die()
    with monkeypatch.context() as full:
        full.setattr("nexus_fast.journal.files.JournalDirectory.file_path", no_third_file)
        with pytest.raises(JournalError, match="no room for what has to stand in it .*free disk space and start again"):
            start(directory)
    life = start(directory)
    assert len(life.inherited.keys) == len(life.inherited.orders) == 40
    life.die()
    assert_verified(directory)


def no_third_file(self, index):
    if index > 1:
        raise OSError(28, "No space left on device", "the third file")
    return str(self.path / f"{self.epoch:08d}-{index:06d}.journal")


def test_a_session_that_took_over_less_than_it_says_is_noticed(directory):
    life = begin(directory)
    order(life, "resting", "only once", trades={1: (100, 1)})
    life.die()
    two = Life(directory, 16)
    two.ledger.begun(time.time_ns())
    two.die()
    first, second = verify(directory)
    assert first.problems == []
    assert second.problems == [
        "order resting was not over at the end of epoch 1 and is not carried over",
        "1 idempotency keys were held at the end of epoch 1 and are not carried over: 'only once'"]


def test_trading_begins_with_room(directory):
    """However much was taken over, the next file is ready before the first order."""
    life = begin(directory, slots=1024)
    for n in range(26):
        order(life, f"order{n}")
    life = restart(life)
    assert life.journal.state()["state"] == "ok" and life.journal.state()["room"] >= 16
    life.die()


def test_140000_keys_at_the_default_size(directory):
    """Two files have room for 131,072 records. A start must not take minutes either."""
    life = begin(directory, records=65536)
    now = time.time_ns()
    for n in range(140_000):
        life.ledger.carry_key(f"key {n}", f"order{n}", "FILLED", now)
    for _ in range(2):
        life = restart(life, records=65536)
        assert len(life.inherited.keys) == 140_000
    life.die()
    assert_verified(directory)
