"""Public channels: books, trades, tickers, marks, indices, funding, candles, listings.

A frame is encoded once per channel and sent at once. The best price goes out as it changes (`bbo-tbt`, before all
else of the same moment); books follow with their updates 10 ms (`…-l2-tbt`) or 100 ms apart, each naming the seqId
that it continues.
"""

from collections.abc import Callable

import msgspec

from nexus_fast.sim.connections import Connection
from nexus_fast.sim.fixed_point import short
from nexus_fast.sim.matching import Book
from nexus_fast.sim.okx import market_texts
from nexus_fast.sim.okx.listing import FUTURES, SWAP, Listing, instrument_row
from nexus_fast.sim.okx.requests import Exchange
from nexus_fast.sim.orders import Fill

BOOKS = {"books": (400, 100), "books-l2-tbt": (400, 10), "books50-l2-tbt": (50, 10), "books-rpi": (400, 100)}
KEEP_ALIVE_MS = 60_000
REPEATED_MS = 10_000
CANDLES = {"candle" + bar: bar for bar in market_texts.BARS}
INDEX_CANDLES = {"index-candle" + bar: bar for bar in market_texts.BARS}
MARK_CANDLES = {"mark-price-candle" + bar: bar for bar in market_texts.BARS}
PERIODS = {"books5": 100, "tickers": 100, "mark-price": 200, "index-tickers": 100, "funding-rate": 60_000,
           "open-interest": 3000, "price-limit": 5000, **dict.fromkeys(CANDLES, 1000),
           **dict.fromkeys(INDEX_CANDLES, 1000), **dict.fromkeys(MARK_CANDLES, 1000)}
PUBLIC = ("bbo-tbt", "trades", "books5", *BOOKS, "tickers", "mark-price", "index-tickers", "funding-rate",
          "open-interest", "price-limit", "status", "instruments")
BUSINESS = ("trades-all", *CANDLES, *INDEX_CANDLES, *MARK_CANDLES)
_encode = msgspec.json.encode


class Channel:
    """One channel of one instrument (or index, or kind): its subscribers and how its frames begin."""

    __slots__ = ("name", "target", "head", "connections", "due_ms", "last", "levels", "sent_ms")

    def __init__(self, arg: dict, target: str):
        self.name = arg["channel"]
        self.target = target
        self.head = b'{"arg":' + _encode(arg) + b","
        self.connections: list[Connection] = []
        self.due_ms = 0
        self.last = None  # what was pushed last
        self.levels: tuple[dict, dict] = ({}, {})  # a book's asks and bids as its subscribers know them
        self.sent_ms = 0

    def push(self, data: bytes, extra: bytes = b"") -> None:
        frame = self.head + extra + b'"data":' + data + b"}"
        for connection in tuple(self.connections):  # one may end while it is told
            connection.send(frame)


