"""Clocks and machines that jump (20); 19 is in test_orders."""

import asyncio
import time

import pytest
from acts import accepted, rest
from engine_program import BTC_PERP
from simulated_run import engine
from simulated_time import pause, step

from nexus_fast.constants import OrderStatus


@pytest.mark.scenario(20)
@engine(symbols=[BTC_PERP], request_timeout_ms=1000)
async def test_20_the_wall_clock_is_set_back(s):
    """Deadlines go by the monotonic clock; the request is refused for its time, and the next one is not."""
    await s.quotes()
    step(-30)
    s.venue.venue.clock.offset_ms += 30_000            # the venue's stays right
    order = await s.settled(rest(s))
    assert order.status is OrderStatus.FAILED and "-1021" in order.reason
    await asyncio.sleep(1)
    s.venue.faults.load([{"kind": "drop", "connection": "order"}, {"kind": "drop", "connection": "user"}])
    begun = time.monotonic()
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid))
    assert 1.0 < time.monotonic() - begun < 1.5


@pytest.mark.scenario(20)
@engine(symbols=[BTC_PERP])
async def test_20_the_machine_stood_still(s):
    """What was on its way when it stopped is too old for the venue when it goes on: no old intent is carried out."""
    await s.quotes()
    s.venue.faults.load([{"kind": "delay", "match": "order.place", "way": "from_client", "ms": 10}])
    oid = rest(s)
    pause(5)
    assert (await s.settled(oid)).status is OrderStatus.FAILED
    assert s.venue.orders(oid) == []
    s.venue.faults.load([])
    await accepted(s)
