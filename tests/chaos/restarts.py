"""An engine that is killed among faults, a journal that may be damaged, and the engine that comes after it.

The first engine's journal is copied at a moment of its life, which is what a kill leaves; then it ends without a word to the
venue. The second one has the copy, damaged as the seed says. Every intent has an idempotency key; the second program repeats the
last ones, as one does that knows nothing of what became of them.
"""

import asyncio
import random
import shutil
from collections import defaultdict
from decimal import Decimal

from simulated_run import Simulation, Truth
from tests.chaos import damage
from tests.chaos.faults import script_of
from tests.chaos.strategies import Chaotic

from nexus_fast.config import LogConfig
from nexus_fast.journal import JournalError
from nexus_fast.journal.decision import accept
from nexus_fast.journal.sessions import verify, what_is_left
from nexus_fast.journal.writer import JournalWriter

SHARE = 0.15                             # of the seeds
REPEATED = 8                             # intents
RECORDS_OF_A_FILE = 128
EVERY_EPOCH = 1 << 62


def chosen(seed: int) -> bool:
    return random.Random(f"restart {seed}").random() < SHARE


class Keyed(Chaotic):
    """`intents`: [(arguments of create_order, its key)]. `oids`: key -> the ids that it was given, over all sessions."""

    def __init__(self, script, truths, chance, trace, intents=(), oids=None):
        super().__init__(script, truths, chance, trace)
        self.intents = list(intents)
        self.oids = defaultdict(list) if oids is None else oids

    def create_order(self, *arguments, **options):
        key = f"intent {len(self.intents)}"
        self.intents.append(((arguments, options), key))
        return self.order(arguments, options, key)

    def order(self, arguments, options, key):
        oid = super().create_order(*arguments, idempotency_key=key, **options)
        if oid not in self.oids[key]:
            self.oids[key].append(oid)
        if self.ended.get(oid) == "failed":
            del self.ended[oid]             # under its own name, which is free again
        return oid


def run(seed: int, venues: tuple[str, ...], trace=lambda line: None, level: str = "OFF") -> list[str]:
    """What was wrong; empty when nothing was."""
    chance, own = random.Random(seed), random.Random(f"damage {seed}")
    rules = script_of(seed, chance, venues)
    truth = Truth(seed=seed, tick_rate=6, venues=venues)
    first = Keyed(until_killed, truth.venues, chance, trace)
    options = {"request_timeout_ms": chance.choice((200, 1000, 5000)), "log_config": LogConfig(level_stdout=level),
               "strategy_id": f"seed{seed}", "exit_after_cancel": False}
    first.rules = rules
    for rule in rules:
        trace(f"fault {rule}")
    try:
        with Simulation(truth) as simulation, small_files():
            first.directory = simulation.directory / f"{options['strategy_id']}.tests"
            first.copy = simulation.directory / "after" / first.directory.name
            patient(first)
            run_and_let_go(simulation, first, options)
            second = restarted(simulation, first, own, {**options, "directory": str(first.copy.parent)})
            if second.whole:
                judge_fills(first, second)
            problems = [problem for session in verify(first.copy) for problem in session.problems] if second.whole else []
    except (Exception, asyncio.CancelledError) as error:
        return [*first.problems, f"{type(error).__name__}: {error}"]
    return first.problems + second.problems + problems


def run_and_let_go(simulation, strategy, options):
    """The venues live on: of the engine only what another one needs is ended. What the script raised is raised."""
    engine = simulation.run(strategy, **options)
    engine.core.close(True)
    engine.core = None
    if strategy.failure is not None:
        raise strategy.failure


class small_files:
    """As many records a file as make several of a run."""

    def __enter__(self):
        from nexus_fast.engine import core

        self._core, self._writer = core, core.JournalWriter
        core.JournalWriter = lambda path, identity: JournalWriter(path, identity, RECORDS_OF_A_FILE)

    def __exit__(self, *_):
        self._core.JournalWriter = self._writer


def patient(strategy):
    strategy.script_seconds, strategy.wait_seconds, strategy.longest_pause = 1000.0, 8.0, 0.003


def restarted(simulation, first, chance, options):
    """The second session; refused first, where the journal is damaged, and begun when a person has accepted it."""
    known = what_is_left(first.copy, EVERY_EPOCH).keys
    kind = chance.choice(damage.KINDS)
    first.trace(f"damage: {kind(first.copy, chance)}")
    second = Keyed(after_the_kill, first.truths, first.chance, first.trace, first.intents, first.oids)
    second.placed, second.whole = list(first.placed), kind in (damage.nothing, damage.append_cut_short)
    patient(second)
    left = what_is_left(first.copy, EVERY_EPOCH)
    refused = any(session.damage for session in left.sessions)
    if refused == (kind in damage.NO_DAMAGE):
        second.problems.append(f"damage {kind.__name__}: {'refused' if refused else 'taken for a whole journal'}")
    if refused:
        expect_refusal(simulation, second, options)
        accept(first.copy, left.sessions)
    # Of a key whose record was hit nobody can know; the person who accepted does not let such an intent be repeated.
    second.lost = known.keys() - left.keys.keys()
    second.missing_records = refused or kind is damage.last_record
    if not refused and second.lost:
        second.problems.append(f"keys are lost without a word: {sorted(second.lost)}")
    run_and_let_go(simulation, second, options)
    return second


