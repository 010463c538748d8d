"""The simulator's answers and frames have every field that the venue's own have, as client libraries recorded them."""

import asyncio
import json
from pathlib import Path

import pytest
from okx_client import on_okx

ROOT = Path(__file__).parents[4]
SAMPLES, SHARED = ROOT / "tests" / "data", ROOT.parent / "shared" / "data"
RECORDS = [json.loads(line) for line in (SAMPLES / "jkorf_net/okx_shapes.jsonl").read_text().splitlines()]
ANSWERS = [(r["method"], r["path"], r["response"]) for r in RECORDS if "path" in r]
PUSHES = [r["push"] for r in RECORDS if "push" in r]
PRIVATE = ("account", "orders", "fills", "positions")
QUERIES = {"/api/v5/market/index-tickers": {"instId": "BTC-USDT"}, "/api/v5/public/instruments": {"instType": "SPOT"},
           "/api/v5/account/leverage-info": {"instId": "BTC-USDT-SWAP", "mgnMode": "cross"},
           "/api/v5/asset/balances": {"ccy": "ETH"}, "/api/v5/trade/orders-history": {"instType": "SPOT"},
           "/api/v5/trade/orders-pending": {"instId": "BTC-USDT"}}
EMPTY = ("/api/v5/account/bills-archive", "/api/v5/public/delivery-exercise-history", "/api/v5/trade/orders-algo-history")


MARKET_DATA = ("bbo-tbt", "trades", "books", "books5", "books-l2-tbt", "tickers", "funding-rate", "candle1m", "open-interest")


def fields(value, prefix="") -> set[str]:
    """`{"a": [{"b": 1}]}` -> {".a", ".a[].b"}; what a list holds is looked at by its first element."""
    if isinstance(value, list):
        return fields(value[0], prefix + "[]") if value else set()
    if not isinstance(value, dict):
        return set()
    return {prefix + "." + k for k in value} | {f for k, v in value.items() for f in fields(v, prefix + "." + k)}


def kinds(value, path="") -> dict[str, str]:
    """Where a value is a text, a number, a list …: `{".data[].seqId": "int"}`."""
    if isinstance(value, dict):
        return {p: k for name, each in value.items() for p, k in kinds(each, f"{path}.{name}").items()}
    if isinstance(value, list):
        return kinds(value[0], path + "[]") if value else {}
    return {path: type(value).__name__}


async def trade(client) -> None:
    """A fill and a resting order in spot and swap."""
    for instrument, mode, size, price in (("BTC-USDT", "cash", "0.01", "83000"), ("BTC-USDT-SWAP", "cross", "2", "83000")):
        for form in ({"ordType": "market", "tgtCcy": "base_ccy"}, {"ordType": "limit", "px": price}):
            row = await client.order(instId=instrument, tdMode=mode, side="buy", sz=size, **form)
            assert row["sCode"] == "0", row


def problems(recorded, ours) -> list[str]:
    """Fields of the recorded that ours has not, and values of another kind."""
    theirs, mine = kinds(recorded), kinds(ours)
    return [*(fields(recorded) - fields(ours)),
            *(f"{p} is {mine[p]}, not {k}" for p, k in theirs.items() if p in mine and mine[p] != k)]


def test_rest_answers():
    async def scenario(client):
        await trade(client)
        found = {}
        for method, path, recorded in ANSWERS:
            if method == "POST":
                ours = await answer_of(client, path)
            else:
                query = QUERIES.get(path, {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "mgnMode": "cross"})
                status, ours = await client.get(path, **query)
                assert status == 200 and ours["code"] == "0", path
            if path not in EMPTY and problems(recorded, ours):
                found[path] = problems(recorded, ours)
        assert found == {}

    assert len(ANSWERS) > 25
    on_okx(scenario)


async def answer_of(client, path: str) -> dict:
    resting = {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "limit", "sz": "0.01", "px": "82000"}
    placed = await client.order(**resting)
    one = {"instId": "BTC-USDT", "ordId": placed["ordId"]}
    bodies = {"order": resting, "batch-orders": [resting, resting], "cancel-order": one, "cancel-batch-orders": [one],
              "amend-order": {**one, "newSz": "0.02"}, "amend-batch-orders": [{**one, "newSz": "0.02"}],
              "cancel-all-after": {"timeOut": "60"}, "close-position": {"instId": "BTC-USDT-SWAP", "mgnMode": "cross"},
              "set-leverage": {"instId": "BTC-USDT-SWAP", "lever": "5", "mgnMode": "cross"}}
    status, ours = await client.post(path, bodies[path.rpartition("/")[2]])
    assert status == 200 and ours["code"] == "0"
    return ours


