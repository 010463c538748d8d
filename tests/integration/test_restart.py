"""A session dies by SIGKILL, and the next one goes on: failure scenarios 45, 46, 48, 49 and what holds across them."""

import asyncio
import contextlib
import itertools
import shutil
import subprocess
from decimal import Decimal

import pytest
from click.testing import CliRunner
from dying import run_and_die
from engine_program import BTC, BTC_PERP, PERP_ACCOUNT, SPOT, SPOT_ACCOUNT, far_below, run_script
from proxy import proxy_to

from nexus_fast.cli import journal
from nexus_fast.constants import OrderSide, OrderStatus, OrderType, TimeInForce
from nexus_fast.journal.sessions import verify
from nexus_fast.journal.writer import JournalWriter

BUY, SELL, LIMIT, MARKET = OrderSide.BUY, OrderSide.SELL, OrderType.LIMIT, OrderType.MARKET
ONE = Decimal("0.01")
_ids = itertools.count(1)


@pytest.fixture
def same():
    """Options that make engines of one test each other's successors."""
    return {"strategy_id": f"restart{next(_ids)}", "exit_after_cancel": False}


def journal_of(venue, options):
    return venue.directory / f"{options['strategy_id']}.tests"


def assert_verified(venue, options):
    sessions = list(verify(journal_of(venue, options)))
    assert [problem for session in sessions for problem in session.problems] == []
    return sessions


async def place_and_die(s):
    await s.quotes()
    oids = [s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC)), s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC,
    "0.92")),
            s.create_order(BTC_PERP, BUY, LIMIT, ONE, far_below(s, BTC_PERP), client_oid="by-hand-1")]
    await s.until(lambda: len(s.heard("accepted")) == 3)
    s.die(oids)


@pytest.mark.scenario(45)
def test_open_orders_are_adopted(venue, same):
    """45: the same open set, before on_start; each can be canceled and modified by its old id."""
    oids = run_and_die(place_and_die, venue, symbols=[BTC, BTC_PERP], **same)
    assert {order["clientOrderId"] for order in venue.open_orders()} == set(oids)

    async def script(s):
        s.at_start = [s.cache.get_open_orders(BTC), s.cache.get_open_orders(BTC_PERP), [s.cache.get_order(o) for o in oids]]
        await s.quotes()
        s.cancel_order(BTC, oids[0])
        s.modify_order(BTC_PERP, oids[2], price=far_below(s, BTC_PERP, "0.91"))
        await s.until(lambda: s.heard("canceled", oids[0]))
        await s.until(lambda: len(s.heard("accepted", oids[2])) > 1 or s.cache.get_order(oids[2]).price != s.at_start[2][2].price)
        s.price = s.cache.get_order(oids[2]).price
        s.cancel_order(BTC_PERP, "by-hand-1")
        s.cancel_order(BTC, oids[1])
        await s.until(lambda: len(s.heard("canceled")) == 3)

    s = run_script(script, venue, symbols=[BTC, BTC_PERP], **same)
    assert s.at_start[:2] == [set(oids[:2]), {oids[2]}]
    assert all(order.status is OrderStatus.ACCEPTED and order.eid and order.amount == ONE for order in s.at_start[2])
    assert venue.open_orders() == []
    sessions = assert_verified(venue, same)
    assert [session.ended_cleanly for session in sessions] == [False, True]
    assert sessions[1].replay.carried == set(oids) and sessions[1].replay.open_orders() == []
    said = CliRunner().invoke(journal.command, ["verify", str(journal_of(venue, same))])
    assert said.exit_code == 0 and "did not end cleanly" in said.output and "same table byte for byte" in said.output
    arguments = ["show", "--order", "by-hand-1", str(journal_of(venue, same))]
    shown = CliRunner().invoke(journal.command, arguments).output.splitlines()
    assert all("by-hand-1" in line and "symbol=BTCUSDT-PERP.BINANCE" in line for line in shown)
    assert [line.split(" -> ")[0].split()[-1] for line in shown[:2]] == ["INTENT", "ACCEPTED"] and "CANCELED" in shown[-1]


