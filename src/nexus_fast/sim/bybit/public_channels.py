"""Public topics of one category: order books, trades, tickers, candles.

orderbook.1 is sent whole with every change of the best, and again unchanged after three seconds of silence. The deeper
books are sent whole once and then as what has changed since the last frame, every 20, 100 or 200 ms.
"""

import re

import msgspec

from nexus_fast.sim.bybit.errors import SPOT
from nexus_fast.sim.bybit.ids import execution_text
from nexus_fast.sim.bybit.market_data import INTERVALS, ticker
from nexus_fast.sim.bybit.trading import BybitContracts, BybitSpot
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.fixed_point import short, text
from nexus_fast.sim.matching import Book
from nexus_fast.sim.orders import BUY, Fill
from nexus_fast.sim.tape import Candle
from nexus_fast.sim.wire_statistics import WireStatistics

BEAT_MS = 20
DEPTH_BEATS = {50: 1, 200: 5, 500: 5, 1000: 10}  # beats between two frames of a depth
TICKER_BEATS = {SPOT: 3}
OTHER_TICKER_BEATS = 5
CANDLE_BEATS = 50
REPEAT_MS = 3000

_TOPIC = re.compile(r"(orderbook)\.([0-9]{1,4})\.(\w{1,32})|(kline)\.(\w{1,3})\.(\w{1,32})|"
                    r"(publicTrade|tickers)\.(\w{1,32})", re.ASCII)
_encode = msgspec.json.encode


class Topic:
    """One topic with its subscribers and what it last sent."""

    __slots__ = ("name", "kind", "detail", "symbol", "subscribers", "state", "head")

    def __init__(self, name: str, kind: str, detail: str, symbol: str):
        self.name, self.kind, self.detail, self.symbol = name, kind, detail, symbol
        self.subscribers: list = []
        self.state = None  # kind of topic decides: the last book, the last row
        self.head = f'{{"topic":"{name}",'.encode()

    def send(self, payload: bytes) -> None:
        for connection in self.subscribers:
            connection.send(payload)


def parse_topic(name: str) -> Topic | None:
    match = _TOPIC.fullmatch(name)
    if match is None:
        return None
    kind, detail, symbol = next(group for group in (match.groups()[:3], match.groups()[3:6],
                                                    (match[7], "", match[8])) if group[0])
    return Topic(name, kind, detail, symbol)


