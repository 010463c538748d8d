"""The simulator's answers and frames have every field that the venue's own have, as a client library recorded them."""

import asyncio
import json
from pathlib import Path

import pytest
from venue_client import on_venue

RECORDS = [json.loads(line) for line in
           (Path(__file__).parents[2] / "data/jkorf_net/binance_shapes.jsonl").read_text().splitlines()]
ANSWERS = {r["path"]: r["response"] for r in RECORDS if "path" in r}
FRAMES = {r["file"].removeprefix("Subscriptions/").removesuffix(".txt"): r["push"] for r in RECORDS if "push" in r}
# Of trailing stops, which are conditional orders and have left these endpoints and frames.
NOT_OURS = {".activatePrice", ".priceRate", ".o.AP", ".o.cr"}


def fields(value, prefix="") -> set[str]:
    """`{"a": [{"b": 1}]}` -> {".a", ".a[].b"}; what a list holds is looked at by its first element."""
    if isinstance(value, list):
        return fields(value[0], prefix + "[]") if value else set()
    if not isinstance(value, dict):
        return set()
    return {prefix + "." + k for k in value} | {f for k, v in value.items() for f in fields(v, prefix + "." + k)}


def missing(recorded, ours) -> set[str]:
    return {f.removeprefix("[]") for f in fields(recorded)} - {f.removeprefix("[]") for f in fields(ours)} - NOT_OURS


def test_rest_answers():
    async def scenario(client):
        await asyncio.sleep(0.3)
        for path in ("/api/v3/order", "/fapi/v1/order"):
            await client.signed("POST", path, symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
            await client.signed("POST", path, symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
                                quantity="0.01", price="83000.00")
        for path, recorded in ANSWERS.items():
            if path.startswith(("/api/v3/ticker", "/api/v3/exchangeInfo", "/api/v3/trades")):
                status, ours = await client.public(path, symbol="BTCUSDT")
            else:
                status, ours = await client.signed("GET", path, **({} if path == "/api/v3/account" else {"symbol": "BTCUSDT"}))
            assert status == 200 and not missing(recorded, ours), path

    assert len(ANSWERS) >= 15
    on_venue(scenario, tick_rate=50)


@pytest.mark.parametrize("name", [name for name in FRAMES if "Account" not in name and "Update" not in name])
def test_stream_frames(name):
    recorded = FRAMES[name]

    async def scenario(client):
        if name.startswith("Spot"):
            base = client.endpoints["binance.spot"]["stream"]
        else:
            public = "Book" in name
            base = client.endpoints["binance.usd_m"]["public" if public else "market"]
        stream = await client.open(f"{base}/stream?streams={recorded['stream']}")
        ours = await stream.receive()
        while ours["data"].get("b") == [] or ours["data"].get("a") == []:
            ours = await stream.receive()
        assert ours["stream"] == recorded["stream"] and not missing(recorded, ours)

    on_venue(scenario, tick_rate=50)


def test_usd_m_user_data_frames_after_subscribing_to_a_listen_key():
    async def scenario(client):
        _, body = await client.keyed("POST", "/fapi/v1/listenKey")
        stream = await client.open(client.endpoints["binance.usd_m"]["private"] + "/ws")
        assert (await stream.ask("SUBSCRIBE", [body["listenKey"]]))["result"] is None
        await client.signed("POST", "/fapi/v1/order", symbol="USDCUSDT", side="BUY", type="MARKET", quantity="6")
        seen = {}
        for _ in range(4):
            event = await stream.receive()
            seen[event["e"]] = event
        for name, kind in (("OrderUpdate", "ORDER_TRADE_UPDATE"), ("AccountUpdate", "ACCOUNT_UPDATE"),
                           ("TradeUpdate", "TRADE_LITE")):
            assert not missing(FRAMES[f"UsdFutures/{name}"]["data"], seen[kind]), kind
        await client.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=7)
        changed = await stream.receive()
        assert (changed["e"], changed["ac"]) == ("ACCOUNT_CONFIG_UPDATE", {"s": "BTCUSDT", "l": 7})

    on_venue(scenario)


def test_spot_account_frame():
    async def scenario(client):
        api = await client.spot_api()
        await api.ask_signed("userDataStream.subscribe.signature")
        await api.ask_signed("order.place", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001")
        ours = await api.until(lambda m: m.get("event", {}).get("e") == "outboundAccountPosition")
        assert not missing(FRAMES["Spot/Account/AccountPosition"], ours)

    on_venue(scenario)
