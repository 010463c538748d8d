"""What Binance takes of orders per time, counted here so that the venue need not refuse one (23)."""

import asyncio
import time

import pytest
from acts import AMOUNT, BUY, LIMIT, MARKET, SELL, accepted, far, fleeting, rest
from engine_program import BTC, BTC_PERP, PERP_ACCOUNT
from simulated_run import engine


@pytest.mark.scenario(23)
@engine(symbols=[BTC_PERP], venue={"order_limit_factor": 1})
async def test_23_the_order_limit_is_kept_here(s):
    """300 in ten seconds: what would be over is refused before it is sent; a part is left for orders that reduce a position, and
    cancels go through; in the next ten seconds orders leave again."""
    await s.quotes()
    await s.settled(s.create_order(BTC_PERP, BUY, MARKET, AMOUNT))
    await asyncio.sleep(10 - time.time() % 10 + 0.1)
    left = await accepted(s)
    oids = [fleeting(s) for _ in range(309)]
    await s.until(lambda: all(s.cache.get_order(oid).is_closed for oid in oids), 30)
    refused = s.heard("failed")
    assert [o.oid for o in refused] == oids[284:] and "no more orders" in refused[0].reason
    reducing = [s.create_order(BTC_PERP, SELL, LIMIT, AMOUNT / 2, far(s, "1.02"), reduce_only=True) for _ in range(16)]
    await s.until(lambda: s.heard("failed", reducing[15]) and all(s.heard("accepted", oid) for oid in reducing[:15]))
    for oid in (left, *reducing[:15]):
        s.cancel_order(BTC_PERP, oid)
    await s.until(lambda: not s.venue.orders(open_only=True))
    assert s.venue.venue.statistics.rejects == 0
    await asyncio.sleep(10)
    await accepted(s)


@pytest.mark.scenario(23)
@engine(symbols=[BTC], venue={"order_limit_factor": 1})
async def test_23_spot_counts_what_is_not_filled(s):
    """100 in ten seconds, and orders that are filled at once count no longer; an amendment never counts."""
    await s.quotes()
    await asyncio.sleep(10 - time.time() % 10 + 0.1)
    for _ in range(6):
        oids = [s.create_order(BTC, BUY, MARKET, AMOUNT) for _ in range(20)]
        await s.until(lambda oids=oids: all(s.heard("filled", oid) for oid in oids))
    oids = [fleeting(s, BTC) for _ in range(110)]
    await s.until(lambda: all(s.cache.get_order(oid).is_closed for oid in oids))
    assert len(s.heard("failed")) == 10 and s.venue.venue.statistics.rejects == 0


@pytest.mark.scenario(23)
@engine(symbols=[BTC_PERP], venue={"order_limit_factor": 1})
async def test_23_what_was_counted_before_the_start(s):
    """The venue is asked at the start: other programs' orders and those of the session before are in the window too."""
    await s.quotes()
    account = s.engine.host.accounts[PERP_ACCOUNT]
    limits = s.venue.venue.binance.usd_m.limits
    await asyncio.sleep(10 - time.time() % 10 + 0.1)
    await accepted(s)
    for _ in range(250):
        limits.charge_order(s.venue.key, int(time.time() * 1000))
    await account._read_order_limits()
    oids = [fleeting(s) for _ in range(60)]
    await s.until(lambda: all(s.cache.get_order(oid).is_closed for oid in oids))
    assert len(s.heard("failed")) == 60 - (285 - 251) and s.venue.venue.statistics.rejects == 0


@pytest.mark.scenario(23)
@engine(symbols=[BTC_PERP], venue={"order_limit_factor": 1}, counted=False)
async def test_23_the_venue_counts_the_orders(s):
    """Not counted here (enable_rate_limit=False): -1015 is a refusal like any other, with the venue's words, and cancels go
    through."""
    await s.quotes()
    oids = [rest(s, share=f"0.{970 - n % 50}") for n in range(310)]
    await s.until(lambda: all(s.heard("accepted", o) or s.heard("failed", o) for o in oids), 30)
    failed = s.heard("failed")
    assert failed and all("-1015" in o.reason or "-2025" in o.reason for o in failed)
    s.cancel_all_orders(BTC_PERP)
    await s.until(lambda: not s.venue.orders(open_only=True))
