"""Questions to Bybit by REST, answered with schema objects.

Sources: bybit-exchange.github.io/docs/v5, market, order and execution. Every method raises VenueError for the venue's refusal
and for an answer that cannot be read, ConnectionError and TimeoutError when no answer came.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from nexus_fast.answers import reading
from nexus_fast.constants import KlineInterval
from nexus_fast.error import SubscriptionError
from nexus_fast.exchange.bars import INDEX_KLINES, KLINES, BarRequests
from nexus_fast.exchange.bybit import answers
from nexus_fast.exchange.bybit.answers import BarAnswer
from nexus_fast.exchange.bybit.instruments import CATEGORIES, TYPES
from nexus_fast.exchange.bybit.market_data import interval_name
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.exchange.rows import first, require_asked_for, whole
from nexus_fast.gateway.bybit_rest import Answer, BybitRest
from nexus_fast.schema import Kline, Order, Ticker

TICKERS_PATH = "/v5/market/tickers"
BAR_PATHS = {KLINES: "/v5/market/kline", INDEX_KLINES: "/v5/market/index-price-kline"}
OPEN_PATH, HISTORY_PATH, FILLS_PATH = "/v5/order/realtime", "/v5/order/history", "/v5/execution/list"
LARGEST_PAGE = 1000             # bars in one answer
DEFAULT_BARS = 200              # the venue's own default
LARGEST_TRADES = 100
PAGE = 50                       # orders in one answer
SHORTEST_MONTH = 28 * 86_400_000


class BybitRequests(BarRequests):
    """rest: with the account's key for the questions about orders, without one for market data. family: the category of a public
    connector, "unified" of the account, whose questions take the instrument's category."""

    volume_fields = ("volume", "quote_volume", "turnover")

    def __init__(self, rest: BybitRest, family: str, instruments: InstrumentTable):
        self._rest = rest
        self._family = family
        self._instruments = instruments

    # ------------------------------------------------------------------------------------------ market data

    async def ticker(self, instrument: Instrument) -> Ticker:
        """24 hours of one symbol."""
        found = await self._tickers(_of(instrument), lambda row: instrument)
        return first(found, TICKERS_PATH, f"ticker of {instrument.symbol}", "bybit")

    async def all_tickers(self) -> dict[str, Ticker]:
        """Of every symbol of this market that was loaded, by our symbol."""

        def find(row: answers.TickerAnswer) -> Instrument | None:
            return self._instruments.by_venue_symbol(answers.EXCHANGE, TYPES[self._family], row.symbol)

        return {ticker.symbol: ticker for ticker in await self._tickers({"category": self._family}, find)}

    async def _tickers(self, params: dict[str, Any], find: Callable[[answers.TickerAnswer], Instrument | None]) -> list[Ticker]:
        """With the venue's time of the answer; a ticker has none of its own."""
        answer = msgspec.json.decode(await self._rest.get(TICKERS_PATH, params), type=Answer)

        def convert(row: answers.TickerAnswer) -> Ticker | None:
            instrument = find(row)
            return None if instrument is None else answers.as_ticker(row, instrument.symbol, answer.time)

        rows = _decode(answers.TICKERS, answer.result, TICKERS_PATH).rows
        return _decode(answers.TICKER_ROWS, rows, TICKERS_PATH, convert)

    def check_bars(self, kind: str, instruments: list[Instrument], interval: KlineInterval) -> None:
        spot = [instrument.symbol for instrument in instruments if instrument.is_spot]
        if kind == INDEX_KLINES and spot:
            raise SubscriptionError(
                f"request_index_klines({', '.join(spot)}): Bybit spot has no index price; ask for the perpetual "
                "(…-PERP.BYBIT), or request_klines for the traded prices."
            )
        interval_name(interval)

    async def bars_of(self, kind, instrument, interval, limit, start, end) -> list[Kline]:
        bars = Bars(self._rest, BAR_PATHS[kind], instrument, interval)
        with whole(f"bars of {instrument.symbol}", "bybit"):
            if start is None:
                rows = await bars.last(DEFAULT_BARS if limit is None else limit, end)
            else:
                rows = await bars.first(limit, start, end)
            return [answers.as_kline(row, instrument.symbol, interval) for row in rows]

    # ------------------------------------------------------------------------------------------ the account

    async def order(self, instrument: Instrument, oid: str) -> Order | None:
        """The order of this client id as the venue has it; None when the venue says that it knows none."""
        for path in (OPEN_PATH, HISTORY_PATH):
            result = await self._rest.result(path, {**_of(instrument), "orderLinkId": oid}, signed=True)
            rows = _decode(answers.ORDERS, result, path).rows
            if rows:
                row = min(rows, key=lambda row: row.order_link_id != oid)        # the one that was asked for, if it is there
                with whole(f"order {oid}", "bybit"):
                    return require_asked_for(answers.as_order(row, instrument), oid, "bybit")
        return None

    async def open_orders(self, instrument: Instrument) -> list[Order]:
        """Everything of the account that is open on the symbol, whoever placed it."""
        pages = await self._rest.pages(OPEN_PATH, {**_of(instrument), "openOnly": 0, "limit": PAGE}, signed=True)
        rows = [row for page in pages for row in _decode(answers.ORDERS, page, OPEN_PATH).rows]
        with whole(f"open orders of {instrument.symbol}", "bybit"):
            return [answers.as_order(row, instrument) for row in rows]

    async def recent_trades(self, instrument: Instrument, limit: int = 50) -> list[Order]:
        """The account's last fills, newest first, each as an order that consists of that fill alone: amount, filled and
        last_filled are the fill's, oid and eid those of its order; type and price are not told."""
        if not 0 < limit <= LARGEST_TRADES:
            raise ValueError(f"fetch_recent_trades(limit={limit}): Bybit gives 1 to {LARGEST_TRADES} fills")
        params = {**_of(instrument), "execType": "Trade", "limit": limit}
        rows = _decode(answers.FILLS, await self._rest.result(FILLS_PATH, params, signed=True), FILLS_PATH).rows
        with whole(f"fills of {instrument.symbol}", "bybit"):
            return [answers.as_filled(row, instrument) for row in sorted(rows, key=lambda row: int(row.exec_time), reverse=True)]


