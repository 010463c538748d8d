"""One engine and its simulated venues on one event loop, for processes whose time is simulated.

    async def script(s): ...             # as in engine_program; s.venue is the venue below
    strategy = play(Scripted(script, [BTC]), faults=[{"kind": "drop", …}])

Everything between the two is real: sockets, frames, HTTP, signatures, the journal.
"""

import asyncio
import os
import random
import socket
import tempfile
from decimal import Decimal
from pathlib import Path
from unittest import mock

import uvloop
from engine_program import PERP_ACCOUNT, make_config
from simulated_time import restart
from truth import KEY, TRUTHS

from nexus_fast.config import LogConfig
from nexus_fast.constants import ExchangeType, OrderSide
from nexus_fast.core.clock import distrust_counter
from nexus_fast.engine import Engine
from nexus_fast.sim.binance.venue import BinanceOptions
from nexus_fast.sim.market_maker import Pacer
from nexus_fast.sim.orders import BUY, Order, TimeInForce, Type
from nexus_fast.sim.server import SimulatedVenue


def engine(**options):
    """What a scenario's engine and venue are like: symbols, seconds, venue={what Truth takes}, refused_with="the name of the
    error with which the build ends", constants={name in a module: value}, and what make_config takes."""

    def mark(function):
        function.engine_options = options
        return function

    return mark


async def _resolve_at_once(loop, host, port, *, family=0, type=0, proto=0, flags=0):
    return socket.getaddrinfo(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)


# uvloop's own asks the system in a thread, even for a number, and a thread runs in real time: on a busy machine the loop's time
# is fifteen seconds later before the thread has had its turn.
uvloop.Loop.getaddrinfo = _resolve_at_once


def nested(tables):
    """The venues' tables of an endpoints file as TOML reads them."""
    found = {}
    for name, table in tables.items():
        first, _, second = name.partition(".")
        if second:
            found.setdefault(first, {})[second] = table
        elif first != "sim":
            found[first] = table
    return found


class Truth:
    """Simulated venues from the inside: what is so, whatever they say. `books`: (market, symbol) that move; by default BTC's.
    options: of the simulated Binance. limit_factor: of the others' limits of orders, 1 are the venue's own. `of`: each venue's
    truth by its exchange; most questions here are about Binance alone."""

    def __init__(self, seed=1, books=None, tick_rate=20, faults=(), position="0", venues=("binance",), limit_factor=None,
                 **options):
        self.key, self.secret, self.directory = KEY, KEY, None
        made = {name: TRUTHS[name].options for name in venues}
        if limit_factor is not None:
            made = {name: TRUTHS[name].limited(limit_factor) for name in venues}
        if options:
            made["binance"] = BinanceOptions(**{"weight_limit_factor": 1000, **options})
        self.venue = SimulatedVenue(venues, seed=seed, tick_rate=0, **made)
        self.venues = [TRUTHS[name](venue) for name, venue in self.venue.venues.items()]
        self.of = {truth.exchange: truth for truth in self.venues}
        self.faults = self.venue.faults
        self._rules, self._rate, self._position = faults, tick_rate, position
        self._books = set(books) if books is not None else {book for truth in self.venues for book in truth.walks}

    async def start(self):
        await self.venue.start()
        self.endpoints = nested(self.venue.endpoints())
        self.pacer = Pacer(self._rate)
        self.move()
        if Decimal(self._position):
            self.trade_by_hand("usd_m", OrderSide.BUY, Decimal(self._position), "from_before")
        self.faults.load(self._rules)

    def move(self):
        """The books move."""
        self.pacer.start(asyncio.get_running_loop(), [
            walk for maker in self.venue.makers for symbol, walk in maker.walks.items()
            if (maker.market.name, symbol) in self._books])

    async def stop(self):
        self.pacer.stop()
        await self.venue.stop()

    # ------------------------------------------------------------------------------------------ Binance alone

    @property
    def binance(self):
        return self.of[ExchangeType.BINANCE]

    @property
    def account(self):
        return self.binance.account

    def orders(self, client_id=None, *, open_only=False):
        """All orders of both markets, oldest first; those that began with this client id."""
        return self.binance.orders(client_id, open_only=open_only)

    def id_of(self, order):
        return self.binance.id_of(order)

    def state_of(self, order):
        """(the engine's word for its status, executed quantity)."""
        return self.binance.state_of(order)

    def position(self):
        return self.binance.position()

    def spot_balances(self):
        return self.binance.spot_amounts()

    def wallet(self):
        return {asset: free for asset, (free, _) in self.binance.balances()[PERP_ACCOUNT].items()}

    def trade_by_hand(self, *arguments):
        self.binance.trade_by_hand(*arguments)

    def rest_by_hand(self, *arguments):
        self.binance.rest_by_hand(*arguments)

    def fill_resting(self, market, client_id, quantity=None):
        """A resting order is filled, or so much of it (scaled), by a taker that meets nothing else."""
        order = self.orders(client_id)[0]
        venue_market = getattr(self.venue.binance, market).market
        book = venue_market.books[order.instrument.symbol]
        book.now = venue_market.clock.milliseconds()
        taker = Order(venue_market.next_order_id(), "", None, order.instrument, -order.side, Type.LIMIT, TimeInForce.IOC,
                      order.price, quantity or order.remaining)
        side, last = book.bids if order.side == BUY else book.asks, book.last_price
        book._trade(taker, order, side, side.levels[order.price], order.price)
        book.last_price = last               # the walk goes on from where it was
        venue_market.flush(book)


