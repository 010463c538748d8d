"""Market-data streams: routes, raw and combined frames, control messages, books that add up."""

import asyncio

import aiohttp
from patience import WAIT_SECONDS
from venue_client import on_venue

from nexus_fast.sim.binance.stream_connection import listen_keys_of, parse_path
from nexus_fast.sim.binance.venue import BinanceOptions

BEST = "btcusdt@bookTicker"


def test_paths():
    assert parse_path("/ws/a@trade/b@trade", False) == ("public", False, ["a@trade", "b@trade"])
    assert parse_path("/stream?streams=a@trade/b@depth", False) == ("public", True, ["a@trade", "b@depth"])
    assert parse_path("/market/ws/a@kline_1m", True) == ("market", False, ["a@kline_1m"])
    assert parse_path("/private/ws?listenKey=K", True) == ("private", False, [])
    assert listen_keys_of("/private/stream?listenKey=K1&events=A/B&listenKey=K2") == [
        ("K1", frozenset({"A", "B"})), ("K2", frozenset())]


def test_raw_and_combined_best_quotes_of_both_markets():
    async def scenario(client):
        spot, usd_m = client.endpoints["binance.spot"]["stream"], client.endpoints["binance.usd_m"]["public"]
        raw = await (await client.open(f"{spot}/ws/{BEST}")).receive()
        assert list(raw) == ["u", "s", "b", "B", "a", "A"] and len(raw["b"].partition(".")[2]) == 8
        combined = await (await client.open(f"{spot}/stream?streams={BEST}")).receive()
        assert combined["stream"] == BEST and combined["data"]["s"] == "BTCUSDT"
        future = await (await client.open(f"{usd_m}/ws/{BEST}")).receive()
        assert list(future) == ["e", "u", "s", "ps", "b", "B", "a", "A", "T", "E", "st"] and future["st"] == 1
        assert client.venue.statistics.ticks > 0

    on_venue(scenario, tick_rate=50)


def test_control_messages():
    async def scenario(client):
        stream = await client.open(client.endpoints["binance.spot"]["stream"] + "/ws")
        assert await stream.ask("SUBSCRIBE", [BEST, "ethusdt@trade"]) == {"result": None, "id": 1}
        assert (await stream.ask("LIST_SUBSCRIPTIONS"))["result"] == [BEST, "ethusdt@trade"]
        assert (await stream.ask("UNSUBSCRIBE", [BEST]))["result"] is None
        assert (await stream.ask("LIST_SUBSCRIPTIONS"))["result"] == ["ethusdt@trade"]

    on_venue(scenario)


def test_refused_control_messages():
    async def scenario(client):
        stream = await client.open(client.endpoints["binance.usd_m"]["public"] + "/ws")
        await stream.send("{oops")
        assert (await stream.receive())["code"] == 3
        assert (await stream.ask("DANCE", []))["code"] == 2
        assert (await stream.ask("SET_PROPERTY", ["combined", "yes"]))["code"] == 1
        assert (await stream.ask("GET_PROPERTY", ["colour"]))["code"] == 0
        assert (await stream.ask("SET_PROPERTY", ["combined", True]))["result"] is None
        assert (await stream.ask("GET_PROPERTY", ["combined"]))["result"] is True

    on_venue(scenario)


def test_a_stream_of_another_route_is_acknowledged_and_silent():
    async def scenario(client):
        usd_m = client.endpoints["binance.usd_m"]
        wrong = await client.open(usd_m["market"] + "/ws")
        assert (await wrong.ask("SUBSCRIBE", [BEST]))["result"] is None
        assert await wrong.silent()
        assert (await wrong.ask("SUBSCRIBE", ["btcusdt@aggTrade"]))["result"] is None
        assert (await wrong.receive())["e"] == "aggTrade"
        unrouted = await client.open(usd_m["public"].removesuffix("/public") + "/ws")
        await unrouted.ask("SUBSCRIBE", ["btcusdt@markPrice@1s", BEST])
        assert (await unrouted.receive())["e"] == "bookTicker"

    on_venue(scenario, tick_rate=100)


def apply(book, changes):
    for price, quantity in changes:
        if float(quantity):
            book[price] = quantity
        else:
            book.pop(price, None)


async def followed(client, url, path):
    """Build a book from a snapshot and the diff stream by the venue's rules; returns (ours, final update id)."""
    stream = await client.open(url + "/ws/btcusdt@depth@100ms")
    first = await stream.receive()
    _, snapshot = await client.public(path, symbol="BTCUSDT", limit=1000)
    book = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
    last, event, previous = snapshot["lastUpdateId"], first, first["U"] - 1
    while event["u"] < last + 30:
        assert event["U"] == previous + 1 and event.get("pu", previous) == previous
        previous = event["u"]
        if event["u"] > last:
            apply(book["b"], event["b"])
            apply(book["a"], event["a"])
        event = await stream.receive()
    return book, previous


def test_diff_depth_leads_from_the_snapshot_to_the_same_book():
    async def scenario(client):
        venue, endpoints = client.venue.binance, client.endpoints
        for url, path, service in (
                (endpoints["binance.spot"]["stream"], "/api/v3/depth", venue.spot),
                (endpoints["binance.usd_m"]["public"], "/fapi/v1/depth", venue.usd_m)):
            book, _ = await followed(client, url, path)
            assert max(map(float, book["b"])) < min(map(float, book["a"]))
            assert abs(len(book["b"]) - len(service.market.books["BTCUSDT"].bids.keys)) < 20

    on_venue(scenario, tick_rate=100)


def test_too_many_messages_end_the_connection():
    async def scenario(client):
        stream = await client.open(client.endpoints["binance.spot"]["stream"] + "/ws")
        for number in range(12):
            await stream.send({"method": "LIST_SUBSCRIPTIONS", "id": number})
        for _ in range(20):
            message = await asyncio.wait_for(stream.connection.receive(), WAIT_SECONDS)
            if message.type != aiohttp.WSMsgType.TEXT:
                break
        assert message.type == aiohttp.WSMsgType.CLOSE

    on_venue(scenario)


def test_pings_and_the_cut_without_a_pong():
    async def scenario(client):
        stream = await client.open(client.endpoints["binance.spot"]["stream"] + "/ws")
        ping = await asyncio.wait_for(stream.connection.receive(), WAIT_SECONDS)
        assert ping.type == aiohttp.WSMsgType.PING and ping.data.isdigit()
        end = await asyncio.wait_for(stream.connection.receive(), WAIT_SECONDS)
        assert end.type == aiohttp.WSMsgType.CLOSE

    on_venue(scenario, binance=BinanceOptions(spot_ping_interval=0.5, spot_pong_timeout=1.0))


def test_shutdown_is_announced_in_three_shapes():
    async def scenario(client):
        spot = client.endpoints["binance.spot"]
        raw, combined = await client.open(spot["stream"] + "/ws"), await client.open(spot["stream"] + "/stream")
        api = await client.open(spot["ws_api"])
        client.venue.binance.connections.shut_down()
        assert (await raw.receive())["e"] == "serverShutdown"
        assert (await combined.receive())["stream"] == "!serverShutdown"
        assert (await api.receive())["event"]["e"] == "serverShutdown"

    on_venue(scenario)
