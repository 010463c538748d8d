"""The C exchange, judged by a WebSocket client and an HMAC that nobody here wrote."""

import hashlib
import hmac
import json
import subprocess
import time

import pytest
from patience import PROCESS_SECONDS, WAIT_SECONDS
from websockets.sync.client import connect

SECRET = "s3cret"
PATHS = {"spot": ("/ws", "/ws-api/v3"), "usd_m": ("/public/ws", "/ws-fapi/v1")}


class Exchange:
    def __init__(self, binary, out, *options):
        self.out = out
        bounds = ["--settle-ms", "30", "--seconds", "60", "--connect-seconds", "60", "--bound-ms", "3000"]
        command = [str(binary), "--secret", SECRET, "--out", str(out), *options, *bounds]      # of two the first one counts
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def open(self, path):
        return connect(f"ws://127.0.0.1:{self.port}{path}", compression=None)

    def result(self):
        self.process.wait(PROCESS_SECONDS)
        return json.loads(self.out.read_text())


@pytest.fixture
def start(program, tmp_path):
    started = []

    def begin(*options):
        started.append(Exchange(program("exchange"), tmp_path / "result.json", *options))
        return started[-1]

    yield begin
    for exchange in started:
        exchange.process.kill()
        exchange.process.communicate()


def ask(socket, method, params, number=1):
    socket.send(json.dumps({"id": number, "method": method, "params": params}))
    return json.loads(socket.recv(WAIT_SECONDS))


def order(price, secret=SECRET, **changes):
    params = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": price,
        "quantity": "0.00100", "newClientOrderId": "abc1", "apiKey": "key", "timestamp": int(time.time() * 1000),
    }
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    signature = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return {**params, **changes, "signature": signature}


@pytest.mark.parametrize("family", ["spot", "usd_m"])
@pytest.mark.parametrize("combined", [False, True])
def test_every_tick_is_new_and_its_order_is_timed(start, family, combined):
    exchange = start("--ticks", "8", "--warm-up", "2", "--events", "none")
    market_path, api_path = PATHS[family]
    market_path = market_path.replace("ws", "stream") if combined else market_path
    with exchange.open(market_path) as market, exchange.open(api_path) as api:
        assert ask(market, "SUBSCRIBE", ["btcusdt@bookTicker"]) == {"result": None, "id": 1}
        quotes = []
        for _ in range(10):
            frame = json.loads(market.recv(WAIT_SECONDS))
            quote = frame["data"] if combined else frame
            assert not combined or frame["stream"] == "btcusdt@bookTicker"
            quotes.append(quote)
            answer = ask(api, "order.place", order(quote["a"]), "my id")
            assert (answer["id"], answer["status"], answer["result"]["clientOrderId"]) == ("my id", 200, "abc1")
    assert all(float(q["b"]) < float(q["a"]) and q["s"] == "BTCUSDT" for q in quotes)
    for key in "ubBaA":
        assert len({q[key] for q in quotes}) == 10
    result = exchange.result()
    assert (result["ended"], result["family"], result["latency"]["n"], result["orders"]) == ("", family, 8, 10)
    assert (result["bad_signatures"], result["refused"], result["unmatched"], result["lost"]) == (0, 0, 0, 0)
    assert sum(count for _, count in result["latency"]["histogram"]) == 8
    assert result["latency"]["min"] <= result["latency"]["p50"] <= result["latency"]["max"]
    assert result["from_intended"]["p50"] >= result["latency"]["min"]


@pytest.mark.parametrize(
    ("change", "counter", "code"),
    [
        ({"secret": "another"}, "bad_signatures", -1022),
        ({"quantity": "0.00200"}, "bad_signatures", -1022),
        ({"extra": "1"}, "bad_signatures", -1022),
    ],
)
def test_a_bad_signature_is_counted_and_refused(start, change, counter, code):
    exchange = start("--ticks", "2", "--warm-up", "0")
    with exchange.open("/ws") as market, exchange.open("/ws-api/v3") as api:
        ask(market, "SUBSCRIBE", ["btcusdt@bookTicker"])
        ask(api, "order.place", order(json.loads(market.recv(WAIT_SECONDS))["a"]))
        answer = ask(api, "order.place", order(json.loads(market.recv(WAIT_SECONDS))["a"], **change))
        assert (answer["status"], answer["error"]["code"]) == (400, code)
    assert exchange.result()[counter] == 1


def test_an_order_at_no_ticks_price_is_counted_and_the_tick_is_lost(start):
    exchange = start("--ticks", "2", "--warm-up", "0", "--bound-ms", "2000")
    with exchange.open("/ws") as market, exchange.open("/ws-api/v3") as api:
        ask(market, "SUBSCRIBE", ["btcusdt@bookTicker"])
        market.recv(WAIT_SECONDS)
        ask(api, "order.place", order("96999.99"))
        assert ask(api, "order.place", order(json.loads(market.recv(WAIT_SECONDS))["b"]))["status"] == 200
    result = exchange.result()
    assert (result["unmatched"], result["lost"], result["latency"]["n"]) == (1, 1, 1)


@pytest.mark.parametrize("family", ["spot", "usd_m"])
def test_events_of_an_order_reach_user_data(start, family):
    exchange = start("--ticks", "1", "--warm-up", "0")
    market_path, api_path = PATHS[family]
    user_path = "/private/ws/key" if family == "usd_m" else api_path
    with exchange.open(user_path) as user, exchange.open(market_path) as market, exchange.open(api_path) as api:
        if family == "spot":
            assert ask(user, "userDataStream.subscribe.signature", {})["result"] == {"subscriptionId": 0}
        ask(market, "SUBSCRIBE", ["btcusdt@bookTicker"])
        price = json.loads(market.recv(WAIT_SECONDS))["a"]
        number = ask(api, "order.place", order(price))["result"]["orderId"]
        frames = [json.loads(user.recv(WAIT_SECONDS)) for _ in range(2)]
    events = [f["event"] for f in frames] if family == "spot" else [f["o"] for f in frames]
    assert [e["X"] for e in events] == ["NEW", "FILLED"]
    assert {(e["c"], e["i"], e["s"], e["p"]) for e in events} == {("abc1", number, "BTCUSDT", price)}
    assert (events[1]["l"], events[1]["z"], events[1]["L"]) == ("0.00100", "0.00100", price)
    assert exchange.result()["bad_signatures"] == 0


def test_a_silent_client_ends_the_run_in_time(start):
    exchange = start("--ticks", "5", "--warm-up", "0", "--seconds", "10", "--bound-ms", "100")
    with exchange.open("/ws") as market, exchange.open("/ws-api/v3"):
        ask(market, "SUBSCRIBE", ["btcusdt@bookTicker"])
        result = exchange.result()
    assert exchange.process.returncode == 0 or result["ended"]
    assert result["lost"] == 5 and result["latency"]["n"] == 0
