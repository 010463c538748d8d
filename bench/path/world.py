"""The engine's hot half for one market, without sockets: from MarketFeed to a channel that leads nowhere."""

import json
import re
import tempfile
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from bench.build import BENCH, cython_module
from bench.path.frames import SOURCES
from bench.runs import API_KEY, SECRET
from nexus_fast.constants import ExchangeType, InstrumentType, OrderSide, OrderType
from nexus_fast.engine.dispatch import Dispatcher
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.feed.market import MarketFeed
from nexus_fast.feed.symbols import SymbolTable
from nexus_fast.gateway import binance, bybit, okx
from nexus_fast.gateway.channel import Channel
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.order.budget import Budget
from nexus_fast.order.entry import OrderEntry
from nexus_fast.order.route import Route, RouteTable
from nexus_fast.order.table import OrderTable
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingWriter
from nexus_fast.strategy import Strategy
from nexus_fast.strategy.base import attach
from nexus_fast.wire.registry import VENUE_NUMBERS

EXCHANGES = {"binance": ExchangeType.BINANCE, "bybit": ExchangeType.BYBIT, "okx": ExchangeType.OKX}
NAME = {"binance": rb'"s":"([^"]+)"', "bybit": rb'"s":"([^"]+)"', "okx": rb'"instId":"([^"]+)"'}
PRICES_AND_SIZES = re.compile(rb'"(\d+)\.(\d*?)0*"')
AMOUNT = 1000


class Quiet(Strategy):
    """Hears every quote and does nothing: what the way to a Python strategy costs."""

    def on_bookl1(self, book):
        pass


class Taker(Strategy):
    """Answers every quote with create_order, as a program of a user's does."""

    def __init__(self, amount: Decimal):
        super().__init__()
        self.amount = amount

    def on_bookl1(self, book):
        self.create_order(book.symbol, OrderSide.BUY, OrderType.LIMIT, self.amount, book.ask_decimal)


def loops():
    return cython_module(BENCH / "path" / "loops.pyx")


def symbols_of(frames: list[bytes], venue: str) -> list[str]:
    return list(dict.fromkeys(name.decode() for frame in frames for name in re.findall(NAME[venue], frame)[:1]))


def decimals_of(frames: list[bytes]) -> int:
    return max((len(places) for frame in frames for _, places in PRICES_AND_SIZES.findall(frame)), default=0)


def instrument(symbol: str, venue: str, scale: int) -> Instrument:
    step = Decimal(1).scaleb(-scale)
    return Instrument(
        symbol=f"{symbol}.{venue.upper()}",
        venue_symbol=symbol,
        exchange=EXCHANGES[venue],
        type=InstrumentType.LINEAR,
        base="BTC",
        quote="USDT",
        price_scale=scale,
        size_scale=scale,
        tick_size=step,
        lot_size=step,
        market_lot_size=step,
        min_price=step,
        max_price=Decimal(10**8),
        min_quantity=step,
        max_quantity=Decimal(10**6),
        min_notional=step,
    )


def templates(name: str, symbol: str, scale: int, signed: bool):
    """How the venue takes orders fastest. Bybit and OKX log on once per connection: their orders carry no signature."""
    source, scales = SOURCES[name], {"price_scale": scale, "size_scale": scale}
    if source.venue == "bybit":
        return bybit.order_templates(source.market, symbol, **scales)
    if source.venue == "okx":
        return okx.order_templates(10459, trade_mode="cross", spot=False, **scales)
    return binance.order_templates(source.market, symbol, api_key=API_KEY, secret=SECRET if signed else None, **scales)


class World:
    """Strategies: "cython", "python", "quiet" (Python, does nothing). `symbols` more names may stand in the tables.

    signed=False: on a connection that has logged on (Binance: session.logon, with an Ed25519 key), where no order is signed.
    """

    def __init__(
        self, name: str, frames: list[bytes], folder: Path, strategies=("cython",), more_symbols=(), signed=True
    ):
        source = SOURCES[name]
        self.name, self.venue = name, source.venue
        scale = decimals_of(frames)
        names = [*symbols_of(frames, source.venue), *more_symbols]
        table = SymbolTable(len(names))
        for number, symbol in enumerate(names):
            table.add(symbol.encode(), number, scale, scale, VENUE_NUMBERS[source.venue])
        routes, self.channel = RouteTable(len(names), 1), Channel()
        loops().connect_to_sink(self.channel)
        journal = JournalWriter(folder / "journal", "bench.path")
        orders = RingWriter(f"path_orders_{id(self)}", "order_event", 16384)
        self.entry = OrderEntry(OrderTable(1, "abc"), routes, journal, orders, len(names), lambda: None)
        self.dispatcher = Dispatcher(len(names), self.on_error)
        self.sets = {signed: templates(name, names[0], scale, signed) for signed in (True, False)}
        self.instruments = [instrument(symbol, source.venue, scale) for symbol in names]
        # As every venue has them: two windows, with room for all that is sent here.
        budgets = [Budget(2**32 - 1, seconds, False) for seconds in (10, 60)]
        for number, found in enumerate(self.instruments):
            routes.add(Route(found, number, 0, self.sets[signed], [self.channel], None, (budgets, budgets)))
            routes.set_default(number, 0)
        self.strategies = [self.make(kind, scale) for kind in strategies]
        ids = {found.symbol: number for number, found in enumerate(self.instruments)}
        for index, strategy in enumerate(self.strategies):
            attach(strategy, None, self.entry, index, ids, list(ids), [EXCHANGES[source.venue]] * len(names), {})
            for number in ids.values():
                self.dispatcher.subscribe(number, strategy)
        ring, latest = (
            RingWriter(f"path_market_{id(self)}", "bookl1", 65536),
            LatestTable.create(f"path_{id(self)}", len(names)),
        )
        self.feed = MarketFeed(source.venue, source.market, table, self.dispatcher, self.entry, ring, latest, print)
        self.frames = loops().Frames(frames)
        self.path = loops().Path(self.feed, self.frames)
        self.path.check()

    def make(self, kind: str, scale: int):
        if kind == "quiet":
            return Quiet()
        amount = max(AMOUNT, 1)
        return (
            Taker(Decimal(amount).scaleb(-scale))
            if kind == "python"
            else loops().Answer(amount, self.sets[False], self.sets[True])
        )

    def on_error(self, strategy, error):
        raise SystemExit(f"{self.name}: {type(error).__name__}: {error}")


@contextmanager
def segments():
    """Shared memory and a journal of our own, gone afterwards. Yields the folder."""
    import os

    with tempfile.TemporaryDirectory(prefix="nexus_fast-bench-", dir="/dev/shm") as folder:
        before = os.environ.get("NEXUS_FAST_SHM")
        os.environ["NEXUS_FAST_SHM"] = folder
        try:
            yield Path(folder)
        finally:
            os.environ.pop("NEXUS_FAST_SHM")
            if before is not None:
                os.environ["NEXUS_FAST_SHM"] = before


def read_back(sent: bytes) -> dict:
    """The request in a masked WebSocket frame: what a judge looks at."""
    size, at = sent[1] & 127, 2
    if size == 126:
        size, at = int.from_bytes(sent[2:4], "big"), 4
    key, payload = sent[at : at + 4], sent[at + 4 :]
    return json.loads(bytes(byte ^ key[i & 3] for i, byte in enumerate(payload[:size])))
