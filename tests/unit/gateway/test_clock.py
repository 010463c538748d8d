"""The venue's clock, measured over round trips that are not all alike; and clients that find out when it has moved."""

import asyncio
import time

import pytest
from venue_client import on_venue

from nexus_fast.config import BasicConfig
from nexus_fast.endpoints import Endpoints
from nexus_fast.exchange.binance import BinanceAccountType, emergency
from nexus_fast.gateway.session import CLOCK_ROUNDS, RestSession

AHEAD_MS = 5000                  # of our clock is the venue's


def measured(*trips):
    """(the offset that comes out, how often the venue was asked); trips: (seconds there, seconds back), the last one for good."""
    asked = []

    async def ask():
        there, back = trips[min(len(asked), len(trips) - 1)]
        asked.append(there)
        await asyncio.sleep(there)
        now = time.time_ns() // 1_000_000
        await asyncio.sleep(back)
        return now + AHEAD_MS

    return asyncio.run(RestSession("http://127.0.0.1:1")._measure_clock(ask)), len(asked)


def test_a_short_trip_is_enough():
    offset, count = measured((0, 0))
    assert count == 1 and abs(offset - AHEAD_MS) <= 25


def test_the_trip_that_connects_does_not_count():
    """It takes 400 ms and the venue looks at its clock at the end: half of that would be the error."""
    offset, count = measured((0.4, 0), (0, 0))
    assert count > 1 and abs(offset - AHEAD_MS) <= 100


def test_of_long_trips_the_shortest_counts():
    offset, count = measured((0.6, 0), (0.06, 0.06), (0.8, 0))
    assert count == CLOCK_ROUNDS and abs(offset - AHEAD_MS) <= 150


@pytest.mark.parametrize(("account_type", "path"), [
    (BinanceAccountType.SPOT, "/api/v3/order"), (BinanceAccountType.MARGIN, "/sapi/v1/margin/order"),
    (BinanceAccountType.USD_M_FUTURE, "/fapi/v1/order")])
def test_a_guard_cancels_although_a_clock_has_moved_since_it_began(account_type, path):
    async def scenario(client):
        tables = {name: {"rest": client.rest_url} for name in ("binance.spot", "binance.usd_m")}
        rest = emergency.open_rest(account_type, BasicConfig(api_key="sim", secret="sim"), Endpoints(tables))
        try:
            await emergency.check(rest, account_type)
            status, _ = await client.signed("POST", path, symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
                                            quantity="0.01", price="83000.00")
            assert status == 200
            client.venue.clock.offset_ms += 60_000
            assert await emergency.cancel_everything(rest, account_type) == 1
            assert await emergency.cancel_everything(rest, account_type) == 0
        finally:
            await rest.close()

    on_venue(scenario)
