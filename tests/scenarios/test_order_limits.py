"""What Bybit and OKX take of orders per time (23); Binance's is in test_order_limits_binance."""

import asyncio
from decimal import Decimal

import pytest
from engine_program import far_below
from simulated_run import engine

from nexus_fast.constants import OrderSide, OrderType, TimeInForce
from nexus_fast.exchange import BybitAccountType, OkxAccountType

BUY, LIMIT, IOC = OrderSide.BUY, OrderType.LIMIT, TimeInForce.IOC
SPOT, PERP, OKX_SPOT, OKX_PERP = "BTCUSDT.BYBIT", "BTCUSDT-PERP.BYBIT", "BTCUSDT.OKX", "BTCUSDT-PERP.OKX"
AMOUNT = Decimal("0.02")
BYBIT = {"public": (BybitAccountType.LINEAR, BybitAccountType.SPOT), "private": (BybitAccountType.UNIFIED,)}
OKX = {"public": (OkxAccountType.LIVE,), "private": (OkxAccountType.LIVE,)}


async def passed(s, symbol, count):
    """How many of so many orders at once were sent, the first of them."""
    oids = [s.create_order(symbol, BUY, LIMIT, AMOUNT, far_below(s, symbol), time_in_force=IOC) for _ in range(count)]
    await s.until(lambda: all({"failed", "canceled", "expired"} & set(s.story(oid)) for oid in oids))
    refused = {o.oid for o in s.heard("failed") if "no more orders" in o.reason}
    found = [oid not in refused for oid in oids]
    assert found == sorted(found, reverse=True)
    return sum(found)


@pytest.mark.scenario(23)
@engine(symbols=[SPOT, PERP], venue={"venues": ("bybit",), "limit_factor": 1}, **BYBIT)
async def test_23_bybit_counts_by_kind_in_the_last_second(s):
    """Contracts 10, of which one is kept for orders that reduce; spot 20, apart from them."""
    await s.quotes()
    assert await passed(s, PERP, 15) == 9 and await passed(s, SPOT, 30) == 20
    await asyncio.sleep(1.1)
    assert await passed(s, PERP, 15) == 9
    assert s.venue.venue.statistics.rejects == 0


@pytest.mark.scenario(23)
@engine(symbols=[PERP], venue={"venues": ("bybit",), "limit_factor": 4}, **BYBIT)
async def test_23_bybit_says_what_it_takes_of_this_account(s):
    """An account of a higher tier: the first answer's header says so."""
    await s.quotes()
    limits = s.engine.host.accounts[BybitAccountType.UNIFIED].limits
    limits.heard("linear", "place", 10)
    assert await passed(s, PERP, 1) == 1
    await asyncio.sleep(1.1)
    assert await passed(s, PERP, 50) == 38 and s.venue.venue.statistics.rejects == 0


@pytest.mark.scenario(23)
@engine(symbols=[OKX_SPOT, OKX_PERP], venue={"venues": ("okx",), "limit_factor": 1}, **OKX)
async def test_23_okx_counts_by_instrument_in_the_last_two_seconds(s):
    """60 of each instrument, with a part for orders that reduce; amendments apart, cancels not at all."""
    await s.quotes()
    assert await passed(s, OKX_PERP, 70) == 57 and await passed(s, OKX_SPOT, 70) == 57
    await asyncio.sleep(1.0)
    assert await passed(s, OKX_PERP, 5) == 0
    await asyncio.sleep(1.1)
    assert await passed(s, OKX_PERP, 70) == 57
    assert s.venue.venue.statistics.rejects == 0


@pytest.mark.scenario(23)
@engine(symbols=[OKX_PERP], venue={"venues": ("okx",), "limit_factor": 1}, **OKX)
async def test_23_modifications_have_a_limit_of_their_own(s):
    await s.quotes()
    price = far_below(s, OKX_PERP)
    oid = s.create_order(OKX_PERP, BUY, LIMIT, AMOUNT, price)
    await s.until(lambda: s.heard("accepted", oid))
    for number in range(70):
        s.modify_order(OKX_PERP, oid, price=price - number % 7 - 1, amount=AMOUNT)
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    refused = [r["reason"] for r in s.heard("ws_order_request_result") if "no more orders" in r["reason"]]
    assert len(refused) == 13 and s.venue.venue.statistics.rejects == 0
    s.cancel_order(OKX_PERP, oid)
    await s.until(lambda: s.heard("canceled", oid))
