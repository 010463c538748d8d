"""Recorded frames reach their subscribers as they were, and orders meet the recorded prices."""

import gzip
import json

import pytest
from venue_client import on_venue

from nexus_fast.sim.replay import read_lines


def frame(number, bid, ask):
    return (f'{{"stream":"btcusdt@bookTicker","data":{{"u":{number},"s":"BTCUSDT","b":"{bid}","B":"1.50000000",'
            f'"a":"{ask}","A":"2.00000000"}}}}')


@pytest.fixture
def recording(tmp_path):
    lines = [f"{1_700_000_000_000_000_000 + n * 20_000_000} "
             + frame(n, f"{80000 + n}.00000000", f"{80000 + n}.10000000") for n in range(200)]
    file = tmp_path / "binance_spot_sample.rawlog.gz"
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    return file


def test_times_of_all_recorded_forms(tmp_path):
    file = tmp_path / "x.rawlog"
    file.write_text("1723161253937085768 {}\n1680652800004107 {}\n1626992741.5: {}\n")
    assert [t for t, _ in read_lines(file)] == [1723161253937085768, 1680652800004107000, 1626992741500000000]


def test_frames_come_as_recorded_and_the_book_follows(recording):
    async def scenario(client):
        combined = await client.open(client.endpoints["binance.spot"]["stream"] + "/stream?streams=btcusdt@bookTicker")
        raw = await client.open(client.endpoints["binance.spot"]["stream"] + "/ws/btcusdt@bookTicker")
        whole, data = await combined.receive(), await raw.receive()
        number = whole["data"]["u"]
        assert whole == json.loads(frame(number, f"{80000 + number}.00000000", f"{80000 + number}.10000000"))
        assert list(data) == ["u", "s", "b", "B", "a", "A"]
        _, order = await client.signed("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET",
                                       quantity="0.001")
        assert 80000 < float(order["fills"][0]["price"]) < 80201
        assert client.venue.statistics.ticks > 0

    on_venue(scenario, replay=[f"spot={recording}"])


def test_the_walk_goes_on_from_the_last_quote(recording):
    async def scenario(client):
        stream = await client.open(client.endpoints["binance.spot"]["stream"] + "/ws/btcusdt@bookTicker")
        seen = [await stream.receive()]
        while len(seen) < 230:
            seen.append(await stream.receive())
        ids = [frame["u"] for frame in seen]
        assert ids == sorted(set(ids))
        assert all(abs(float(frame["b"]) - 80199) < 400 for frame in seen[-20:])
        _, book = await client.public("/api/v3/depth", symbol="BTCUSDT", limit=5)
        assert book["lastUpdateId"] >= ids[-1]

    on_venue(scenario, replay=[f"spot={recording}"], replay_rate=400, tick_rate=100)


def test_a_missing_or_empty_recording_is_named(tmp_path):
    empty = tmp_path / "empty.rawlog"
    empty.write_text("1 nothing\n")
    for path, words in ((tmp_path / "none.rawlog", "does not exist"), (empty, "holds no combined-stream frame")):
        with pytest.raises(ValueError, match=words):
            on_venue(None, replay=[str(path)])
