"""Replays recorded frames to the subscribers of their streams, as they were recorded.

A recording has lines `<receive time> <frame>` (time in ns or us) or `<seconds>: <frame>`, plain or gzipped. Frames
are those of combined streams; connections of raw streams get their `data`. The market maker of a replayed symbol
stands aside and its book follows the recorded quotes, so that orders meet the prices that were shown.
"""

import asyncio
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from nexus_fast.sim.binance.instruments import SPOT, USD_M
from nexus_fast.sim.fixed_point import parse
from nexus_fast.sim.market_maker import RandomWalk
from nexus_fast.sim.orders import BUY, SELL, Type

_NS_PER_S = 1_000_000_000


class _Envelope(msgspec.Struct):
    stream: str
    data: msgspec.Raw


class _Quote(msgspec.Struct):
    u: int
    b: str
    B: str
    a: str
    A: str


_envelope = msgspec.json.Decoder(_Envelope)
_quote = msgspec.json.Decoder(_Quote)


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(receive time in ns, frame) of every line of a recording."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as lines:
        for line in lines:
            stamp, _, frame = line.strip().partition(b" ")
            if frame:
                yield _nanoseconds(stamp.rstrip(b":")), frame


def _nanoseconds(stamp: bytes) -> int:
    if b"." in stamp:
        return int(float(stamp) * _NS_PER_S)
    value = int(stamp)
    for bound, factor in ((10**11, _NS_PER_S), (10**14, 10**6), (10**17, 1000)):
        if value < bound:
            return value * factor
    return value


class Replay:
    """One recording. `text` is `FILE`, `spot=FILE` or `usd_m=FILE`; without a market the file's name and frames decide.

    `rate`: frames per second instead of the recorded pace. When it has come to its end, `on_end` gets the walks of its
    symbols, which go on from the last quotes: a recording started again would send update ids that go backwards.
    """

    def __init__(self, text: str, venue, makers, rate: float | None = None):
        market, separator, rest = text.partition("=")
        named = bool(separator) and market in (SPOT, USD_M)
        self.path = Path(rest if named else text)
        if not self.path.is_file():
            raise ValueError(f"recording {str(self.path)!r} does not exist; give --replay the path of a rawlog file")
        self.frames = self._load()
        name = market if named else self._guess()
        self.service = venue.spot if name == SPOT else venue.usd_m
        self.maker = next(maker for maker in makers if maker.market is self.service.market)
        self.rate = rate
        self.symbols = {(self.service.name, frame[1]) for frame in self.frames
                        if frame[1] in self.service.market.books}
        self.service.streams.silenced |= {symbol for _, symbol in self.symbols}
        self._house: dict[str, list] = {}
        self._task: asyncio.Task | None = None

    def _load(self) -> list[tuple[int, str, str, bytes]]:
        """[(time ns, symbol, stream, data)] of all combined-stream frames."""
        out = []
        for time_ns, frame in read_lines(self.path):
            try:
                envelope = _envelope.decode(frame)
            except msgspec.MsgspecError:
                continue
            out.append((time_ns, envelope.stream.partition("@")[0].upper(), envelope.stream, bytes(envelope.data)))
        if not out:
            raise ValueError(f"recording {str(self.path)!r} holds no combined-stream frame of the form "
                             '<time> {"stream":…,"data":…}')
        return out

    def _guess(self) -> str:
        if "spot" in self.path.name:
            return SPOT
        if "usdm" in self.path.name or "usd_m" in self.path.name:
            return USD_M
        return USD_M if any(b'"e":"bookTicker"' in frame[3] for frame in self.frames) else SPOT

    def start(self, on_end: Callable[[list[RandomWalk]], None]) -> None:
        self._task = asyncio.create_task(self._play(on_end))

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _play(self, on_end: Callable[[list[RandomWalk]], None]) -> None:
        loop = asyncio.get_running_loop()
        begin, first = loop.time(), self.frames[0][0]
        for number, (time_ns, symbol, stream, data) in enumerate(self.frames):
            due = begin + (number / self.rate if self.rate else (time_ns - first) / _NS_PER_S)
            if due > loop.time() + 0.001:
                await asyncio.sleep(due - loop.time())
            elif number % 16 == 0:
                await asyncio.sleep(0)
            self._show(symbol, stream, data)
        on_end([self._hand_over(symbol) for _, symbol in self.symbols])

    def _hand_over(self, symbol: str) -> RandomWalk:
        walk, market = self.maker.walks[symbol], self.service.market
        for order in self._house.pop(symbol, ()):
            market.house_cancel(order)
        walk.settle_at(market.books[symbol].last_price)
        self.service.streams.silenced.discard(symbol)
        walk.fill_up()
        return walk

    def _show(self, symbol: str, stream: str, data: bytes) -> None:
        channel = self.service.streams.channels.get(stream)
        if stream.endswith("@bookTicker"):
            if symbol in self.service.market.books:
                self._follow(symbol, data)
            if channel:
                self.service.streams.send_tick(channel, symbol, data)
        elif channel:
            channel.send(data)

    def _follow(self, symbol: str, data: bytes) -> None:
        """Put the book's own best quotes where the recording has them."""
        quote, market = _quote.decode(data), self.service.market
        walk = self.maker.walks[symbol]
        for orders in (*walk.quotes[BUY].values(), *walk.quotes[SELL].values(), self._house.get(symbol, ())):
            for order in orders:
                market.house_cancel(order)
        walk.quotes = {BUY: {}, SELL: {}}
        bid, ask = parse(quote.b), parse(quote.a)
        # Clients' orders that the recorded price has reached are met before the new quotes rest.
        self._house[symbol] = [order for order in (
            market.house_order(symbol, BUY, Type.LIMIT, bid, parse(quote.B)),
            market.house_order(symbol, SELL, Type.LIMIT, ask, parse(quote.A))) if order.is_open]
        book = market.books[symbol]
        book.last_price = bid
        # From here on snapshots and own frames count on from the recording's update ids.
        book.update_id = max(book.update_id, quote.u)
        market.flush(market.books[symbol])
