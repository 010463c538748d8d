"""Names of OKX's public channels, and what comes over them besides quotes (those are parsed in C).

A topic is "channel:instId". Sizes and volumes of futures and swaps are in contracts, as NexusTrader has them; of spot in the base
currency. Bars begin by UTC.
Source: www.okx.com/docs-v5, order-book-trading-market-data-ws-* and public-data-websocket-*.
"""

import time
from collections.abc import Callable, Iterable

from msgspec import Raw, Struct

from nexus_fast.constants import BookLevel, DataType, ExchangeType, KlineInterval, OrderSide
from nexus_fast.error import KlineSupportedError, SubscriptionError
from nexus_fast.exchange.okx.instruments import OkxInstrument
from nexus_fast.exchange.okx.websocket_api import Message
from nexus_fast.exchange.rows import Rows, finite
from nexus_fast.schema import BookL2, BookOrderData, FundingRate, IndexPrice, Kline, MarkPrice, Trade

EXCHANGE = ExchangeType.OKX
# Bars of six hours and more have a variant whose days begin by UTC; without it they begin by Hong Kong time.
INTERVALS = {
    "1s": "1s", "1m": "1m", "3m": "3m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1H", "2h": "2H", "4h": "4H",
    "6h": "6Hutc", "12h": "12Hutc", "1d": "1Dutc", "3d": "3Dutc", "1w": "1Wutc", "1M": "1Mutc",
}  # fmt: skip
BY_BAR = {bar: KlineInterval(interval) for interval, bar in INTERVALS.items()}
# Five levels come whole; more are told by their changes (depth.py).
BOOKS = {"5": "books5", "10": "books", "20": "books", "50": "books"}
# Our symbols that a channel's instId concerns: one, or for an index all that refer to it.
Symbols = Callable[[str, str], Iterable[str]]


def topic_of(data_type: DataType, instrument: OkxInstrument, **options) -> str:
    """Raises SubscriptionError for data that the instrument does not have."""
    name, spot = instrument.venue_symbol, instrument.is_spot
    if data_type is DataType.BOOKL1:
        return f"bbo-tbt:{name}"
    if data_type is DataType.TRADE:
        return f"trades:{name}"
    if data_type is DataType.BOOKL2:
        return f"{_books(options['level'])}:{name}"
    if data_type is DataType.KLINE:
        return f"candle{bar_of(options['interval'])}:{name}"
    if data_type is DataType.INDEX_PRICE:
        return f"index-tickers:{instrument.index}"
    if data_type is DataType.MARK_PRICE and not spot:
        return f"mark-price:{name}"
    if data_type is DataType.FUNDING_RATE and instrument.has_funding:
        return f"funding-rate:{name}"
    raise SubscriptionError(f"OKX has no {data_type.value} of {instrument.symbol}")


def _books(level: BookLevel) -> str:
    if level.value not in BOOKS:
        raise SubscriptionError(f"OKX has depth snapshots of {', '.join(BOOKS)} levels, not {level.value}")
    return BOOKS[level.value]


def bar_of(interval: KlineInterval) -> str:
    if interval.value not in INTERVALS:
        raise KlineSupportedError(f"OKX has no bars of {interval.value}")
    return INTERVALS[interval.value]


class _Trade(Struct, rename="camel"):
    px: str
    sz: str
    side: str
    ts: str


class _Book(Struct):
    """A level: price, size, a deprecated "0", number of orders."""

    bids: list[list[str]]
    asks: list[list[str]]
    ts: str


class _Mark(Struct, rename="camel"):
    mark_px: str
    ts: str


class _Index(Struct, rename="camel"):
    idx_px: str
    ts: str


class _Funding(Struct, rename="camel"):
    funding_rate: str
    funding_time: str
    ts: str = ""


_trades, _books_decoder, _marks, _indices, _fundings = (
    Rows(kind, f"OKX {what}", "instId")
    for kind, what in ((_Trade, "trades"), (_Book, "books"), (_Mark, "marks"), (_Index, "indices"), (_Funding, "funding rates"))
)
_candles = Rows(list[str], "OKX bars")


def decode(message: Message, symbols: Symbols) -> list:
    """Schema objects of one push; empty for what the engine does not use."""
    if message.arg is None or not message.data:
        return []
    channel, name = message.arg.channel, message.arg.inst_id
    convert = _candle if channel.startswith("candle") else _CONVERTERS.get(channel)
    if convert is None:
        return []
    return [event for symbol in symbols(channel, name) for event in convert(message.data, symbol, channel)]


def _trade(data: Raw, symbol: str, channel: str) -> list:
    sides = {"buy": OrderSide.BUY, "sell": OrderSide.SELL}
    return _trades.decode(data, lambda t: Trade(EXCHANGE, sides[t.side], symbol, finite(t.px), finite(t.sz), int(t.ts)))


def _book(data: Raw, symbol: str, channel: str) -> list:
    return _books_decoder.decode(data, lambda b: BookL2(EXCHANGE, symbol, _levels(b.bids), _levels(b.asks), int(b.ts)))


def _levels(levels: list[list[str]]) -> list[BookOrderData]:
    return [BookOrderData(float(level[0]), float(level[1])) for level in levels]


def _mark(data: Raw, symbol: str, channel: str) -> list:
    return _marks.decode(data, lambda m: MarkPrice(EXCHANGE, symbol, finite(m.mark_px), int(m.ts)))


def _index(data: Raw, symbol: str, channel: str) -> list:
    return _indices.decode(data, lambda i: IndexPrice(EXCHANGE, symbol, finite(i.idx_px), int(i.ts)))


def _funding(data: Raw, symbol: str, channel: str) -> list:
    return _fundings.decode(
        data,
        lambda f: FundingRate(EXCHANGE, symbol, finite(f.funding_rate), int(f.ts) if f.ts else _now(), int(f.funding_time)),
    )


def _candle(data: Raw, symbol: str, channel: str) -> list:
    interval = BY_BAR[channel.removeprefix("candle")]
    return _candles.decode(data, lambda row: as_kline(row, symbol, interval))


def as_kline(row: list[str], symbol: str, interval: KlineInterval) -> Kline:
    """ts, open, high, low, close, volume (contracts or base), in the base currency, in the quote currency, "1" when complete.
    An index has no volumes: ts, open, high, low, close, "1"."""
    volumes = {"volume": finite(row[5]), "quote_volume": finite(row[7])} if len(row) >= 9 else {}
    return Kline(
        exchange=EXCHANGE,
        symbol=symbol,
        interval=interval,
        open=finite(row[1]),
        high=finite(row[2]),
        low=finite(row[3]),
        close=finite(row[4]),
        start=int(row[0]),
        timestamp=_now(),
        confirm=row[-1] == "1",
        **volumes,
    )


def _now() -> int:
    return time.time_ns() // 1_000_000


_CONVERTERS = {
    "trades": _trade,
    "books5": _book,
    "mark-price": _mark,
    "index-tickers": _index,
    "funding-rate": _funding,
}
