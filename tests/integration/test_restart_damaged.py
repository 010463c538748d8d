"""Restarts on a journal that is large for its files, and on one that is damaged: failure scenarios 47 and 48."""

import itertools
from decimal import Decimal

import pytest
from click.testing import CliRunner
from dying import run_and_die
from engine_program import BTC, SPOT_ACCOUNT, far_below, run_script

from nexus_fast.cli import journal
from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.journal import JournalError
from nexus_fast.journal.sessions import verify
from nexus_fast.journal.writer import JournalWriter

ONE = Decimal("0.01")
HEADER, RECORD, KIND, KEY = 4096, 256, 168, 38
_ids = itertools.count(1)


@pytest.fixture
def same():
    """Options that make engines of one test each other's successors."""
    return {"strategy_id": f"damaged{next(_ids)}", "exit_after_cancel": False, "symbols": [BTC], "private": (SPOT_ACCOUNT,)}


def place(s, key):
    return s.create_order(BTC, OrderSide.BUY, OrderType.LIMIT, ONE, far_below(s, BTC), idempotency_key=key)


async def end(s):
    s.cancel_all_orders(BTC)
    await s.until(lambda: not s.cache.get_open_orders(BTC, include_canceling=True))


@pytest.mark.scenario(48)
def test_one_program_runs_three_times_on_small_files(venue, same, monkeypatch):
    """Its keys are more records than two files have; none of its orders is placed again."""
    monkeypatch.setattr("nexus_fast.engine.core.JournalWriter", lambda path, identity: JournalWriter(path, identity, 16))
    keys = [f"{n}{'.' * 300}" for n in range(12)]

    async def program(s):
        await s.quotes()
        oids = []
        for key in keys:
            await s.until(lambda: s.engine.core.journal.state()["room"] > 16)
            oids.append(place(s, key))
            await s.until(lambda oid=oids[-1]: s.cache.get_order(oid).is_opened)
        s.die(oids)

    oids = run_and_die(program, venue, **same)
    assert [run_and_die(program, venue, **same) for _ in range(2)] == [oids, oids]
    assert {order["clientOrderId"] for order in venue.open_orders()} == set(oids)
    run_script(end, venue, **same)
    directory = venue.directory / f"{same['strategy_id']}.tests"
    assert [problem for session in verify(directory) for problem in session.problems] == []


@pytest.mark.scenario(47)
def test_a_damaged_journal_is_no_start_until_a_person_accepts_it(venue, same):
    """Nothing of the one that is refused is left, neither here nor at the venue."""

    async def first(s):
        await s.quotes()
        oids = [place(s, f"key {n}") for n in range(4)]
        await s.until(lambda: len(s.heard("accepted")) == 4)
        s.die(oids)

    oids = run_and_die(first, venue, **same)
    directory = venue.directory / f"{same['strategy_id']}.tests"
    (path,) = directory.glob("*-000000.journal")
    raw = bytearray(path.read_bytes())
    keys = [at for at in range(HEADER, len(raw), RECORD) if raw[at + KIND] == KEY]
    raw[keys[1] + 80] ^= 1
    path.write_bytes(raw)

    async def again(s):
        s.at_start = s.cache.get_open_orders(BTC)
        await s.quotes()
        s.again = [place(s, f"key {n}") for n in (0, 2, 3)]
        await end(s)

    before = venue.open_orders()
    with pytest.raises(JournalError, match="is damaged: .* record .*nexus-fast journal accept"):
        run_script(again, venue, **same)
    assert venue.open_orders() == before and [p.name for p in directory.glob("*.journal")] == [path.name]
    assert CliRunner().invoke(journal.command, ["verify", str(directory)]).exit_code == 1
    assert CliRunner().invoke(journal.command, ["accept", "--yes", str(directory)]).exit_code == 0
    s = run_script(again, venue, **same)
    assert s.at_start == set(oids) and s.again == [oids[0], oids[2], oids[3]]
    assert venue.open_orders() == []
