"""Connections: keep-alive, acknowledgements and errors, paged snapshots, counts of connections, the end of it all."""

import asyncio

import aiohttp
import pytest
from okx_client import on_okx

from nexus_fast.sim.okx.venue import OkxOptions

SWAPS = ("BTC-USDT-SWAP", "ETH-USDT-SWAP", "SOL-USDT-SWAP", "BTC-USD-SWAP", "ETH-USD-SWAP")


def test_the_bare_text_ping_is_answered_by_the_bare_text_pong():
    async def scenario(client):
        for place in ("public", "private", "business"):
            socket = await client.open(place)
            await socket.send("ping")
            assert (await socket.frame()).data == "pong"

    on_okx(scenario)


def test_a_silent_connection_is_cut_and_one_that_is_pushed_to_or_pings_is_not():
    async def scenario(client):
        silent, pinging, pushed = [await client.open("public") for _ in range(3)]
        await pushed.subscribe(channel="bbo-tbt", instId="BTC-USDT")
        closing = asyncio.ensure_future(silent.frame())
        while not closing.done():
            await pinging.send("ping")
            assert (await pinging.frame()).data == "pong"
            await asyncio.sleep(0.1)
        closing = await closing
        assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 4004)
        await pushed.push("bbo-tbt")
        assert not pushed.connection.closed

    on_okx(scenario, options=OkxOptions(idle_seconds=2.0), tick_rate=20)


def test_the_notice_before_the_end():
    async def scenario(client):
        socket = await client.open("public")
        await client.venue.okx.stop()
        notice = await socket.receive()
        assert (notice["event"], notice["code"]) == ("notice", "64008") and notice["connId"]
        assert (await socket.frame()).type == aiohttp.WSMsgType.CLOSE

    on_okx(scenario)


def test_acknowledgements_echo_the_request():
    async def scenario(client):
        socket = await client.open("public")
        argument = {"channel": "bbo-tbt", "instId": "BTC-USDT-SWAP"}
        await socket.send({"id": "1512", "op": "subscribe", "args": [argument]})
        answer = await socket.receive()
        assert list(answer) == ["id", "event", "arg", "connId"]
        assert (answer["id"], answer["event"], answer["arg"]) == ("1512", "subscribe", argument)
        first = await socket.receive()
        assert list(first) == ["arg", "data"] and list(first["data"][0]) == ["asks", "bids", "ts", "seqId"]
        assert type(first["data"][0]["seqId"]) is int
        await socket.send({"op": "unsubscribe", "args": [argument]})
        assert (await socket.receive()) == {"event": "unsubscribe", "arg": argument, "connId": answer["connId"]}
        client.exchange.contracts.house_order("BTC-USDT-SWAP", 1, 2, 0, 10**8)
        client.exchange.flush()
        assert await socket.silent()

    on_okx(scenario)


WRONG = [("public", {"channel": "nothing", "instId": "BTC-USDT"}, "60018"),
         ("public", {"channel": "bbo-tbt", "instId": "NO-SUCH"}, "60018"), ("public", {"channel": "bbo-tbt"}, "60018"),
         ("public", {"channel": "candle1m", "instId": "BTC-USDT"}, "60018"),
         ("business", {"channel": "bbo-tbt", "instId": "BTC-USDT"}, "60018"),
         ("public", {"channel": "funding-rate", "instId": "BTC-USDT"}, "60018"),
         ("private", {"channel": "orders"}, "60011"), ("public", {"channel": "orders", "instType": "ANY"}, "60018")]


def test_subscriptions_that_are_refused():
    async def scenario(client):
        sockets = {place: await client.open(place) for place in ("public", "private", "business")}
        for place, argument, code in WRONG:
            answer = await sockets[place].subscribe(**argument)
            assert (answer["event"], answer["code"]) == ("error", code), argument
            assert answer["connId"] and answer["msg"]

    on_okx(scenario)


