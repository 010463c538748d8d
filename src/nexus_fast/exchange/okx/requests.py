"""Questions to OKX by REST, answered with schema objects.

Sources: www.okx.com/docs-v5, order-book-trading-market-data-get-*, public-data-rest-api-get-index-candlesticks,
order-book-trading-trade-get-*. Every method raises VenueError for the venue's refusal and for an answer that cannot be read,
ConnectionError and TimeoutError when no answer came.
"""

import asyncio
import time
from typing import Any

from nexus_fast.answers import reading
from nexus_fast.constants import KlineInterval
from nexus_fast.error import VenueError
from nexus_fast.exchange.bars import INDEX_KLINES, KLINES, BarRequests
from nexus_fast.exchange.instrument import InstrumentTable
from nexus_fast.exchange.okx import answers
from nexus_fast.exchange.okx.instruments import ALL_TYPES, KINDS, OkxInstrument
from nexus_fast.exchange.okx.market_data import as_kline, bar_of
from nexus_fast.exchange.okx.outcomes import QUERY_NO_SUCH_ORDER
from nexus_fast.exchange.okx.snapshot import HISTORY_PATH, ORDER_PATH, PENDING_PATH
from nexus_fast.exchange.rows import first, require_asked_for, whole
from nexus_fast.gateway.okx_rest import OkxRest
from nexus_fast.schema import Kline, Order, Ticker

TICKER_PATH = "/api/v5/market/ticker"
TICKERS_PATH = "/api/v5/market/tickers"
FILLS_PATH = "/api/v5/trade/fills-history"
# The first path has the last RECENT_BARS bars, the second those of years.
BAR_PATHS = {
    KLINES: ("/api/v5/market/candles", "/api/v5/market/history-candles"),
    INDEX_KLINES: ("/api/v5/market/index-candles", "/api/v5/market/history-index-candles"),
}
LARGEST_PAGE = {KLINES: 300, INDEX_KLINES: 100}
RECENT_BARS = 1440
DEFAULT_BARS = 100                                  # the venue's own default
LARGEST_TRADES = 100
SHORTEST_MONTH_MS = 28 * 86_400_000


