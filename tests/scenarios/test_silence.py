"""A connection that lives and a stream on it that does not (30, 35, 36): what was said last is not the market for ever."""

import asyncio
import json
from decimal import Decimal

import pytest
from acts import AMOUNT, BUY, MARKET, fresh
from engine_program import BTC, BTC_PERP, PERP_ACCOUNT, SPOT_ACCOUNT
from simulated_run import engine

from nexus_fast.config import FreshnessConfig, RiskConfig
from nexus_fast.constants import OrderType
from nexus_fast.exchange import BybitAccountType, OkxAccountType

ETH_PERP = "ETHUSDT-PERP.BINANCE"
LIMITS = RiskConfig(max_notional=Decimal(10**9), max_price_distance=Decimal("0.5"))
NO_BOOK = "a risk limit needs a fresh book"
BOTH = {("usd_m", "BTCUSDT"), ("usd_m", "ETHUSDT")}


async def reason_of(s, oid):
    await s.until(lambda: s.cache.get_order(oid) is not None, 5, "the order")
    return s.cache.get_order(oid).reason


@pytest.mark.scenario(36)
@engine(symbols=[BTC_PERP, ETH_PERP], risk=LIMITS, venue={"books": BOTH})
async def test_36_one_symbol_falls_silent_while_another_goes_on(s):
    """Its book is stale after a minute, and no order that needs it leaves; the other trades on."""
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "match": "btcusdt@bookTicker", "until": 400.0}])
    await s.until(lambda: s.cache.bookl1(BTC_PERP).is_stale, 90, "a stale book")
    assert not s.cache.bookl1(ETH_PERP).is_stale
    bid = s.cache.bookl1(BTC_PERP).bid_decimal
    for order in ({"type": MARKET, "amount": AMOUNT}, {"type": OrderType.LIMIT, "amount": AMOUNT, "price": bid}):
        assert (await reason_of(s, s.create_order(BTC_PERP, BUY, **order))).startswith(NO_BOOK)
    await s.settled(s.create_order(ETH_PERP, BUY, MARKET, AMOUNT * 10))
    s.venue.faults.load([])
    await fresh(s, BTC_PERP)
    await s.settled(s.create_order(BTC_PERP, BUY, MARKET, AMOUNT))


@pytest.mark.scenario(35, 36)
@engine(symbols=[BTC_PERP, ETH_PERP], venue={"books": BOTH}, freshness=FreshnessConfig(quotes=5))
async def test_36_what_is_silent_is_subscribed_to_anew(s):
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "match": "btcusdt@bookTicker", "until": 60.0}])
    (line,) = s.engine.host.feeds[PERP_ACCOUNT].quotes
    asked, send = [], line.connection.send
    line.connection.send = lambda text: (asked.append(json.loads(text)), send(text))
    await asyncio.sleep(50)
    assert [a["method"] for a in asked[:2]] == ["UNSUBSCRIBE", "SUBSCRIBE"] and 4 <= len(asked) <= 8     # after 5, 10, 20, 40 s
    assert all(a["params"] == ["btcusdt@bookTicker"] for a in asked)
    await fresh(s, BTC_PERP)


@pytest.mark.scenario(30, 36)
@pytest.mark.parametrize("what", ["malformed", "truncated", "utf8"])
@engine(symbols=[BTC], public=(SPOT_ACCOUNT,))
async def test_30_nothing_but_frames_that_cannot_be_used(s, what):
    """Said in the log, the book is stale, and the connection is replaced, ever less often."""
    await s.quotes()
    connection = s.engine.host.feeds[SPOT_ACCOUNT].quotes[0].connection
    connects = connection.connects
    s.venue.faults.load([{"kind": "wrong", "what": what, "match": "bookTicker", "until": 400.0}])
    await s.until(lambda: s.cache.bookl1(BTC).is_stale, 10, "a stale book")
    await s.until(lambda: connection.connects > connects, 10, "another connection")
    await asyncio.sleep(120)
    assert 3 <= connection.connects - connects <= 12
    s.venue.faults.load([])
    await fresh(s, BTC, 60)


OKX = {"public": (OkxAccountType.LIVE,), "private": (OkxAccountType.LIVE,)}
BYBIT = {"public": (BybitAccountType.LINEAR,), "private": (BybitAccountType.UNIFIED,)}


@pytest.mark.scenario(36)
@engine(symbols=["BTCUSDT.OKX", "BTCUSDT-PERP.OKX"], venue={"venues": ("okx",)}, **OKX)
async def test_36_one_symbol_falls_silent_okx(s):
    """One connection carries both."""
    await falls_silent(s, "BTCUSDT-PERP.OKX", "BTCUSDT.OKX", "bbo-tbt:BTC-USDT-SWAP")


@pytest.mark.scenario(36)
@engine(symbols=["BTCUSDT-PERP.BYBIT", "ETHUSDT-PERP.BYBIT"], venue={"venues": ("bybit",)}, **BYBIT)
async def test_36_one_symbol_falls_silent_bybit(s):
    await falls_silent(s, "BTCUSDT-PERP.BYBIT", "ETHUSDT-PERP.BYBIT", "orderbook.1.BTCUSDT")


async def falls_silent(s, silent, other, stream):
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "match": stream, "until": 400.0}])
    await s.until(lambda: s.cache.bookl1(silent).is_stale, 90, "a stale book")
    assert not s.cache.bookl1(other).is_stale
    s.venue.faults.load([])
    await fresh(s, silent)


@pytest.mark.scenario(36)
@engine(symbols=["BTCUSDT-PERP.BYBIT"], venue={"venues": ("bybit",), "books": ()}, freshness=FreshnessConfig(quotes=5), **BYBIT)
async def test_36_a_book_that_rests_is_said_again_by_bybit(s):
    """Every three seconds, with the same id: no news for the strategy, and no silence."""
    await s.quotes()
    count = len(s.books)
    for _ in range(50):
        await asyncio.sleep(1)
        assert not s.cache.bookl1("BTCUSDT-PERP.BYBIT").is_stale
    assert len(s.books) == count
