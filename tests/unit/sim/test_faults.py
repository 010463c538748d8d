"""Every kind of fault, seen by clients that are not the engine: aiohttp, and a raw socket that reads the bytes."""

import asyncio
import base64
import json
import os
import struct
import time
from urllib.parse import urlsplit

import aiohttp
import pytest
from patience import WAIT_SECONDS
from venue_client import hmac_hex, now_ms, on_venue


class Raw:
    """A WebSocket by hand: the handshake, then every byte as it came."""

    @classmethod
    async def open(cls, url):
        self, parts = cls(), urlsplit(url)
        self.reader, self.writer = await asyncio.open_connection(parts.hostname, parts.port)
        key = base64.b64encode(os.urandom(16)).decode()
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        self.writer.write((f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT_SECONDS)
        self.status = int(head.split()[1])
        return self

    async def ask(self, message):
        payload = json.dumps(message).encode()
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        self.writer.write(b"\x81" + length + b"\0\0\0\0" + payload)

    async def frame(self):
        """(first byte, second byte, payload); the length as the head says."""
        first, second = await asyncio.wait_for(self.reader.readexactly(2), WAIT_SECONDS)
        size = second & 0x7F
        if size == 126:
            size, = struct.unpack(">H", await self.reader.readexactly(2))
        elif size == 127:
            size, = struct.unpack(">Q", await self.reader.readexactly(8))
            if size > 1 << 30:
                return first, second, size
        key = await self.reader.readexactly(4) if second & 0x80 else b""
        body = await self.reader.readexactly(size)
        return first, second, bytes(b ^ key[i & 3] for i, b in enumerate(body)) if key else body


PING = {"id": "p", "method": "ping"}


def on_raw(rules, scenario):
    """A raw connection to the spot WebSocket API of a venue with these rules."""
    async def play(client):
        raw = await Raw.open(client.endpoints["binance.spot"]["ws_api"])
        try:
            await scenario(raw, client)
        finally:
            raw.writer.close()

    on_venue(play, faults=rules)


def on_api(rules, scenario, **options):
    """A signed client of the USD-M WebSocket API and its user data."""
    async def play(client):
        api = await client.usd_m_api()
        _, key = await client.keyed("POST", "/fapi/v1/listenKey")
        events = await client.open(f"{client.endpoints['binance.usd_m']['private']}/ws/{key['listenKey']}")
        client.venue.faults.load(rules)
        await scenario(client, api, events)

    on_venue(play, tick_rate=20, **options)


ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.002", "price": "40000"}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.002"}


async def place(api, client_id, **changes):
    params = {"apiKey": api.key, "timestamp": now_ms(), **ORDER, "newClientOrderId": client_id, **changes}
    params = {name: value for name, value in params.items() if value is not None}
    params["signature"] = hmac_hex(api.secret, "&".join(f"{k}={params[k]}" for k in sorted(params)))
    await api.send({"id": client_id, "method": "order.place", "params": params})


async def known(client, client_id):
    status, body = await client.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId=client_id)
    return status == 200, body


def test_a_dropped_answer_belongs_to_an_executed_order():
    async def scenario(client, api, events):
        await place(api, "one")
        assert await api.silent()
        assert (await known(client, "one"))[0]
        await place(api, "two")
        assert (await api.receive())["id"] == "two"

    on_api([{"kind": "drop", "connection": "order", "match": "order.place", "nth": 1}], scenario)


def test_a_dropped_request_never_arrives():
    async def scenario(client, api, events):
        await place(api, "one")
        assert await api.silent()
        assert not (await known(client, "one"))[0]

    on_api([{"kind": "drop", "match": "order.place", "way": "from_client"}], scenario)


@pytest.mark.parametrize("execute", [True, False])
def test_an_answer_in_the_venues_place(execute):
    async def scenario(client, api, events):
        await place(api, "one")
        answer = await api.receive()
        assert (answer["id"], answer["status"], answer["error"]["code"]) == ("one", 408, -1007)
        assert (await known(client, "one"))[0] is execute
        status, body = await client.signed("POST", "/fapi/v1/order", newClientOrderId="two", **ORDER)
        assert (status, body["code"]) == (503, -1000) and (await known(client, "two"))[0] is execute

    on_api([{"kind": "answer", "match": "order.place", "status": 408, "code": -1007, "execute": execute},
            {"kind": "answer", "match": "POST /fapi/v1/order", "status": 503, "execute": execute}], scenario)


