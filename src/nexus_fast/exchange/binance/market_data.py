"""Names of Binance's streams, and what comes over them besides quotes (those are parsed in C)."""

import time
from collections.abc import Callable

import msgspec
from msgspec import Raw, Struct, field

from nexus_fast.constants import BookLevel, DataType, ExchangeType, KlineInterval, OrderSide
from nexus_fast.error import KlineSupportedError, SubscriptionError
from nexus_fast.exchange.rows import finite, usable
from nexus_fast.schema import BookL2, BookOrderData, FundingRate, IndexPrice, Kline, MarkPrice, Trade

INTERVALS = {
    "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M",
}  # fmt: skip
DEPTHS = {"5", "10", "20"}


def stream_name(family: str, data_type: DataType, venue_symbol: str, **options) -> str:
    """The stream of one symbol. Raises SubscriptionError for data that the market does not have."""
    name = venue_symbol.lower()
    if data_type is DataType.BOOKL1:
        return f"{name}@bookTicker"
    if data_type is DataType.TRADE:
        return f"{name}@trade" if family == "spot" else f"{name}@aggTrade"
    if data_type is DataType.BOOKL2:
        return f"{name}@depth{_depth(options['level'])}@100ms"
    if data_type is DataType.KLINE:
        return f"{name}@kline_{_interval(family, options['interval'])}"
    if data_type in (DataType.MARK_PRICE, DataType.FUNDING_RATE, DataType.INDEX_PRICE) and family != "spot":
        return f"{name}@markPrice@1s"
    raise SubscriptionError(f"Binance {family} has no {data_type.value} stream for {venue_symbol}")


def _depth(level: BookLevel) -> str:
    if level.value not in DEPTHS:
        raise SubscriptionError(f"Binance has depth snapshots of 5, 10 and 20 levels, not {level.value}")
    return level.value


def _interval(family: str, interval: KlineInterval) -> str:
    if interval.value not in INTERVALS or (family != "spot" and interval.value == "1s"):
        raise KlineSupportedError(f"Binance {family} has no bars of {interval.value}")
    return interval.value


class _Envelope(Struct):
    e: str | None = None
    data: Raw = Raw()
    stream: str = ""


class _Trade(Struct):
    event_time: int = field(name="E")
    symbol: str = field(name="s")
    price: str = field(name="p")
    quantity: str = field(name="q")
    time: int = field(name="T")
    buyer_is_maker: bool = field(name="m")


class _Bar(Struct):
    start: int = field(name="t")
    interval: str = field(name="i")
    open: str = field(name="o")
    close: str = field(name="c")
    high: str = field(name="h")
    low: str = field(name="l")
    volume: str = field(name="v")
    confirm: bool = field(name="x")
    quote_volume: str = field(name="q")
    taker_volume: str = field(name="V")
    taker_quote_volume: str = field(name="Q")


class _Kline(Struct):
    event_time: int = field(name="E")
    symbol: str = field(name="s")
    bar: _Bar = field(name="k")


class _Mark(Struct):
    event_time: int = field(name="E")
    symbol: str = field(name="s")
    price: str | None = field(name="p", default=None)
    rate: str | None = field(name="r", default=None)
    next_funding: int = field(name="T", default=0)
    index: str | None = field(name="i", default=None)


class _Depth(Struct):
    """Partial depth: futures have b and a, spot has bids and asks."""

    event_time: int = field(name="E", default=0)
    symbol: str = field(name="s", default="")
    b: list[tuple[str, str]] = []
    a: list[tuple[str, str]] = []
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []


_envelope = msgspec.json.Decoder(_Envelope)
_trade, _kline, _mark, _depth_decoder = (msgspec.json.Decoder(kind) for kind in (_Trade, _Kline, _Mark, _Depth))
EXCHANGE = ExchangeType.BINANCE


def decode(family: str, payload: bytes | Raw, symbol_of: Callable[[str], str | None]) -> list:
    """Schema objects of one message. `symbol_of` gives our name of a venue symbol, None for one that is not listed."""
    envelope = _envelope.decode(payload)
    if envelope.data:
        if family == "spot" and "@depth" in envelope.stream:
            return _spot_depth(envelope.data, symbol_of(envelope.stream.partition("@")[0].upper()))
        return decode(family, envelope.data, symbol_of)
    convert = _CONVERTERS.get(envelope.e or "")
    return convert(payload, symbol_of) if convert else []


def _trades(payload, symbol_of) -> list:
    trade = _trade.decode(payload)
    symbol = symbol_of(trade.symbol)
    side = OrderSide.SELL if trade.buyer_is_maker else OrderSide.BUY
    return [Trade(EXCHANGE, side, symbol, finite(trade.price), finite(trade.quantity), trade.time)] if symbol else []


def _klines(payload, symbol_of) -> list:
    kline = _kline.decode(payload)
    bar, symbol = kline.bar, symbol_of(kline.symbol)
    if symbol is None:
        return []
    return [
        Kline(
            exchange=EXCHANGE,
            symbol=symbol,
            interval=KlineInterval(bar.interval),
            open=finite(bar.open),
            high=finite(bar.high),
            low=finite(bar.low),
            close=finite(bar.close),
            volume=finite(bar.volume),
            quote_volume=finite(bar.quote_volume),
            taker_volume=finite(bar.taker_volume),
            taker_quote_volume=finite(bar.taker_quote_volume),
            start=bar.start,
            timestamp=kline.event_time,
            confirm=bar.confirm,
        )
    ]


def _marks(payload, symbol_of) -> list:
    mark = _mark.decode(payload)
    symbol = symbol_of(mark.symbol)
    if symbol is None:
        return []
    makes: list = []
    if mark.price:
        makes.append(lambda: MarkPrice(EXCHANGE, symbol, finite(mark.price), mark.event_time))
    if mark.index:
        makes.append(lambda: IndexPrice(EXCHANGE, symbol, finite(mark.index), mark.event_time))
    if mark.rate:                        # empty for what has no funding
        makes.append(lambda: FundingRate(EXCHANGE, symbol, finite(mark.rate), mark.event_time, mark.next_funding))
    return usable("Binance marks", symbol, *makes)


def _depths(payload, symbol_of) -> list:
    depth = _depth_decoder.decode(payload)
    symbol = symbol_of(depth.symbol)
    if symbol is None:
        return []
    bids = [BookOrderData(float(price), float(size)) for price, size in depth.b]
    asks = [BookOrderData(float(price), float(size)) for price, size in depth.a]
    return [BookL2(EXCHANGE, symbol, bids, asks, depth.event_time)]


def _spot_depth(payload, symbol) -> list:
    """Spot sends neither symbol nor time: the symbol is the stream's, the time ours."""
    if symbol is None:
        return []
    depth = _depth_decoder.decode(payload)
    bids = [BookOrderData(float(price), float(size)) for price, size in depth.bids]
    asks = [BookOrderData(float(price), float(size)) for price, size in depth.asks]
    return [BookL2(EXCHANGE, symbol, bids, asks, time.time_ns() // 1_000_000)]


_CONVERTERS = {
    "trade": _trades,
    "aggTrade": _trades,
    "kline": _klines,
    "markPriceUpdate": _marks,
    "depthUpdate": _depths,
}
