"""Where a process may connect to. The tests' own fence (loopback) stands around this file.

192.0.2.0/24 is nobody's (RFC 5737).
"""

import asyncio
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import aiohttp
import pytest
import uvloop
from patience import PROCESS_SECONDS

from nexus_fast import fence
from nexus_fast.config import BasicConfig, PublicConnectorConfig
from nexus_fast.endpoints import load_endpoints
from nexus_fast.error import ConfigurationError
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.feed.connection import WebSocketConnection
from nexus_fast.fence import OutsideError
from nexus_fast.gateway.rest_entry import RestEntry
from nexus_fast.gateway.session import RestSession

ELSEWHERE = "192.0.2.1"
FILE = """
[binance.spot]
rest = "http://127.0.0.1:8001"
stream = "ws://127.0.0.1:8001"
ws_api = "ws://gateway.example:443/ws-api/v3"

[sim]
control = "http://127.0.0.1:8000"
account = "a-key:a-secret:a-phrase"
"""


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "endpoints.toml"
    made.write_text(FILE)
    return str(made)


@pytest.fixture
def on_simulator(file, monkeypatch):
    monkeypatch.setattr(fence, "_fence", fence._Fence(file))
    return file


async def by_rest(url):
    session = RestSession(url)
    try:
        await session.exchange("GET", f"{url}/x", "/x", {})
    finally:
        await session.close()


async def by_rest_entry(url):
    entry = RestEntry("test", url, None, None, None, None, None, None)
    entry._make_reader = lambda lost: None
    await entry._serve()


async def by_websocket(url):
    async def address():
        return url.replace("http", "ws")

    await WebSocketConnection("test", address, None, None, urgent=False, on_up=None, on_down=None)._serve()


ENGINES = [by_rest, by_rest_entry, by_websocket]


@pytest.mark.parametrize("connect", ENGINES)
@pytest.mark.parametrize("url", [f"http://{ELSEWHERE}:80", "https://api.binance.com", "http://127.0.0.1.example:80",
                                 "http://[::ffff:192.0.2.1]:80", "http://2130706433:80"])
def test_the_engines_connections_stay_on_this_machine(connect, url):
    with pytest.raises(OutsideError, match="is not on this machine"):
        uvloop.run(connect(url))


@pytest.mark.parametrize("connect", ENGINES)
@pytest.mark.parametrize("url", ["http://127.0.0.1:8002", "http://localhost:8001", "https://127.0.0.1", "https://api.binance.com"])
def test_on_the_simulator_they_go_to_its_addresses_alone(connect, url, on_simulator):
    """Not to another port of this machine either: a proxy or a tunnel to the venue could listen there."""
    with pytest.raises(OutsideError, match="is not the simulator's"):
        uvloop.run(connect(url))


def test_the_simulators_addresses_are_let_through(on_simulator):
    for url in ("http://127.0.0.1:8001/api", "ws://127.0.0.1:8001", "ws://gateway.example/ws", "http://127.0.0.1:8000"):
        fence.check_url(url) if url != "ws://gateway.example/ws" else fence.check("gateway.example", 443)


# ---------------------------------------------------------------------------------------------- what the program brings itself


async def by_aiohttp():
    async with aiohttp.ClientSession() as session:
        await session.get(f"http://{ELSEWHERE}/")


async def by_loop():
    await asyncio.get_running_loop().create_connection(asyncio.Protocol, ELSEWHERE, 80)


async def by_name():
    await asyncio.get_running_loop().getaddrinfo("api.binance.com", 443)


@pytest.mark.parametrize("loop", [asyncio, uvloop])
@pytest.mark.parametrize("connect", [by_aiohttp, by_loop, by_name])
def test_so_do_those_of_other_libraries(connect, loop):
    with pytest.raises((OutsideError, aiohttp.ClientConnectorError), match="is not on this machine"):
        loop.run(connect())


def test_and_plain_sockets():
    with pytest.raises(urllib.error.URLError, match="is not on this machine"):
        urllib.request.urlopen("https://api.bybit.com/v5/market/time", timeout=1)
    for kind, call in ((socket.SOCK_STREAM, "connect"), (socket.SOCK_STREAM, "connect_ex"), (socket.SOCK_DGRAM, "connect")):
        with socket.socket(socket.AF_INET, kind) as sock, pytest.raises(OutsideError):
            getattr(sock, call)((ELSEWHERE, 80))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(OutsideError):
        sock.sendto(b"", (ELSEWHERE, 53))
    with pytest.raises(OutsideError):
        socket.gethostbyname("www.okx.com")


def test_this_machine_is_let_through():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(("localhost", server.getsockname()[1])):
        pass
    one, other = socket.socketpair()
    one.close(), other.close()


def test_a_child_process_has_the_fence(tmp_path):
    code = f"import nexus_fast.gateway.session, socket; socket.create_connection(('{ELSEWHERE}', 80), 1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PROCESS_SECONDS,
                          env=dict(os.environ, NEXUS_FAST_FENCE="loopback"))
    assert "OutsideError: [Errno 111] 192.0.2.1 is not on this machine" in done.stderr


# ---------------------------------------------------------------------------------------------- what the configuration becomes


def test_endpoints_are_the_simulators_whatever_was_configured(on_simulator, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_ENDPOINTS", "nowhere.toml")
    endpoints = load_endpoints({"binance.spot": {"rest": "https://api.binance.com"}})
    assert endpoints.url("binance.spot", "rest") == endpoints.url("binance.spot", "rest", testnet=True) == "http://127.0.0.1:8001"
    for ask in (endpoints.table, lambda table: endpoints.url(table, "rest")):
        with pytest.raises(ConfigurationError, match="bybit, which this simulator does not serve; it serves binance.spot"):
            ask("bybit")


def test_credentials_are_the_simulators_wherever_they_come_from(on_simulator, monkeypatch):
    monkeypatch.setenv("X_API_KEY", "from-environment")
    monkeypatch.setenv("X_SECRET", "from-environment")
    for basic in (BasicConfig("key", "secret", passphrase="p"), BasicConfig.from_env("X"), BasicConfig()):
        assert (basic.api_key, basic.secret, basic.passphrase) == ("a-key", "a-secret", "a-phrase")
    assert PublicConnectorConfig(BinanceAccountType.SPOT, custom_url="wss://stream.binance.com").custom_url is None


@pytest.mark.parametrize("text", ["", "[binance.spot]\nrest = 1", "not toml", '[sim]\naccount = 3'])
def test_a_file_that_is_none_of_a_simulator_ends_the_process(tmp_path, text):
    """Never without the fence because its file is gone or damaged."""
    broken = tmp_path / "broken.toml"
    broken.write_text(text)
    for named in (broken, tmp_path / "missing.toml"):
        with pytest.raises(ConfigurationError, match="NEXUS_FAST_FENCE names"):
            fence._Fence(str(named))
