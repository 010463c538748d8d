"""Questions to Binance by REST, spot and USD-M, answered with schema objects.

Sources: developers.binance.com, market data and account endpoints of spot (/api/v3) and USD-M futures (/fapi/v1).
Every method raises VenueError for the venue's refusal and for an answer that cannot be read, ConnectionError and
TimeoutError when no answer came.
"""

import asyncio
import time
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from nexus_fast.constants import (
    ExchangeType,
    KlineInterval,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)
from nexus_fast.error import KlineSupportedError, SubscriptionError, VenueError
from nexus_fast.exchange.binance.instruments import TYPES
from nexus_fast.exchange.binance.market_data import INTERVALS
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.gateway.rest import BinanceRest
from nexus_fast.schema import Kline, KlineList, Order, Ticker

EXCHANGE = ExchangeType.BINANCE
PATHS = {
    "spot": {
        "ticker": "/api/v3/ticker/24hr",
        "klines": "/api/v3/klines",
        "order": "/api/v3/order",
        "open_orders": "/api/v3/openOrders",
        "recent_trades": "/api/v3/myTrades",
    },
    "usd_m": {
        "ticker": "/fapi/v1/ticker/24hr",
        "klines": "/fapi/v1/klines",
        "index_klines": "/fapi/v1/indexPriceKlines",
        "order": "/fapi/v1/order",
        "open_orders": "/fapi/v1/openOrders",
        "recent_trades": "/fapi/v1/userTrades",
    },
}
LARGEST_PAGE = {"spot": 1000, "usd_m": 1500}        # bars in one answer
DEFAULT_BARS = 500                                  # the venue's own default
LARGEST_TRADES = 1000
AT_ONCE = 4                                         # symbols whose bars are asked for at the same time
NO_SUCH_ORDER = -2013

KLINE_FIELDS = [
    "timestamp", "symbol", "open", "high", "low", "close", "volume", "quote_volume", "taker_volume",
    "taker_quote_volume", "confirm",
]  # fmt: skip
INDEX_FIELDS = ["timestamp", "symbol", "open", "high", "low", "close", "confirm"]

STATUSES = {
    "NEW": OrderStatus.ACCEPTED,
    "PENDING_NEW": OrderStatus.ACCEPTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "PENDING_CANCEL": OrderStatus.CANCELING,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.FAILED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}
# TAKE_PROFIT means a market order on spot and a limit order on USD-M. A trailing stop has no type of ours: None.
ORDER_TYPES = {
    "spot": {
        "LIMIT": OrderType.LIMIT,
        "MARKET": OrderType.MARKET,
        "LIMIT_MAKER": OrderType.POST_ONLY,
        "STOP_LOSS": OrderType.STOP_LOSS_MARKET,
        "STOP_LOSS_LIMIT": OrderType.STOP_LOSS_LIMIT,
        "TAKE_PROFIT": OrderType.TAKE_PROFIT_MARKET,
        "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT_LIMIT,
    },
    "usd_m": {
        "LIMIT": OrderType.LIMIT,
        "MARKET": OrderType.MARKET,
        "STOP": OrderType.STOP_LOSS_LIMIT,
        "STOP_MARKET": OrderType.STOP_LOSS_MARKET,
        "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
        "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT_MARKET,
    },
}
# GTX is USD-M's word for post-only; a GTD order has no time in force of ours: None.
TIMES_IN_FORCE = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "GTX": TimeInForce.GTC}
POSITION_SIDES = {"LONG": PositionSide.LONG, "SHORT": PositionSide.SHORT}


class _Ticker(Struct, rename="camel"):
    symbol: str
    last_price: str
    volume: str
    quote_volume: str
    close_time: int


class _Bar(Struct, array_like=True):
    """One row of klines and indexPriceKlines; the latter's volumes are placeholders."""

    start: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    end: int
    quote_volume: str
    trades: int
    taker_volume: str
    taker_quote_volume: str


