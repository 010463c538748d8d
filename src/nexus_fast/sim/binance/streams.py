"""Market-data streams: the channels and their frames.

A `Channel` is one stream name with its raw and its combined subscribers; a frame is encoded once per kind and sent at
once, without a queue.
"""

import re

import msgspec

from nexus_fast.sim.binance.market_data import INTERVALS, average, levels, next_funding, recent_average, value_decimals
from nexus_fast.sim.binance.requests import Service
from nexus_fast.sim.connections import Connection
from nexus_fast.sim.fixed_point import quotient, short, text
from nexus_fast.sim.matching import Book
from nexus_fast.sim.orders import BUY, Fill

_DEPTH = re.compile(r"(?P<symbol>[^@]+)@depth(?P<levels>5|10|20)?(?:@(?P<speed>\d+)ms)?$")
_KLINE = re.compile(r"(?P<symbol>[^@]+)@kline_(?P<interval>\w+)$")
_encode = msgspec.json.encode


class Channel:
    """One stream: its name, its subscribers, and the head of a combined frame."""

    __slots__ = ("name", "raw", "combined", "head")

    def __init__(self, name: str):
        self.name = name
        self.raw: list[Connection] = []
        self.combined: list[Connection] = []
        self.head = b'{"stream":' + _encode(name) + b',"data":'

    def send(self, payload: bytes) -> None:
        for connection in self.raw:
            connection.send(payload)
        if self.combined:
            frame = self.head + payload + b"}"
            for connection in self.combined:
                connection.send(frame)

    def __bool__(self) -> bool:
        return bool(self.raw or self.combined)


