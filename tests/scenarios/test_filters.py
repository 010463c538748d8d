"""Filters that change while the engine runs (68), and symbols that are no longer traded (34)."""

import asyncio
import contextlib
import unittest.mock
from decimal import Decimal

import pytest
from engine_program import BTC, BTC_PERP, far_below
from simulated_run import engine

from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.exchange import BybitAccountType, OkxAccountType
from nexus_fast.sim.fixed_point import SCALE

BUY, LIMIT = OrderSide.BUY, OrderType.LIMIT
AMOUNT = Decimal("0.002")
BYBIT = {"public": (BybitAccountType.LINEAR, BybitAccountType.SPOT), "private": (BybitAccountType.UNIFIED,)}
OKX = {"public": (OkxAccountType.LIVE,), "private": (OkxAccountType.LIVE,)}


@contextlib.contextmanager
def changed(market, symbol, **filters):
    """The venue's instrument is another one for a while; all venues of this process share it."""
    instrument = market.instruments[symbol]
    before = {name: getattr(instrument, name) for name in filters}
    try:
        for name, value in filters.items():
            object.__setattr__(instrument, name, value)
        yield
    finally:
        for name, value in before.items():
            object.__setattr__(instrument, name, value)


async def refused(s, symbol, price, amount=AMOUNT):
    oid = s.create_order(symbol, BUY, LIMIT, amount, price)
    await s.until(lambda: s.heard("failed", oid))
    return s.heard("failed", oid)[0].reason


def held(s, symbol):
    """What the engine holds of the venue's filters."""
    return s.engine.core.instruments[s.engine.core.symbol_ids[symbol]]


async def reread(s, symbol, before):
    await s.until(lambda: held(s, symbol) != before, seconds=60, what="other filters")


@pytest.mark.scenario(68)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_68_the_smallest_value_grows(s, symbol):
    """The first order is refused by the venue; the second one here, with the reason, and larger ones are taken."""
    await s.quotes()
    service = s.venue.venue.binance.spot if symbol == BTC else s.venue.venue.binance.usd_m
    await asyncio.sleep(11)
    price, before = far_below(s, symbol), held(s, symbol)
    with changed(service.market, "BTCUSDT", minimum_notional=500 * SCALE):
        assert "code=" in await refused(s, symbol, price)
        await reread(s, symbol, before)
        sent = s.venue.venue.statistics.rejects
        assert "minimum notional" in await refused(s, symbol, price) and s.venue.venue.statistics.rejects == sent
        assert s.min_order_amount(symbol) * Decimal(str(s.cache.bookl1(symbol).ask)) >= 500
        oid = s.create_order(symbol, BUY, LIMIT, 10 * AMOUNT, price)
        await s.until(lambda: s.heard("accepted", oid))


