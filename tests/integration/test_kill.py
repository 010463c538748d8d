"""The kill switch at any moment of an engine's life, and what stands in the way of the next one."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from decimal import Decimal

import pytest
from click.testing import CliRunner
from engine_program import BTC, SPOT_ACCOUNT, Scripted, far_below, make_config, run_script
from patience import PROCESS_SECONDS

from nexus_fast.cli.journal import command
from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.engine import Engine
from nexus_fast.engine import engine as engine_module
from nexus_fast.engine.recovery import Recovery
from nexus_fast.error import EngineBuildError, KilledError
from nexus_fast.exchange.binance.account import BinanceAccount
from nexus_fast.journal.sessions import last_sessions

BUY, LIMIT = OrderSide.BUY, OrderType.LIMIT
ONE = Decimal("0.01")
PRICE = Decimal("40000")             # far below


def press(number=signal.SIGUSR1):
    signal.raise_signal(number)


class Orders(Scripted):
    """An order in on_start, which is the first moment for one."""

    started = False

    def on_start(self):
        self.started = True
        self.oid = self.create_order(BTC, BUY, LIMIT, ONE, PRICE)
        super().on_start()


def run(strategy, venue, at=lambda engine: None, **options):
    engine = Engine(make_config(strategy, venue, public=(SPOT_ACCOUNT,), private=(SPOT_ACCOUNT,), **options))
    strategy.engine = engine
    at(engine)
    try:
        engine.start()
    finally:
        engine.dispose()
    if strategy.failure is not None:
        raise strategy.failure
    return engine


def around(monkeypatch, holder, name, before=None, after=None):
    """Something happens before or after the coroutine function `holder.name`."""
    original = getattr(holder, name)

    async def with_it(*arguments):
        if before is not None:
            before()
        found = await original(*arguments)
        if after is not None:
            after()
        return found

    monkeypatch.setattr(holder, name, with_it)


MOMENTS = {
    "the engine is made": None,
    "instruments are asked for": (engine_module, "load_instruments", "before"),
    "instruments are there": (engine_module, "load_instruments", "after"),
    "an account is opened": (BinanceAccount, "open", "before"),
    "an account is open": (BinanceAccount, "open", "after"),
    "orders are recovered": (Recovery, "recover", "before"),
    "the build is at its end": (Recovery, "recover", "after"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_switch_while_the_engine_is_built(venue, monkeypatch, capsys, moment):
    """The strategy begins, no order of its leaves, and what was open is canceled."""
    venue.ask("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01",
              price=str(PRICE), newClientOrderId="manual")

    async def script(s):
        await s.until(lambda: s.heard("failed", s.oid))
        await s.until(lambda: [e["event"] for e in s.heard("private_ws_status")].count("halted_empty") == 1)
        s.statuses = [e["event"] for e in s.heard("private_ws_status")]

    strategy = Orders(script)
    if MOMENTS[moment] is None:
        run(strategy, venue, lambda engine: press())
    else:
        holder, name, when = MOMENTS[moment]
        around(monkeypatch, holder, name, **{when: press})
        run(strategy, venue)
    assert strategy.heard("failed", strategy.oid)[0].reason == "order entry is halted"
    assert "halted" in strategy.statuses and "accepted" not in strategy.story(strategy.oid)
    assert venue.open_orders() == []
    assert "kill switch: SIGUSR1" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "moment"), list(zip([signal.SIGINT, signal.SIGTERM] * 3, list(MOMENTS)[1:], strict=True)))
def test_the_end_while_the_engine_is_built(venue, monkeypatch, moment, number):
    strategy = Orders(None)
    holder, name, when = MOMENTS[moment]
    around(monkeypatch, holder, name, **{when: lambda: press(number)})
    run(strategy, venue)
    assert not strategy.started and venue.open_orders() == []


async def rest(s):
    await s.quotes(BTC)
    s.kept = s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC))
    await s.until(lambda: s.heard("accepted", s.kept))


@pytest.mark.parametrize("moment", ["on_stop", "the dead man's switches are taken back"])
def test_a_kill_switch_while_the_engine_ends(venue, monkeypatch, moment):
    """An engine that would have left its orders open stays until they are canceled."""
    strategy = Scripted(rest, [BTC])
    if moment == "on_stop":
        strategy.on_stop = press
    else:
        from nexus_fast.engine.safety import Safety

        around(monkeypatch, Safety, "stop", before=press)
    run(strategy, venue, exit_after_cancel=False)
    assert venue.open_orders() == []


def test_a_kill_switch_in_the_last_steps_is_remembered(venue, tmp_path, monkeypatch, capsys):
    """Too late to cancel anything: it says so, and the next start refuses."""
    strategy = Scripted(rest, [BTC])
    monkeypatch.setattr(engine_module, "_end_tasks", lambda original=engine_module._end_tasks: (press(), original())[1])
    run(strategy, venue, exit_after_cancel=False, strategy_id="late")
    assert len(venue.open_orders()) == 1
    assert "cancels nothing any more" in capsys.readouterr().out
    with pytest.raises(KilledError, match="have not confirmed"):
        run(Orders(None), venue, strategy_id="late")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_end_while_it_is_ending_changes_nothing(venue, tmp_path, monkeypatch, number):
    monkeypatch.setattr(engine_module, "_end_tasks", lambda original=engine_module._end_tasks: (press(number), original())[1])
    run(Scripted(rest, [BTC]), venue, strategy_id="twice")
    assert last_sessions(tmp_path / "twice.tests", 1 << 62)[0].ended_cleanly


def test_the_signals_are_the_programs_again_afterwards(venue):
    """Ctrl+C after the engine is the program's own."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = [signal.getsignal(number) for number in numbers]
    run(Scripted(rest, [BTC]), venue)
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_restart_does_not_trade_until_a_person_has_cleared_it(venue, tmp_path):
    async def kill(s):
        await rest(s)
        s.kill_switch("too many losses")
        await s.until(lambda: [e["event"] for e in s.heard("private_ws_status")].count("halted_empty") == 2)

    run_script(kill, venue, symbols=[BTC], strategy_id="killed")
    directory = tmp_path / "killed.tests"
    for _ in range(2):                             # whatever restarts it
        again = Orders(None)
        with pytest.raises(KilledError, match="too many losses.*the venues confirmed that.*clear-kill") as caught:
            run(again, venue, strategy_id="killed")
        assert isinstance(caught.value, EngineBuildError) and str(directory) in str(caught.value) and not again.started
    done = CliRunner().invoke(command, ["clear-kill", str(directory)])
    assert done.exit_code == 0 and "too many losses" in done.output
    run(Scripted(rest, [BTC]), venue, strategy_id="killed")


