"""What a program does to itself, and how it begins and ends."""

import asyncio
from decimal import Decimal

import pytest
from acts import AMOUNT, BUY, LIMIT, accepted, rest
from engine_program import BTC, BTC_PERP, PERP_ACCOUNT, far_below
from simulated_run import engine
from simulated_time import pause

from nexus_fast.config import PrivateConnectorConfig
from nexus_fast.constants import OrderStatus
from nexus_fast.order.reasons import RECOVERING, reason_text


@pytest.mark.scenario(34)
@engine(symbols=[BTC_PERP])
async def test_34_symbols_that_nobody_lists(s):
    """Of an order: refused before it is sent."""
    await s.quotes()
    oid = s.create_order("NOSUCHUSDT-PERP.BINANCE", BUY, LIMIT, AMOUNT, Decimal(1))
    await s.until(lambda: s.heard("failed", oid))
    assert s.venue.venue.statistics.rejects == 0 and s.venue.orders() == []


LATE = [{"kind": "answer", "connection": "rest", "match": "GET /fapi/v1/positionSide/dual", "status": 500, "times": 1},
        {"kind": "delay", "connection": "rest", "match": "GET /fapi/v1/openOrders", "ms": 3000}]


@pytest.mark.scenario(45)
@engine(symbols=[BTC_PERP], venue={"faults": LATE})
async def test_45_orders_wait_for_the_venues_list(s):
    """The account comes up after on_start: its first order leaves when the venue has listed what is open, and not before."""
    await s.quotes()
    s.venue.rest_by_hand("usd_m", BUY, AMOUNT, far_below(s, BTC_PERP), "from_before")
    reasons, oid = set(), rest(s)
    while not s.heard("accepted", oid):
        await s.until(lambda oid=oid: s.heard("failed", oid) or s.heard("accepted", oid))
        if s.heard("failed", oid):
            reasons.add(s.heard("failed", oid)[0].reason)
            await asyncio.sleep(0.1)
            oid = rest(s)
    assert reason_text(RECOVERING) in reasons
    assert s.cache.get_external_orders(BTC_PERP) == {"from_before"}
    assert len(s.venue.orders()) == 2


@pytest.mark.scenario(55)
@engine(symbols=[BTC_PERP], request_timeout_ms=500, recv_window_ms=5000)
async def test_55_a_callback_takes_two_seconds_and_another_raises(s):
    """The answer waited in the socket: the order is not failed, nothing is sent twice, and cancels go out."""
    await s.quotes()
    s.books = None                       # on_bookl1 raises from now on
    oid = rest(s)
    pause(2)
    await s.until(lambda: s.heard("accepted", oid))
    await asyncio.sleep(1)
    assert s.engine.core.dispatcher.errors > 5
    s.cancel_order(BTC_PERP, oid)
    await s.until(lambda: s.heard("canceled", oid))
    assert len(s.venue.orders(oid)) == 1 and "failed" not in s.story(oid)


@pytest.mark.scenario(66)
@engine(symbols=[BTC, BTC_PERP], exit_after_cancel=True)
async def test_66_everything_is_stopped_while_orders_are_on_their_way(s):
    """The gate is closed first; orders that reach the venue after their cancels are canceled all the same. Looked at when
    the program has ended."""
    await s.quotes()
    s.venue.faults.load([{"kind": "reorder", "match": "order.place", "way": "from_client", "ms": 300, "jitter_ms": 500}])
    for symbol in (BTC, BTC_PERP) * 3:
        rest(s, symbol)
    s.engine.core.entry.halted = True
    refused = rest(s)
    s.afterwards = lambda: nothing_is_open(s, refused)


def nothing_is_open(s, refused):
    assert len(s.venue.orders()) == 6 and s.venue.orders(open_only=True) == []
    assert s.heard("failed", refused)[0].reason == "order entry is halted"
    assert s.cache.get_order(refused).status is OrderStatus.FAILED


HEDGED = {"kind": "answer", "match": "GET /fapi/v1/positionSide/dual", "status": 200, "body": '{"dualSidePosition":true}'}


@pytest.mark.scenario(69)
@engine(symbols=[BTC_PERP], venue={"faults": [HEDGED]}, refused_with="PositionModeError")
async def test_69_the_account_is_in_hedge_mode(s):
    raise AssertionError("the engine must not start")


@engine(symbols=[BTC_PERP], cache_expired_time=20)
async def test_an_order_that_is_over_leaves_the_cache_after_a_while(s):
    """And one that rests does not."""
    await s.quotes()
    over, rests = await accepted(s), await accepted(s)
    s.cancel_order(BTC_PERP, over)
    await s.settled(over)
    await asyncio.sleep(15)
    assert s.cache.get_order(over).status is OrderStatus.CANCELED
    await asyncio.sleep(10)
    assert s.cache.get_order(over) is None and s.cache.get_order(rests).is_opened


SWITCH = PrivateConnectorConfig(account_type=PERP_ACCOUNT, dead_mans_switch=10)


@engine(symbols=[BTC_PERP], private=(PERP_ACCOUNT,), connectors=[SWITCH])
async def test_a_living_engine_renews_the_dead_mans_switch(s):
    """The venue would cancel everything after ten seconds of silence."""
    await s.quotes()
    oid = await accepted(s)
    await asyncio.sleep(60)
    assert s.story(oid) == ["pending", "accepted"]
    s.venue.faults.load([{"kind": "answer", "connection": "rest", "match": "*countdownCancelAll", "status": 503}])
    await s.until(lambda: s.heard("canceled", oid), 11.0)