@pytest.mark.scenario(68)
@engine(symbols=[BTC_PERP], constants={"nexus_fast.engine.reload.EVERY_SECONDS": 20.0})
async def test_68_the_tick_grows(s):
    """Found without an order, and an order that was open before is canceled and modified by the new steps."""
    await s.quotes()
    price = far_below(s, BTC_PERP)
    before = s.create_order(BTC_PERP, BUY, LIMIT, AMOUNT, price // 10 * 10)
    await s.until(lambda: s.heard("accepted", before))
    with changed(s.venue.venue.binance.usd_m.market, "BTCUSDT", tick=10 * SCALE, minimum_price=10 * SCALE):
        await asyncio.sleep(21)
        odd = price // 10 * 10 + 1
        assert "tick" in await refused(s, BTC_PERP, odd) and s.venue.venue.statistics.rejects == 0
        assert s.price_to_precision(BTC_PERP, odd) % 10 == 0
        s.modify_order(BTC_PERP, before, price=price // 10 * 10 - 10, amount=AMOUNT)
        await s.until(lambda: Decimal(str(s.cache.get_order(before).price)) == price // 10 * 10 - 10)
        s.cancel_order(BTC_PERP, before)
        await s.until(lambda: s.heard("canceled", before))


@pytest.mark.scenario(68)
@engine(symbols=[BTC_PERP], constants={"nexus_fast.engine.reload.EVERY_SECONDS": 20.0})
async def test_68_finer_steps_need_a_restart(s):
    """What the session's scales cannot write down is left as it was, and trading goes on by the former steps."""
    await s.quotes()
    with changed(s.venue.venue.binance.usd_m.market, "BTCUSDT", tick=SCALE // 10_000):
        await asyncio.sleep(21)
        oid = s.create_order(BTC_PERP, BUY, LIMIT, AMOUNT, far_below(s, BTC_PERP))
        await s.until(lambda: s.heard("accepted", oid))
        assert s.engine.host.reload._too_fine == {BTC_PERP}


@pytest.mark.scenario(34)
@engine(symbols=[BTC_PERP], constants={"nexus_fast.engine.reload.EVERY_SECONDS": 20.0})
async def test_34_a_symbol_is_no_longer_traded(s):
    """Halted, then gone from the list: orders are refused here, what is open can be canceled, and then it is traded again."""
    await s.quotes()
    info, price = "nexus_fast.sim.binance.exchange_info._usd_m_symbol", far_below(s, BTC_PERP)
    from nexus_fast.sim.binance.exchange_info import _usd_m_symbol as as_ever

    before = s.create_order(BTC_PERP, BUY, LIMIT, AMOUNT, price)
    await s.until(lambda: s.heard("accepted", before))
    halted = lambda instrument: {**as_ever(instrument), "status": "HALT"}  # noqa: E731
    traded = held(s, BTC_PERP)
    with unittest.mock.patch(info, halted):
        await reread(s, BTC_PERP, traded)
        assert "does not trade this symbol" in await refused(s, BTC_PERP, price)
    s.cancel_order(BTC_PERP, before)
    await s.until(lambda: s.heard("canceled", before))
    await reread(s, BTC_PERP, held(s, BTC_PERP))             # it is traded again
    gone = lambda instrument: {**as_ever(instrument), "symbol": f"{instrument.symbol}X", "baseAsset": "X"}  # noqa: E731
    with unittest.mock.patch(info, gone):
        await reread(s, BTC_PERP, held(s, BTC_PERP))
        assert "does not trade this symbol" in await refused(s, BTC_PERP, price)
    assert s.venue.venue.statistics.rejects == 0
    await reread(s, BTC_PERP, held(s, BTC_PERP))
    oid = s.create_order(BTC_PERP, BUY, LIMIT, AMOUNT, price)
    await s.until(lambda: s.heard("accepted", oid))


@pytest.mark.scenario(68)
@engine(symbols=["BTCUSDT-PERP.OKX"], venue={"venues": ("okx",)}, **OKX)
async def test_68_okx_the_smallest_order_grows(s):
    symbol = "BTCUSDT-PERP.OKX"
    await s.quotes()
    await asyncio.sleep(11)
    (market,) = [service.market for service in s.venue.venue.okx.services if "BTC-USDT-SWAP" in service.market.instruments]
    with changed(market, "BTC-USDT-SWAP", minimum_quantity=5 * SCALE):
        price, before = far_below(s, symbol), held(s, symbol)
        assert "code=51" in await refused(s, symbol, price, Decimal("0.02"))
        await reread(s, symbol, before)
        assert "below the venue's minimum" in await refused(s, symbol, price, Decimal("0.02"))
        oid = s.create_order(symbol, BUY, LIMIT, Decimal("0.06"), price)
        await s.until(lambda: s.heard("accepted", oid))


VALUE, QUANTITY = {"minimum_notional": 5000 * SCALE}, {"minimum_quantity": SCALE // 10}


@pytest.mark.scenario(68)
@pytest.mark.parametrize(("category", "filters", "code", "reason"), [
    ("spot", VALUE, 170140, "minimum notional"), ("spot", QUANTITY, 170136, "below the venue's minimum"),
    ("linear", VALUE, 110094, "minimum notional"), ("linear", QUANTITY, 10001, "below the venue's minimum")])
@engine(symbols=["BTCUSDT.BYBIT", "BTCUSDT-PERP.BYBIT"], venue={"venues": ("bybit",)}, **BYBIT)
async def test_68_bybit_the_smallest_order_grows(s, category, filters, code, reason):
    """Either category has codes of its own."""
    symbol = "BTCUSDT.BYBIT" if category == "spot" else "BTCUSDT-PERP.BYBIT"
    await s.quotes()
    await asyncio.sleep(11)
    with changed(s.venue.venue.bybit.exchange.markets[category], "BTCUSDT", **filters):
        price, before = far_below(s, symbol), held(s, symbol)
        assert f"code={code}" in await refused(s, symbol, price, Decimal("0.02"))
        await reread(s, symbol, before)
        sent = s.venue.venue.statistics.rejects
        assert reason in await refused(s, symbol, price, Decimal("0.02")) and s.venue.venue.statistics.rejects == sent
        oid = s.create_order(symbol, BUY, LIMIT, Decimal("0.2"), price)
        await s.until(lambda: s.heard("accepted", oid))
