"""Too many requests, and bans (21, 22)."""

import asyncio

import pytest
from acts import accepted, fresh, rest
from engine_program import BTC_PERP
from simulated_run import engine

from nexus_fast.constants import OrderStatus


@pytest.mark.scenario(21)
@engine(symbols=[BTC_PERP])
async def test_21_too_many_requests(s):
    """429: nothing new is sent until the time that the venue named; cancels are."""
    await s.quotes()
    oid = await accepted(s)
    s.venue.faults.load([{"kind": "ban", "match": "order.place", "seconds": 5}])
    await s.settled(rest(s))
    for _ in range(5):
        await s.settled(rest(s))
    assert s.venue.faults.rules[0].seen == 1
    s.cancel_order(BTC_PERP, oid)
    await s.until(lambda: s.heard("canceled", oid))
    await asyncio.sleep(6)
    await accepted(s)


@pytest.mark.scenario(22)
@pytest.mark.parametrize("status", [418, 403])
@engine(symbols=[BTC_PERP])
async def test_22_banned(s, status):
    """Trading stops, market data goes on."""
    await s.quotes()
    s.venue.faults.load([{"kind": "ban", "status": status, "match": "order.place", "seconds": 60}])
    for _ in range(5):
        assert (await s.settled(rest(s))).status is OrderStatus.FAILED
    await fresh(s, BTC_PERP)
    assert s.venue.faults.rules[0].seen == 1


@pytest.mark.scenario(21, 22)
@pytest.mark.parametrize("status", [429, 418, 403])
@engine(symbols=[BTC_PERP], request_timeout_ms=500)
async def test_22_a_ban_proves_what_it_refused_and_nothing_else(s, status):
    """The order that is refused failed; one whose answer is lost stays unknown while REST answers nothing but the ban."""
    await s.quotes()
    s.venue.faults.load([{"kind": "ban", "status": status, "connection": "rest", "seconds": 45},
                         {"kind": "drop", "match": "order.place", "nth": 1}, {"kind": "drop", "connection": "user"},
                         {"kind": "ban", "status": status, "match": "order.place", "after": 1.0}])
    lives = rest(s)
    await asyncio.sleep(20)
    assert s.story(lives) == ["pending"] and not s.cache.get_order(lives).is_closed
    assert (await s.settled(rest(s))).status is OrderStatus.FAILED
    asked = s.venue.faults.rules[0].seen
    assert asked < 12                       # no hammering
    s.venue.faults.load([])
    await s.until(lambda: s.heard("accepted", lives), 150)
