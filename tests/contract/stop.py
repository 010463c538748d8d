"""Programs that are stopped at any moment: nothing opens from then on, and what is left is what the configuration asks for."""

import asyncio
import os
import random
import signal
from decimal import Decimal

from tests.contract.books import have_quotes
from tests.contract.conducted import Sessions, conducted, hit
from tests.contract.programs import BUY, SELL, MarketMaker
from tests.contract.told import Told

from nexus_fast.config import LogConfig
from nexus_fast.constants import OrderType
from nexus_fast.error import NexusError

VENUES = (("binance",), ("bybit",), ("okx",), ("binance", "bybit"))
MODES = ("cancel", "flatten", "leave")
WAYS = ("timer", "SIGINT", "SIGTERM", "stop()", "stop() in a callback")
LAST_WORDS = ("nothing", "nothing", "a resting order", "a market order")
LATE_SECONDS = 10.0                 # in which a request that was under way at the end would arrive
FAR = Decimal("0.01")


class Stubborn(MarketMaker):
    """Goes on sending after it was stopped, wherever it is let. last_words: what its on_stop sends itself.

    `before`: ids of its orders until it asked for the end, or on_stop was called; `by_on_stop`: of those that on_stop sent."""

    last_words = "nothing"
    is_to_stop = False
    before: set[str] | None = None
    by_on_stop: frozenset[str] = frozenset()

    def on_start(self):
        super().on_start()
        self.rogue = asyncio.get_running_loop().create_task(self.go_on())

    def on_bookl1(self, book):
        if self.is_to_stop and self.before is None:
            self.ask_for_the_end()
        super().on_bookl1(book)

    def ask_for_the_end(self):
        self.note_what_was_sent()
        self.stop()

    def note_what_was_sent(self):
        if self.before is None:
            self.trace("the end is asked for")
            self.before = set(self.own_oids)

    def on_stop(self):
        self.note_what_was_sent()
        self.trace(f"on_stop, which sends {self.last_words}")
        sent = len(self.own_oids)
        for symbol in self.traded:
            self.say_last(symbol)
        self.by_on_stop = frozenset(self.own_oids[sent:])
        super().on_stop()

    def say_last(self, symbol):
        held = self.cache.get_position(symbol)
        try:
            if self.last_words == "a resting order":
                self.create_order(symbol, BUY, OrderType.POST_ONLY, Decimal("0.01"), self.at(symbol, BUY, FAR))
            elif self.last_words == "a market order" and held and held.signed_amount:
                side = SELL if held.signed_amount > 0 else BUY
                self.create_order(symbol, side, OrderType.MARKET, abs(held.signed_amount), reduce_only=True)
        except NexusError as error:
            self.trace(f"refused: {error}")

    async def go_on(self):
        """A task of the program's own, which nobody has told that it is over."""
        while True:
            await asyncio.sleep(0.05)
            if self.before is not None:
                for symbol in self.traded:
                    self.quote(symbol, self.dice.choice((BUY, SELL)))


def plan_of(seed):
    """(mode, way, venues, with faults until after the end) of a seed."""
    chance = random.Random(f"stop {seed}")
    return chance.choice(MODES), chance.choice(WAYS), chance.choice(VENUES), chance.random() < 0.3


def label_of(seed):
    mode, way, venues, _ = plan_of(seed)
    return f"{mode}, {way}, {'+'.join(venues)}"


def run(seed, trace, level="OFF"):
    """What was wrong; empty when nothing was."""
    mode, way, venues, is_disturbed = plan_of(seed)
    chance = random.Random(seed)
    options = {"request_timeout_ms": chance.choice((200, 1000)), "log_config": LogConfig(level_stdout=level), "on_stop": mode}
    if mode != "leave":
        options["exit_after_cancel"] = True
    with Sessions(seed, venues, chance, Told, trace, options) as sessions:
        try:
            return judged(sessions, mode, way, is_disturbed)
        except (Exception, asyncio.CancelledError) as error:
            return [*sessions.told.problems, f"{type(error).__name__}: {error}"]


def judged(sessions, mode, way, is_disturbed):
    chance, program_class = sessions.chance, conducted(Stubborn)
    after = chance.uniform(0.3, 4)

    def make(root):
        program = program_class([truth.perp for truth in sessions.truths], root / "books", random.Random(chance.random()))
        program.last_words = chance.choice(LAST_WORDS)
        return program

    program = sessions.run(make, until_stopped(sessions, way, after, is_disturbed))
    sessions.truth.faults.load([])
    sessions.pass_time(LATE_SECONDS, is_hit=False)
    found = [*sessions.problems(), *opened_after(sessions, program, mode)]
    if mode == "leave":
        found += [f"{oid} was canceled, and nobody had asked for it" for oid in canceled_by_nobody(sessions, program)]
    else:
        found += left(sessions, program, mode, is_disturbed)
    return found


def until_stopped(sessions, way, after, is_disturbed):
    async def script(s):
        await have_quotes(s)
        rules = sessions.rules()
        s.venue.faults.load(rules)
        for rule in rules:
            s.trace(f"fault {rule}")
        loop = asyncio.get_running_loop()
        until = loop.time() + after
        if way == "timer":
            s.schedule(s.ask_for_the_end, trigger="interval", seconds=after)
        while loop.time() < until:
            hit(s)
            await asyncio.sleep(s.chance.choice((0.001, 0.05, 0.3)))
        if not is_disturbed:
            s.venue.faults.load([])
        s.trace(f"stopped by {way}")
        if way.startswith("SIG"):
            os.kill(os.getpid(), getattr(signal, way))
        elif way == "stop()":
            s.ask_for_the_end()
        s.is_to_stop = way == "stop() in a callback"
        await asyncio.sleep(900)             # the engine ends meanwhile

    return script


def opened_after(sessions, program, mode):
    """Orders that the venue has and that were sent after the end was asked for: neither by on_stop, nor to reduce a position."""
    allowed = program.before | program.by_on_stop
    for truth in sessions.truths:
        for order in truth.orders():
            oid = truth.id_of(order)
            if oid not in allowed and not (mode == "flatten" and order.reduce_only):
                yield f"{oid} was opened after the end was asked for: {truth.state_of(order)}"


def canceled_by_nobody(sessions, program):
    for truth in sessions.truths:
        for order in truth.orders():
            if truth.state_of(order)[0] == "CANCELED" and truth.id_of(order) not in program.cancels and order.time_in_force == 1 \
                    and order.type == 1:
                yield truth.id_of(order)


def left(sessions, program, mode, is_disturbed):
    """What is open and should not be, unless the engine could not close it among faults and has said so."""
    said = "; ".join(program.left_open)
    for truth in sessions.truths:
        for order in truth.orders(open_only=True):
            if not is_disturbed or truth.id_of(order) not in said:
                yield f"{truth.id_of(order)} is open at the end: {truth.state_of(order)}; the engine says: {said or 'nothing'}"
        if mode == "flatten" and truth.position() and (not is_disturbed or truth.perp not in said):
            yield f"{truth.position()} {truth.perp} is held at the end; the engine says: {said or 'nothing'}"
    if said and not is_disturbed:
        yield f"the engine says that it left {said}"