@pytest.mark.scenario(45)
def test_open_orders_are_canceled_as_configured(venue, same):
    oids = run_and_die(place_and_die, venue, symbols=[BTC, BTC_PERP], **same)

    async def script(s):
        s.at_start = venue.open_orders()
        await s.until(lambda: len(s.heard("canceled")) == 3)

    s = run_script(script, venue, open_orders_at_start="cancel", **same)
    assert s.at_start == [] and {order.oid for order in s.heard("canceled")} == set(oids)


@pytest.mark.scenario(45)
@pytest.mark.parametrize("policy", ["adopt", "cancel"])
def test_orders_of_a_lost_journal_are_known_by_the_venues_list(venue, same, policy):
    """Nothing here knows them any more: external before the strategy's first order, canceled by nobody but the strategy."""
    oids = run_and_die(place_and_die, venue, symbols=[BTC, BTC_PERP], **same)
    shutil.rmtree(journal_of(venue, same))

    async def script(s):
        s.at_start = [s.cache.get_open_orders(BTC), s.cache.get_external_orders(BTC), s.cache.get_external_orders(BTC_PERP)]
        s.found = len(venue.open_orders()), [s.cache.get_order(oid) for oid in oids]
        await s.quotes()
        for oid, symbol in zip(oids, (BTC, BTC, BTC_PERP), strict=True):
            s.cancel_order(symbol, oid)
        await s.until(lambda: not s.cache.get_external_orders(), what="the end of the external orders")

    s = run_script(script, venue, symbols=[BTC, BTC_PERP], open_orders_at_start=policy, **same)
    assert s.at_start == [set(), set(oids[:2]), {oids[2]}]
    assert s.found[0] == 3 and all(order.status is OrderStatus.ACCEPTED and order.amount == ONE for order in s.found[1])
    assert venue.open_orders() == [] and s.heard("canceled") == []


def test_open_orders_are_left_as_configured_and_adopted_later(venue, same):
    oids = run_and_die(place_and_die, venue, symbols=[BTC, BTC_PERP], **same)

    async def look(s):
        s.at_start = [s.cache.get_open_orders(BTC), s.cache.get_external_orders(BTC), s.cache.get_external_orders()]

    s = run_script(look, venue, open_orders_at_start="leave", **same)
    assert s.at_start == [set(), set(oids[:2]), set(oids)]
    assert len(venue.open_orders()) == 3
    s = run_script(look, venue, private=(SPOT_ACCOUNT,), **same)        # and without one of the accounts
    assert s.at_start[0] == set(oids[:2])

    async def cancel(s):
        s.at_start = s.cache.get_open_orders(BTC_PERP)
        for symbol in (BTC, BTC_PERP):
            s.cancel_all_orders(symbol)
        await s.until(lambda: len(s.heard("canceled")) == 3)

    s = run_script(cancel, venue, **same)
    assert s.at_start == {oids[2]} and venue.open_orders() == []
    assert_verified(venue, same)