def recorded_private() -> list[dict]:
    """Private pushes: those of client libraries' tests, and those of a real account."""
    found = [push for push in PUSHES if push["arg"]["channel"] in PRIVATE]
    for name in ("orders", "positions", "account"):
        whole = SHARED / f"nexustrader/okx_{name}.part1.jsonl"
        file = whole if whole.exists() else SAMPLES / f"nexustrader/okx_{name}.jsonl"
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        found += [line for line in lines if "data" in line and line["data"]]
    for name in ("account", "orders", "orders_ioc"):
        file = SHARED / f"nautilus/rust_adapters/okx/ws_{name}.json"
        found += [json.loads(file.read_text())] if file.exists() else []
    return found


def test_private_pushes():
    async def scenario(client):
        socket = await client.private({"channel": "orders", "instType": "ANY"}, {"channel": "fills"},
                                      {"channel": "account"}, {"channel": "positions", "instType": "ANY"})
        await trade(client)
        seen = {}
        while set(seen) != set(PRIVATE) or not await socket.silent(0.2):
            message = await socket.receive()
            if message.get("data") and (message["arg"]["channel"] != "orders" or message["data"][0]["tradeId"]):
                seen[message["arg"]["channel"]] = message
        recorded = recorded_private()
        assert len(recorded) >= 8 and set(seen) == set(PRIVATE)
        for push in recorded:
            assert problems(push["data"], seen[push["arg"]["channel"]]["data"]) == [], push["arg"]

    on_okx(scenario)


@pytest.mark.parametrize("recorded", [p for p in PUSHES if p["arg"]["channel"] not in PRIVATE],
                         ids=lambda push: push["arg"]["channel"])
def test_public_pushes(recorded):
    channel = recorded["arg"]["channel"]

    async def scenario(client):
        await asyncio.sleep(0.2)
        socket = await client.open("business" if "candle" in channel else "public")
        argument = {"channel": channel, "instType": "SPOT"} if channel == "instruments" else {
            "channel": channel, "instId": "BTC-USDT-SWAP" if channel in ("funding-rate", "mark-price") else "BTC-USDT"}
        identity = await connection_id(socket)
        assert await socket.subscribe(**argument) == {"event": "subscribe", "arg": argument, "connId": identity}
        ours = await socket.push(channel)
        assert problems(recorded["data"], ours["data"]) == []
        if isinstance(recorded["data"][0], list):
            assert len(ours["data"][0]) == len(recorded["data"][0])

    on_okx(scenario, tick_rate=50)


def recorded_market_data() -> list[dict]:
    """Frames of public channels as they came, spot and contracts, 2022 to 2025."""
    found = []
    for name in ("crypto_msg_parser/okx.jsonl", "gocryptotrader/okx_ws_trades.jsonl"):
        file = SHARED / name if (SHARED / name).exists() else SAMPLES / name
        for line in file.read_text().splitlines() if file.exists() else ():
            row = json.loads(line)
            raws = row.get("raw", line)
            found += [json.loads(raw) for raw in ([raws] if isinstance(raws, str) else raws) if raw.startswith('{"arg"')]
    return [frame for frame in found if frame.get("data") and frame["arg"].get("channel") in MARKET_DATA]


def test_market_data_of_every_kind_of_instrument():
    """A recorded frame of a spot, linear or inverse instrument has no field that ours of such an instrument lacks."""

    async def scenario(client):
        sockets = {"public": await client.open("public"), "business": await client.open("business")}
        seen, found = {}, {}
        for recorded in recorded_market_data():
            channel, name = recorded["arg"]["channel"], alike(client, recorded["arg"]["instId"])
            if (channel, name) not in seen:
                socket = sockets["business" if channel.startswith("candle") else "public"]
                assert (await socket.subscribe(channel=channel, instId=name))["event"] == "subscribe"
                seen[channel, name] = await socket.until(
                    lambda m, c=channel, i=name: m.get("arg") == {"channel": c, "instId": i} and "data" in m)
            ours = seen[channel, name]
            if problems(recorded["data"], ours["data"]) or ("action" in recorded) != ("action" in ours):
                found[channel, name] = problems(recorded["data"], ours["data"]), recorded
        assert found == {} and len(seen) >= 3

    on_okx(scenario, tick_rate=100)


def alike(client, name: str) -> str:
    """An instrument of ours of the same kind as a recorded one, which may have ended long ago."""
    parts = name.split("-")
    if len(parts) == 2:
        return "BTC-USDT"
    kind = "SWAP" if parts[2] == "SWAP" else "FUTURES"
    return next(one.instrument_id for one in client.exchange.listings.values()
                if one.kind == kind and one.instrument.quote == parts[1])


async def connection_id(socket) -> str:
    """The connection's own id, as its errors tell it."""
    await socket.send({"op": "nothing", "args": [{}]})
    return (await socket.until(lambda m: m.get("event") == "error"))["connId"]
