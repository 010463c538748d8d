"""Bars by REST: the window that times and limit cut out."""

import pytest
from venue_client import on_venue

from nexus_fast.sim.tape import MINUTE, Candle

FIRST = 1_700_000_040_000
STARTS = [FIRST + number * MINUTE for number in range(1200)]
PATHS = {"/api/v3/klines": ("symbol", 1000), "/fapi/v1/klines": ("symbol", 1500),
         "/fapi/v1/indexPriceKlines": ("pair", 1500)}


def remember(venue):
    """Minutes of trades before the simulator's own time, in both markets."""
    for service in (venue.binance.spot, venue.binance.usd_m):
        minutes = service.market.tapes["BTCUSDT"].minutes
        minutes.clear()
        minutes.extend(Candle(start, 10**12, 10**12, 10**12, 10**12, trades=1) for start in STARTS)


@pytest.mark.parametrize("path", PATHS)
def test_times_and_limit(path):
    name, largest = PATHS[path]

    async def scenario(client):
        async def starts(**params):
            remember(client.venue)
            status, rows = await client.public(path, **{name: "BTCUSDT", "interval": "1m", **params})
            assert status == 200
            return [row[0] for row in rows]

        assert await starts() == STARTS[-500:]
        assert await starts(limit=5000) == STARTS[-largest:]
        assert await starts(startTime=STARTS[7], limit=3) == STARTS[7:10]
        assert await starts(startTime=STARTS[7] - 1, endTime=STARTS[9]) == STARTS[7:10]
        assert await starts(endTime=STARTS[9], limit=2) == STARTS[8:10]
        assert await starts(endTime=FIRST - 1) == []
        for limit in (0, -1):
            _, refusal = await client.public(path, **{name: "BTCUSDT", "interval": "1m", "limit": limit})
            assert refusal["code"] == -1130

    on_venue(scenario)


def test_an_index_has_a_pair_and_no_volumes():
    async def scenario(client):
        remember(client.venue)
        _, rows = await client.public("/fapi/v1/indexPriceKlines", pair="BTCUSDT", interval="1m", limit=1)
        assert rows[0][5] == rows[0][7] == "0" and rows[0][6] == rows[0][0] + MINUTE - 1
        _, refusal = await client.public("/fapi/v1/indexPriceKlines", symbol="BTCUSDT", interval="1m")
        assert refusal["code"] == -1102 and "'pair'" in refusal["msg"]

    on_venue(scenario)


def test_coin_m_gives_the_last_bars_of_a_span_of_200_days_at_most():
    async def scenario(client):
        minutes = client.venue.binance.coin_m.market.tapes["ETHUSD_PERP"].minutes
        minutes.clear()
        minutes.extend(Candle(start, 10**12, 10**12, 10**12, 10**12, trades=1) for start in STARTS)

        async def rows(**params):
            return (await client.public("/dapi/v1/klines", symbol="ETHUSD_PERP", interval="1m", **params))[1]

        found = await rows(startTime=STARTS[0], endTime=STARTS[99], limit=3)
        assert [row[0] for row in found] == STARTS[97:100]
        assert await rows() == []                # these are older than 200 days
        assert [row[0] for row in await rows(startTime=STARTS[1190])] == STARTS[1190:]
        assert (await rows(startTime=STARTS[0] - 200 * 1440 * MINUTE, endTime=STARTS[1]))["code"] == -1127

    on_venue(scenario)
