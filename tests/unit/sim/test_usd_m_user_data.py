"""Listen keys and what is pushed to them."""

import asyncio

from patience import WAIT_SECONDS
from venue_client import on_venue

from nexus_fast.sim.binance.venue import BinanceOptions

MARKET = {"symbol": "USDCUSDT", "side": "BUY", "type": "MARKET", "quantity": "6"}


async def listen(client, query=""):
    _, body = await client.keyed("POST", "/fapi/v1/listenKey")
    base = client.endpoints["binance.usd_m"]["private"]
    return body["listenKey"], await client.open(f"{base}/ws/{body['listenKey']}" if not query else
                                                f"{base}{query.format(key=body['listenKey'])}")


def test_a_fill_is_told_by_trade_lite_then_order_then_account():
    async def scenario(client):
        _, stream = await listen(client)
        api = await client.usd_m_api()
        placed = await api.ask_signed("order.place", **MARKET)
        events = [await stream.receive() for _ in range(4)]
        assert [e["e"] for e in events] == ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"]
        assert [events[0]["o"]["x"], events[2]["o"]["x"], events[2]["o"]["X"]] == ["NEW", "TRADE", "FILLED"]
        assert events[1]["t"] == events[2]["o"]["t"] and events[1]["i"] == placed["result"]["orderId"]
        account = events[3]["a"]
        assert account["m"] == "ORDER"
        assert [(p["s"], p["pa"]) for p in account["P"]] == [("USDCUSDT", "6")]
        assert [b["a"] for b in account["B"]] == ["USDT"]
        await api.ask_signed("order.place", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
                             quantity="0.01", price="84000.00")
        assert (await stream.receive())["o"]["X"] == "NEW"
        assert await stream.silent()

    on_venue(scenario)


def test_combined_form_and_the_allow_list_of_events():
    async def scenario(client):
        key, only = await listen(client, "/ws?listenKey={key}&events=ORDER_TRADE_UPDATE")
        _, combined = await listen(client, "/stream?listenKey={key}")
        await (await client.usd_m_api()).ask_signed("order.place", **MARKET)
        assert [(await only.receive())["e"] for _ in range(2)] == ["ORDER_TRADE_UPDATE"] * 2
        assert await only.silent()
        wrapped = await combined.receive()
        assert wrapped["stream"] == key and wrapped["data"]["e"] == "ORDER_TRADE_UPDATE"

    on_venue(scenario)


def test_the_life_of_a_key():
    async def scenario(client):
        key, stream = await listen(client)
        again, _ = await listen(client)
        assert again == key
        assert (await client.keyed("PUT", "/fapi/v1/listenKey"))[0] == 200
        expired = await stream.until(lambda m: m.get("e") == "listenKeyExpired")
        assert expired["listenKey"] == key
        status, body = await client.keyed("PUT", "/fapi/v1/listenKey")
        assert (status, body) == (400, {"code": -1125, "msg": "This listenKey does not exist."})
        await (await client.usd_m_api()).ask_signed("order.place", **MARKET)
        assert await stream.silent() and not stream.connection.closed
        fresh, _ = await listen(client)
        assert fresh != key

    on_venue(scenario, binance=BinanceOptions(listen_key_seconds=3.0))


def test_websocket_api_listen_keys_and_a_dead_key():
    async def scenario(client):
        api = await client.usd_m_api()
        key = (await api.ask("userDataStream.start", {"apiKey": "sim"}))["result"]["listenKey"]
        assert (await api.ask("userDataStream.ping", {"apiKey": "sim"}))["result"]["listenKey"] == key
        assert (await api.ask("userDataStream.stop", {"apiKey": "sim"}))["status"] == 200
        assert (await api.ask("userDataStream.ping", {"apiKey": "sim"}))["error"]["code"] == -1125
        dead = await client.open(client.endpoints["binance.usd_m"]["private"] + "/ws/" + "0" * 64)
        await api.ask_signed("order.place", **MARKET)
        assert await dead.silent()

    on_venue(scenario)


def test_user_data_is_not_on_the_unrouted_path():
    async def scenario(client):
        _, body = await client.keyed("POST", "/fapi/v1/listenKey")
        base = client.endpoints["binance.usd_m"]["private"].removesuffix("/private")
        stream = await client.open(f"{base}/ws/{body['listenKey']}")
        assert (await stream.receive())["msg"] == "Invalid request: invalid stream"
        await (await client.usd_m_api()).ask_signed("order.place", **MARKET)
        assert await stream.silent()

    on_venue(scenario)


def test_the_dead_mans_switch_cancels():
    async def scenario(client):
        form = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
                "price": "84000.00"}
        await client.signed("POST", "/fapi/v1/order", **form)
        await client.signed("POST", "/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=2000)
        assert len((await client.signed("GET", "/fapi/v1/openOrders"))[1]) == 1
        async with asyncio.timeout(WAIT_SECONDS):
            while (await client.signed("GET", "/fapi/v1/openOrders"))[1]:
                await asyncio.sleep(0.05)

    on_venue(scenario)