def test_an_engine_that_finds_the_mark_of_a_guard_stops(venue, tmp_path):
    """It was taken for dead and everything was canceled: it does not go on where it stood."""
    from nexus_fast.journal.kill_mark import KillMark

    async def script(s):
        await rest(s)
        KillMark(tmp_path / "woken.tests").write("guard", "its heart has not beaten for 15.0 s")
        await s.until(lambda: [e["event"] for e in s.heard("private_ws_status")].count("halted_empty") == 2)
        refused = s.create_order(BTC, BUY, LIMIT, ONE, far_below(s, BTC))
        await s.until(lambda: s.heard("failed", refused))

    run_script(script, venue, symbols=[BTC], strategy_id="woken")
    assert venue.open_orders() == []


PROGRAM = """
import sys
sys.path.insert(0, {support!r})
from engine_program import *

class Child(Scripted):
    def on_start(self):
        print("STARTED", flush=True)

venue = Venue({endpoints!r}, "sim", "sim", {directory!r})
config = make_config(Child(None), venue, strategy_id="child")
engine = Engine(config)
print("MADE", flush=True)
sys.stdin.readline()
try:
    engine.start()
except Exception as error:
    print(type(error).__name__, error, flush=True)
finally:
    engine.dispose()
"""


def child(venue, tmp_path):
    support = os.path.join(os.path.dirname(__file__), "..", "support")
    program = PROGRAM.format(support=support, endpoints=venue.endpoints, directory=str(tmp_path))
    return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)))


def test_a_signal_from_outside_before_the_start_and_a_supervisor_that_starts_it_anew(venue, tmp_path):
    first = child(venue, tmp_path)
    timer = threading.Timer(PROCESS_SECONDS, first.kill)
    timer.start()
    with contextlib.ExitStack() as stack:
        stack.callback(timer.cancel)
        stack.callback(first.kill)
        while "MADE" not in first.stdout.readline():
            assert first.poll() is None
        first.send_signal(signal.SIGUSR1)
        while "kill switch: SIGUSR1; the engine starts with it" not in first.stdout.readline():
            assert first.poll() is None
        first.kill()
        first.communicate()
    second = child(venue, tmp_path)
    out, _ = second.communicate("\n", timeout=PROCESS_SECONDS)
    assert "KilledError" in out and "STARTED" not in out
