"""strategies/cross_exchange.py as it is shipped, with delayed cancels, faults, kills and restarts: what it believes to hold is in
every callback what it was told, and in the end what the venues have; and it is hedged."""

import asyncio
import importlib.util
import random
from decimal import Decimal
from types import SimpleNamespace
from unittest import mock

from simulated_time import ROOT
from tests.chaos.harness import everything_canceled, quiet, until_true
from tests.contract.books import LAST_SECONDS, told_differences
from tests.contract.conducted import Conducted, Sessions, hit
from tests.contract.told import Told

from nexus_fast.config import LogConfig
from nexus_fast.constants import ExchangeType

SOURCE = ROOT / "strategies" / "cross_exchange.py"
VENUES = ("binance", "bybit")
SETTLE_SECONDS = 30.0               # in which the last hedges are made, after the faults have ended
DELAYS = (20, 100, 400, 1500)       # ms that a cancel may take to the venue


def program_module():
    """The shipped file, with keys for the simulator and no engine of its own."""
    keys = SimpleNamespace(LIVE=SimpleNamespace(ACCOUNT1=SimpleNamespace(API_KEY="sim", SECRET="sim")))
    spec = importlib.util.spec_from_file_location("cross_exchange", SOURCE)
    module = importlib.util.module_from_spec(spec)
    with mock.patch("nexus_fast.constants.settings", SimpleNamespace(BINANCE=keys, BYBIT=keys)), \
            mock.patch("nexus_fast.engine.Engine"):
        spec.loader.exec_module(module)
    return module


SHIPPED = program_module()
QUOTE, HEDGE = SHIPPED.QUOTE, SHIPPED.HEDGE


class Believing(Conducted, SHIPPED.CrossExchange):
    """Compares in every callback, before and after the program's own part."""

    traded = (QUOTE, HEDGE)
    first_difference = None

    def on_bookl1(self, book):
        self.compare("on_bookl1")
        super().on_bookl1(book)

    def on_fill(self, fill):
        super().on_fill(fill)
        if not self.dead:
            self.compare("on_fill")

    def compare(self, where):
        for symbol in self.traded if not self.dead else ():
            believed, told = self.positions[symbol], self.told.believed(symbol)
            if believed != told and self.first_difference is None:
                self.first_difference = f"in {where} it believes {believed} {symbol}, and was told {told}"
                self.trace(self.first_difference)
                self.told.problems.append(self.first_difference)


def label_of(seed):
    return "cross"


def run(seed, trace, level="OFF"):
    """What was wrong; empty when nothing was."""
    chance = random.Random(f"cross {seed}")
    options = {"request_timeout_ms": chance.choice((200, 1000, 5000)), "log_config": LogConfig(level_stdout=level),
               "risk": SHIPPED.config.risk}
    with Sessions(seed, VENUES, chance, Told, trace, options) as sessions:
        try:
            return judged(sessions)
        except (Exception, asyncio.CancelledError) as error:
            return [*sessions.told.problems, f"{type(error).__name__}: {error}"]


def judged(sessions):
    chance = sessions.chance
    for _ in range(chance.choice((0, 1, 1, 2))):
        kill = chance.choice(("no", "between", "in a fill"))

        def make(root, kill=kill):
            program = Believing()
            if kill == "in a fill":
                program.kill_at_fill, program.kill_after = chance.randint(1, 4), chance.random() < 0.5
            return program

        sessions.run(make, traded(sessions, kill))
        if chance.random() < 0.7:
            sessions.pass_time(chance.uniform(0.1, 3))
    last = sessions.run(lambda root: Believing(), to_the_end(sessions))
    found = [*sessions.problems(), *sessions.told.problems, *told_differences(sessions.told, sessions.truths)]
    return [*found, *at_the_end(sessions, last)]


def rules_of(sessions):
    """Cancels that take their time, and often what a chaos has besides."""
    delay = {"kind": "delay", "way": "from_client", "connection": "order", "match": "order.cancel", "venue": "bybit",
             "ms": sessions.chance.choice(DELAYS), "probability": 0.7}
    return [delay, *(sessions.rules() if sessions.chance.random() < 0.6 else ())]


async def among_faults(s, sessions, seconds):
    rules = rules_of(sessions)
    for rule in rules:
        s.trace(f"fault {rule}")
    s.venue.faults.load(rules)
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until and not s.dead:
        hit(sessions, 0.2)
        await asyncio.sleep(s.chance.choice((0.001, 0.05, 0.3)))
    s.venue.faults.load([])


def traded(sessions, kill):
    async def script(s):
        await among_faults(s, sessions, s.chance.uniform(0.5, 5))
        if kill != "no" and not s.dead:
            s.kill()

    return script


def to_the_end(sessions):
    async def script(s):
        await among_faults(s, sessions, s.chance.uniform(1, 6))
        s.trace("the faults end; it quotes no more, and hedges what is left")
        s.may_quote = lambda side: False
        await quiet(s)
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLE_SECONDS
        while loop.time() < until and (unhedged(sessions) or any(told_differences(s.told, s.truths))):
            await asyncio.sleep(0.2)
        s.settled = unhedged(sessions)
        s.venue.pacer.stop()
        await until_true(lambda: everything_canceled(s), "the end of every order", s)
        await quiet(s)
        until = loop.time() + LAST_SECONDS
        while loop.time() < until and any(told_differences(s.told, s.truths)):
            await asyncio.sleep(0.5)
        s.compare("the end")
        s.believed = {symbol: s.positions[symbol] for symbol in s.traded}

    return script


def truth_of(sessions):
    return {QUOTE: sessions.truth.of[ExchangeType.BYBIT], HEDGE: sessions.truth.of[ExchangeType.BINANCE]}


def unhedged(sessions) -> Decimal:
    """At the venues."""
    return sum((truth.position() for truth in truth_of(sessions).values()), Decimal(0))


def at_the_end(sessions, program):
    for symbol, truth in truth_of(sessions).items():
        if program.believed[symbol] != truth.position():
            yield f"it believes {program.believed[symbol]} {symbol}, the venue has {truth.position()}"
        if abs(truth.position()) > SHIPPED.POSITION_LIMIT + 2 * SHIPPED.AMOUNT:
            yield f"{truth.position()} {symbol} is beyond its limit of {SHIPPED.POSITION_LIMIT}"
    if program.settled:
        yield f"{program.settled} is not hedged {SETTLE_SECONDS:.0f} s after the faults have ended"
    if program.errors:
        yield f"{program.errors} errors in callbacks"
