"""The simulator's answers and frames have every field that the venue's own have, as client libraries recorded them."""

import json
from pathlib import Path

import pytest
from bybit_client import on_bybit

DATA = Path(__file__).parents[3] / "data"
RECORDS = [json.loads(line) for line in (DATA / "jkorf_net/bybit_shapes.jsonl").read_text().splitlines()]
ANSWERS = [r for r in RECORDS if r.get("method") == "GET"]
PLACED = {r["path"]: r["response"] for r in RECORDS if r.get("method") == "POST"}
FRAMES = {r["file"].removeprefix("Subscriptions/V5/").removesuffix(".txt"): r["push"] for r in RECORDS if "push" in r}
PRIVATE = [json.loads(line) for line in (DATA / "nexustrader/bybit_shapes.jsonl").read_text().splitlines()]
# Spot has no field of this name; and one that the venue spells in two ways.
NOT_OURS = {".result.list[].tpslMode", ".result.list[].mmrSysUpdateTime", ".data[].tpslMode", ".data[].L"}


def fields(value, prefix="") -> set[str]:
    """`{"a": [{"b": 1}]}` -> {".a", ".a[].b"}; what a list holds is looked at by its first element."""
    if isinstance(value, list):
        return fields(value[0], prefix + "[]") if value else set()
    if not isinstance(value, dict):
        return set()
    return {prefix + "." + k for k in value} | {f for k, v in value.items() for f in fields(v, prefix + "." + k)}


def missing(recorded, ours) -> set[str]:
    return fields(recorded) - fields(ours) - NOT_OURS


async def trade_a_little(client) -> None:
    for category, symbol, qty in (("spot", "BTCUSDT", "0.01"), ("linear", "BTCUSDT", "0.01"), ("inverse", "BTCUSD", "100")):
        form = {"category": category, "symbol": symbol, "qty": qty}
        await client.create(**form)
        await client.create(**form, orderType="Market", price="", marketUnit="baseCoin")
        await client.create(**form, orderType="Market", price="", side="Sell")
        await client.create(**form, orderType="Market", price="", marketUnit="baseCoin")


def test_rest_answers():
    async def scenario(client):
        await trade_a_little(client)
        for record in ANSWERS:
            category = record["response"]["result"].get("category", "linear")
            params = {"category": category, "symbol": "BTCUSD" if category == "inverse" else "BTCUSDT", "interval": "5"}
            ours = await client.get(record["path"], **params)
            assert ours["retCode"] == 0 and not missing(record["response"], ours), (record["path"], category)

    assert len(ANSWERS) >= 13
    on_bybit(scenario)


def test_answers_to_orders():
    async def scenario(client):
        placed = await client.create()
        named = {"category": "linear", "symbol": "BTCUSDT", "orderId": placed["result"]["orderId"]}
        amended = await client.post("/v5/order/amend", **named, price="83000")
        cancelled = await client.post("/v5/order/cancel", **named)
        assert not missing(PLACED["/v5/order/amend"], amended) and not missing(PLACED["/v5/order/cancel"], cancelled)
        form = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "84000"}
        batch = await client.post("/v5/order/create-batch", category="spot", request=[form])
        assert not missing(PLACED["/v5/order/create-batch"], batch)
        batch = await client.post("/v5/order/cancel-batch", category="spot", request=[{**batch["result"]["list"][0]}])
        assert not missing(PLACED["/v5/order/cancel-batch"], batch)
        recorded = next(r for r in RECORDS if "answer" in r)
        trade = await client.open("trade")
        login = await trade.log_in()
        assert not missing(recorded["login"], login) - {".reqId"}
        answer = await trade.trade("order.cancel", named)
        assert not missing(recorded["answer"], answer) - {".data.orderId", ".data.orderLinkId"} - {
            ".header.X-Bapi-Limit", ".header.X-Bapi-Limit-Status", ".header.X-Bapi-Limit-Reset-Timestamp"}

    on_bybit(scenario)


@pytest.mark.parametrize("name", [name for name in FRAMES if not name.startswith("Private")])
def test_public_frames(name):
    recorded = FRAMES[name]

    async def scenario(client):
        category = "spot" if name.startswith("Spot") else "linear"
        topic = recorded["topic"].replace("ETHUSDT", "BTCUSDT")
        socket = await client.open(f"public/{category}")
        await socket.send({"op": "subscribe", "args": [topic]})
        await client.create(category=category, orderType="Market", price="", qty="0.01", marketUnit="baseCoin")
        ours = await socket.topic(topic)
        wanted = {**recorded, "data": recorded["data"]}
        assert not missing(wanted, ours)
        if name == "Linear/Trades":
            assert "L" in ours["data"][0]

    on_bybit(scenario)


@pytest.mark.parametrize("recorded", [*PRIVATE, FRAMES["Private/Order"]], ids=lambda frame: frame["id"][:24])
def test_private_frames(recorded):
    async def scenario(client):
        socket = await client.private(recorded["topic"])
        await client.create(orderType="Market", price="", qty="0.01")
        ours = await socket.topic(recorded["topic"])
        assert not missing(recorded, ours)

    on_bybit(scenario)
