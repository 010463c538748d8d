"""Questions to Binance by REST, answered with schema objects. Where they go: families.py.

Sources: developers.binance.com, market data and account endpoints of spot, margin, the futures and portfolio margin.
Every method raises VenueError for the venue's refusal and for an answer that cannot be read, ConnectionError and
TimeoutError when no answer came.
"""

import time
from typing import Any

from nexus_fast.answers import reading
from nexus_fast.constants import KlineInterval
from nexus_fast.error import KlineSupportedError, SubscriptionError, VenueError
from nexus_fast.exchange.bars import INDEX_KLINES, KLINES, BarRequests
from nexus_fast.exchange.binance import answers
from nexus_fast.exchange.binance.answers import BarAnswer
from nexus_fast.exchange.binance.families import MARKETS, Family, Market, family_of
from nexus_fast.exchange.binance.instruments import TYPES
from nexus_fast.exchange.binance.market_data import INTERVALS
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.exchange.rows import first, require_asked_for, whole
from nexus_fast.gateway.rest import BinanceRest
from nexus_fast.schema import Kline, Order, Ticker

DEFAULT_BARS = 500                                  # the venue's own default
LARGEST_TRADES = 1000
NO_SUCH_ORDER = -2013


class BinanceRequests(BarRequests):
    """rest: with the account's key for the questions about orders, without one for market data."""

    volume_fields = ("volume", "quote_volume", "taker_volume", "taker_quote_volume")

    def __init__(self, rest: BinanceRest, account_type: Any, instruments: InstrumentTable):
        self._rest = rest
        self._account_type = account_type
        self._instruments = instruments

    @property
    def _family(self) -> str:
        return self._account_type.family

    @property
    def _market(self) -> Market:
        return MARKETS[self._family]

    # ------------------------------------------------------------------------------------------ market data

    async def ticker(self, instrument: Instrument) -> Ticker:
        """24 hours of one symbol."""
        body = await self._rest.get(self._market.ticker, {"symbol": instrument.venue_symbol})
        if not instrument.is_inverse:    # there it is a list, whatever is asked for
            body = b"[" + body + b"]"
        found = self._read(answers.TICKERS, body, self._market.ticker, lambda row: answers.as_ticker(row, instrument.symbol))
        return first(found, self._market.ticker, f"ticker of {instrument.symbol}", "binance")

    async def all_tickers(self) -> dict[str, Ticker]:
        """Of every symbol of this market that was loaded, by our symbol."""

        def ours(ticker: answers.TickerAnswer) -> Ticker | None:
            instrument = self._instruments.by_venue_symbol(answers.EXCHANGE, TYPES[self._family], ticker.symbol)
            return None if instrument is None else answers.as_ticker(ticker, instrument.symbol)

        path = self._market.ticker
        tickers = self._read(answers.TICKERS, await self._rest.get(path, {}), path, ours)
        return {ticker.symbol: ticker for ticker in tickers}

    def check_bars(self, kind: str, instruments: list[Instrument], interval: KlineInterval) -> None:
        if kind == INDEX_KLINES and not self._market.index_klines:
            names = ", ".join(instrument.symbol for instrument in instruments)
            raise SubscriptionError(
                f"request_index_klines({names}): Binance {self._family} has no index price; ask for the USD-M "
                "perpetual (…-PERP.BINANCE), or request_klines for the traded prices."
            )
        if interval.value not in INTERVALS or (self._family != "spot" and interval is KlineInterval.SECOND_1):
            raise KlineSupportedError(f"Binance {self._family} has no bars of {interval.value}")

    async def bars_of(self, kind, instrument, interval, limit, start, end) -> list[Kline]:
        if self._market.longest_span_ms:
            walk = self._in_spans
        else:
            walk = self._backwards if start is None else self._forwards
        rows = await walk(kind, instrument, interval, limit, start, end)
        with whole(f"bars of {instrument.symbol}", "binance"):
            return [answers.as_kline(row, instrument.symbol, interval, with_volumes=kind == KLINES) for row in rows]

    async def _forwards(self, name, instrument, interval, limit, start, end) -> list[BarAnswer]:
        """Page after page from start on, until the limit, the end or a page that is not full."""
        rows: list[BarAnswer] = []
        while limit is None or len(rows) < limit:
            size = self._market.largest_page if limit is None else min(self._market.largest_page, limit - len(rows))
            page = await self._page(name, instrument, interval, size, start, end)
            # Only what is new and asked for: a page that brings nothing of it ends the walk, whatever the venue does.
            new = [row for row in page if row.start >= start and (end is None or row.start <= end)]
            rows += new
            if len(page) < size or not new:
                break
            start = new[-1].start + 1
        return rows

    async def _backwards(self, name, instrument, interval, limit, start, end) -> list[BarAnswer]:
        """The last bars up to the end, newest page first."""
        rows: list[BarAnswer] = []
        limit = DEFAULT_BARS if limit is None else limit
        while len(rows) < limit:
            size = min(self._market.largest_page, limit - len(rows))
            page = await self._page(name, instrument, interval, size, None, end)
            new = [row for row in page if end is None or row.start <= end]
            rows = new + rows
            if len(page) < size or not new:
                break
            end = new[0].start - 1
        return rows

    async def _in_spans(self, name, instrument, interval, limit, start, end) -> list[BarAnswer]:
        """COIN-M gives the last bars of a span, whatever its start, and refuses a long one: so each page has both ends, and no
        more bars between them than it can hold."""
        end = time.time_ns() // 1_000_000 if end is None else end
        size = min(self._market.largest_page, limit or DEFAULT_BARS if start is None else self._market.largest_page)
        span = min(size * interval.milliseconds, self._market.longest_span_ms)
        rows: list[BarAnswer] = []
        if start is not None:
            for first in range(start, end + 1, span):
                rows += await self._page(name, instrument, interval, size, first, min(first + span - 1, end))
                if not rows or (limit is not None and len(rows) >= limit):
                    break
        if start is None or not rows:        # from the end: also where the contract is younger than `start`
            least = limit or DEFAULT_BARS if start is None else None
            rows = await self._spans_back(name, instrument, interval, size, least, start or 0, end)
        return rows[-(limit or DEFAULT_BARS) :] if start is None else rows[:limit]

    async def _spans_back(self, name, instrument, interval, size, least, start, end) -> list[BarAnswer]:
        """Down to `start`, or until there are `least` bars or no more."""
        rows: list[BarAnswer] = []
        while end >= start and (least is None or len(rows) < least):
            first = max(end - self._market.longest_span_ms + 1, start)
            page = await self._page(name, instrument, interval, size, first, end)
            if not page:
                break
            rows, end = page + rows, page[0].start - 1
        return rows

    async def _page(self, name, instrument, interval, size, start, end) -> list[BarAnswer]:
        params: dict[str, Any] = {"symbol": instrument.venue_symbol}
        if name == INDEX_KLINES:
            # A pair has one index: that of BTCUSDT_260626 is BTCUSDT's.
            params = {"pair": instrument.index or instrument.venue_symbol}
        params.update(interval=interval.value, limit=size)
        if start is not None:
            params["startTime"] = start
        if end is not None:
            params["endTime"] = end
        return await self._get(answers.BARS, getattr(self._market, name), params)

    # ------------------------------------------------------------------------------------------ the account

    async def order(self, instrument: Instrument, oid: str) -> Order | None:
        """The order of this client id as the venue has it; None when the venue says that it knows none."""
        family = self._family_of(instrument)
        params = {"symbol": instrument.venue_symbol, "origClientOrderId": oid, **family.constants}
        try:
            found = await self._get(answers.ORDER, family.order, params, signed=True)
        except VenueError as error:
            if error.code == NO_SUCH_ORDER:
                return None
            raise
        with whole(f"order {oid}", "binance"):
            return require_asked_for(answers.as_order(found, instrument), oid, "binance")

    async def open_orders(self, instrument: Instrument) -> list[Order]:
        """Everything of the account that is open on the symbol, whoever placed it."""
        family = self._family_of(instrument)
        params = {"symbol": instrument.venue_symbol, **family.constants}
        found = await self._get(answers.ORDERS, family.open_orders, params, signed=True)
        with whole(f"open orders of {instrument.symbol}", "binance"):
            return [answers.as_order(order, instrument) for order in found]

    async def recent_trades(self, instrument: Instrument, limit: int = 50) -> list[Order]:
        """The account's last fills, newest first, each as an order that consists of that fill alone: amount, filled
        and last_filled are the fill's, eid is the venue's id of its order; oid, type and price are not told."""
        if not 0 < limit <= LARGEST_TRADES:
            raise ValueError(f"fetch_recent_trades(limit={limit}): Binance gives 1 to {LARGEST_TRADES} fills")
        family = self._family_of(instrument)
        params = {"symbol": instrument.venue_symbol, "limit": limit, **family.constants}
        fills = await self._get(answers.FILLS, family.recent_trades, params, signed=True)
        with whole(f"fills of {instrument.symbol}", "binance"):
            return [answers.as_filled(fill, instrument) for fill in sorted(fills, key=_age)]

    def _family_of(self, instrument: Instrument) -> Family:
        return family_of(self._account_type, instrument.type)

    # ------------------------------------------------------------------------------------------ reading

    async def _get(self, decoder: Any, path: str, params: dict[str, Any], *, signed: bool = False) -> Any:
        return self._read(decoder, await self._rest.get(path, params, signed=signed), path)

    def _read(self, decoder: Any, body: bytes, path: str, *convert: Any) -> Any:
        with reading(f"the answer to GET {path}"):
            return decoder.decode(body, *convert)

def _age(fill: answers.FillAnswer) -> tuple[int, int]:
    """Newest first; of one millisecond, by the venue's number of the fill."""
    return -fill.time, -fill.id
