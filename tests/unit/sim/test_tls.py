"""The simulated venues over TLS: a certificate of the run's own, verified by whoever has its authority and by nobody else."""

import os
import ssl
import stat
from pathlib import Path

import aiohttp
import pytest
from bybit_client import on_bybit
from okx_client import on_okx
from venue_client import on_venue
from verified import context_of

from nexus_fast.authorities import context_of as engine_context_of
from nexus_fast.endpoints import load_endpoints
from nexus_fast.error import ConfigurationError
from nexus_fast.sim.certificates import Certificates
from nexus_fast.sim.endpoints import write

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "84000"}


def addresses(endpoints: dict) -> list[str]:
    return [url for table, keys in endpoints.items() if table != "sim" for name, url in keys.items()
            if name != "order_limit_factor"]


def test_binance_over_tls():
    async def scenario(client):
        assert all(url.startswith(("https://", "wss://")) for url in addresses(client.endpoints))
        for path, symbol in (("/api/v3/order", "BTCUSDT"), ("/fapi/v1/order", "BTCUSDT"), ("/dapi/v1/order", "BTCUSD_PERP"),
                             ("/papi/v1/um/order", "BTCUSDT"), ("/sapi/v1/margin/order", "BTCUSDT")):
            assert (await client.signed("POST", path, **LIMIT, symbol=symbol))[0] == 200
        for api in (await client.spot_api(), await client.usd_m_api()):
            assert (await api.ask_signed("order.place", **LIMIT, symbol="BTCUSDT"))["status"] == 200
        for table, key in (("spot", "stream"), ("usd_m", "public"), ("coin_m", "stream")):
            stream = await client.open(client.endpoints[f"binance.{table}"][key] + "/ws/ethusdt@miniTicker")
            assert (await stream.ask("LIST_SUBSCRIPTIONS"))["result"] == ["ethusdt@miniTicker"]

    on_venue(scenario, tls=True)


def test_bybit_over_tls():
    async def scenario(client):
        assert all(url.startswith(("https://", "wss://")) for url in addresses(client.venue.endpoints()))
        private = await client.private("order")
        assert (await client.create())["retCode"] == 0
        assert (await private.topic("order"))["data"][0]["orderStatus"] == "New"
        public = await client.open("public/linear")
        assert (await public.ask({"op": "subscribe", "args": ["orderbook.1.BTCUSDT"]}))["success"]

    on_bybit(scenario, tls=True)


def test_okx_over_tls():
    async def scenario(client):
        assert all(url.startswith(("https://", "wss://")) for url in addresses(client.venue.endpoints()))
        private = await client.private({"channel": "orders", "instType": "ANY"})
        assert (await client.order(instId="BTC-USDT", side="buy", ordType="limit", px="80000", sz="0.01"))["sCode"] == "0"
        assert (await private.push("orders"))["data"][0]["state"] == "live"
        business = await client.open("business")
        assert (await business.subscribe(channel="candle1m", instId="BTC-USDT"))["event"] == "subscribe"

    on_okx(scenario, tls=True)


def test_only_who_has_the_authority_trusts_it():
    async def scenario(client):
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            async with aiohttp.ClientSession() as stranger:
                await stranger.get(client.rest_url + "/api/v3/time")
        another = Certificates("127.0.0.1")
        try:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                async with aiohttp.ClientSession() as stranger:
                    context = ssl.create_default_context(cafile=another.authority)
                    await stranger.get(client.rest_url + "/api/v3/time", ssl=context)
        finally:
            another.remove()
        assert not another.authority.parent.exists()
        strict = context_of(client.endpoints)
        strict.verify_flags |= ssl.VERIFY_X509_STRICT            # Python's default from 3.13 on
        async with client.session.get(client.rest_url + "/api/v3/time", ssl=strict) as response:
            assert response.status == 200

    on_venue(scenario, tls=True)


def test_its_files_are_the_users_own_and_go_with_it():
    found = []

    async def scenario(client):
        authority = Path(client.endpoints["sim"]["ca"])
        found.append(authority.parent)
        assert [stat.S_IMODE(os.stat(path).st_mode) for path in (authority.parent, authority)] == [0o700, 0o600]
        assert os.listdir(authority.parent) == [authority.name] and b"PRIVATE" not in authority.read_bytes()

    before = os.umask(0)
    try:
        on_venue(scenario, tls=True)
    finally:
        os.umask(before)
    assert not found[0].exists()


def test_the_engine_trusts_the_authority_at_the_addresses_of_its_file_alone(tmp_path):
    async def scenario(client):
        file = tmp_path / "endpoints.toml"
        write(file, client.endpoints)
        given = load_endpoints(file)
        url = given.url("binance.usd_m", "public")
        assert engine_context_of(url) is not None and engine_context_of(url + "/ws/x?y=z") is not None
        assert engine_context_of("wss://fstream.binance.com/ws") is None
        assert engine_context_of(url.replace("wss", "ws")) is None
        write(file, {**client.endpoints, "sim": {"ca": str(tmp_path / "none.pem")}})
        with pytest.raises(ConfigurationError, match="none.pem.*--tls"):
            load_endpoints(file)

    on_venue(scenario, tls=True)


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_connection_is_cut_in_the_middle_of_a_frame(how):
    """Faults happen inside of TLS: the bytes before the cut arrive, and nothing after them."""
    async def scenario(client):
        stream = await client.open(client.endpoints["binance.spot"]["stream"] + "/ws")
        client.venue.faults.load([{"kind": "cut", "connection": "stream", "how": how, "bytes": 5}])
        await stream.send({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        message = await stream.connection.receive(10)
        assert message.type is not aiohttp.WSMsgType.TEXT
        client.venue.faults.load([{"kind": "one_byte", "connection": "stream", "pause_us": 10}])
        stream = await client.open(client.endpoints["binance.spot"]["stream"] + "/ws")
        assert (await stream.ask("LIST_SUBSCRIPTIONS"))["result"] == []

    on_venue(scenario, tls=True)
