"""Connections that end by announcement, on OKX and for Binance's margin accounts (41); the others are in test_connections."""

import asyncio
from decimal import Decimal

import pytest
from simulated_run import engine

from nexus_fast.constants import OrderSide, OrderStatus, OrderType
from nexus_fast.exchange import BinanceAccountType, OkxAccountType

BUY, SELL, MARKET = OrderSide.BUY, OrderSide.SELL, OrderType.MARKET
OKX = {"public": (OkxAccountType.LIVE,), "private": (OkxAccountType.LIVE,)}
OKX_PERP = "BTCUSDT-PERP.OKX"


def lines(venue, kind):
    return {c for c in venue.connections.open if c.kind == kind}


@pytest.mark.scenario(41)
@engine(symbols=[OKX_PERP], venue={"venues": ("okx",)}, **OKX)
async def test_41_okx_nothing_is_missed_and_nothing_doubled(s):
    """64008: orders go out, are answered and filled before, while and after the connection is changed; it is never down, and
    the next one is there before the last one ends."""
    await s.quotes()
    venue, amount = s.venue.venue.okx, Decimal("0.02")
    (before,) = lines(venue, "order")
    s.venue.faults.load([{"kind": "shutdown", "seconds": 10}])
    oids, most = [], 0
    for number in range(60):
        oids.append(s.create_order(OKX_PERP, BUY if number % 2 else SELL, MARKET, amount))
        most = max(most, len(lines(venue, "order")))
        await asyncio.sleep(0.25)
    for oid in oids:
        assert (await s.settled(oid)).status is OrderStatus.FILLED and s.story(oid).count("filled") == 1
    events = [e["event"] for e in s.heard("private_ws_status")]
    assert "disconnected" not in events and events[-1] == "resynced"
    assert most == 2 and lines(venue, "order") and before not in lines(venue, "order")
    total = sum(Decimal(str(s.cache.get_order(oid).cum_cost)) for oid in oids)
    assert total > 0 and s.engine.host.tracker.counts["fills"] >= 60
    position = s.cache.get_position(OKX_PERP)
    assert position is None or position.signed_amount == 0


@pytest.mark.scenario(41)
@engine(symbols=[OKX_PERP], venue={"venues": ("okx",)}, **OKX)
async def test_41_okx_lets_nobody_in_meanwhile(s):
    """No successor can be made: tried again while the old one serves, and orders leave over it."""
    await s.quotes()
    (before,) = lines(s.venue.venue.okx, "order")
    s.venue.faults.load([{"kind": "shutdown", "seconds": 30}, {"kind": "refuse", "connection": "order", "until": 8.0}])
    await asyncio.sleep(5)
    order = await s.settled(s.create_order(OKX_PERP, BUY, MARKET, Decimal("0.02")))
    assert order.status is OrderStatus.FILLED and lines(s.venue.venue.okx, "order") == {before}
    await asyncio.sleep(24)
    assert before not in lines(s.venue.venue.okx, "order") and len(lines(s.venue.venue.okx, "order")) == 1
    assert "disconnected" not in [e["event"] for e in s.heard("private_ws_status")]


MARGIN = {"public": (BinanceAccountType.SPOT,), "seconds": 60}
BTC, ETH = "BTCUSDT.BINANCE", "ETHUSDT.BINANCE"


async def margin_goes_on(s, account_type, symbols, amounts):
    await s.quotes()
    venue = s.venue.venue.binance
    before = lines(venue, "order")
    s.venue.faults.load([{"kind": "shutdown", "seconds": 10}])
    oids = []
    for number in range(40):
        symbol = symbols[number % len(symbols)]
        oids.append(s.create_order(symbol, BUY if number % 4 < 2 else SELL, MARKET, amounts[symbol]))
        await asyncio.sleep(0.35)
    for oid in oids:
        order = await s.settled(oid)
        assert order.status is OrderStatus.FILLED and s.story(oid).count("filled") == 1 and order.fee is not None
    events = [e["event"] for e in s.heard("private_ws_status") if e["account_type"] is account_type]
    assert "disconnected" not in events
    assert lines(venue, "order") and not before & lines(venue, "order")


@pytest.mark.scenario(41)
@engine(symbols=[BTC], private=(BinanceAccountType.MARGIN,), **MARGIN)
async def test_41_cross_margin(s):
    await margin_goes_on(s, BinanceAccountType.MARGIN, [BTC], {BTC: Decimal("0.002")})


@pytest.mark.scenario(41)
@engine(symbols=[BTC, ETH], venue={"books": [("spot", "BTCUSDT"), ("spot", "ETHUSDT")]},
        private=(BinanceAccountType.ISOLATED_MARGIN,), **MARGIN)
async def test_41_isolated_margin(s):
    """A subscription for each pair, which the next connection numbers in another order."""
    account = s.engine.host.accounts[BinanceAccountType.ISOLATED_MARGIN]
    account._wallets = dict(reversed(account._wallets.items()))
    first = account._pairs[account._api]
    await margin_goes_on(s, BinanceAccountType.ISOLATED_MARGIN, [BTC, ETH], {BTC: Decimal("0.002"), ETH: Decimal("0.02")})
    assert account._pairs[account._api] != first
    assert set(account._pairs[account._api].values()) == set(account._wallets) >= {"BTCUSDT", "ETHUSDT"}
    held = {a: (b.free, b.locked) for a, b in s.cache.get_balance(BinanceAccountType.ISOLATED_MARGIN).balances.items()}
    await account._snapshot()
    assert held == {a: (b.free, b.locked) for a, b in s.cache.get_balance(BinanceAccountType.ISOLATED_MARGIN).balances.items()}