class _Order(Struct, rename="camel"):
    """GET order and openOrders. Spot has cummulativeQuoteQty (their spelling), USD-M cumQuote and avgPrice."""

    symbol: str
    order_id: int
    client_order_id: str
    price: Decimal
    orig_qty: Decimal
    executed_qty: Decimal
    status: str
    type: str
    side: OrderSide
    time_in_force: str
    update_time: int
    stop_price: Decimal = Decimal(0)
    cummulative_quote_qty: Decimal | None = None
    cum_quote: Decimal | None = None
    reduce_only: bool | None = None
    position_side: str = "BOTH"


class _Fill(Struct, rename="camel"):
    """A row of myTrades and userTrades. The taker's side: isBuyer on spot, side on USD-M."""

    symbol: str
    order_id: int
    price: Decimal
    qty: Decimal
    quote_qty: Decimal
    commission: Decimal
    commission_asset: str
    time: int
    side: OrderSide | None = None
    is_buyer: bool | None = None
    position_side: str = "BOTH"


_ticker, _tickers = msgspec.json.Decoder(_Ticker), msgspec.json.Decoder(list[_Ticker])
_bars = msgspec.json.Decoder(list[_Bar])
_order, _orders = msgspec.json.Decoder(_Order), msgspec.json.Decoder(list[_Order])
_fills = msgspec.json.Decoder(list[_Fill])


