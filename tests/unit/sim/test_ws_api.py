"""The WebSocket API: signatures, sessions, errors, rate limits, user data on spot."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from venue_client import now_ms, on_venue

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
         "price": "84000.00"}
UNKNOWN = {"code": -2011, "msg": "Unknown order sent."}


@pytest.mark.parametrize("market", ["spot", "usd_m"])
def test_place_query_and_cancel(market):
    async def scenario(client):
        api = await (client.spot_api() if market == "spot" else client.usd_m_api())
        placed = await api.ask_signed("order.place", newClientOrderId="abc", **LIMIT)
        assert placed["status"] == 200 and placed["result"]["clientOrderId"] == "abc"
        kinds = [(r["rateLimitType"], r["count"]) for r in placed["rateLimits"]]
        assert kinds[:2] == [("ORDERS", 1), ("ORDERS", 1)] and kinds[2][0] == "REQUEST_WEIGHT"
        found = await api.ask_signed("order.status", symbol="BTCUSDT", origClientOrderId="abc")
        assert found["result"]["status"] == "NEW"
        if market == "usd_m":
            moved = await api.ask_signed("order.modify", symbol="BTCUSDT", origClientOrderId="abc", side="BUY",
                                         price="84000.10", quantity="0.02")
            assert moved["result"]["price"] == "84000.10"
        canceled = await api.ask_signed("order.cancel", symbol="BTCUSDT", origClientOrderId="abc")
        assert canceled["result"]["status"] == "CANCELED"
        again = await api.ask_signed("order.cancel", symbol="BTCUSDT", origClientOrderId="abc")
        assert (again["status"], again["error"]) == (400, UNKNOWN)

    on_venue(scenario)


def test_values_are_signed_in_the_textual_form_they_were_sent_in():
    async def scenario(client):
        api = await client.spot_api()
        timestamp = now_ms()
        params = {"apiKey": "sim", "timestamp": timestamp, "recvWindow": 5000, **LIMIT}
        payload = "&".join(f"{k}={params[k]}" for k in sorted(params))
        from venue_client import hmac_hex

        text = json.dumps({**params, "signature": hmac_hex("sim", payload)})
        await api.send('{"id":"x-1","method":"order.place","params":' + text + "}")
        assert (await api.receive())["status"] == 200
        payload = payload.replace("recvWindow=5000", "recvWindow=5000.250")
        text = json.dumps({**params, "signature": hmac_hex("sim", payload)}).replace("5000,", "5000.250,")
        await api.send('{"id":null,"method":"order.place","params":' + text + "}")
        answer = await api.receive()
        assert answer["status"] == 200 and answer["id"] is None

    on_venue(scenario)


def test_bad_signatures_stale_times_and_nonsense():
    async def scenario(client):
        api = await client.usd_m_api()
        params = {**LIMIT, "apiKey": "sim", "timestamp": now_ms(), "signature": "ab" * 32}
        assert (await api.ask("order.place", params))["error"]["code"] == -1022
        assert client.venue.statistics.bad_signatures == 1
        assert (await api.ask_signed("order.place", **LIMIT | {"timestamp": now_ms() - 9000}))["error"]["code"] == -1021
        assert (await api.ask("order.place", LIMIT))["error"]["code"] == -1102
        stranger = await api.ask("order.place", {**params, "apiKey": "nobody"})
        assert (stranger["status"], stranger["error"]["code"]) == (401, -2015)
        assert (await api.ask("no.such.method"))["status"] == 400
        await api.send("{nonsense")
        answer = await api.receive()
        assert (answer["id"], answer["status"], answer["error"]["code"]) == (None, 400, -1135)
        assert (await api.ask("ping"))["result"] == {}

    on_venue(scenario)


def test_rate_limits_can_be_left_out():
    async def scenario(client):
        quiet = await client.spot_api("?returnRateLimits=false")
        assert "rateLimits" not in await quiet.ask("ping")
        loud = await client.spot_api()
        assert "rateLimits" in await loud.ask("ping")
        assert "rateLimits" not in await loud.ask("ping", {"returnRateLimits": False})

    on_venue(scenario)


def test_session_with_an_ed25519_key(tmp_path):
    private = Ed25519PrivateKey.generate()
    file = tmp_path / "public.pem"
    file.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    async def scenario(client):
        for market in (client.spot_api, client.usd_m_api):
            api = await market()
            refused = await api.ask_signed("session.logon")
            assert refused["status"] == 400
            api.key = "edward"
            logon = await api.ask_ed25519("session.logon", private)
            assert logon["result"]["apiKey"] == "edward" and logon["result"]["authorizedSince"]
            placed = await api.ask("order.place", {**LIMIT, "timestamp": now_ms()})
            assert placed["status"] == 200
            assert (await api.ask("order.place", LIMIT))["error"]["code"] == -1102
            assert (await api.ask("session.status"))["result"]["apiKey"] == "edward"
            assert (await api.ask("session.logout"))["result"]["apiKey"] is None
            assert (await api.ask("order.place", {**LIMIT, "timestamp": now_ms()}))["error"]["code"] == -1102

    on_venue(scenario, accounts=[f"edward:@{file}"])


def test_a_revoked_session_answers_with_a_null_id(tmp_path):
    private = Ed25519PrivateKey.generate()
    file = tmp_path / "public.pem"
    file.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    async def scenario(client):
        api = await client.spot_api()
        api.key = "edward"
        await api.ask_ed25519("session.logon", private)
        client.venue.binance.accounts["edward"].revoked = True
        answer = await api.ask("order.place", {**LIMIT, "timestamp": now_ms()})
        assert (answer["id"], answer["status"], answer["error"]["code"]) == (None, 401, -2015)

    on_venue(scenario, accounts=[f"edward:@{file}"])


def test_spot_user_data_in_its_envelope():
    async def scenario(client):
        api = await client.spot_api()
        assert (await api.ask_signed("userDataStream.subscribe.signature"))["result"] == {"subscriptionId": 0}
        assert (await api.ask_signed("userDataStream.subscribe.signature"))["error"]["code"] == -2035
        await api.ask_signed("order.place", newClientOrderId="one", **LIMIT)
        new, position = await api.receive(), await api.receive()
        assert new["subscriptionId"] == 0 and new["event"]["e"] == "executionReport"
        assert (new["event"]["x"], new["event"]["X"], new["event"]["c"], new["event"]["t"]) == ("NEW", "NEW", "one", -1)
        assert position["event"]["e"] == "outboundAccountPosition"
        assert {"a": "USDT", "f": "999160.00000000", "l": "840.00000000"} in position["event"]["B"]
        await api.ask_signed("order.cancel", symbol="BTCUSDT", origClientOrderId="one", newClientOrderId="gone")
        canceled = (await api.receive())["event"]
        assert (canceled["x"], canceled["c"], canceled["C"]) == ("CANCELED", "gone", "one")
        await api.receive()
        await api.ask_signed("order.place", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.002")
        kinds = [(await api.receive())["event"] for _ in range(3)]
        assert [k.get("x") for k in kinds] == ["NEW", "TRADE", None]
        assert kinds[1]["X"] == "FILLED" and kinds[1]["N"] == "BTC" and kinds[1]["t"] > 0
        await api.ask("userDataStream.unsubscribe", {"subscriptionId": 0})
        await api.ask_signed("order.place", **LIMIT)
        assert await api.silent()

    on_venue(scenario)


def test_an_order_that_answers_a_tick_is_timed():
    async def scenario(client):
        stream = await client.open(client.endpoints["binance.usd_m"]["public"] + "/ws/btcusdt@bookTicker")
        api = await client.usd_m_api()
        for _ in range(5):
            await stream.receive()
            await api.ask_signed("order.place", **LIMIT)
        summary = client.venue.statistics.summary()
        assert summary["orders"] == summary["wire_us"]["n"] == 5 and summary["ticks"] >= 5
        assert 0 < summary["wire_us"]["p50"] <= summary["wire_us"]["max"] < 3e6

    on_venue(scenario, tick_rate=10)


def test_the_answer_leaves_before_the_events():
    async def scenario(client):
        api = await client.spot_api()
        await api.ask_signed("userDataStream.subscribe.signature")
        await api.ask_signed("order.place", **LIMIT)
        assert len(api.waiting) == 0

    on_venue(scenario)


def test_spot_refuses_what_it_does_not_know():
    """As binance-connector-rust 39 was told."""
    async def scenario(client):
        api = await client.spot_api()
        form = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "new_client_order_id": "O-1",
                "price": "84000", "quantity": "0.05", "recv_window": 10000}
        answer = await api.ask_signed("order.place", **form)
        told = "Not all sent parameters were read; read '9' parameter(s) but was sent '11'."
        assert answer["error"] == {"code": -1104, "msg": told}
        assert (await api.ask("time", {"symbol": "BTCUSDT", "limit": 1}))["error"]["code"] == -1101
        assert (await api.ask("time", {"returnRateLimits": False}))["status"] == 200
        assert client.venue.statistics.orders == 0

    on_venue(scenario)
