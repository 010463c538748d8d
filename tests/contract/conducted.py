"""A program under test in its sessions: begun, disturbed, killed or stopped, and begun again, in simulated time.

The program is one as a user writes it. `conducted(Program)` adds what the test needs around it: it keeps what the program is
told, kills it at a moment, and lets nothing of a killed program reach the venue. A kill is a copy of all that the session has
written, made at that moment: the next session has the copy. The engine that was killed then ends without a word to the venue.
"""

import asyncio
import shutil
from decimal import Decimal
from functools import partial

from simulated_run import Simulation, Truth
from tests.chaos.faults import script_of
from tests.contract.venue_ledger import contradictions, resting

from nexus_fast.config import LogConfig
from nexus_fast.engine import core
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.order.table import OrderTable
from nexus_fast.sim.orders import BUY, Order, TimeInForce, Type

# A run has some hundred orders: memory for more would cost it a tenth of its time.
core.MARKET_RECORDS, core.ORDER_RECORDS = 4096, 4096
core.OrderTable = partial(OrderTable, capacity=4096)
core.JournalWriter = partial(JournalWriter, records_per_segment=1024)

SESSION_SECONDS = 1000.0
KILLS = ("between callbacks", "before the program's on_fill", "after the program's on_fill")


def conducted(program):
    """The class of the program with the test around it."""
    return type(f"Conducted{program.__name__}", (Conducted, program), {})


class Conducted:
    """Set by `Session` before the start: told, trace, chance, truths, script, symbols. `dead`: it was killed."""

    dead = False
    kill_at_fill = 0                 # the fill of this session in whose callback it is killed, from 1; 0: in none
    kill_after = False               # the program's own on_fill
    failure = None

    def on_start(self):
        self.events, self.fills_here, self.own_oids, self.cancels = [], 0, [], set()
        self.killed = asyncio.Event()
        self.told.begin({symbol: self.cached(symbol) for symbol in self.perpetuals()})
        super().on_start()
        self.task = asyncio.get_running_loop().create_task(self._play())

    async def _play(self):
        try:
            async with asyncio.timeout(SESSION_SECONDS):
                await self.script(self)
        except BaseException as error:
            self.failure = error
        if not self.dead:
            self.end()

    def let_go(self):
        """Of what the end of its process would let go of."""
        books = getattr(self, "books", None)
        if books is not None:
            books.close()

    def end(self):
        """How a session ends whose script has ended."""
        self.stop()

    def perpetuals(self):
        return [truth.perp for truth in self.truths]

    def cached(self, symbol):
        position = self.cache.get_position(symbol)
        return position.signed_amount if position else Decimal(0)

    # ------------------------------------------------------------------------------------------ what it is told

    def on_fill(self, fill):
        if self.dead:
            return
        self.fills_here += 1
        self.told.fill(fill, self.cached(fill.symbol) if fill.position is not None else None)
        last = self.fills_here == self.kill_at_fill
        if not last or self.kill_after:
            super().on_fill(fill)
        if last:
            self.told.cut_short(fill)
            self.kill()

    def on_fill_fee(self, fill):
        if not self.dead:
            self.told.fee(fill)
            super().on_fill_fee(fill)

    def on_private_ws_status(self, event):
        self.events.append(("private_ws_status", event))
        if not self.dead:
            super().on_private_ws_status(event)

    def on_stop(self):
        if not self.dead:
            super().on_stop()

    def heard(self, name):
        return [what for event, what in self.events if event == name]

    # ------------------------------------------------------------------------------------------ what it does

    def create_order(self, *arguments, **options):
        if self.dead:
            return "dead"
        oid = super().create_order(*arguments, **options)
        self.trace(f"order {oid} {' '.join(map(str, arguments))}")
        self.own_oids.append(oid)
        return oid

    def cancel_order(self, symbol, oid, **options):
        if not self.dead:
            self.trace(f"cancel {oid}")
            self.cancels.add(oid)
            return super().cancel_order(symbol, oid, **options)

    # ------------------------------------------------------------------------------------------ kill -9

    def kill(self):
        """Now, wherever it is."""
        self.trace("killed")
        self.dead = True
        self.quoting = False
        shutil.copytree(self.root, self.next_root)
        self.killed.set()
        self.venue.faults.load([])
        self.stop()