class PublicChannels:
    """All public and business channels. `on_best` and `on_trade` come as things happen, `tick` by the clock."""

    def __init__(self, exchange: Exchange):
        self.exchange = exchange
        self.channels: dict[tuple[str, str], Channel] = {}
        self._rows: dict[str, Callable[[Listing], dict]] = {
            "tickers": lambda listing: market_texts.ticker_row(exchange, listing),
            "mark-price": lambda listing: market_texts.mark_row(exchange, listing),
            "funding-rate": lambda listing: market_texts.funding_row(exchange, listing),
            "open-interest": lambda listing: market_texts.open_interest_row(exchange, listing),
            "price-limit": lambda listing: market_texts.price_limit_row(exchange, listing)}

    # ---- subscriptions

    def target_of(self, arg: dict) -> str | None:
        """The instrument, index or kind that a subscription names; None when there is no such channel of it."""
        name, wanted = arg["channel"], arg.get("instId", "")
        if name == "status":
            return ""
        if name == "instruments":
            kind = arg.get("instType", "")
            return kind if kind in {one.kind for one in self.exchange.listings.values()} else None
        if name == "index-tickers" or name in INDEX_CANDLES:
            return wanted if wanted in market_texts.index_names(self.exchange) else None
        listing = self.exchange.listings.get(wanted)
        if listing is None or (name == "funding-rate" and listing.kind != SWAP):
            return None
        return None if name == "open-interest" and listing.kind not in (SWAP, FUTURES) else wanted

    def subscribe(self, connection: Connection, arg: dict, target: str) -> Channel:
        """Register; the first frame follows with `begin`, behind the acknowledgement."""
        key = arg["channel"], target
        channel = self.channels.get(key)
        if channel is None:
            channel = self.channels[key] = Channel(arg, target)
        if arg["channel"] in BOOKS and channel.connections:
            self._update(channel)  # so that the newcomer's snapshot and the next update meet
        channel.connections.append(connection)
        return channel

    @staticmethod
    def unsubscribe(connection: Connection, channel: Channel) -> None:
        if connection in channel.connections:
            channel.connections.remove(connection)

    def begin(self, connection: Connection, channel: Channel) -> None:
        """What a new subscriber gets at once."""
        if channel.name in BOOKS:
            self._snapshot(connection, channel)
        elif channel.name == "instruments":
            rows = [instrument_row(one) for one in self.exchange.listings.values() if one.kind == channel.target]
            connection.send(channel.head + b'"data":' + _encode(rows) + b"}")
        elif channel.name == "status":
            connection.send(channel.head + b'"data":' + _encode([market_texts.last_maintenance(self.exchange)]) + b"}")
        else:
            data = self._current(channel)
            if data is not None:
                connection.send(channel.head + b'"data":' + data + b"}")

    # ---- as it happens

    def on_best(self, book: Book) -> None:
        """The time is taken right before the send, for the wire statistics."""
        channel = self.channels.get(("bbo-tbt", book.instrument.symbol))
        if channel is None or not channel.connections:
            return
        data = self._best(book)
        self.exchange.statistics.tick_sent(book.instrument.market, book.instrument.symbol)
        channel.push(data)

    def on_trade(self, book: Book, fill: Fill) -> None:
        symbol = book.instrument.symbol
        for name in ("trades", "trades-all"):
            channel = self.channels.get((name, symbol))
            if channel is not None and channel.connections:
                channel.push(self._trade(name, fill))

    def _trade(self, name: str, fill: Fill) -> bytes:
        listing = self.exchange.listings[fill.taker.instrument.symbol]
        row = market_texts.trade_row(listing, fill)
        extra = {"count": "1", "source": "0", "seqId": self.exchange.book_of(listing).update_id}
        return _encode([{**row, **extra} if name == "trades" else {**row, "source": "0"}])

    def _best(self, book: Book) -> bytes:
        sides = []
        for side in (book.asks, book.bids):
            price = side.best()
            if not price:
                sides.append("[]")
                continue
            level = side.levels[price]
            sides.append(f'[["{short(price)}","{short(level.quantity)}","0","{len(level.orders)}"]]')
        return (f'[{{"asks":{sides[0]},"bids":{sides[1]},"ts":"{book.now or self.exchange.now()}",'
                f'"seqId":{book.update_id}}}]').encode()

    # ---- by the clock

    def tick(self) -> None:
        """Every few ms: the channels whose time has come."""
        now = self.exchange.now()
        for channel in self.channels.values():
            if not channel.connections or channel.due_ms > now:
                continue
            if channel.name in BOOKS:
                channel.due_ms = now + BOOKS[channel.name][1]
                self._update(channel)
            elif channel.name in PERIODS:
                channel.due_ms = now + PERIODS[channel.name]
                self._periodic(channel)

    @property
    def is_fast(self) -> bool:
        """Whether a channel with 10 ms between its frames has a subscriber."""
        return any(channel.connections and BOOKS.get(channel.name, (0, 100))[1] < 100
                   for channel in self.channels.values())

    def _periodic(self, channel: Channel) -> None:
        """A frame when something is new, all but its time, and from time to time when nothing is."""
        data, now = self._current(channel), self.exchange.now()
        if data is None:
            return
        mark = data.partition(b'"ts"')[0]
        if mark != channel.last or now - channel.sent_ms >= REPEATED_MS:
            channel.last, channel.sent_ms = mark, now
            channel.push(data)

    def _current(self, channel: Channel) -> bytes | None:
        """The present data of a channel; None where there is none."""
        name = channel.name
        if name == "index-tickers":
            return _encode([market_texts.index_row(self.exchange, channel.target)])
        if name in INDEX_CANDLES:
            return self._index_candle(channel)
        listing = self.exchange.listings.get(channel.target)
        if listing is None:
            return None
        if name in self._rows:
            return _encode([self._rows[name](listing)])
        if name == "bbo-tbt":
            return self._best(self.exchange.book_of(listing))
        if name == "books5":
            return self._five(listing)
        if name in CANDLES:
            return self._candle(listing, CANDLES[name], whole=True)
        return self._candle(listing, MARK_CANDLES[name], whole=False) if name in MARK_CANDLES else None

    def _five(self, listing: Listing) -> bytes:
        book = self.exchange.book_of(listing)
        return _encode([{"asks": market_texts.side_rows(book.asks, 5),
                         "bids": market_texts.side_rows(book.bids, 5), "instId": listing.instrument_id,
                         "ts": str(book.now or self.exchange.now()), "seqId": book.update_id}])

    def _candle(self, listing: Listing, bar: str, whole: bool) -> bytes | None:
        length = market_texts.BARS[bar]
        candles = self.exchange.tape_of(listing).candles(length, 1)
        if not candles:
            return None
        row = market_texts.candle_row(listing, candles[-1], length, self.exchange.now())
        return _encode([row if whole else [*row[:5], row[-1]]])

    def _index_candle(self, channel: Channel) -> bytes | None:
        listing = next((one for one in self.exchange.listings.values() if one.family == channel.target), None)
        return None if listing is None else self._candle(listing, INDEX_CANDLES[channel.name], whole=False)

    # ---- books

    def _snapshot(self, connection: Connection, channel: Channel) -> None:
        listing, depth = self.exchange.listings[channel.target], BOOKS[channel.name][0]
        book = self.exchange.book_of(listing)
        if len(channel.connections) == 1:  # otherwise `subscribe` has brought the channel up to date
            channel.levels = _levels(book, depth)
            channel.last, channel.sent_ms = book.update_id, self.exchange.now()
        body = {"asks": market_texts.side_rows(book.asks, depth),
                "bids": market_texts.side_rows(book.bids, depth), "ts": str(book.now or channel.sent_ms),
                "checksum": 0, "prevSeqId": -1, "seqId": channel.last}
        connection.send(channel.head + b'"action":"snapshot","data":' + _encode([body]) + b"}")

    def _update(self, channel: Channel) -> None:
        """What changed since the channel's last frame; after a minute without, a frame that says so."""
        listing, depth = self.exchange.listings[channel.target], BOOKS[channel.name][0]
        book, now = self.exchange.book_of(listing), self.exchange.now()
        if channel.last is None or (channel.last == book.update_id and now - channel.sent_ms < KEEP_ALIVE_MS):
            return
        before, channel.levels = channel.levels, _levels(book, depth)
        asks, bids = (_changes(old, new) for old, new in zip(before, channel.levels, strict=True))
        bids.reverse()  # best first, as the asks are
        if not asks and not bids and now - channel.sent_ms < KEEP_ALIVE_MS:
            return
        body = {"asks": asks, "bids": bids, "ts": str(book.now or now), "checksum": 0, "prevSeqId": channel.last,
                "seqId": book.update_id}
        channel.last, channel.sent_ms = book.update_id, now
        channel.push(_encode([body]), b'"action":"update",')


def _levels(book: Book, depth: int) -> tuple[dict, dict]:
    """({price: (quantity, orders)} of the asks, the same of the bids)."""
    return tuple({key * side.direction: (side.levels[key * side.direction].quantity,
                                         len(side.levels[key * side.direction].orders)) for key in side.keys[:depth]}
                 for side in (book.asks, book.bids))


def _changes(before: dict, after: dict) -> list[list[str]]:
    """Rows of the levels that are new or other, and of those that are gone, with size 0."""
    gone = (0, 0)
    return [market_texts.level_row(price, *after.get(price, gone))
            for price in sorted(before.keys() | after.keys()) if before.get(price, gone) != after.get(price, gone)]