class BinanceRequests:
    """rest: with the account's key for the questions about orders, without one for market data."""

    def __init__(self, rest: BinanceRest, family: str, instruments: InstrumentTable):
        self._rest = rest
        self._family = family
        self._instruments = instruments

    # ------------------------------------------------------------------------------------------ market data

    async def ticker(self, instrument: Instrument) -> Ticker:
        """24 hours of one symbol."""
        path = PATHS[self._family]["ticker"]
        return _as_ticker(await self._get(_ticker, path, {"symbol": instrument.venue_symbol}), instrument.symbol)

    async def all_tickers(self) -> dict[str, Ticker]:
        """Of every symbol of this market that was loaded, by our symbol."""
        found = {}
        for ticker in await self._get(_tickers, PATHS[self._family]["ticker"], {}):
            instrument = self._instruments.by_venue_symbol(EXCHANGE, TYPES[self._family], ticker.symbol)
            if instrument is not None:
                found[instrument.symbol] = _as_ticker(ticker, instrument.symbol)
        return found

    async def klines(
        self,
        instruments: list[Instrument],
        interval: KlineInterval,
        limit: int | None = None,
        start_time: int | None = None,
        end_time: int | None = None,
    ) -> KlineList:
        """Bars whose start lies in start_time … end_time (ms, both included), symbol after symbol, oldest first.

        limit: at most so many of each symbol: the first ones from start_time on, without start_time the last ones.
        Without limit: all of them from start_time on, without start_time the last 500. As many pages as it takes.
        """
        return await self._all_bars("klines", instruments, interval, limit, start_time, end_time)

    async def index_klines(
        self,
        instruments: list[Instrument],
        interval: KlineInterval,
        limit: int | None = None,
        start_time: int | None = None,
        end_time: int | None = None,
    ) -> KlineList:
        """As klines, of the index price; without volumes. Raises SubscriptionError on spot, which has no index."""
        if "index_klines" not in PATHS[self._family]:
            names = ", ".join(instrument.symbol for instrument in instruments)
            raise SubscriptionError(
                f"request_index_klines({names}): Binance {self._family} has no index price; ask for the USD-M perpetual "
                "(…-PERP.BINANCE), or request_klines for the traded prices."
            )
        return await self._all_bars("index_klines", instruments, interval, limit, start_time, end_time)

    async def _all_bars(
        self,
        name: str,
        instruments: list[Instrument],
        interval: KlineInterval,
        limit: int | None,
        start: int | None,
        end: int | None,
    ) -> KlineList:
        _check_bars(self._family, interval, limit, start, end)
        gate = asyncio.Semaphore(AT_ONCE)

        async def bars_of(instrument: Instrument) -> list[Kline]:
            async with gate:
                walk = self._backwards if start is None else self._forwards
                rows = await walk(name, instrument, interval, limit, start, end)
            return [_as_kline(row, instrument.symbol, interval, with_volumes=name == "klines") for row in rows]

        lists = await asyncio.gather(*(bars_of(instrument) for instrument in instruments))
        fields = KLINE_FIELDS if name == "klines" else INDEX_FIELDS
        return KlineList([bar for bars in lists for bar in bars], fields)

    async def _forwards(self, name, instrument, interval, limit, start, end) -> list[_Bar]:
        """Page after page from start on, until the limit, the end or a page that is not full."""
        rows: list[_Bar] = []
        while limit is None or len(rows) < limit:
            size = LARGEST_PAGE[self._family] if limit is None else min(LARGEST_PAGE[self._family], limit - len(rows))
            page = await self._page(name, instrument, interval, size, start, end)
            # Only what is new and asked for: a page that brings nothing of it ends the walk, whatever the venue does.
            new = [row for row in page if row.start >= start and (end is None or row.start <= end)]
            rows += new
            if len(page) < size or not new:
                break
            start = new[-1].start + 1
        return rows

    async def _backwards(self, name, instrument, interval, limit, start, end) -> list[_Bar]:
        """The last bars up to the end, newest page first."""
        rows: list[_Bar] = []
        limit = DEFAULT_BARS if limit is None else limit
        while len(rows) < limit:
            size = min(LARGEST_PAGE[self._family], limit - len(rows))
            page = await self._page(name, instrument, interval, size, None, end)
            new = [row for row in page if end is None or row.start <= end]
            rows = new + rows
            if len(page) < size or not new:
                break
            end = new[0].start - 1
        return rows

    async def _page(self, name, instrument, interval, size, start, end) -> list[_Bar]:
        params: dict[str, Any] = {"symbol": instrument.venue_symbol}
        if name == "index_klines":
            # A pair has one index: that of BTCUSDT_260626 is BTCUSDT's.
            params = {"pair": instrument.venue_symbol.partition("_")[0]}
        params.update(interval=interval.value, limit=size)
        if start is not None:
            params["startTime"] = start
        if end is not None:
            params["endTime"] = end
        return await self._get(_bars, PATHS[self._family][name], params)

    # ------------------------------------------------------------------------------------------ the account

    async def order(self, instrument: Instrument, oid: str) -> Order | None:
        """The order of this client id as the venue has it; None when the venue says that it knows none."""
        params = {"symbol": instrument.venue_symbol, "origClientOrderId": oid}
        try:
            found = await self._get(_order, PATHS[self._family]["order"], params, signed=True)
        except VenueError as error:
            if error.code == NO_SUCH_ORDER:
                return None
            raise
        return self._as_order(found, instrument)

    async def open_orders(self, instrument: Instrument) -> list[Order]:
        """Everything of the account that is open on the symbol, whoever placed it."""
        params = {"symbol": instrument.venue_symbol}
        found = await self._get(_orders, PATHS[self._family]["open_orders"], params, signed=True)
        return [self._as_order(order, instrument) for order in found]

    async def recent_trades(self, instrument: Instrument, limit: int = 50) -> list[Order]:
        """The account's last fills, newest first, each as an order that consists of that fill alone: amount, filled
        and last_filled are the fill's, eid is the venue's id of its order; oid, type and price are not told."""
        if not 0 < limit <= LARGEST_TRADES:
            raise ValueError(f"fetch_recent_trades(limit={limit}): Binance gives 1 to {LARGEST_TRADES} fills")
        params = {"symbol": instrument.venue_symbol, "limit": limit}
        fills = await self._get(_fills, PATHS[self._family]["recent_trades"], params, signed=True)
        return [_as_filled(fill, instrument) for fill in reversed(fills)]

    # ------------------------------------------------------------------------------------------ reading

    async def _get(self, decoder: Any, path: str, params: dict[str, Any], *, signed: bool = False) -> Any:
        body = await self._rest.get(path, params, signed=signed)
        try:
            return decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise VenueError("unreadable", f"the answer to GET {path} cannot be used: {error}", venue="binance") from None

    def _as_order(self, order: _Order, instrument: Instrument) -> Order:
        status = STATUSES.get(order.status)
        if status is None:
            raise VenueError("unreadable", f"order {order.client_order_id}: unknown status {order.status}", venue="binance")
        cost = order.cummulative_quote_qty if order.cummulative_quote_qty is not None else order.cum_quote
        if cost is not None and cost < 0:
            cost = None                  # spot's way to say that it is not known for an old order
        kind = ORDER_TYPES[self._family].get(order.type)
        if order.type == "LIMIT" and order.time_in_force == "GTX":
            kind = OrderType.POST_ONLY
        return Order(
            exchange=EXCHANGE,
            symbol=instrument.symbol,
            status=status,
            oid=order.client_order_id,
            eid=str(order.order_id),
            amount=order.orig_qty,
            filled=order.executed_qty,
            timestamp=order.update_time,
            type=kind,
            side=order.side,
            time_in_force=TIMES_IN_FORCE.get(order.time_in_force),
            price=float(order.price) or None,
            trigger_price=float(order.stop_price) or None,
            average=float(cost / order.executed_qty) if cost and order.executed_qty else None,
            remaining=order.orig_qty - order.executed_qty,
            cum_cost=cost,
            reduce_only=bool(order.reduce_only),
            position_side=POSITION_SIDES.get(order.position_side),
        )