def _guarded(name):
    def callback(self, what):
        if not self.dead:
            if name.endswith("_order"):
                self.trace(f"  {name} {what.oid} {what.status.value} {what.filled} {what.reason or ''}")
            getattr(super(Conducted, self), name)(what)

    return callback


for _name in ("pending", "accepted", "partially_filled", "filled", "canceling", "canceled", "failed", "cancel_failed", "expired"):
    setattr(Conducted, f"on_{_name}_order", _guarded(f"on_{_name}_order"))
for _name in ("bookl1", "balance"):
    setattr(Conducted, f"on_{_name}", _guarded(f"on_{_name}"))


class Sessions:
    """The venues, and one session of a program after the other. make(root) -> a conducted program with its files below root."""

    def __init__(self, seed, venues, chance, told_class, trace, options):
        self.truth = Truth(seed=seed, tick_rate=10, venues=venues)
        self.truths, self.chance, self.trace = self.truth.venues, chance, trace
        self.told = told_class(self.truths, trace)
        self.seed, self.venues, self.number = seed, venues, 0
        self.options = {"log_config": LogConfig(level_stdout="OFF"), "strategy_id": f"seed{seed}",
                        "exit_after_cancel": False, **options}

    def __enter__(self):
        self.simulation = Simulation(self.truth)
        self.simulation.__enter__()
        self.root = self.simulation.directory / "session0"
        self.root.mkdir()
        return self

    def __exit__(self, *about):
        self.simulation.__exit__(*about)

    def rules(self):
        """Other faults in every session."""
        return script_of(self.seed * 100 + self.number, self.chance, self.venues)

    def run(self, make, script, **options):
        """One session until it has ended or was killed; the program. What its script raised is raised."""
        program = make(self.root)
        program.told, program.trace, program.chance, program.truths = self.told, self.trace, self.chance, self.truths
        program.script, program.root = script, self.root
        self.number += 1
        program.next_root = self.simulation.directory / f"session{self.number}"
        program.symbols = [symbol for truth in self.truths for symbol in truth.symbols]
        engine = self.simulation.run(program, **{**self.options, "directory": str(self.root), **options})
        program.left_open, program.errors = engine.left_open, engine.core.dispatcher.errors
        engine._close_core()
        program.let_go()
        engine.core = None
        if program.dead:
            self.root = program.next_root
        if program.failure is not None:
            raise program.failure
        return program

    def pass_time(self, seconds, is_hit=True):
        """Without an engine: the venues live on. is_hit: somebody trades with what rests there."""
        self.trace(f"no engine for {seconds:.3f} s")
        self.simulation.loop.run_until_complete(live_on(self, seconds) if is_hit else asyncio.sleep(seconds))

    def problems(self):
        return [problem for truth in self.truths for problem in contradictions(truth)]


async def live_on(sessions, seconds):
    """As time passes, somebody trades with what rests at the venues."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        hit(sessions)
        await asyncio.sleep(0.2)


def hit(sessions, share=0.3):
    """Now and then, one of the account's resting orders is filled in part or as a whole, by a taker that meets nothing else."""
    for truth in sessions.truths:
        found = resting(truth)
        if not found or sessions.chance.random() > share:
            continue
        market, order = sessions.chance.choice(found)
        step, rest = order.instrument.step, order.remaining
        quantity = rest if sessions.chance.random() < 0.4 else step * sessions.chance.randint(1, max(1, rest // step))
        fill_resting(market, order, min(quantity, rest))
        sessions.trace(f"the venue fills {quantity / 10**8} of {truth.id_of(order)}")


def fill_resting(market, order, quantity):
    book = market.books[order.instrument.symbol]
    book.now = market.clock.milliseconds()
    taker = Order(market.next_order_id(), "", None, order.instrument, -order.side, Type.LIMIT, TimeInForce.IOC, order.price,
                  quantity)
    side, last = book.bids if order.side == BUY else book.asks, book.last_price
    book._trade(taker, order, side, side.levels[order.price], order.price)
    book.last_price = last           # the walk goes on from where it was
    market.flush(book)