class StreamHub:
    """All streams of one market. `publish_*` are called by the venue as things happen, `tick` every 50 ms."""

    def __init__(self, service: Service):
        self.service = service
        self.is_spot = service.name == "spot"
        self.is_routed = service.name == "usd_m"
        self.has_listen_keys = service.name == "coin_m"  # among the names of its streams
        self.kind = 2 if service.name == "coin_m" else 1  # `st` of futures' frames
        self.channels: dict[str, Channel] = {}
        self._best = {symbol: self.channel(f"{i.stream_name}@bookTicker")
                      for symbol, i in service.market.instruments.items()}
        self._trades = {symbol: (self.channel(f"{i.stream_name}@trade"), self.channel(f"{i.stream_name}@aggTrade"))
                        for symbol, i in service.market.instruments.items()}
        self._depth_state: dict[tuple[str, int], list] = {}
        self._beat = 0
        self.silenced: set[str] = set()  # symbols whose frames come from a recording

    def channel(self, name: str) -> Channel:
        found = self.channels.get(name)
        if found is None:
            found = self.channels[name] = Channel(name)
        return found

    # ---- as it happens

    def publish_best(self, book: Book) -> None:
        """bookTicker: the time is taken right before the send, for the wire statistics."""
        channel = self._best[book.instrument.symbol]
        if not (channel.raw or channel.combined) or book.instrument.symbol in self.silenced:
            return
        bid, bid_quantity, ask, ask_quantity = book.best()
        if not bid or not ask:
            return
        payload = self._best_frame(book, bid, bid_quantity, ask, ask_quantity).encode()
        self.send_tick(channel, book.instrument.symbol, payload)

    def send_tick(self, channel: Channel, symbol: str, payload: bytes) -> None:
        frame = channel.head + payload + b"}" if channel.combined else b""
        self.service.statistics.tick_sent(self.service.name, symbol)
        for connection in channel.raw:
            connection.send(payload)
        for connection in channel.combined:
            connection.send(frame)

    def _best_frame(self, book: Book, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> str:
        i = book.instrument
        price, lots, symbol = i.price_decimals, i.quantity_decimals, i.symbol
        if self.is_spot:
            return (f'{{"u":{book.update_id},"s":"{symbol}","b":"{text(bid)}","B":"{text(bid_quantity)}",'
                    f'"a":"{text(ask)}","A":"{text(ask_quantity)}"}}')
        now = self.service.clock.milliseconds()
        return (f'{{"e":"bookTicker","u":{book.update_id},"s":"{symbol}","ps":"{i.words["pair"]}","b":"{text(bid, price)}",'
                f'"B":"{text(bid_quantity, lots)}","a":"{text(ask, price)}","A":"{text(ask_quantity, lots)}",'
                f'"T":{book.now or now},"E":{now},"st":{self.kind}}}')

    def publish_trade(self, book: Book, fill: Fill) -> None:
        single, aggregate = self._trades[book.instrument.symbol]
        if not (single or aggregate) or book.instrument.symbol in self.silenced:
            return
        i, now = book.instrument, self.service.clock.milliseconds()
        price, quantity = text(fill.price, i.price_decimals), text(fill.quantity, i.quantity_decimals)
        buyer_made, extra = fill.taker.side != BUY, {"M": True} if self.is_spot else {"st": self.kind}
        if single:
            kind = {} if self.is_spot else {"X": "MARKET"}
            single.send(_encode({"e": "trade", "E": now, "T": fill.time, "s": i.symbol, "t": fill.trade_id, "p": price,
                                 "q": quantity, **kind, "m": buyer_made, **extra}))
        if aggregate:
            normal = {} if self.is_spot else {"nq": quantity}
            aggregate.send(_encode({"e": "aggTrade", "E": now, "a": fill.trade_id, "s": i.symbol, "p": price,
                                    "q": quantity, **normal, "f": fill.trade_id, "l": fill.trade_id, "T": fill.time,
                                    "m": buyer_made, **extra}))

    # ---- by the clock

    def tick(self) -> None:
        """Every 50 ms: depth, klines, tickers and mark prices whose interval has come round."""
        self._beat += 1
        for channel in list(self.channels.values()):
            if channel:
                self._periodic(channel)

    def _periodic(self, channel: Channel) -> None:
        depth = _DEPTH.match(channel.name)
        if depth is not None:
            return self._depth(channel, depth)
        if self._beat % 20 == 0:
            return self._each_second(channel)
        kline = self._beat % 5 == 0 and _KLINE.match(channel.name)
        if kline:
            return self._kline(channel, kline)
        return None

    def _each_second(self, channel: Channel) -> None:
        symbol, _, kind = channel.name.partition("@")
        book = self.service.market.books.get(symbol.upper())
        if channel.name.startswith("!"):
            self._all_symbols(channel)
        elif kind.startswith("markPrice") and (kind.endswith("1s") or self._beat % 60 == 0):
            self._marks(channel, symbol.upper(), book)
        elif book is None:
            return
        elif kind == "avgPrice":
            channel.send(_encode(self._average(book)))
        elif kind in ("ticker", "miniTicker"):
            channel.send(_encode(self._day(book, kind)))
        elif kind.startswith("kline_"):
            self._kline(channel, _KLINE.match(channel.name))

    def _all_symbols(self, channel: Channel) -> None:
        books = self.service.market.books.values()
        if channel.name.startswith("!markPrice@arr") and not self.is_spot:
            channel.send(_encode([self._mark_price(book) for book in books]))
        elif channel.name == "!miniTicker@arr":
            channel.send(_encode([self._day(book, "miniTicker") for book in books]))
        elif channel.name == "!ticker@arr" and not self.is_spot:
            channel.send(_encode([self._day(book, "ticker") for book in books]))
        elif channel.name == "!bookTicker" and not self.is_spot and self._beat % 100 == 0:
            for book in books:
                channel.send(self._best_frame(book, *book.best()).encode())

    def _depth(self, channel: Channel, match: re.Match) -> None:
        speed = int(match["speed"] or (1000 if self.is_spot else 250))
        book = self.service.market.books.get(match["symbol"].upper())
        if book is None or self._beat % max(1, speed // 50) or book.instrument.symbol in self.silenced:
            return
        if match["levels"]:
            channel.send(_encode(self._partial_depth(book, int(match["levels"]))))
        else:
            self._diff_depth(channel, book)

    def _partial_depth(self, book: Book, limit: int) -> dict:
        bids, asks = levels(book, BUY, limit), levels(book, -BUY, limit)
        if self.is_spot:
            return {"lastUpdateId": book.update_id, "bids": bids, "asks": asks}
        now = self.service.clock.milliseconds()
        return {"e": "depthUpdate", "E": now, "T": book.now, "s": book.instrument.symbol,
                "ps": book.instrument.words["pair"],
                "U": book.update_id, "u": book.update_id, "pu": book.update_id - 1, "b": bids, "a": asks, "st": self.kind}

    def _diff_depth(self, channel: Channel, book: Book) -> None:
        """Changes since this channel's last frame: the difference of two whole books, so that nothing is lost."""
        state = self._depth_state.get(channel.name)
        bids, asks = _quantities(book.bids), _quantities(book.asks)
        self._depth_state[channel.name] = (book.update_id, bids, asks)
        if state is None or state[0] == book.update_id:
            return
        i, now = book.instrument, self.service.clock.milliseconds()
        body = {"e": "depthUpdate", "E": now}
        if not self.is_spot:
            body.update(T=book.now, s=i.symbol, ps=i.words["pair"], U=state[0] + 1, u=book.update_id, pu=state[0])
        else:
            body.update(s=i.symbol, U=state[0] + 1, u=book.update_id)
        body["b"], body["a"] = _difference(i, state[1], bids), _difference(i, state[2], asks)
        if not self.is_spot:
            body["st"] = self.kind
        channel.send(_encode(body))

    def _kline(self, channel: Channel, match: re.Match) -> None:
        book = self.service.market.books.get(match["symbol"].upper())
        minutes = INTERVALS.get(match["interval"])
        if book is None or minutes is None:
            return
        candles = self.service.market.tapes[book.instrument.symbol].candles(minutes * 60_000, 1)
        if candles:
            i, c, now = book.instrument, candles[-1], self.service.clock.milliseconds()
            price, lots, worth = i.price_decimals, i.quantity_decimals, value_decimals(i)
            end = c.open_time + minutes * 60_000 - 1
            channel.send(_encode({"e": "kline", "E": now, "s": i.symbol, "k": {
                "t": c.open_time, "T": end, "s": i.symbol, "i": match["interval"], "f": c.first_trade_id,
                "L": c.last_trade_id, "o": text(c.open, price), "c": text(c.close, price), "h": text(c.high, price),
                "l": text(c.low, price), "v": text(c.volume, lots), "n": c.trades, "x": now > end,
                "q": text(c.quote_volume, worth), "V": text(c.taker_buy_volume, lots),
                "Q": text(c.taker_buy_quote, worth), "B": "0"}}))

    def _average(self, book: Book) -> dict:
        return {"e": "avgPrice", "E": self.service.clock.milliseconds(), "s": book.instrument.symbol, "i": "5m",
                "w": text(recent_average(self.service.market, book.instrument)), "T": book.now}

    def _marks(self, channel: Channel, name: str, book: Book | None) -> None:
        """Of a symbol, or of all contracts of a pair (COIN-M)."""
        if book is not None:
            channel.send(_encode(self._mark_price(book)))
            return
        listed = [one for one in self.service.market.books.values() if one.instrument.words.get("pair") == name]
        if listed:
            channel.send(_encode([self._mark_price(one) for one in listed]))

    def _mark_price(self, book: Book) -> dict:
        now = self.service.clock.milliseconds()
        mark = text(self.service.market.mark_price(book.instrument.symbol))
        dated = book.instrument.delivery
        return {"e": "markPriceUpdate", "E": now, "s": book.instrument.symbol, "p": mark, "ap": mark, "P": mark,
                "i": mark, "r": "" if dated else "0.00010000", "T": 0 if dated else next_funding(now), "st": self.kind}

    def _day(self, book: Book, kind: str) -> dict:
        i, now = book.instrument, self.service.clock.milliseconds()
        day = self.service.market.tapes[i.symbol].day()
        price, lots = i.price_decimals, i.quantity_decimals
        out = {"e": "24hrTicker" if kind == "ticker" else "24hrMiniTicker", "E": now, "s": i.symbol}
        if i.inverse:
            out["ps"] = i.words["pair"]
        if kind == "ticker":
            bid, bid_quantity, ask, ask_quantity = book.best()
            out.update({"p": text(day.close - day.open, price),
                        "P": text(quotient((day.close - day.open) * 100, day.open), 3),
                        "w": text(average(i, day), price), "Q": "0", "b": text(bid, price),
                        "B": text(bid_quantity, lots), "a": text(ask, price), "A": text(ask_quantity, lots),
                        "O": now - 86_400_000, "C": now, "F": day.first_trade_id, "L": day.last_trade_id,
                        "n": day.trades})
        out.update({"c": text(day.close, price), "o": text(day.open, price), "h": text(day.high, price),
                    "l": text(day.low, price), "v": text(day.volume, lots), "q": short(day.quote_volume)})
        return out


def _quantities(side) -> dict[int, int]:
    return {price: level.quantity for price, level in side.levels.items()}


def _difference(instrument, before: dict[int, int], after: dict[int, int]) -> list:
    prices = [p for p in before.keys() | after.keys() if before.get(p, 0) != after.get(p, 0)]
    return [[text(p, instrument.price_decimals), text(after.get(p, 0), instrument.quantity_decimals)]
            for p in sorted(prices)]
