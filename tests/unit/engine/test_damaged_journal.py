"""A journal with records missing in its middle: no start before a person has decided, and after that every record that is whole
counts. What the missing ones could have been is held in doubt."""


import pytest
from click.testing import CliRunner
from successors import begin, held, order, restart, start

from nexus_fast.cli import journal
from nexus_fast.core.types import layout
from nexus_fast.journal.error import JournalError

HEADER, RECORD = 4096, 256
OFFSETS = {name: offset for name, offset, _, _ in layout("order_event")}
SYMBOL, ACCOUNT, ORDER, KEY, BEGUN, REJECTED = 33, 34, 36, 38, 39, 3


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path / "shm"))
    return tmp_path / "journal"


def file_of(directory, epoch=1, index=0):
    return directory / f"{epoch:08d}-{index:06d}.journal"


def flip(path, position, offset=100):
    """One bit."""
    raw = bytearray(path.read_bytes())
    raw[HEADER + position * RECORD + offset] ^= 0x10
    path.write_bytes(raw)


def records(directory, epoch=1):
    """(path, position, kind, client id) of every record of an epoch."""
    found = []
    for path in sorted(directory.glob(f"{epoch:08d}-*.journal")):
        content = path.read_bytes()[HEADER:]
        for position in range(len(content) // RECORD):
            record = content[position * RECORD : (position + 1) * RECORD]
            client_id = record[OFFSETS["client_id"] :][:40].rstrip(b"\0").decode()
            if any(record):
                found.append((path, position, record[OFFSETS["kind"]], client_id))
    return found


def damage(directory, kind, client_id=None, epoch=1, nth=0):
    chosen = [one for one in records(directory, epoch) if one[2] == kind and client_id in (None, one[3])][nth]
    flip(*chosen[:2])


def run(*arguments):
    return CliRunner().invoke(journal.command, [*map(str, arguments)])


def refused_then_accepted(directory, **options):
    """What a start says, and the session that begins after a person accepted it."""
    with pytest.raises(JournalError) as refusal:
        start(directory, **options)
    with pytest.raises(JournalError):
        start(directory, **options)
    assert f"`nexus-fast journal accept {directory}`" in str(refusal.value)
    said = run("accept", "--yes", directory)
    assert said.exit_code == 0, said.output
    assert run("accept", directory).output.startswith("nothing is damaged")
    return str(refusal.value), said.output, start(directory, **options)


@pytest.mark.scenario(47, 48)
def test_one_bit_in_record_20_of_102(directory):
    """100 keys: the one that was hit is lost, and said to be; no other is."""
    life = begin(directory, records=1024)
    for n in range(100):
        assert life.ledger.key(f"key {n}", f"order{n}")
        life.place(f"order{n}", "ACCEPTED")
    life.die()
    path = file_of(directory)
    position = [p for _, p, kind, _ in records(directory) if kind == KEY][18]
    flip(path, position)
    assert run("verify", directory).exit_code == 1 and run("show", directory).exit_code == 1
    assert f"record {position}: checksum" in run("verify", directory).output
    refusal, said, life = refused_then_accepted(directory, records=1024)
    assert f"is damaged: {path.name} record {position}: checksum" in refusal
    assert "100 orders are not over, 99 idempotency keys are held" in said
    assert life.inherited.keys.keys() == {f"key {n}" for n in range(100) if n != 18} and len(life.inherited.orders) == 100
    life = restart(life, records=1024)                      # and that one's journal is whole
    assert len(life.inherited.keys) == 99
    life.die()


def test_a_person_is_asked(directory):
    life = begin(directory)
    order(life, "resting", "key")
    order(life, "another")
    life.die()
    damage(directory, KEY)
    assert CliRunner().invoke(journal.command, ["accept", str(directory)], input="n\n").exit_code == 1
    with pytest.raises(JournalError):
        start(directory)
    assert CliRunner().invoke(journal.command, ["accept", str(directory)], input="y\n").exit_code == 0
    assert (directory / "00000001.accepted").stat().st_mode & 0o777 == 0o600
    flip(file_of(directory), 1)                             # not what was accepted
    with pytest.raises(JournalError, match="record 1: "):
        start(directory)


def two_pages(directory):
    """Epoch 1: a session with an order and a key, epoch 2: one that took them over and went on to a second page."""
    life = begin(directory, records=1024)
    order(life, "old", "old key", trades={1: (100, 1)})
    life.ledger.apply(order(life, "over", "key of what is over"), "CANCELED", 0)
    life = restart(life, records=1024)
    for number, symbol in enumerate(("BTC", "ETH")):
        life.ledger.name("symbol", number, symbol)
    for n in range(20):
        order(life, f"new{n}", f"new key {n}")
    life.ledger.apply(life.ledger.find("new1"), "FILL", 5, "", 100, 5, 9)
    life.ledger.told(life.ledger.find("new1"), 9, 5, True)
    life.ledger.apply(life.ledger.find("new2"), "FILLED", 10)
    life.ledger.told(life.ledger.find("new2"), -1, 10, False)
    return life


EXPECTED = {"old key": "old", "key of what is over": "over"} | {f"new key {n}": f"new{n}" for n in range(20)}
OPEN = {"old", "new0", "new1"} | {f"new{n}" for n in range(3, 20)}


def names(life):
    return {life.ledger.fields(number)["client_id"] for number in life.inherited.orders}


def test_every_record_of_a_session_is_lost_once(directory):
    """Whichever it is, no other key and no other order is lost, and what was taken over is found in the session before."""
    life = two_pages(directory)
    life.die()
    whole = {path: path.read_bytes() for path in directory.iterdir()}
    damaged = records(directory, 2)
    assert len(damaged) > 40
    for path, position, kind, client_id in damaged[:-1]:
        for file in directory.iterdir():
            file.unlink()
        for file, content in whole.items():
            file.write_bytes(content)
        flip(path, position)
        _, said, life = refused_then_accepted(directory, records=1024)
        lost_key = {key for key, oid in EXPECTED.items() if kind == KEY and oid == client_id and oid.startswith("new")}
        lost_order = {client_id} if kind == ORDER and client_id.startswith("new") and client_id != "new1" else set()
        for key in lost_key:
            assert key not in life.inherited.keys, (position, kind, client_id)
        assert life.inherited.keys.keys() == EXPECTED.keys() - lost_key, (position, kind, client_id)
        live = names(life)
        if kind in (SYMBOL, ACCOUNT):
            assert len(live) + life.inherited.left_out == len(OPEN)
            assert not life.inherited.left_out or "of which the symbol or the account is lost: " in said
        else:
            assert live >= OPEN - lost_order, (position, kind, client_id)
            assert live - OPEN <= {client_id}
        life.die()


@pytest.mark.parametrize("keeps", [True, False])
def test_the_beginning_is_lost(directory, keeps):
    """The first page, with what was taken over: it stands in the session before. Where that one is gone, the rest is used."""
    life = two_pages(directory)
    life.die()
    if not keeps:
        file_of(directory, 1).unlink()
    raw = bytearray(file_of(directory, 2).read_bytes())
    raw[HEADER : HEADER + 4096] = bytes(4096)
    file_of(directory, 2).write_bytes(raw)
    _, said, life = refused_then_accepted(directory, records=1024)
    late = {f"new{n}" for n in range(8, 20)}
    assert late <= {oid for oid, _, _ in life.inherited.keys.values()}
    assert ("old key" in life.inherited.keys) == keeps and ("old" in names(life)) == keeps
    assert life.inherited.left_out >= len(late)             # the names of symbols and accounts are on the page
    assert "No record is left of" in said
    life.die()


def test_a_whole_file_is_missing(directory):
    life = begin(directory, records=16)
    for n in range(30):
        order(life, f"order{n}", f"key {n}")
    life.die()
    before = held(directory)
    assert len(before) == 30
    file_of(directory, index=1).unlink()
    assert "00000001-000001.journal records 0 to 15: the file is missing" in run("verify", directory).output
    _, _, life = refused_then_accepted(directory)
    assert 20 < len(life.inherited.keys) < 30 and 20 < len(life.inherited.orders) < 30
    life.die()


def test_a_key_whose_order_is_missing_is_held(directory):
    """It may have been sent: for as long as one that is over, as nobody can be asked."""
    life = begin(directory, records=1024)
    order(life, "missing", "in doubt")
    order(life, "other")
    life.die()
    damage(directory, ORDER, "missing")
    _, _, life = refused_then_accepted(directory, records=1024)
    assert life.inherited.keys["in doubt"][:2] == ("missing", "UNKNOWN") and life.inherited.keys["in doubt"][2] > 0
    life = restart(life, records=1024)
    assert life.inherited.keys["in doubt"][:2] == ("missing", "UNKNOWN")
    life = restart(life, records=1024, key_seconds=0)
    assert life.inherited.keys == {}
    life.die()


def test_an_end_that_is_missing_is_asked_about(directory):
    """The order is one that lives, as far as the journal says; a key that was given away since stays with its new order."""
    life = begin(directory, records=1024)
    life.ledger.apply(order(life, "fails", "again", state="PENDING"), "REJECTED")
    order(life, "second", "again")
    life.die()
    damage(directory, REJECTED)
    _, _, life = refused_then_accepted(directory, records=1024)
    assert names(life) == {"fails", "second"} and life.inherited.keys["again"][0] == "second"
    number = life.ledger.find("fails")
    life.ledger.apply(number, "REJECTED")
    life = restart(life, records=1024)
    assert names(life) == {"second"} and life.inherited.keys == {"again": ("second", "", 0)}
    life.die()


def test_a_hole_that_hides_that_the_session_had_begun(directory):
    """Without that record it would look like one that did nothing."""
    life = begin(directory, records=1024)
    order(life, "old", "old key")
    life = restart(life, records=1024)
    order(life, "new", "new key")
    life.die()
    damage(directory, BEGUN, epoch=2)
    _, _, life = refused_then_accepted(directory, records=1024)
    assert {key: oid for key, (oid, _, _) in life.inherited.keys.items()} == {"old key": "old", "new key": "new"}
    life.die()


@pytest.mark.scenario(47)
def test_the_end_that_a_kill_leaves_is_no_damage(directory):
    """The words of a record are there, its number, which is written last, is not: nobody acted on it."""
    life = begin(directory, records=1024)
    order(life, "resting", "first")
    assert life.ledger.key("second", "never sent")
    assert life.ledger.key("third", "never sent either")
    life.die()
    path, position, *_ = records(directory)[-1]
    with open(path, "r+b") as file:
        file.seek(HEADER + position * RECORD)
        file.write(bytes(8))
    assert run("verify", directory).exit_code == 0 and run("show", directory).exit_code == 0
    life = start(directory, records=1024)
    assert life.inherited.keys == {"first": ("resting", "", 0)}
    life.die()


@pytest.mark.scenario(47)
def test_a_last_record_that_was_whole_once_is_said_and_its_order_is_in_doubt(directory):
    """It could be the order of the key before it. No person is needed: all else is asked about anyway."""
    life = begin(directory, records=1024)
    order(life, "resting", "first")
    order(life, "sent", "second")
    life.die()
    flip(*records(directory)[-1][:2])
    assert run("verify", directory).exit_code == 1 and run("show", directory).exit_code == 1
    life = start(directory, records=1024)
    assert life.inherited.keys["first"] == ("resting", "", 0)
    assert life.inherited.keys["second"][:2] == ("sent", "UNKNOWN")
    life.die()


def test_a_damaged_header_hides_nothing(directory):
    life = begin(directory)
    for n in range(20):
        order(life, f"order{n}", f"key {n}")
    life.die()
    with open(file_of(directory, index=1), "r+b") as file:
        file.write(b"\0\0")
    assert run("verify", directory).exit_code == 1
    _, _, life = refused_then_accepted(directory)
    assert len(life.inherited.keys) == len(life.inherited.orders) == 20
    life.die()


def test_open_orders_are_shown_around_a_hole(directory):
    life = two_pages(directory)
    life.die()
    damage(directory, ORDER, "old", epoch=2)
    shown = run("show", "--open", directory).output.splitlines()
    assert len(shown) == len(OPEN) and any(" old " in line and "symbol=BTC" in line and "account=spot" in line for line in shown)
