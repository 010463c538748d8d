"""A fault script reaches the simulated OKX: its answers, its pushes, its REST paths, its clock and its end."""

import aiohttp
import pytest
from okx_client import on_okx

FORM = {"instIdCode": 10459, "side": "buy", "tdMode": "cross", "ordType": "market", "sz": "1"}


def test_an_answer_is_lost_and_the_order_lives():
    async def scenario(client):
        socket = await client.private({"channel": "orders", "instType": "ANY"})
        await socket.send({"id": "lost", "op": "order", "args": [{**FORM, "clOrdId": "a1"}]})
        filled = await socket.until(lambda m: m.get("data") and m["data"][0].get("state") == "filled")
        assert filled["data"][0]["clOrdId"] == "a1"
        assert (await socket.ask("order", {**FORM, "clOrdId": "a2"}))["code"] == "0"

    on_okx(scenario, faults=[{"kind": "drop", "connection": "order", "match": "order", "nth": 1}])


def test_fills_are_told_twice_and_orders_are_refused_in_the_venues_words():
    async def scenario(client):
        socket = await client.private({"channel": "orders", "instType": "ANY"})
        refused = await socket.ask("order", FORM)
        assert (refused["code"], refused["data"][0]["sCode"]) == ("1", "50001")
        row = (await socket.ask("order", FORM))["data"][0]
        fills = [await socket.until(lambda m: m.get("data") and m["data"][0].get("tradeId")) for _ in range(2)]
        assert fills[0] == fills[1] and fills[0]["data"][0]["ordId"] == row["ordId"]
        status, answer = await client.get("/api/v5/trade/fills")
        assert (status, answer["code"]) == (503, "50001")
        assert len((await client.get("/api/v5/trade/fills"))[1]["data"]) == 1

    on_okx(scenario, faults=[
        {"kind": "answer", "connection": "order", "match": "order", "nth": 1, "code": 50001, "text": "Service unavailable"},
        {"kind": "double_fill"},
        {"kind": "answer", "connection": "rest", "match": "/api/v5/trade/fills", "nth": 1, "status": 503, "code": 50001}])


def test_a_query_that_lags_behind():
    async def scenario(client):
        await client.order(instId="BTC-USDT", side="buy", ordType="limit", px="80000", sz="0.01", clOrdId="new")
        status, answer = await client.get("/api/v5/trade/order", instId="BTC-USDT", clOrdId="new")
        assert answer["code"] == "51603"
        assert (await client.get("/api/v5/trade/orders-pending"))[1]["data"][0]["clOrdId"] == "new"

    on_okx(scenario, faults=[{"kind": "stale", "match": "/api/v5/trade/order", "absent": True}])


def test_a_wrong_clock_refused_connections_and_an_announced_end():
    async def scenario(client):
        assert (await client.get("/api/v5/account/config"))[1]["code"] == "50102"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.open("business")
        socket = await client.open("business")
        client.venue.faults.load([{"kind": "shutdown", "venue": "okx", "seconds": 0.05}])
        assert (await client.get("/api/v5/account/config"))[1]["code"] == "0"
        assert (await socket.receive())["code"] == "64008"
        assert (await socket.frame()).type == aiohttp.WSMsgType.CLOSE

    on_okx(scenario, faults=[{"kind": "clock", "offset_ms": 60_000}, {"kind": "refuse", "connection": "stream", "nth": 1}])
