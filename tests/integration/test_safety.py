"""The kill switch, the venue's dead man's switch, the guard, a venue's pause: scenarios 21, 66, 67 and what outlives a crash."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from decimal import Decimal

import pytest
from dying import run_and_die
from engine_program import BTC, BTC_PERP, PERP_ACCOUNT, SPOT, SPOT_ACCOUNT, far_below, make_config, run_script
from patience import PROCESS_SECONDS, WAIT_SECONDS

from nexus_fast.config import PrivateConnectorConfig
from nexus_fast.constants import ExchangeType, OrderSide, OrderType
from nexus_fast.engine import Engine
from nexus_fast.error import EngineBuildError
from nexus_fast.strategy import Strategy

BUY, LIMIT = OrderSide.BUY, OrderType.LIMIT
ONE = Decimal("0.01")
# An engine's heart stands still while it locks its memory, on a loaded machine for seconds: the guard waits for longer.
GUARD_SECONDS = 8.0


def until(condition):
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


def test_the_kill_switch_leaves_nothing_open(venue):
    """66: nothing leaves any more; ours, others', and what is in flight is canceled; the venue confirms it."""

    async def script(s):
        await s.quotes()
        old = [s.create_order(symbol, BUY, LIMIT, ONE, far_below(s, symbol)) for symbol in (BTC, BTC_PERP)]
        venue.ask("POST", "/api/v3/order", symbol="USDCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="20",
                  price=str(far_below(s, SPOT)), newClientOrderId="manual")
        await s.until(lambda: len(s.heard("accepted")) == 2)
        late = s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC))          # in flight when the switch is pressed
        s.kill_switch("a test")
        s.kill_switch("again")
        refused = s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC))
        await s.until(lambda: s.heard("failed", refused))
        await s.until(lambda: [e["event"] for e in s.heard("private_ws_status")].count("halted_empty") == 2)
        s.ends = [s.cache.get_order(oid).status.value for oid in (*old, late)]
        s.reason = s.heard("failed", refused)[0].reason
        s.open = venue.open_orders()

    s = run_script(script, venue, symbols=[BTC, BTC_PERP, SPOT])
    assert s.ends == ["CANCELED"] * 3 and s.open == [] and s.reason == "order entry is halted"


def with_switch(seconds):
    """The engine's own checks want five seconds at least: a test has no time for that."""
    made = PrivateConnectorConfig(account_type=PERP_ACCOUNT)
    made.dead_mans_switch = seconds
    return made


async def rest_and_die(s):
    await s.quotes()
    oid = s.create_order(s.symbols[0], BUY, LIMIT, ONE, far_below(s, s.symbols[0]))
    await s.until(lambda: s.heard("accepted", oid))
    await asyncio.sleep(1.5)                     # the venue's switch is set, the guard has seen the heart beat
    s.die(oid)


def test_the_venue_cancels_everything_after_a_crash(venue):
    run_and_die(rest_and_die, venue, symbols=[BTC_PERP], connectors=[with_switch(1)])
    until(lambda: venue.open_orders() == [])


def test_an_engine_that_ends_takes_the_switch_back(venue):
    async def script(s):
        await s.quotes()
        oid = s.create_order(BTC_PERP, BUY, LIMIT, ONE, far_below(s, BTC_PERP))
        await s.until(lambda: s.heard("accepted", oid))

    run_script(script, venue, symbols=[BTC_PERP], connectors=[with_switch(6)], exit_after_cancel=False)
    time.sleep(6.5)
    assert len(venue.open_orders()) == 1


def test_an_account_without_a_switch_is_refused_one(venue):
    config = make_config(Strategy(), venue)
    config.private_conn_config[ExchangeType.BINANCE] = [PrivateConnectorConfig(account_type=SPOT_ACCOUNT, dead_mans_switch=30)]
    with pytest.raises(EngineBuildError, match="nexus-fast guard"):
        Engine(config).start()


@contextlib.contextmanager
def guarding(venue, tmp_path, *arguments):
    file = tmp_path / "endpoints.toml"
    tables = venue.endpoints["binance"].items()
    file.write_text("\n".join(f"[binance.{name}]\n" + "".join(f'{k} = "{v}"\n' for k, v in t.items()) for name, t in tables))
    command = [sys.executable, "-m", "nexus_fast", "guard", *arguments, "--account", "binance.SPOT", "--account",
               "binance.USD_M_FUTURE", "--endpoints", str(file), "--after", str(GUARD_SECONDS), "--once",
               "--journal", str(venue.directory)]
    keys = {"BINANCE_API_KEY": venue.key, "BINANCE_SECRET": venue.secret, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=os.environ | keys, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_guard_cancels_everything_when_the_heart_stops(venue, tmp_path):
    """Also where the venue has no switch. A clean end is none of its business."""

    async def end(s):
        await s.quotes()
        oid = s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC))
        await s.until(lambda: s.heard("accepted", oid))
        await asyncio.sleep(1.5)

    with guarding(venue, tmp_path, "guarded", "tests") as guard:
        run_script(end, venue, symbols=[BTC], strategy_id="guarded", exit_after_cancel=False)
        time.sleep(GUARD_SECONDS + 0.5)
        assert guard.poll() is None, guard.stdout.read()
        assert len(venue.open_orders()) == 1
        run_and_die(rest_and_die, venue, symbols=[BTC_PERP], strategy_id="guarded", exit_after_cancel=False)
        assert len(venue.open_orders()) == 2
        assert guard.wait(PROCESS_SECONDS) == 0, guard.stdout.read()
        assert venue.open_orders() == []