def test_garbage_is_answered_by_an_error_and_the_connection_lives():
    garbage = ["{", "null", "[]", "5", '"x"', "{}", '{"op":5}', '{"op":"subscribe"}', '{"op":"subscribe","args":{}}',
               '{"op":"subscribe","args":[1]}', '{"op":"subscribe","args":[]}', '{"op":"dance","args":[{}]}', "[" * 5000,
               '{"id":{"a":1},"op":"order","args":[{}]}', '{"id":"a b","op":"subscribe","args":[{"channel":"x"}]}',
               '{"op":"subscribe","args":[{"channel":["x"]}]}', '{"op":"subscribe","args":[{"channel":"books","instId":7}]}',
               '{"op":"login","args":[{"apiKey":[]}]}'[:-2]]

    async def scenario(client):
        for place in ("public", "private", "business"):
            socket = await client.open(place)
            for text in garbage:
                await socket.send(text)
                answer = await socket.receive()
                assert answer["event"] == "error" and answer["code"] in ("60011", "60012", "60018", "60019", "60028"), text
            await socket.send("ping")
            assert (await socket.frame()).data == "pong"

    on_okx(scenario)


def test_snapshots_come_in_pages():
    async def scenario(client):
        for name in SWAPS:
            row = await client.order(instId=name, tdMode="cross", side="buy", ordType="market", sz="1")
            assert row["sCode"] == "0", row
        socket = await client.private({"channel": "positions", "instType": "ANY", "extraParams": '{"updateInterval":"0"}'})
        pages = [await socket.push("positions") for _ in range(3)]
        assert [(page["eventType"], page["curPage"], page["lastPage"]) for page in pages] == [
            ("snapshot", 1, False), ("snapshot", 2, False), ("snapshot", 3, True)]
        assert [row["instId"] for page in pages for row in page["data"]] == list(SWAPS)
        assert "extraParams" not in pages[0]["arg"] and pages[0]["arg"]["uid"]
        account = await client.private({"channel": "account"})
        pages = [await account.push("account") for _ in range(3)]
        assert [page["lastPage"] for page in pages] == [False, False, True]
        assert [len(page["data"][0]["details"]) for page in pages] == [2, 2, 1]
        # What happens then comes as an event, without page numbers.
        await client.order(instId=SWAPS[0], tdMode="cross", side="sell", ordType="market", sz="1")
        event = await socket.push("positions")
        assert (event["eventType"], event["data"][0]["pos"]) == ("event_update", "0") and "curPage" not in event
        event = await account.push("account")
        assert event["eventType"] == "event_update" and [d["ccy"] for d in event["data"][0]["details"]] == ["USDT"]
        empty = await client.private({"channel": "positions", "instType": "FUTURES"})
        told = await empty.push("positions")
        assert (told["data"], told["lastPage"]) == ([], True)

    on_okx(scenario, options=OkxOptions(rows_per_page=2))


def test_snapshots_are_repeated_unless_events_alone_are_wanted():
    async def scenario(client):
        socket = await client.private({"channel": "account"})
        quiet = await client.private({"channel": "account", "extraParams": '{"updateInterval":"0"}'})
        for one in (socket, quiet):
            assert (await one.push("account"))["eventType"] == "snapshot"
        client.venue.clock.offset_ms += 5001
        assert (await socket.push("account"))["eventType"] == "snapshot"
        with pytest.raises(TimeoutError):
            await quiet.push("account", 0.2)

    on_okx(scenario)


def test_balance_and_position_tells_of_fills():
    async def scenario(client):
        socket = await client.private({"channel": "balance_and_position"})
        first = (await socket.push("balance_and_position"))["data"][0]
        assert first["eventType"] == "snapshot" and first["posData"] == [] and len(first["balData"]) == 5
        resting = {"instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "buy", "ordType": "limit", "px": "80000", "sz": "1"}
        await client.order(**resting)
        await client.order(**{**resting, "ordType": "market", "px": ""})
        filled = (await socket.push("balance_and_position"))["data"][0]
        assert filled["eventType"] == "filled" and filled["posData"][0]["pos"] == "1"
        assert filled["trades"][0]["instId"] == "BTC-USDT-SWAP"

    on_okx(scenario)


def test_everybody_hears_how_many_connections_a_channel_has():
    async def scenario(client):
        first = await client.private({"channel": "orders", "instType": "ANY"})

        async def count():
            return (await first.until(lambda m: m.get("event") == "channel-conn-count"))["connCount"]

        assert await count() == "1"
        second = await client.private({"channel": "orders", "instType": "SPOT"})
        assert await count() == "2"
        await second.connection.close()
        assert await count() == "1"

    on_okx(scenario)