def test_a_ban_lasts_and_says_for_how_long():
    async def scenario(client, api, events):
        status, body = await client.public("/fapi/v1/time")
        assert status == 429 and body["code"] == -1003 and client.venue.faults.summary()[0]["applied"] == 1
        async with client.session.get(client.rest_url + "/fapi/v1/time") as answer:
            assert answer.status == 429 and 30 < int(answer.headers["Retry-After"]) <= 60
        await api.send({"id": 1, "method": "ping"})
        refused = await api.receive()
        assert refused["status"] == 418 and 20_000 < refused["error"]["data"]["retryAfter"] - now_ms() <= 50_000
        async with client.session.get(client.rest_url + "/api/v3/time") as answer:
            assert answer.status == 403 and answer.content_type == "text/html"

    on_api([{"kind": "ban", "match": "*/fapi/*", "seconds": 60}, {"kind": "ban", "status": 418, "match": "ping", "seconds": 50},
            {"kind": "ban", "status": 403, "match": "/api/*"}], scenario)


def test_delay_keeps_the_order_reorder_does_not():
    async def scenario(client, api, events):
        for kind, expected in (("delay", [1, 2]), ("reorder", [2, 1])):
            client.venue.faults.load([{"kind": kind, "match": "ping", "nth": 1, "ms": 150}])
            for identity in (1, 2):
                await api.send({"id": identity, "method": "ping"})
            begun = time.monotonic()
            assert [(await api.receive())["id"] for _ in expected] == expected
            assert time.monotonic() - begun > 0.14

    on_api([], scenario)


def test_reordering_across_channels():
    """The fill is heard before the order's own answer."""
    async def scenario(client, api, events):
        await place(api, "one", **MARKET, price=None, timeInForce=None)
        heard = []
        async def answer():
            heard.append((await api.receive())["id"])
        async def event():
            await events.until(lambda m: m["e"] == "ORDER_TRADE_UPDATE" and m["o"]["X"] == "FILLED")
            heard.append("filled")
        await asyncio.gather(answer(), event())
        assert heard == ["filled", "one"]

    on_api([{"kind": "delay", "connection": "order", "ms": 1000}], scenario)


def test_double_fills_bring_the_same_trade_again():
    async def scenario(client, api, events):
        await place(api, "one", **MARKET, price=None, timeInForce=None)
        trades, new = [], 0
        while len(trades) < 2:
            message = await events.receive()
            if message["e"] == "ORDER_TRADE_UPDATE":
                new += message["o"]["x"] == "NEW"
                trades += [message["o"]["t"]] if message["o"]["x"] == "TRADE" else []
        assert len(set(trades)) == 1 and new == 1

    on_api([{"kind": "double_fill", "ms": 50}], scenario)


def test_a_request_that_is_doubled_is_done_twice():
    async def scenario(client, api, events):
        await place(api, "same")
        assert (await api.receive())["status"] == 200
        assert (await api.receive())["error"]["code"] == -4116

    on_api([{"kind": "duplicate", "match": "order.place", "way": "from_client"}], scenario)


@pytest.mark.parametrize("execute", [True, False])
def test_a_cut_at_the_request(execute):
    async def scenario(client, api, events):
        await place(api, "one")
        kinds = aiohttp.WSMsgType
        assert (await api.connection.receive(WAIT_SECONDS)).type in (kinds.CLOSED, kinds.ERROR, kinds.CLOSE)
        assert (await known(client, "one"))[0] is execute

    on_api([{"kind": "cut", "match": "order.place", "way": "from_client", "execute": execute}], scenario)


def test_a_cut_in_the_middle_of_a_frame():
    async def scenario(raw, client):
        await raw.ask(PING)
        assert len(await asyncio.wait_for(raw.reader.readexactly(10), WAIT_SECONDS)) == 10
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(raw.reader.read(100), WAIT_SECONDS)

    on_raw([{"kind": "cut", "match": "ping", "bytes": 10}], scenario)


def test_a_cut_with_a_close_frame():
    async def scenario(raw, client):
        await raw.ask(PING)
        first, _, payload = await raw.frame()
        assert first == 0x88 and payload[:2] == struct.pack(">H", 1001)

    on_raw([{"kind": "cut", "match": "ping", "how": "close"}], scenario)