class OkxRequests(BarRequests):
    """rest: with the account's key for the questions about orders, without one for market data."""

    volume_fields = ("volume", "quote_volume")

    def __init__(self, rest: OkxRest, instruments: InstrumentTable):
        self._rest = rest
        self._instruments = instruments

    # ------------------------------------------------------------------------------------------ market data

    async def ticker(self, instrument: OkxInstrument) -> Ticker:
        """24 hours of one symbol. Volumes of contracts: contracts, and the base currency."""

        def convert(row: answers.TickerAnswer) -> Ticker:
            return answers.as_ticker(row, instrument.symbol)

        found = await self._get(answers.TICKERS, TICKER_PATH, {"instId": instrument.venue_symbol}, convert=convert)
        return first(found, TICKER_PATH, f"ticker of {instrument.symbol}", "okx")

    async def all_tickers(self) -> dict[str, Ticker]:
        """Of every symbol that was loaded, by our symbol."""

        def ours(row: answers.TickerAnswer) -> Ticker | None:
            instrument = self._find(row.inst_id)
            return None if instrument is None else answers.as_ticker(row, instrument.symbol)

        questions = (self._get(answers.TICKERS, TICKERS_PATH, {"instType": kind}, convert=ours) for kind in KINDS)
        return {ticker.symbol: ticker for tickers in await asyncio.gather(*questions) for ticker in tickers}

    def _find(self, inst_id: str) -> Any:
        kinds = (self._instruments.by_venue_symbol(answers.EXCHANGE, kind, inst_id) for kind in ALL_TYPES)
        return next((instrument for instrument in kinds if instrument is not None), None)

    def check_bars(self, kind: str, instruments: list[Any], interval: KlineInterval) -> None:
        bar_of(interval)

    async def bars_of(self, kind, instrument, interval, limit, start, end) -> list[Kline]:
        walk = self._backwards if start is None else self._forwards
        with whole(f"bars of {instrument.symbol}", "okx"):
            rows = await walk(kind, instrument, interval, limit, start, end)
            return [as_kline(row, instrument.symbol, interval) for row in rows]

    async def _forwards(self, name, instrument, interval, limit, start, end) -> list[list[str]]:
        """Window after window from start on: the venue counts its pages from the newest bar, so each window is a page long."""
        rows: list[list[str]] = []
        last = _now() if end is None else min(end, _now())
        width = LARGEST_PAGE[name] * _shortest(interval)
        while start <= last and (limit is None or len(rows) < limit):
            until = min(start + width, last + 1)
            rows += await self._page(name, instrument, interval, LARGEST_PAGE[name], start - 1, until)
            start = until
        return rows if limit is None else rows[:limit]

    async def _backwards(self, name, instrument, interval, limit, start, end) -> list[list[str]]:
        """The last bars up to the end, newest page first."""
        rows: list[list[str]] = []
        limit = DEFAULT_BARS if limit is None else limit
        before = None if end is None else end + 1
        while len(rows) < limit:
            size = min(LARGEST_PAGE[name], limit - len(rows))
            page = await self._page(name, instrument, interval, size, None, before)
            rows = page + rows
            if len(page) < size:
                break
            before = int(page[0][0])
        return rows

    async def _page(self, name, instrument, interval, size, newer_than, older_than) -> list[list[str]]:
        """Oldest first, only what was asked for."""
        recent, history = BAR_PATHS[name]
        oldest_recent = _now() - (RECENT_BARS - LARGEST_PAGE[name]) * _shortest(interval)
        edge = newer_than if newer_than is not None else older_than
        params = {
            "instId": instrument.venue_symbol if name == "klines" else instrument.index,
            "bar": bar_of(interval),
            "before": newer_than,
            "after": older_than,
            "limit": size,
        }
        found = await self._get(answers.BARS, recent if edge is None or edge > oldest_recent else history, params)
        new = [
            row
            for row in found
            if (newer_than is None or int(row[0]) > newer_than) and (older_than is None or int(row[0]) < older_than)
        ]
        return sorted(new, key=_start)

    # ------------------------------------------------------------------------------------------ the account

    async def order(self, instrument: OkxInstrument, oid: str) -> Order | None:
        """The order of this client id as the venue has it, open or of the last seven days; None when it knows none."""
        params = {"instId": instrument.venue_symbol, "clOrdId": oid}
        try:
            found = await self._get(answers.ORDERS, ORDER_PATH, params, signed=True)
        except VenueError as error:
            if error.code != QUERY_NO_SUCH_ORDER:
                raise
            params = {"instType": instrument.kind, "instId": instrument.venue_symbol}
            history = await self._get(answers.ORDERS, HISTORY_PATH, params, signed=True)
            found = [order for order in history if order.cl_ord_id == oid]
        with whole(f"order {oid}", "okx"):
            return require_asked_for(answers.as_order(found[0], instrument), oid, "okx") if found else None

    async def open_orders(self, instrument: OkxInstrument) -> list[Order]:
        """Everything of the account that is open on the symbol, whoever placed it."""
        found: list[answers.OrderAnswer] = []
        params = {"instType": instrument.kind, "instId": instrument.venue_symbol, "limit": 100}
        while True:
            page = await self._get(answers.ORDERS, PENDING_PATH, params, signed=True)
            found += page
            if len(page) < 100:
                with whole(f"open orders of {instrument.symbol}", "okx"):
                    return [answers.as_order(order, instrument) for order in found]
            params["after"] = page[-1].ord_id

    async def recent_trades(self, instrument: OkxInstrument, limit: int = 50) -> list[Order]:
        """The account's last fills, newest first, each as an order that consists of that fill alone: amount, filled and
        last_filled are the fill's, eid is the venue's id of its order; type and price are not told."""
        if not 0 < limit <= LARGEST_TRADES:
            raise ValueError(f"fetch_recent_trades(limit={limit}): OKX gives 1 to {LARGEST_TRADES} fills")
        params = {"instType": instrument.kind, "instId": instrument.venue_symbol, "limit": limit}
        fills = await self._get(answers.FILLS, FILLS_PATH, params, signed=True)
        with whole(f"fills of {instrument.symbol}", "okx"):
            return [answers.as_filled(fill, instrument) for fill in sorted(fills, key=_age)]

    # ------------------------------------------------------------------------------------------ reading

    async def _get(self, decoder: Any, path: str, params: dict[str, Any], *, signed: bool = False, convert: Any = None) -> Any:
        body = await self._rest.data(path, params, signed=signed)
        with reading(f"the answer to GET {path}"):
            return decoder.decode(body) if convert is None else decoder.decode(body, convert)


def _shortest(interval: KlineInterval) -> int:
    """Milliseconds of the interval's shortest bar: a window of n times that has n bars at most."""
    return SHORTEST_MONTH_MS if interval is KlineInterval.MONTH_1 else interval.milliseconds


def _now() -> int:
    return time.time_ns() // 1_000_000


def _start(row: list[str]) -> int:
    return int(row[0])


def _age(fill: answers.FillAnswer) -> tuple[int, int]:
    """Newest first; of one millisecond, by the venue's number of the fill."""
    return -int(fill.ts), -int(fill.trade_id)