def _check_bars(family: str, interval: KlineInterval, limit: int | None, start: int | None, end: int | None) -> None:
    if interval.value not in INTERVALS or (family != "spot" and interval is KlineInterval.SECOND_1):
        raise KlineSupportedError(f"Binance {family} has no bars of {interval.value}")
    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit}: ask for at least one bar, or leave it out")
    if start is not None and end is not None and start > end:
        raise ValueError(f"start_time={start} lies after end_time={end}; both are milliseconds since 1970")


def _as_ticker(ticker: _Ticker, symbol: str) -> Ticker:
    return Ticker(
        exchange=EXCHANGE,
        symbol=symbol,
        last_price=float(ticker.last_price),
        timestamp=ticker.close_time,
        volume=float(ticker.volume),
        volumeCcy=float(ticker.quote_volume),
    )


def _as_kline(row: _Bar, symbol: str, interval: KlineInterval, *, with_volumes: bool) -> Kline:
    now = time.time_ns() // 1_000_000
    volumes = {}
    if with_volumes:
        volumes = {
            "volume": float(row.volume),
            "quote_volume": float(row.quote_volume),
            "taker_volume": float(row.taker_volume),
            "taker_quote_volume": float(row.taker_quote_volume),
        }
    return Kline(
        exchange=EXCHANGE,
        symbol=symbol,
        interval=interval,
        open=float(row.open),
        high=float(row.high),
        low=float(row.low),
        close=float(row.close),
        start=row.start,
        timestamp=now,
        confirm=row.end < now,
        **volumes,
    )


def _as_filled(fill: _Fill, instrument: Instrument) -> Order:
    side = fill.side or (OrderSide.BUY if fill.is_buyer else OrderSide.SELL)
    return Order(
        exchange=EXCHANGE,
        symbol=instrument.symbol,
        status=OrderStatus.FILLED,
        eid=str(fill.order_id),
        amount=fill.qty,
        filled=fill.qty,
        timestamp=fill.time,
        side=side,
        average=float(fill.price),
        last_filled_price=float(fill.price),
        last_filled=fill.qty,
        remaining=Decimal(0),
        fee=fill.commission,
        fee_currency=fill.commission_asset,
        cost=fill.quote_qty,
        cum_cost=fill.quote_qty,
        position_side=POSITION_SIDES.get(fill.position_side),
    )