def test_half_open_says_and_hears_nothing_and_stays_connected():
    async def scenario(raw, client):
        await raw.ask(PING)
        raw.writer.write(b"\x89\x80\0\0\0\0")        # a ping is not answered either
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(raw.reader.read(1), 0.25)
        assert not raw.reader.at_eof()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(raw.reader.read(1), WAIT_SECONDS)

    on_raw([{"kind": "half_open", "match": "ping", "seconds": 2.0}], scenario)


def test_fragments_with_pings_between():
    async def scenario(raw, client):
        await raw.ask(PING)
        got = [await raw.frame() for _ in range(5)]
        assert [first for first, _, _ in got] == [0x01, 0x89, 0x00, 0x89, 0x80]
        assert json.loads(got[0][2] + got[2][2] + got[4][2])["status"] == 200

    on_raw([{"kind": "fragment", "match": "ping", "parts": 3}], scenario)


def test_one_byte_at_a_time():
    async def scenario(raw, client):
        await raw.ask(PING)
        await raw.ask({"id": "q", "method": "time"})
        sizes = []
        while not sizes or sum(sizes) < 16:
            sizes.append(len(await asyncio.wait_for(raw.reader.read(1000), WAIT_SECONDS)))
        # A reader that gets no processor for a while finds several of them waiting.
        assert len(sizes) >= 8 and sizes.count(1) >= len(sizes) / 2, sizes

    on_raw([{"kind": "one_byte", "match": "ping", "pause_us": 100_000}], scenario)


@pytest.mark.parametrize(("what", "judge"), [
    ("masked", lambda f: f[1] & 0x80 and json.loads(f[2])["status"] == 200),
    ("reserved", lambda f: f[0] & 0x70),
    ("opcode", lambda f: f[0] & 0x0F not in (0, 1, 2, 8, 9, 10)),
    ("deflate", lambda f: f[0] & 0x40),
    ("oversized", lambda f: f[2] >= 1 << 40),
])
def test_frames_that_break_the_protocol(what, judge):
    async def scenario(raw, client):
        await raw.ask(PING)
        assert judge(await raw.frame())

    on_raw([{"kind": "wrong", "what": what, "match": "ping"}], scenario)


@pytest.mark.parametrize("what", ["malformed", "truncated", "utf8"])
def test_texts_that_are_not_json(what):
    async def scenario(raw, client):
        await raw.ask(PING)
        first, _, payload = await raw.frame()
        assert first == 0x81
        with pytest.raises((UnicodeDecodeError, json.JSONDecodeError)):
            json.loads(payload)

    on_raw([{"kind": "wrong", "what": what, "match": "ping"}], scenario)


def test_a_silent_subscription_is_acknowledged():
    async def scenario(client):
        socket = await client.open(client.endpoints["binance.spot"]["stream"] + "/ws")
        answer = await socket.ask("SUBSCRIBE", ["btcusdt@bookTicker", "ethusdt@bookTicker"])
        assert answer["result"] is None
        heard = {(await socket.receive())["s"] for _ in range(20)}
        assert heard == {"ETHUSDT"}

    on_venue(scenario, tick_rate=100, faults=[{"kind": "silent", "connection": "stream", "match": "btcusdt@*"}])


def test_a_stale_replica_answers_as_it_was():
    async def scenario(client, api, events):
        await client.signed("GET", "/fapi/v1/openOrders")
        await place(api, "one")
        await api.receive()
        found, body = await known(client, "one")
        assert not found and body["code"] == -2013
        assert (await client.signed("GET", "/fapi/v1/openOrders"))[1] == []
        await asyncio.sleep(2.1)
        assert (await known(client, "one"))[1]["status"] == "NEW"
        await api.ask_signed("order.cancel", symbol="BTCUSDT", origClientOrderId="one")
        assert (await known(client, "one"))[1]["status"] == "NEW"
        await asyncio.sleep(2.1)
        assert (await known(client, "one"))[1]["status"] == "CANCELED"

    on_api([{"kind": "stale", "ms": 2000}], scenario)


def test_a_replica_that_knows_nothing():
    async def scenario(client, api, events):
        await place(api, "one")
        await api.receive()
        assert [(await known(client, "one"))[0] for _ in range(3)] == [False, False, True]

    on_api([{"kind": "stale", "absent": True, "match": "GET /fapi/v1/order", "times": 2}], scenario)


