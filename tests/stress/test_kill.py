"""kill -9 at any moment, then the next session, again and again: failure scenarios 45, 46 and 47. No order lost, none doubled.

Each intent of the program has an idempotency key and an amount of its own, so that the venue's list of orders tells how
often it was
placed. A program repeats its last intents after every start, as one does that knows nothing of what became of them.

    NEXUS_STRESS=10 pytest tests/stress/test_kill.py        200 kills
"""

import asyncio
import itertools
import os
import random
import signal
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from dying import run_and_die
from engine_program import BTC, SPOT_ACCOUNT, Venue, far_below, run_script
from simulator import read_endpoints, start_simulator

from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.journal import read_journal
from nexus_fast.journal.sessions import verify
from nexus_fast.order.states import STATES

KILLS = 200 if "NEXUS_STRESS" in os.environ else 6
LAST_INTENTS = 8
UNIT, STEP = Decimal("0.01000"), Decimal("0.00001")
ENDS = {"FILLED": "FILLED", "CANCELED": "CANCELED", "EXPIRED": "EXPIRED"}


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    directory = tmp_path_factory.mktemp("kill")
    file, stop = start_simulator(directory=directory, rate=20, prices="walk", seed=3, account=["kill:kill"],
                                 weight_limit_factor=1000)
    yield Venue(read_endpoints(file), "kill", "kill", directory)
    stop()


def trade(intents, check, seed, before=lambda: None):
    """A script that trades until it is killed. `check(strategy)` runs first of all, in the strategy's first callback's turn; then
    before()."""
    rng = random.Random(seed)

    async def script(s):
        check(s)
        await s.quotes()
        before()
        known = [int(n) for n in intents.read_text().split()] if intents.exists() else []
        for n in known[-LAST_INTENTS:]:
            place(s, n)
        n = known[-1] if known else 0
        with intents.open("a") as file:
            while True:
                n += 1
                file.write(f"{n}\n")
                file.flush()
                oid = place(s, n)
                if rng.random() < 0.4:
                    s.cancel_order(BTC, oid)
                opened = sorted(s.cache.get_open_orders(BTC))
                if len(opened) > 12:
                    s.cancel_order(BTC, rng.choice(opened))
                await asyncio.sleep(rng.choice((0, 0, 0.001, 0.004, 0.01)))

    def place(s, n):
        """What an intent is does not depend on when it is asked for."""
        if n % 5 == 0:
            return s.create_order(BTC, OrderSide.BUY if n % 2 else OrderSide.SELL, OrderType.MARKET, UNIT + n * STEP,
                                  idempotency_key=f"intent {n}")
        return s.create_order(BTC, OrderSide.BUY, OrderType.LIMIT, UNIT + n * STEP, far_below(s, BTC),
                              idempotency_key=f"intent {n}")

    return script


def same_open_set(venue):
    def check(s):
        at_venue = {order["clientOrderId"] for order in venue.open_orders()}
        ours = s.cache.get_open_orders(BTC, include_canceling=True)
        if at_venue != ours:
            s.die({"only at the venue": sorted(at_venue - ours), "only here": sorted(ours - at_venue)})

    return check


def killed_after(seconds):
    """A hook in the child: it is killed by an alarm, wherever it is."""

    def before():
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if os.fork() == 0:                       # the killer
            time.sleep(seconds)
            os.kill(os.getppid(), signal.SIGKILL)
            os._exit(0)

    return before


def all_orders(venue):
    """Client id -> order, of every order that the venue ever took."""
    found, after = {}, 0
    while page := venue.ask("GET", "/api/v3/allOrders", symbol="BTCUSDT", limit=1000, orderId=after):
        found.update((order["clientOrderId"], order) for order in page)
        after = max(order["orderId"] for order in page) + 1
    return found


def journalled(directory):
    """client id -> (amount, state, filled) as the journal has them last; only what was sent."""
    found = {}
    for event in read_journal(directory):
        if event.kind <= 15 or event.kind == 36:
            found[event.client_id] = (event.quantity, STATES[event.state], event.filled, event.size_scale)
    return found


@pytest.mark.scenario(45, 46)
def test_no_order_is_lost_and_none_doubled(venue):
    rng = random.Random(int(os.environ.get("NEXUS_SEED", 1)))
    options = {"strategy_id": "killed", "exit_after_cancel": False, "private": (SPOT_ACCOUNT,), "public": (SPOT_ACCOUNT,),
               "symbols": [BTC], "request_timeout_ms": 1000, "recv_window_ms": 500}
    intents = venue.directory / "intents"
    for kill in itertools.count():
        if kill >= KILLS and len(intents.read_text().split()) > 20 * KILLS:      # a slow machine trades less between two kills
            break
        if kill % 4 == 3:                # anywhere, the next session's beginning included
            at_start, trading = killed_after(rng.uniform(0.4, 1.6)), lambda: None
        else:
            at_start, trading = None, killed_after(rng.uniform(0.005, 0.7))
        script = trade(intents, same_open_set(venue), rng.random(), trading)
        wrong = run_and_die(script, venue, before=at_start, **options)
        assert wrong is None, f"kill {kill}: {wrong}"

    async def end(s):
        same_open_set(venue)(s)
        s.cancel_all_orders(BTC)
        await s.until(lambda: not s.cache.get_open_orders(BTC, include_canceling=True))

    run_script(end, venue, **options)
    assert venue.open_orders() == []
    directory = venue.directory / "killed.tests"
    sessions = list(verify(directory))
    assert [problem for session in sessions for problem in session.problems] == []
    in_flight = sum(1 for s in sessions if not s.ended_cleanly and s.replay.begun and s.replay.open_orders())
    assert in_flight > KILLS / 2
    at_venue = all_orders(venue)
    ours = journalled(directory)
    assert len(at_venue) > 10 * KILLS
    amounts = Counter(Decimal(order["origQty"]) for order in at_venue.values())
    assert [amount for amount, count in amounts.items() if count > 1] == [], "an intent was placed twice"
    assert at_venue.keys() <= ours.keys(), "the journal does not know an order that the venue has"
    for oid, order in at_venue.items():
        quantity, state, filled, scale = ours[oid]
        assert (ENDS.get(state), Decimal(filled).scaleb(-scale)) == (order["status"], Decimal(order["executedQty"])), (oid, order)
    print(f"{KILLS} kills, {len(sessions)} sessions, {in_flight} killed with orders that were not over, "
          f"{len(ours)} orders journalled, {len(at_venue)} at the venue")
