"""A market maker with books in a file, whose process is really killed, again and again: kill -9 at any moment, in a simulator's
real time. In the end its books are what the venue's own list of trades comes to.

    NEXUS_STRESS=10 pytest tests/contract/test_killed.py        60 kills
"""

import json
import os
import random
import signal
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT)]

from engine_program import BTC_PERP, PERP_ACCOUNT, Venue, run_strategies  # noqa: E402
from patience import SCRIPT_SECONDS  # noqa: E402
from simulator import read_endpoints, start_simulator  # noqa: E402
from tests.contract.programs import MarketMaker  # noqa: E402

KILLS = 60 if "NEXUS_STRESS" in os.environ else 4
STARTED = b"started\n"


class Mortal(MarketMaker):
    """Says when it has started. seconds: then it ends by itself, and its books are the last that it says."""

    def __init__(self, file, chance, out, seconds):
        super().__init__([BTC_PERP], file, chance)
        self.out, self.seconds = out, seconds

    def on_start(self):
        super().on_start()
        os.write(self.out, STARTED)
        if self.seconds is not None:
            self.schedule(self.stop, trigger="interval", seconds=self.seconds)


def session(venue, file, seed, seconds=None):
    """(process id, descriptor of what it says)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    status = 3
    try:
        os.close(reading)
        program = Mortal(file, random.Random(seed), writing, seconds)
        run_strategies([program], venue, strategy_id="mortal", exit_after_cancel=seconds is not None, public=(PERP_ACCOUNT,),
                       private=(PERP_ACCOUNT,), request_timeout_ms=1000)
        books = program.books
        found = [books.position(BTC_PERP), books.cash(BTC_PERP), program.position[BTC_PERP], books.fees(BTC_PERP)]
        os.write(writing, json.dumps(found, default=str).encode())
        status = 0
    finally:
        os._exit(status)


def read_line(descriptor):
    """What is said first: a program that says nothing has not started."""
    os.set_blocking(descriptor, False)
    until = time.monotonic() + SCRIPT_SECONDS
    while time.monotonic() < until:
        try:
            return os.read(descriptor, len(STARTED))
        except BlockingIOError:
            time.sleep(0.01)
    return b""


def venues_sums(venue):
    """Position, cash and fees by the venue's list of trades."""
    position, cash, fees, after = Decimal(0), Decimal(0), Decimal(0), 0
    while page := venue.ask("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", limit=1000, fromId=after):
        for trade in page:
            signed = Decimal(trade["qty"]) * (1 if trade["side"] == "BUY" else -1)
            position, cash = position + signed, cash - signed * Decimal(trade["price"])
            fees += Decimal(trade["commission"])
        after = max(trade["id"] for trade in page) + 1
    return position, cash, fees


@pytest.mark.scenario(45, 46)
def test_books_of_a_program_that_is_killed_again_and_again_are_the_venues(tmp_path):
    endpoints, stop = start_simulator(directory=tmp_path, rate=20, prices="walk", seed=5, account=["mortal:mortal"],
                                      weight_limit_factor=1000)
    venue, file = Venue(read_endpoints(endpoints), "mortal", "mortal", tmp_path), tmp_path / "maker.books"
    chance = random.Random(int(os.environ.get("NEXUS_SEED", 1)))
    try:
        for kill in range(KILLS):
            child, said = session(venue, file, kill)
            assert read_line(said) == STARTED, f"kill {kill}: the program did not start"
            time.sleep(chance.uniform(0.05, 1.2))
            os.kill(child, signal.SIGKILL)
            assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), f"kill {kill}: the program had ended by itself"
            os.close(said)
        child, said = session(venue, file, KILLS, seconds=1.5)
        assert read_line(said) == STARTED
        os.set_blocking(said, True)
        with os.fdopen(said) as pipe:
            text = pipe.read()
        assert os.waitpid(child, 0)[1] == 0
        position, cash, by_hand, fees = json.loads(text)
        there = venues_sums(venue)
        assert there[2] > 0, "nothing was traded"
        assert (Decimal(position), Decimal(cash), Decimal(fees["USDT"])) == there
        assert Decimal(by_hand) == there[0] == venue.positions().get("BTCUSDT", Decimal(0))
        assert venue.open_orders() == []
    finally:
        stop()