def test_the_clock_is_shifted_and_set_back():
    async def scenario(client):
        async def offset_is(expected):
            before = now_ms()
            told = (await client.public("/api/v3/time"))[1]["serverTime"]
            return before <= told - expected <= now_ms()

        async def becomes(expected):
            async with asyncio.timeout(WAIT_SECONDS):
                while not await offset_is(expected):
                    await asyncio.sleep(0.01)

        client.venue.faults.load([{"kind": "clock", "offset_ms": 20_000, "until": 2.0}])
        await becomes(20_000)
        await becomes(0)

    on_venue(scenario)


@pytest.mark.parametrize("announce", [True, False])
def test_listen_keys_expire(announce):
    async def scenario(client, api, events):
        if announce:
            assert (await events.receive())["e"] == "listenKeyExpired"
        else:
            assert await events.silent(0.2)
        status, body = await client.keyed("PUT", "/fapi/v1/listenKey")
        assert status == 400 and body["code"] == -1125

    on_api([{"kind": "expire_listen_keys", "announce": announce}], scenario)


def test_a_revoked_session_answers_without_an_id():
    async def scenario(client, api, events):
        await place(api, "one")
        answer = await api.receive()
        assert answer["id"] is None and answer["status"] == 401 and answer["error"]["code"] == -2015
        assert not (await known(client, "one"))[0]

    on_api([{"kind": "revoke_session", "match": "order.place"}], scenario)


def test_the_end_is_announced():
    async def scenario(client, api, events):
        assert (await api.receive())["event"]["e"] == "serverShutdown"
        assert (await api.connection.receive(WAIT_SECONDS)).type == aiohttp.WSMsgType.CLOSE

    on_api([{"kind": "shutdown", "seconds": 0.1}], scenario)


def test_connections_are_refused():
    async def scenario(client):
        url = client.endpoints["binance.spot"]["ws_api"]
        raws = [await Raw.open(url) for _ in range(3)]
        assert [raw.status == 101 for raw in raws] == [False, False, True]
        for raw in raws:
            raw.writer.close()

    on_venue(scenario, faults=[{"kind": "refuse", "connection": "order", "times": 2}])


def test_rest_can_be_silent_cut_and_broken():
    async def scenario(client):
        url = client.rest_url + "/api/v3/"
        with pytest.raises(TimeoutError):
            async with client.session.get(url + "ping", timeout=aiohttp.ClientTimeout(0.3)):
                pass
        for path in ("time", "exchangeInfo"):
            with pytest.raises(aiohttp.ClientError):
                async with client.session.get(url + path) as answer:
                    await answer.read()
        async with client.session.get(url + "depth", params={"symbol": "BTCUSDT"}) as answer:
            with pytest.raises(json.JSONDecodeError):
                json.loads(await answer.read())

    on_venue(scenario, faults=[
        {"kind": "drop", "match": "/api/v3/ping"}, {"kind": "cut", "match": "/api/v3/time"},
        {"kind": "cut", "match": "/api/v3/exchangeInfo", "bytes": 100}, {"kind": "wrong", "match": "/api/v3/depth"}])


def test_faults_over_the_control_address():
    async def scenario(client):
        url = client.endpoints["sim"]["control"] + "/sim/v1/faults"
        async with client.session.post(url, data='[[fault]]\nkind = "answer"\nmatch = "/api/v3/time"\nstatus = 502') as answer:
            assert answer.status == 200
        assert (await client.public("/api/v3/time"))[0] == 502
        async with client.session.post(url, data='[[fault]]\nkind = "odd"') as answer:
            assert answer.status == 400 and "rule 1" in await answer.text()
        async with client.session.get(url) as answer:
            assert await answer.json() == [{"rule": 1, "kind": "answer", "seen": 1, "applied": 1}]
        async with client.session.post(url, data="") as answer:
            assert await answer.json() == []
        assert (await client.public("/api/v3/time"))[0] == 200

    on_venue(scenario)


def test_new_rules_end_half_open_connections_and_let_the_waiting_go():
    async def scenario(raw, client):
        other = await Raw.open(client.endpoints["binance.spot"]["ws_api"])
        await raw.ask(PING)
        await other.ask({"id": 1, "method": "time"})
        await asyncio.sleep(0.1)
        client.venue.faults.load([])
        assert (await other.frame())[0] == 0x81
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(raw.reader.read(1), WAIT_SECONDS)
        other.writer.close()

    on_raw([{"kind": "half_open", "match": "ping"}, {"kind": "delay", "match": "time", "ms": 60_000}], scenario)
