"""Names of Bybit's public topics, and what comes over them besides quotes (those are parsed in C).

Source: bybit-exchange.github.io/docs/v5/websocket/public. A message is {"topic":…,"type":"snapshot"|"delta","ts":…,"data":…}.
Tickers of contracts and depth come as a snapshot and then as what has changed: MarketData keeps both together.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from nexus_fast.constants import BookLevel, DataType, ExchangeType, KlineInterval, OrderSide
from nexus_fast.error import KlineSupportedError, SubscriptionError
from nexus_fast.exchange.rows import Rows, finite, usable
from nexus_fast.feed.ladder import Ladder
from nexus_fast.schema import FundingRate, IndexPrice, Kline, MarkPrice, Trade

EXCHANGE = ExchangeType.BYBIT
# The venue counts minutes; days, weeks and months are letters.
INTERVALS = {
    "1m": "1", "3m": "3", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "2h": "120", "4h": "240", "6h": "360",
    "12h": "720", "1d": "D", "1w": "W", "1M": "M",
}  # fmt: skip
OUR_INTERVALS = {theirs: KlineInterval(ours) for ours, theirs in INTERVALS.items()}
DEPTH = 50                       # levels of depth; the venue has 1, 50, 200 and 1000
TICKER_DATA = (DataType.MARK_PRICE, DataType.INDEX_PRICE, DataType.FUNDING_RATE)
SIDES = {"Buy": OrderSide.BUY, "Sell": OrderSide.SELL}


def topic_name(category: str, data_type: DataType, venue_symbol: str, **options: Any) -> str:
    """The topic of one symbol. Raises SubscriptionError for data that the market does not have."""
    if data_type is DataType.BOOKL1:
        return f"orderbook.1.{venue_symbol}"
    if data_type is DataType.TRADE:
        return f"publicTrade.{venue_symbol}"
    if data_type is DataType.BOOKL2:
        return f"orderbook.{_depth(options['level'])}.{venue_symbol}"
    if data_type is DataType.KLINE:
        return f"kline.{interval_name(options['interval'])}.{venue_symbol}"
    if data_type in TICKER_DATA and category != "spot":
        return f"tickers.{venue_symbol}"
    raise SubscriptionError(f"Bybit {category} has no {data_type.value} topic for {venue_symbol}")


def _depth(level: BookLevel) -> int:
    if level.value != str(DEPTH):
        raise SubscriptionError(f"Bybit has depth of {DEPTH} levels (BookLevel.L50), not of {level.value}")
    return DEPTH


def interval_name(interval: KlineInterval) -> str:
    name = INTERVALS.get(interval.value)
    if name is None:
        raise KlineSupportedError(f"Bybit has no bars of {interval.value}; it has {', '.join(INTERVALS)}")
    return name


class _Message(Struct):
    topic: str = ""
    type: str = ""
    ts: int = 0
    data: Raw = Raw()


class _Trade(Struct):
    time: int = field(name="T")
    symbol: str = field(name="s")
    side: str = field(name="S")
    quantity: str = field(name="v")
    price: str = field(name="p")


class _Bar(Struct):
    start: int
    interval: str
    open: str
    close: str
    high: str
    low: str
    volume: str
    turnover: str
    confirm: bool
    timestamp: int


class _Ticker(Struct, rename="camel"):
    symbol: str = ""
    mark_price: str | None = ""
    index_price: str | None = ""
    funding_rate: str | None = ""
    next_funding_time: str | None = ""


class _Depth(Struct):
    s: str = ""
    b: list[tuple[str, str]] = []
    a: list[tuple[str, str]] = []


_message, _ticker, _book = (msgspec.json.Decoder(kind) for kind in (_Message, _Ticker, _Depth))
_trades, _bars = Rows(_Trade, "Bybit trades", "s"), Rows(_Bar, "Bybit bars", "start")


class MarketData:
    """What is known of tickers and depth. `forget` when their connection is lost: the next message is a snapshot again."""

    def __init__(self) -> None:
        self._tickers: dict[str, _Ticker] = {}
        self._ladders: dict[str, Ladder] = {}
        self._converters = {
            "publicTrade": self._on_trades,
            "kline": self._on_bars,
            "tickers": self._on_ticker,
            "orderbook": self._on_depth,
        }

    def forget(self) -> None:
        self._tickers.clear()
        self._ladders.clear()

    def decode(self, payload: bytes, symbol_of: Callable[[str], str | None]) -> list:
        """Schema objects of one message. `symbol_of` gives our name of a venue symbol, None for one that is not listed."""
        message = _message.decode(payload)
        kind, _, rest = message.topic.partition(".")
        convert = self._converters.get(kind)
        symbol = symbol_of(rest.rpartition(".")[2]) if convert else None
        return convert(message, symbol) if convert and symbol else []

    def _on_trades(self, message: _Message, symbol: str) -> list:
        return _trades.decode(
            message.data,
            lambda t: Trade(EXCHANGE, SIDES[t.side], symbol, finite(t.price), finite(t.quantity), t.time),
        )

    def _on_bars(self, message: _Message, symbol: str) -> list:
        return _bars.decode(
            message.data,
            lambda bar: Kline(
                exchange=EXCHANGE,
                symbol=symbol,
                interval=OUR_INTERVALS[bar.interval],
                open=finite(bar.open),
                high=finite(bar.high),
                low=finite(bar.low),
                close=finite(bar.close),
                volume=finite(bar.volume),
                quote_volume=finite(bar.turnover),
                turnover=finite(bar.turnover),
                start=bar.start,
                timestamp=bar.timestamp,
                confirm=bar.confirm,
            ),
        )

    def _on_ticker(self, message: _Message, symbol: str) -> list:
        """Only what the message says anew; the funding rate with the time that is known from before."""
        new = _ticker.decode(message.data)
        known = self._tickers.get(symbol)
        if message.type == "snapshot" or known is None:
            known = self._tickers[symbol] = _Ticker()
        for name in ("mark_price", "index_price", "funding_rate", "next_funding_time"):
            if getattr(new, name):
                setattr(known, name, getattr(new, name))
        makes: list = []
        if new.mark_price:
            makes.append(lambda: MarkPrice(EXCHANGE, symbol, finite(new.mark_price), message.ts))
        if new.index_price:
            makes.append(lambda: IndexPrice(EXCHANGE, symbol, finite(new.index_price), message.ts))
        if (new.funding_rate or new.next_funding_time) and known.funding_rate and known.next_funding_time:
            rate, following = known.funding_rate, known.next_funding_time
            makes.append(lambda: FundingRate(EXCHANGE, symbol, finite(rate), message.ts, int(following)))
        return usable("Bybit tickers", symbol, *makes)

    def _on_depth(self, message: _Message, symbol: str) -> list:
        snapshot = message.type == "snapshot"
        ladder = self._ladders.get(symbol)
        if ladder is None:
            if not snapshot:
                return []                # what has changed of a book that is not known
            ladder = self._ladders[symbol] = Ladder()
        depth = _book.decode(message.data)
        ladder.apply(depth.b, depth.a, anew=snapshot)
        return [ladder.book(EXCHANGE, symbol, DEPTH, message.ts)]
