"""The venue's clock, measured over round trips that are not all alike; and clients that find out when it has moved."""

import asyncio

import pytest
from venue_client import on_venue

from nexus_fast.config import BasicConfig
from nexus_fast.endpoints import Endpoints
from nexus_fast.exchange.binance import BinanceAccountType, emergency
from nexus_fast.gateway import session
from nexus_fast.gateway.session import CLOCK_ROUNDS, RestSession

AHEAD_MS = 5000                  # of our clock is the venue's


class Clock:
    """Time that passes when a test says so, in place of the module's."""

    def __init__(self):
        self.ns = 1_800_000_000 * 10**9

    def pass_seconds(self, seconds):
        self.ns += round(seconds * 1e9)

    def time_ns(self):
        return self.ns

    monotonic_ns = time_ns


def measured(monkeypatch, *trips):
    """(the offset that comes out, how often the venue was asked); trips: (seconds there, seconds back), the last one for good."""
    clock, asked = Clock(), []
    monkeypatch.setattr(session, "time", clock)

    async def ask():
        there, back = trips[min(len(asked), len(trips) - 1)]
        asked.append(there)
        clock.pass_seconds(there)
        now = clock.ns // 1_000_000
        clock.pass_seconds(back)
        return now + AHEAD_MS

    return asyncio.run(RestSession("http://127.0.0.1:1")._measure_clock(ask)), len(asked)


def test_a_short_trip_is_enough(monkeypatch):
    assert measured(monkeypatch, (0.04, 0)) == (AHEAD_MS + 20, 1)


def test_the_trip_that_connects_does_not_count(monkeypatch):
    """It takes 400 ms and the venue looks at its clock at the end: half of that would be the error."""
    assert measured(monkeypatch, (0.4, 0), (0, 0)) == (AHEAD_MS, 2)


def test_of_long_trips_the_shortest_counts(monkeypatch):
    assert measured(monkeypatch, (0.6, 0), (0.06, 0.06), (0.8, 0)) == (AHEAD_MS, CLOCK_ROUNDS)


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
