"""The C exchange by REST and with TLS, judged by Python's own http.client and ssl; the C client beside it."""

import hashlib
import hmac
import http.client
import json
import os
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from patience import PROCESS_SECONDS, WAIT_SECONDS
from websockets.sync.client import connect

from bench.build import c_program
from bench.rest import answers_text
from bench.runs import Scene, run, write_certificate

SECRET = "s3cret"
HAS_OPENSSL = Path("/usr/include/openssl/ssl.h").exists() or bool(list(Path("/usr/include").glob("*/openssl/ssl.h")))
needs_openssl = pytest.mark.skipif(not HAS_OPENSSL, reason="OpenSSL's headers are not installed")


@pytest.fixture
def exchange(program, tmp_path):
    """exchange(*options) starts it and returns its port; the result is in tmp_path/result.json."""
    started = []

    def start(binary, *options):
        (tmp_path / "answers").write_text(answers_text())
        command = [
            str(binary),
            "--secret",
            SECRET,
            "--out",
            str(tmp_path / "result.json"),
            "--answers",
            str(tmp_path / "answers"),
            "--settle-ms",
            "30",
            "--seconds",
            "60",
            "--connect-seconds",
            "60",
            "--bound-ms",
            "3000",
            "--warm-up",
            "0",
            *options,
        ]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return int(started[-1].stdout.readline().split()[1])

    start.processes = started
    yield start
    for process in started:
        process.kill()
        process.communicate()


def query(price, secret=SECRET, **changes):
    params = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "price": price,
        "quantity": "0.00100",
        "newClientOrderId": "abc1",
        "timestamp": int(time.time() * 1000),
        **changes,
    }
    text = "&".join(f"{name}={value}" for name, value in params.items())
    return f"{text}&signature={hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}"


def ask(connection, method, path, body=None):
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def subscribe(market):
    market.send('{"method":"SUBSCRIBE","params":["btcusdt@bookTicker"],"id":1}')
    assert json.loads(market.recv(WAIT_SECONDS)) == {"result": None, "id": 1}


def test_an_order_by_rest_is_timed_and_acknowledged(exchange, program, tmp_path):
    port = exchange(program("exchange"), "--ticks", "4")
    rest = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
    assert abs(ask(rest, "GET", "/api/v3/time")[1]["serverTime"] - time.time() * 1000) < 5000
    assert ask(rest, "GET", "/api/v3/exchangeInfo?symbol=BTCUSDT")[1]["symbols"][0]["symbol"] == "BTCUSDT"
    assert ask(rest, "GET", "/no/such/path")[0] == 400
    with connect(f"ws://127.0.0.1:{port}/ws", compression=None) as market:
        subscribe(market)
        status, answer = ask(rest, "POST", "/api/v3/order?" + query(json.loads(market.recv(WAIT_SECONDS))["a"]))
        assert (status, answer["clientOrderId"], answer["symbol"]) == (200, "abc1", "BTCUSDT")
        status, answer = ask(rest, "POST", "/api/v3/order", query(json.loads(market.recv(WAIT_SECONDS))["a"]))  # in the body
        assert (status, answer["clientOrderId"]) == (200, "abc1")
        status, answer = ask(rest, "POST", "/api/v3/order?" + query(json.loads(market.recv(WAIT_SECONDS))["a"], "another"))
        assert (status, answer["code"]) == (400, -1022)
        status, answer = ask(rest, "POST", "/api/v3/order?" + query(json.loads(market.recv(WAIT_SECONDS))["a"], symbol="OTHER"))
        assert (status, answer["code"]) == (400, -1102)
    assert exchange.processes[0].wait(PROCESS_SECONDS) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["orders"], result["bad_signatures"], result["refused"], result["latency"]["n"]) == (4, 1, 1, 4)


def test_events_by_listen_key_are_in_a_streams_envelope(exchange, program):
    port = exchange(program("exchange"), "--ticks", "1")
    rest = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
    key = ask(rest, "POST", "/api/v3/userDataStream")[1]["listenKey"]
    base = f"ws://127.0.0.1:{port}"
    with connect(f"{base}/stream?streams={key}", compression=None) as user, connect(f"{base}/ws", compression=None) as market:
        subscribe(market)
        price = json.loads(market.recv(WAIT_SECONDS))["a"]
        ask(rest, "POST", "/api/v3/order?" + query(price))
        events = [json.loads(user.recv(WAIT_SECONDS)) for _ in range(2)]
    assert [(e["stream"], e["data"]["X"], e["data"]["p"]) for e in events] == [(key, "NEW", price), (key, "FILLED", price)]


@needs_openssl
def test_tls_reaches_rest_and_websocket(exchange, tmp_path):
    certificate = tmp_path / "tls.pem"
    write_certificate(certificate)
    port = exchange(c_program("exchange", tls=True), "--ticks", "1", "--tls", str(certificate))
    context = ssl.create_default_context(cafile=certificate)
    rest = http.client.HTTPSConnection("127.0.0.1", port, timeout=WAIT_SECONDS, context=context)
    assert ask(rest, "GET", "/api/v3/ping") == (200, {})
    with connect(f"wss://127.0.0.1:{port}/ws", compression=None, ssl=context) as market:
        subscribe(market)
        assert ask(rest, "POST", "/api/v3/order?" + query(json.loads(market.recv(WAIT_SECONDS))["a"]))[0] == 200


@needs_openssl
@pytest.mark.parametrize(("entry", "tls", "mode"), [("rest", False, "busy"), ("ws", True, "busy"), ("rest", True, "block")])
def test_the_floor_by_rest_and_tls(program, entry, tls, mode):
    processors = sorted(os.sched_getaffinity(0))
    scene = Scene(
        "floor",
        mode=mode,
        gap_us=50,
        ticks=100,
        warm_up=20,
        exchange_cpu=processors[0],
        client_cpu=processors[-1],
        entry=entry,
        tls=tls,
    )
    result = run(scene, rest_port=1)
    assert (result["bad_signatures"], result["refused"], result["unmatched"]) == (0, 0, 0)
    assert result["client"]["accepted"] == result["client"]["orders"] == result["orders"] >= 120 - result["lost"]
    assert result["client"]["events"] == 2 * result["orders"]


def test_the_worst_are_kept_with_when_they_came(program):
    processors = sorted(os.sched_getaffinity(0))
    scene = Scene(
        "floor",
        gap_us=200,
        ticks=200,
        warm_up=20,
        pace="schedule",
        exchange_cpu=processors[0],
        client_cpu=processors[-1],
    )
    result = run(scene, rest_port=1)
    took, late, at = max(result["worst"])
    assert took == result["from_intended"]["max"] and 0 <= late <= took and at > 0