class Simulation:
    """The venues on a loop from the beginning of simulated time, a directory, and the engines that run one after the other."""

    def __init__(self, truth):
        self.truth, self._engines = truth, []

    def __enter__(self):
        distrust_counter()                   # the processor's own runs on in real time
        restart()
        random.seed(0)                       # the engine's jitter
        self.loop = uvloop.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self._made = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.directory = Path(self._made.name)
        # Its shared memory too: another process may play the same seed at the same time.
        (self.directory / "shm").mkdir(mode=0o700)
        self._shared_memory = mock.patch.dict(os.environ, NEXUS_FAST_SHM=str(self.directory / "shm"))
        self._shared_memory.start()
        self.loop.run_until_complete(self.truth.start())
        return self

    def run(self, strategy, *, others=(), **options):
        """One engine, until its strategy's script ends; it is not disposed of yet. Returns it."""
        truth = self.truth
        options.setdefault("log_config", LogConfig(level_stdout="WARNING"))
        options.setdefault("directory", str(self.directory))
        options.setdefault("public", [kind for venue in truth.venues for kind in venue.public])
        options.setdefault("private", [kind for venue in truth.venues for kind in venue.private])
        options.setdefault("strategy_id", f"simulated{os.getpid()}")      # other processes live at the same times
        engine = Engine(make_config([strategy, *others], truth, **options))
        engine._tuning.apply = engine._tuning.restore = lambda: None      # this process is not the engine's own
        engine.loop = self.loop
        for one in (strategy, *others):
            one.engine, one.venue = engine, truth
        self._engines.append(engine)
        self.loop.run_until_complete(engine._run())
        return engine

    def finish(self):
        engines, self._engines = self._engines, None
        if engines is not None:
            self.loop.run_until_complete(self.truth.stop())
            engines[-1].dispose()            # and with it the loop

    def __exit__(self, *_):
        self.finish()
        self._shared_memory.stop()
        self._made.cleanup()


def play(strategy, truth=None, **options):
    """Run the engine until the strategy's script ends; what the script raises is raised here. Returns the engine."""
    with Simulation(truth or Truth()) as simulation:
        engine = simulation.run(strategy, **options)
        simulation.finish()
        getattr(strategy, "afterwards", lambda: None)()
    if getattr(strategy, "failure", None) is not None:
        raise strategy.failure
    return engine
