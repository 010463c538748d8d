"""One engine and one simulated venue on one event loop, for processes whose time is simulated.

    async def script(s): ...             # as in engine_program; s.venue is the venue below
    strategy = play(Scripted(script, [BTC]), faults=[{"kind": "drop", …}])

Everything between the two is real: sockets, frames, HTTP, signatures, the journal.
"""

import asyncio
import os
import random
import tempfile
from decimal import Decimal
from pathlib import Path

import uvloop
from engine_program import make_config
from simulated_time import restart

from nexus_fast.config import LogConfig
from nexus_fast.constants import OrderSide
from nexus_fast.engine import Engine
from nexus_fast.sim.binance.order_texts import Words
from nexus_fast.sim.binance.venue import BinanceOptions
from nexus_fast.sim.fixed_point import SCALE
from nexus_fast.sim.market_maker import Pacer
from nexus_fast.sim.orders import BUY, SELL, Order, Status, TimeInForce, Type
from nexus_fast.sim.server import SimulatedVenue

# What the engine calls a status of the venue's.
STATUSES = {Status.NEW: "ACCEPTED", Status.PARTIALLY_FILLED: "PARTIALLY_FILLED", Status.FILLED: "FILLED",
            Status.CANCELED: "CANCELED", Status.EXPIRED: "EXPIRED", Status.EXPIRED_IN_MATCH: "EXPIRED"}


def engine(**options):
    """What a scenario's engine and venue are like: symbols, seconds, venue={what Truth takes} (or, with name= in it, what
    OtherVenues takes), refused_with="the name of the
    error with which the build ends", constants={name in a module: value}, and what make_config takes."""

    def mark(function):
        function.engine_options = options
        return function

    return mark


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
    """A simulated Binance from the inside: what is so, whatever it says. `books`: (market, symbol) that move."""

    def __init__(self, seed=1, books=(("spot", "BTCUSDT"), ("usd_m", "BTCUSDT")), tick_rate=20, faults=(), position="0",
                 **options):
        options = {"weight_limit_factor": 1000, **options}
        self.key, self.secret, self.directory = "sim", "sim", None
        self.venue = SimulatedVenue(("binance",), seed=seed, tick_rate=0, binance=BinanceOptions(**options))
        self.faults = self.venue.faults
        self._rules, self._books, self._rate, self._position = faults, set(books), tick_rate, position

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

    @property
    def account(self):
        return self.venue.binance.accounts[self.key]

    def orders(self, client_id=None, *, open_only=False):
        """All orders of both markets, oldest first; those that began with this client id."""
        stores = self.account.stores.values()
        found = [o for store in stores for o in (store.open if open_only else store.by_id).values()]
        return [o for o in found if client_id is None or self.id_of(o) == client_id]

    @staticmethod
    def id_of(order):
        """The client id with which an order was placed: a cancel gives it another one."""
        return order.original_client_id or order.client_id

    @staticmethod
    def state_of(order):
        """(the engine's word for its status, executed quantity)."""
        return STATUSES[order.status], Decimal(order.executed) / SCALE

    def position(self, symbol="BTCUSDT"):
        found = self.account.ledgers["usd_m"].positions.get(symbol)
        return Decimal(found.amount if found else 0) / SCALE

    def spot_balances(self):
        ledger = self.account.ledgers["spot"]
        found = {a: (Decimal(f) / SCALE, Decimal(ledger.locked.get(a, 0)) / SCALE) for a, f in ledger.free.items()}
        return {asset: amounts for asset, amounts in found.items() if any(amounts)}

    def wallet(self):
        return {a: Decimal(w) / SCALE for a, w in self.account.ledgers["usd_m"].wallet.items() if w}

    def trade_by_hand(self, market, side, amount, client_id, symbol="BTCUSDT"):
        """A market order of the account's that is not the engine's."""
        venue_market = getattr(self.venue.binance, market).market
        order = Order(venue_market.next_order_id(), client_id, self.account, venue_market.instruments[symbol],
                      BUY if side.is_buy else SELL, Type.MARKET, TimeInForce.IOC, 0, int(amount * SCALE),
                      words=Words("MARKET", "GTC"))
        venue_market.place(order)
        venue_market.flush(venue_market.books[symbol])

    def fill_resting(self, market, client_id, quantity=None):
        """A resting order is filled, or so much of it (scaled), by a taker that meets nothing else."""
        order = self.orders(client_id)[0]
        venue_market = getattr(self.venue.binance, market).market
        book = venue_market.books[order.instrument.symbol]
        taker = Order(venue_market.next_order_id(), "", None, order.instrument, -order.side, Type.LIMIT, TimeInForce.IOC,
                      order.price, quantity or order.remaining)
        side, last = book.bids if order.side == BUY else book.asks, book.last_price
        book._trade(taker, order, side, side.levels[order.price], order.price)
        book.last_price = last               # the walk goes on from where it was
        venue_market.flush(book)


def play(strategy, truth=None, *, others=(), **options):
    """Run the engine until the strategy's script ends; what the script raises is raised here. Returns the engine."""
    restart()
    random.seed(0)                       # the engine's jitter
    truth = truth or Truth()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as directory:
        loop.run_until_complete(truth.start())
        options.setdefault("log_config", LogConfig(level_stdout="WARNING"))
        options.setdefault("directory", directory)
        options.setdefault("strategy_id", f"simulated{os.getpid()}")      # other processes live at the same times
        engine = Engine(make_config([strategy, *others], truth, **options))
        engine._tuning.apply = engine._tuning.restore = lambda: None      # this process is not the engine's own
        engine.loop = loop
        for one in (strategy, *others):
            one.engine, one.venue = engine, truth
        try:
            loop.run_until_complete(engine._run())
        finally:
            loop.run_until_complete(truth.stop())
            engine.dispose()
        getattr(strategy, "afterwards", lambda: None)()
    if getattr(strategy, "failure", None) is not None:
        raise strategy.failure
    return engine
