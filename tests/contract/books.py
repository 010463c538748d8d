"""Programs with books of their own, over kills and restarts among faults: what they believe in the end is what the venue has."""

import asyncio
import random
from pathlib import Path

from tests.chaos.harness import everything_canceled, quiet, until_true
from tests.contract.conducted import Sessions, conducted, hit
from tests.contract.programs import MarketMaker, Pairs
from tests.contract.told import Told
from tests.contract.venue_ledger import Sums, sums_of

from bench.build import cython_module

VENUES = ("binance", "bybit", "okx")
PROGRAMS = {"maker": MarketMaker, "pairs": Pairs, "cython": None}
LAST_SECONDS = 60.0                 # for what is told late, after all is quiet


def in_cython():
    """Compiled where it is not yet."""
    return cython_module(Path(__file__).with_name("maker_fast.pyx")).MakerFast


def plan_of(seed):
    """(program, venues) of a seed."""
    chance = random.Random(f"books {seed}")
    name = chance.choice(list(PROGRAMS))
    return name, tuple(chance.sample(VENUES, 2 if name == "pairs" else 1))


def label_of(seed):
    name, venues = plan_of(seed)
    return f"{name} {'+'.join(venues)}"


def run(seed, trace, level="OFF"):
    """What was wrong; empty when nothing was."""
    from nexus_fast.config import LogConfig

    name, venues = plan_of(seed)
    chance = random.Random(seed)
    options = {"request_timeout_ms": chance.choice((200, 1000, 5000)), "log_config": LogConfig(level_stdout=level)}
    with Sessions(seed, venues, chance, Told, trace, options) as sessions:
        try:
            return judged(sessions, name)
        except (Exception, asyncio.CancelledError) as error:
            return [*sessions.told.problems, f"{type(error).__name__}: {error}"]


def judged(sessions, name):
    chance, program_class = sessions.chance, conducted(PROGRAMS[name] or in_cython())
    perps = [truth.perp for truth in sessions.truths]
    symbols = perps if name == "pairs" else [*perps, *(truth.spot for truth in sessions.truths)][: chance.choice((1, 2))]

    def make(root):
        return program_class(symbols, root / "books.journal", random.Random(chance.random()))

    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        end = chance.choice(("stopped", "killed", "killed", "killed in a fill"))
        session = disturbed(sessions.rules(), end, chance)
        sessions.run(prepared(make, end, chance), session)
        if chance.random() < 0.7:
            sessions.pass_time(chance.uniform(0.1, 3))
    last = sessions.run(make, to_the_end(sessions))
    return [*sessions.problems(), *sessions.told.problems, *differences(sessions, last)]


def prepared(make, end, chance):
    def made(root):
        program = make(root)
        if end == "killed in a fill":
            program.kill_at_fill, program.kill_after = chance.randint(1, 8), chance.random() < 0.5
        return program

    return made


def disturbed(rules, end, chance):
    """A session among faults that is stopped, or killed at some moment, a callback of a fill included."""
    async def script(s):
        await have_quotes(s)
        s.venue.faults.load(rules)
        for rule in rules:
            s.trace(f"fault {rule}")
        until = asyncio.get_running_loop().time() + chance.uniform(0.3, 5)
        while asyncio.get_running_loop().time() < until and not s.dead:
            hit(s)
            await asyncio.sleep(chance.choice((0.001, 0.05, 0.3)))
        if not s.dead and end != "stopped":
            s.kill()
        s.venue.faults.load([])

    return script


def to_the_end(sessions):
    async def script(s):
        rules, chance = sessions.rules(), s.chance
        await have_quotes(s)
        s.venue.faults.load(rules)
        for rule in rules:
            s.trace(f"fault {rule}")
        until = asyncio.get_running_loop().time() + chance.uniform(1, 5)
        while asyncio.get_running_loop().time() < until:
            hit(s)
            await asyncio.sleep(chance.choice((0.001, 0.05, 0.3)))
        s.trace("the faults end, and the program's trading")
        s.quoting = False
        s.venue.faults.load([])
        await asyncio.sleep(0.5)
        s.venue.pacer.stop()
        await quiet(s)
        await until_true(lambda: everything_canceled(s), "the end of every order", s)
        await quiet(s)
        await until_told(s)

    return script


async def until_told(s):
    """All fills and fees are told, or the time for it is over."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LAST_SECONDS
    while loop.time() < until and any(told_differences(s.told, s.truths)):
        await asyncio.sleep(0.5)
    await asyncio.sleep(1)


async def have_quotes(s):
    loop = asyncio.get_running_loop()
    until = loop.time() + 60
    while not s.dead and any(s.cache.bookl1(symbol) is None for symbol in s.traded):
        if loop.time() > until:
            raise AssertionError("no quotes came")
        await asyncio.sleep(0.01)


def told_differences(told, truths):
    for truth in truths:
        for symbol in truth.symbols:
            yield from (f"{symbol}: {text}" for text in told.sums(symbol).differences(sums_of(truth, symbol), "told", "there"))


def differences(sessions, program):
    """What the program believes at the end, and what it was told, against the venue."""
    found = [*told_differences(sessions.told, sessions.truths), *sessions.told.differences()]
    for truth in sessions.truths:
        if truth.perp in program.position and program.position[truth.perp] != truth.position():
            found.append(f"{truth.perp}: in memory {program.position[truth.perp]}, there {truth.position()}")
            if program.in_memory.position(truth.perp) != truth.position():
                found.append(f"{truth.perp}: Books in memory {program.in_memory.position(truth.perp)}, there {truth.position()}")
        for symbol in truth.symbols:
            there = sums_of(truth, symbol)
            found += [f"{symbol}: {text}" for text in kept(program.books, symbol).differences(there, "in the books", "there")]
        if truth.orders(open_only=True):
            found.append(f"{truth.exchange.value} has open orders at the end")
    if program.errors:
        found.append(f"{program.errors} errors in callbacks")
    return found


def kept(books, symbol):
    """What Books have of a symbol."""
    return Sums(books.position(symbol), books.cash(symbol), books.fees(symbol))