@pytest.mark.scenario(45)
def test_what_was_modified_while_nobody_ran_is_so_at_the_start(venue, same):
    """The journal has the order as it was; the venue's list has it as it is."""
    oids = run_and_die(place_and_die, venue, symbols=[BTC, BTC_PERP], **same)
    price = Decimal(venue.order("usd_m", "BTCUSDT", oids[2])["price"]) - 100
    venue.ask("PUT", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", origClientOrderId=oids[2], quantity=2 * ONE, price=price)

    async def script(s):
        order = s.cache.get_order(oids[2])
        s.at_start = order.status, order.amount, Decimal(str(order.price))

    s = run_script(script, venue, **{**same, "exit_after_cancel": True})
    assert s.at_start == (OrderStatus.ACCEPTED, 2 * ONE, price) and venue.open_orders() == []


def test_what_ended_while_nobody_ran_is_told_after_on_start(venue, same):
    oids = run_and_die(place_and_die, venue, symbols=[BTC, BTC_PERP], **same)
    venue.ask("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId=oids[1])

    async def script(s):
        s.at_start = list(s.events)
        await s.until(lambda: s.heard("canceled", oids[1]))
        assert s.cache.get_open_orders(BTC) == {oids[0]}
        s.cancel_all_orders(BTC)
        s.cancel_all_orders(BTC_PERP)
        await s.until(lambda: len(s.heard("canceled")) == 3)

    s = run_script(script, venue, **same)
    assert s.story(oids[1]) == ["canceled"] and s.story(oids[0]) == ["canceling", "canceled"]


def lossy(way):
    """A child's own proxy on spot's order connection, in whose one direction nothing comes through after the quotes are there."""

    @contextlib.contextmanager
    def around(venue):
        url = venue.endpoints["binance"]["spot"]["ws_api"]
        with proxy_to(url) as proxy:
            other = venue.with_addresses(spot={"ws_api": proxy.url(url)})
            lossy.stop = lambda: setattr(proxy, way, False)
            yield other

    return around


def send_into_the_dark(arrived=lambda oid: True):
    async def script(s):
        await s.quotes()
        lossy.stop()
        oid = s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC), idempotency_key="only once")
        await s.until(lambda: arrived(oid), what="the order at the venue")
        await asyncio.sleep(0.3)
        assert s.heard("accepted") == []
        s.die(oid)

    return script


@pytest.mark.scenario(46)
def test_an_order_whose_answer_nobody_heard_is_adopted_and_its_key_holds(venue, same):
    """46 and 1: sent, accepted, and the process died before it knew."""
    oid = run_and_die(send_into_the_dark(lambda oid: oid in {order["clientOrderId"] for order in venue.open_orders()}), venue,
                      symbols=[BTC], around=lossy("answers"), **same)

    async def script(s):
        s.at_start = [s.cache.get_open_orders(BTC), s.cache.get_order(oid).status]
        await s.quotes()
        s.again = s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC), idempotency_key="only once")
        s.cancel_order(BTC, oid)
        await s.until(lambda: s.heard("canceled", oid))

    s = run_script(script, venue, symbols=[BTC], private=(SPOT_ACCOUNT,), **same)
    assert s.at_start == [{oid}, OrderStatus.ACCEPTED] and s.again == oid
    assert s.story(oid)[0] == "accepted"


@pytest.mark.scenario(46)
def test_an_order_that_never_arrived_fails_and_its_key_is_free(venue, same):
    """46 and 2: journalled, and the process died before the venue had it."""
    oid = run_and_die(send_into_the_dark(), venue, symbols=[BTC], around=lossy("requests"), **same)

    async def script(s):
        s.at_start = [s.cache.get_open_orders(BTC), s.cache.get_order(oid).status]
        await s.until(lambda: s.heard("failed", oid))
        await s.quotes()
        s.again = s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC), idempotency_key="only once")
        await s.until(lambda: s.heard("accepted", s.again))
        s.cancel_order(BTC, s.again)
        await s.until(lambda: s.heard("canceled", s.again))

    s = run_script(script, venue, symbols=[BTC], private=(SPOT_ACCOUNT,), **same)
    assert s.at_start == [set(), OrderStatus.FAILED] and s.again != oid
    assert "no such order" in s.heard("failed", oid)[0].reason
    assert_verified(venue, same)