class PublicChannels:
    """All topics of one market. `publish_*` are called as things happen, `tick` every 20 ms."""

    def __init__(self, market: BybitSpot | BybitContracts, clock: Clock, statistics: WireStatistics, statistics_name: str):
        self.market = market
        self.clock = clock
        self.statistics, self.statistics_name = statistics, statistics_name
        self.is_spot = market.name == SPOT
        self.topics: dict[str, Topic] = {}
        self.best: dict[str, list] = {}  # symbol -> [head, tail, when sent] of orderbook.1
        self.silenced: set[str] = set()  # symbols whose frames come from a recording
        self._best_topics = {symbol: self._topic(f"orderbook.1.{symbol}") for symbol in market.books}
        self._trade_topics = {symbol: self._topic(f"publicTrade.{symbol}") for symbol in market.books}
        self._restarted: dict[str, int] = {}  # symbol -> the book's own update id before the one that is told as 1
        self._trades: dict[str, list[dict]] = {}  # symbol -> rows since the last flush
        self._beat = 0

    def _topic(self, name: str) -> Topic:
        found = self.topics.get(name)
        if found is None:
            found = self.topics[name] = parse_topic(name)
        return found

    # ---- subscriptions

    def problem(self, name: str) -> str:
        """Why a topic cannot be subscribed to; "" when it can."""
        topic = parse_topic(name)
        if topic is None:
            return f"error:handler not found,topic:{name[:64]}"
        if topic.kind == "orderbook" and topic.detail != "1" and int(topic.detail) not in DEPTH_BEATS:
            return f"error:handler not found,topic:{name}"
        if topic.kind == "kline" and topic.detail not in INTERVALS:
            return f"error:handler not found,topic:{name}"
        if topic.symbol not in self.market.books:
            return f"Invalid symbol :[{name}]" if self.is_spot else f"error:handler not found,topic:{name}"
        return ""

    def join(self, name: str, connection) -> None:
        topic = self._topic(name)
        topic.subscribers.append(connection)
        if topic.kind == "orderbook":
            connection.send(self._first_book(topic))
        elif topic.kind == "tickers":
            topic.state = topic.state or ticker(self.market, self.market.instruments[topic.symbol], self.clock.milliseconds())
            connection.send(self._ticker_frame(topic, "snapshot", self._told(topic.state)))

    def leave(self, name: str, connection) -> None:
        topic = self.topics.get(name)
        if topic is not None and connection in topic.subscribers:
            topic.subscribers.remove(connection)
            if not topic.subscribers:
                topic.state = None

    def update_id(self, symbol: str, own: int) -> int:
        """What is told as `u` of a book's own update id."""
        return own - self._restarted.get(symbol, 0)

    def restart(self) -> None:
        """The service begins anew: every book is sent whole, with 1 as its update id."""
        for symbol, book in self.market.books.items():
            self._restarted[symbol] = book.update_id - 1
            self.best[symbol] = [self._best_tail(book), self.clock.milliseconds()]
        for topic in self.topics.values():
            if topic.kind == "orderbook" and topic.subscribers:
                topic.state = None
                topic.send(self._first_book(topic))

    # ---- as it happens

    def publish_best(self, book: Book) -> None:
        """orderbook.1: the time is taken right before the send, for the wire statistics."""
        symbol = book.instrument.symbol
        if symbol in self.silenced:
            return
        tail = self._best_tail(book)
        topic = self._best_topics[symbol]
        now = self.clock.milliseconds()
        self.best[symbol] = [tail, now]
        if topic.subscribers:
            self.send_tick(topic, symbol, self._best_frame(topic, tail, now))

    def send_tick(self, topic: Topic, symbol: str, payload: bytes) -> None:
        self.statistics.tick_sent(self.statistics_name, symbol)
        topic.send(payload)

    def _best_tail(self, book: Book) -> bytes:
        i = book.instrument
        bid, bid_size, ask, ask_size = book.best()
        price, lots, now = i.price_decimals, i.quantity_decimals, self.clock.milliseconds()
        bids = f'["{text(bid, price)}","{text(bid_size, lots)}"]' if bid else ""
        asks = f'["{text(ask, price)}","{text(ask_size, lots)}"]' if ask else ""
        update = self.update_id(i.symbol, book.update_id)
        return (f',"type":"snapshot","data":{{"s":"{i.symbol}","b":[{bids}],"a":[{asks}],"u":{update},'
                f'"seq":{self.market.sequence(book)}}},"cts":{book.now or now}}}').encode()

    @staticmethod
    def _best_frame(topic: Topic, tail: bytes, now: int) -> bytes:
        return topic.head + b'"ts":%d' % now + tail

    def publish_trade(self, book: Book, fill: Fill) -> None:
        """Trades of one match go out together."""
        symbol = book.instrument.symbol
        if self._trade_topics[symbol].subscribers and symbol not in self.silenced:
            self._trades.setdefault(symbol, []).append(self._trade_row(book, fill))

    def _trade_row(self, book: Book, fill: Fill) -> dict:
        """Spot has no direction of the tick and another order of the fields."""
        i, side = book.instrument, "Buy" if fill.taker.side == BUY else "Sell"
        identity = execution_text(self.market.name, self.market.numbers[i.symbol], fill.trade_id)
        price, size = text(fill.price, i.price_decimals), text(fill.quantity, i.quantity_decimals)
        sequence, tick = self.market.sequence(book), "PlusTick" if side == "Buy" else "MinusTick"
        if self.is_spot:
            return {"i": identity, "T": fill.time, "p": price, "v": size, "S": side, "seq": sequence, "s": i.symbol,
                    "BT": False, "RPI": False}
        return {"T": fill.time, "s": i.symbol, "S": side, "v": size, "p": price, "L": tick, "i": identity, "BT": False,
                "RPI": False, "seq": sequence}

    def publish_trades(self) -> None:
        for symbol in list(self._trades):
            topic, rows = self._trade_topics[symbol], _encode(self._trades.pop(symbol))
            topic.send(topic.head + b'"type":"snapshot","ts":%d,"data":%b}' % (self.clock.milliseconds(), rows))

    # ---- by the clock

    def tick(self) -> None:
        """Every 20 ms: what is due of deeper books, tickers, candles, and the repetition of silent best prices."""
        self._beat += 1
        for topic in list(self.topics.values()):
            if not topic.subscribers or topic.symbol in self.silenced:
                continue
            if topic.kind == "orderbook":
                self._book_due(topic)
            elif topic.kind == "tickers" and self._beat % TICKER_BEATS.get(self.market.name, OTHER_TICKER_BEATS) == 0:
                self._ticker_due(topic)
            elif topic.kind == "kline" and self._beat % CANDLE_BEATS == 0:
                self._candle_due(topic)

    def _book_due(self, topic: Topic) -> None:
        if topic.detail == "1":
            sent, now = self.best.get(topic.symbol), self.clock.milliseconds()
            if sent is not None and not 0 <= now - sent[1] < REPEAT_MS:      # also where the clock was set back
                sent[1] = now
                topic.send(self._best_frame(topic, sent[0], now))
        elif self._beat % DEPTH_BEATS[int(topic.detail)] == 0:
            self._changes(topic)

    # ---- deeper books

    def _first_book(self, topic: Topic) -> bytes:
        book, now = self.market.books[topic.symbol], self.clock.milliseconds()
        if topic.detail == "1":
            sent = self.best.get(topic.symbol)
            return self._best_frame(topic, sent[0] if sent else self._best_tail(book), now)
        if topic.state is None:
            topic.state = _Depth(book, int(topic.detail))
        depth = topic.state
        return self._book_frame(topic, "snapshot", depth, depth.bids, depth.asks, now)

    def _changes(self, topic: Topic) -> None:
        book, before = self.market.books[topic.symbol], topic.state
        if before is None or before.update_id == book.update_id:
            return
        after = topic.state = _Depth(book, int(topic.detail))
        bids, asks = _difference(before.bids, after.bids, reverse=True), _difference(before.asks, after.asks)
        if bids or asks:
            topic.send(self._book_frame(topic, "delta", after, bids, asks, self.clock.milliseconds()))

    def _book_frame(self, topic: Topic, kind: str, depth: "_Depth", bids: dict, asks: dict, now: int) -> bytes:
        """Spot has the time before the type, contracts behind it."""
        i = self.market.instruments[topic.symbol]
        price, lots = i.price_decimals, i.quantity_decimals
        data = {"s": topic.symbol, "b": [[text(p, price), text(q, lots)] for p, q in bids.items()],
                "a": [[text(p, price), text(q, lots)] for p, q in asks.items()],
                "u": self.update_id(topic.symbol, depth.update_id),
                "seq": depth.update_id - depth.book.update_id + self.market.sequence(depth.book)}
        order = b'"ts":%d,"type":"%b"' if self.is_spot else b'"type":"%b","ts":%d'
        head = order % ((now, kind.encode()) if self.is_spot else (kind.encode(), now))
        return topic.head + head + b',"data":%b,"cts":%d}' % (_encode(data), depth.time or now)

    # ---- tickers and candles

    def _told(self, row: dict) -> dict:
        """The fields of a ticker that the channel has: spot without the best prices."""
        if self.is_spot:
            return {name: value for name, value in row.items() if not name.startswith(("bid1", "ask1"))}
        return row | {"tickDirection": "ZeroPlusTick"}

    def _ticker_due(self, topic: Topic) -> None:
        """Contracts send what has changed, spot the whole whenever something has."""
        before = topic.state or {}
        after = topic.state = ticker(self.market, self.market.instruments[topic.symbol], self.clock.milliseconds())
        told = self._told(after)
        changed = {name: value for name, value in told.items() if self._told(before).get(name) != value}
        if changed:
            kind, data = ("snapshot", told) if self.is_spot else ("delta", {"symbol": topic.symbol, **changed})
            topic.send(self._ticker_frame(topic, kind, data))

    def _ticker_frame(self, topic: Topic, kind: str, data: dict) -> bytes:
        now, sequence = self.clock.milliseconds(), self.market.sequence(self.market.books[topic.symbol])
        if self.is_spot:
            return topic.head + b'"ts":%d,"type":"snapshot","cs":%d,"data":%b}' % (now, sequence, _encode(data))
        return topic.head + b'"type":"%b","data":%b,"cs":%d,"ts":%d}' % (kind.encode(), _encode(data), sequence, now)

    def _candle_due(self, topic: Topic) -> None:
        """The newest candle; before the first frame of a new one the last frame of the old one, and each end only once."""
        length, now = INTERVALS[topic.detail] * 60_000, self.clock.milliseconds()
        for candle in self.market.tapes[topic.symbol].candles(length, 2):
            ended = now >= candle.open_time + length
            if topic.state is not None and candle.open_time < topic.state or topic.state is None and ended:
                continue
            topic.state = candle.open_time + (length if ended else 0)
            self._send_candle(topic, candle, candle.open_time + length - 1, ended, now)

    def _send_candle(self, topic: Topic, c: Candle, end: int, ended: bool, now: int) -> None:
        i = self.market.instruments[topic.symbol]
        price = i.price_decimals
        row = {"start": c.open_time, "end": end, "interval": topic.detail, "open": text(c.open, price),
               "close": text(c.close, price), "high": text(c.high, price), "low": text(c.low, price),
               "volume": short(c.volume), "turnover": short(c.quote_volume), "confirm": ended, "timestamp": now}
        topic.send(topic.head + b'"data":[%b],"ts":%d,"type":"snapshot"}' % (_encode(row), now))


class _Depth:
    """The best levels of a book as they stood."""

    __slots__ = ("book", "update_id", "time", "bids", "asks")

    def __init__(self, book: Book, limit: int):
        self.book, self.update_id, self.time = book, book.update_id, book.now
        self.bids, self.asks = dict(book.bids.depth(limit)), dict(book.asks.depth(limit))


def _difference(before: dict[int, int], after: dict[int, int], reverse: bool = False) -> dict[int, int]:
    """Price -> new quantity of all levels that differ; 0 for those that are gone."""
    changed = [price for price in before.keys() | after.keys() if before.get(price) != after.get(price)]
    return {price: after.get(price, 0) for price in sorted(changed, reverse=reverse)}