def expect_refusal(simulation, strategy, options):
    try:
        run_and_let_go(simulation, Keyed(at_once, strategy.truths, strategy.chance, strategy.trace), options)
    except JournalError as error:
        strategy.trace(f"refused: {error}")
    else:
        strategy.problems.append("a damaged journal was no reason not to start")


async def at_once(s):
    """The end of a session that should not have begun."""


async def until_killed(s):
    await s.quotes()
    s.venue.faults.load(s.rules)
    until = asyncio.get_running_loop().time() + s.chance.uniform(0.5, 5)
    while asyncio.get_running_loop().time() < until:
        for _ in range(s.chance.choice((1, 1, 1, 2, 6))):
            s.act()
        await asyncio.sleep(s.chance.choice((0, 0.001, 0.05, 0.3)))
    for _ in range(s.chance.randint(0, 4)):
        s.act()
    s.trace("killed")
    shutil.copytree(s.directory, s.copy)
    s.told_then = dict(s.executed), set(s.trades)
    s.venue.faults.load([])


async def after_the_kill(s):
    from tests.chaos.harness import compare_money, everything_canceled, quiet, until_true

    s.trace("the second session")
    await s.quotes()
    for (arguments, options), key in s.intents[-REPEATED:]:
        if key not in s.lost:
            s.placed.append((arguments[0], s.order(arguments, options, key)))
    for _ in range(s.chance.randint(0, 4)):
        s.act()
    await asyncio.sleep(0.5)
    s.venue.pacer.stop()
    for _ in range(2):
        await quiet(s)
        await asyncio.sleep(1)
    compare_open(s)
    compare_money(s)
    s.trace("everything is canceled")
    await until_true(lambda: everything_canceled(s) and externals_canceled(s), "the end of every order", s)
    await asyncio.sleep(1)
    compare_open(s)
    compare_money(s)
    judge_intents(s)


def judge_fills(first, second):
    """Every fill was told once, by one of the two."""
    told, trades = first.told_then
    if again := {trade for trade in trades & second.trades if trade[1] is not None}:
        second.problems.append(f"told by both sessions: {sorted(again)}")
    for symbol, oid in second.placed:
        executed = sum(filled for _, filled in map(second.truth_of[symbol].state_of, second.truth_of[symbol].orders(oid)))
        if told.get(oid, 0) + second.executed.get(oid, 0) != executed:
            second.problems.append(f"{oid}: the sessions told {told.get(oid, 0)} and {second.executed.get(oid, 0)}, the venue "
                                   f"has executed {executed}")


def externals(s, symbol):
    """Orders of which no record is left: they are known by the venue's list."""
    found = s.cache.get_external_orders(symbol)
    if found and not s.missing_records:
        s.problems.append(f"orders of our own are external with a whole journal: {sorted(found)}")
    return found


def externals_canceled(s):
    loop = asyncio.get_running_loop()
    left = [(symbol, oid) for symbol in s.symbols for oid in externals(s, symbol)]
    if left and loop.time() >= getattr(s, "externals_again", 0.0):
        s.externals_again = loop.time() + 3.0
        for symbol, oid in left:
            s.cancel_order(symbol, oid)
    return not left


def compare_open(s):
    """Status, filled quantity, price and quantity of every order that is open, ours or external."""
    for truth in s.truths:
        there = {truth.id_of(o): (*truth.state_of(o), *truth.terms_of(o)) for o in truth.orders(open_only=True)}
        oids = {oid for symbol in truth.symbols for oid in s.cache.get_open_orders(symbol) | externals(s, symbol)}
        here = {o.oid: (o.status.value, o.filled, Decimal(str(o.price)), o.amount) for o in map(s.cache.get_order, oids)}
        if here != there:
            s.problems.append(f"open here {here}, there {there}")


def judge_intents(s):
    """No intent is at the venue twice, and the venue has no order that nobody placed."""
    symbol_of = dict((oid, symbol) for symbol, oid in s.placed)
    for key, oids in s.oids.items():
        found = [oid for oid in oids if oid in symbol_of and s.truth_of[symbol_of[oid]].orders(oid)]
        if len(found) > 1:
            s.problems.append(f"{key} is at the venue {len(found)} times: {found}")
    for truth in s.truths:
        unknown = {truth.id_of(o) for o in truth.orders()} - symbol_of.keys()
        if unknown:
            s.problems.append(f"{truth.exchange.value} has orders that nobody placed: {unknown}")