def test_keys_of_filled_orders_hold_over_two_restarts(venue, same):
    """48: with a position, too."""

    async def first(s):
        await s.quotes()
        oid = s.create_order(BTC_PERP, BUY, MARKET, ONE, idempotency_key="ключ " + "x" * 100)
        await s.until(lambda: s.heard("filled", oid))
        s.die(oid)

    oid = run_and_die(first, venue, symbols=[BTC_PERP], **same)

    async def again(s):
        await s.quotes()
        s.again = s.create_order(BTC_PERP, BUY, MARKET, ONE, idempotency_key="ключ " + "x" * 100)
        s.position = s.cache.get_position(BTC_PERP)
        await asyncio.sleep(0.2)

    for _ in range(2):
        s = run_script(again, venue, symbols=[BTC_PERP], **same)
        assert s.again == oid and s.events and not s.heard("pending")
        assert s.position.signed_amount == ONE and s.position.entry_price > 0
    assert venue.positions() == {"BTCUSDT": ONE}


def test_orders_of_others_are_external(venue, same):
    """49: told, listed apart, and cancelable by their id."""
    told = []

    async def script(s):
        type(s).on_external_order = lambda self, order: told.append(order)
        await s.quotes()
        price = far_below(s, SPOT)
        venue.ask("POST", "/api/v3/order", symbol="USDCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="20",
                  price=str(price), newClientOrderId="manual1")
        await s.until(lambda: s.cache.get_external_orders(SPOT) == {"manual1"})
        assert s.cache.get_open_orders(SPOT) == set()
        order = s.cache.get_order("manual1")
        assert (order.side, order.type, order.amount, order.price) == (BUY, LIMIT, Decimal("20"), float(price))
        s.cancel_order(SPOT, "manual1")
        await s.until(lambda: s.cache.get_external_orders(SPOT) == set())
        venue.ask("POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.02",
                  newClientOrderId="manual2")
        await s.until(lambda: s.cache.get_position(BTC_PERP))
        assert s.cache.get_position(BTC_PERP).signed_amount == Decimal("-0.02")
        await s.until(lambda: any(order.oid == "manual2" and order.status is OrderStatus.FILLED for order in told))

    s = run_script(script, venue, symbols=[SPOT, BTC_PERP], private=(SPOT_ACCOUNT, PERP_ACCOUNT), **same)
    del type(s).on_external_order
    assert [order.status.value for order in told if order.oid == "manual1"] == ["ACCEPTED", "CANCELED"]
    assert s.heard("accepted") == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a megabyte; needs the right to mount one."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.scenario(47)
def test_a_full_disk_is_a_state_and_not_a_stall(venue, same, small_disk, monkeypatch, capsys):
    """47: a disk that is really full. What was prepared is used up, then new orders are refused, cancels leave, what the venue
    does counts; and it heals."""
    records = 256
    monkeypatch.setattr("nexus_fast.engine.core.JournalWriter", lambda path, identity: JournalWriter(path, identity, records))
    filler = small_disk / "filler"

    async def script(s):
        await s.quotes()
        resting = s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC))
        await s.until(lambda: s.heard("accepted", resting))
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        assert shutil.disk_usage(small_disk).free < 4096
        oids = []
        while not oids or not s.heard("failed", oids[-1]):
            oids.append(s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC), time_in_force=TimeInForce.IOC))
            await asyncio.sleep(0.002)
            assert len(oids) < 3 * records
        s.reason = s.heard("failed", oids[-1])[0].reason
        assert s.engine.core.journal.state()["trouble"] == "no_space"
        s.cancel_order(BTC, resting)
        await s.until(lambda: s.heard("canceled", resting))
        filler.unlink()
        await s.until(lambda: s.engine.core.journal.state()["state"] == "ok", what="room in the journal")
        again = s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC))
        await s.until(lambda: s.heard("accepted", again))
        s.cancel_all_orders(BTC)
        await s.until(lambda: not s.cache.get_open_orders(BTC, include_canceling=True))

    s = run_script(script, venue, symbols=[BTC], private=(SPOT_ACCOUNT,), directory=small_disk, **same)
    assert s.reason == "the journal has no room left; free disk space"
    (session,) = list(verify(small_disk / f"{same['strategy_id']}.tests"))
    assert session.problems == [] and session.ended_cleanly and session.replay.refused > 0
    assert "no_space" in capsys.readouterr().out