class Bars:
    """The bars of one symbol. The venue gives the last ones of a period, newest first; here they are oldest first."""

    def __init__(self, rest: BybitRest, path: str, instrument: Instrument, interval: KlineInterval):
        self._rest = rest
        self._path = path
        self._params = {**_of(instrument), "interval": interval_name(interval)}
        self._step = min(interval.seconds * 1000, SHORTEST_MONTH)

    async def last(self, limit: int, end: int | None) -> list[BarAnswer]:
        """The last bars up to the end, newest page first."""
        rows: list[BarAnswer] = []
        while len(rows) < limit:
            size = min(LARGEST_PAGE, limit - len(rows))
            page = await self._page(size, None, end)
            rows = page + rows
            if len(page) < size:
                break
            end = page[0].time - 1
        return rows

    async def first(self, limit: int | None, start: int, end: int | None) -> list[BarAnswer]:
        """The first bars from the start on, one period after the other. A period without bars (before the symbol was listed)
        doubles the next one; one that turns out to hold more than a page is halved when only some bars are wanted."""
        rows: list[BarAnswer] = []
        last = min(end if end is not None else 2**62, time.time_ns() // 1_000_000)
        span = shortest = LARGEST_PAGE * self._step
        while start <= last and (limit is None or len(rows) < limit):
            until = min(last, start + span - 1)
            page = await self._page(LARGEST_PAGE, start, until)
            if limit is not None and len(page) == LARGEST_PAGE and span > shortest:
                span //= 2
                continue
            rows += await self._before(page, start) + page
            span = max(shortest, span) if page else span * 2
            start = until + 1
        return rows if limit is None else rows[:limit]

    async def _before(self, page: list[BarAnswer], start: int) -> list[BarAnswer]:
        """The bars of the same period that did not fit the page."""
        rows: list[BarAnswer] = []
        while len(page) == LARGEST_PAGE and page[0].time > start:
            page = await self._page(LARGEST_PAGE, start, page[0].time - 1)
            rows = page + rows
        return rows

    async def _page(self, size: int, start: int | None, end: int | None) -> list[BarAnswer]:
        params = {**self._params, "limit": size, "start": start, "end": end}
        rows = _decode(answers.BARS, await self._rest.result(self._path, params), self._path).rows
        wanted = [row for row in rows if (start is None or row.time >= start) and (end is None or row.time <= end)]
        return sorted(wanted, key=lambda row: row.time)


def _of(instrument: Instrument) -> dict[str, Any]:
    return {"category": CATEGORIES[instrument.type], "symbol": instrument.venue_symbol}


def _decode(decoder: Any, result: bytes | msgspec.Raw, path: str, *convert: Any) -> Any:
    with reading(f"the answer to GET {path}"):
        return decoder.decode(result, *convert)
