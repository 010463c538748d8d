"""The C client: against the C exchange, and against a WebSocket server and an HMAC that nobody here wrote."""

import hashlib
import hmac
import json
import os
import subprocess
import threading

import pytest
from patience import PROCESS_SECONDS
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from bench.runs import Scene, run

KEY, SECRET = "k" * 64, "s" * 64


@pytest.mark.parametrize("family", ["spot", "usd_m"])
@pytest.mark.parametrize("mode", ["busy", "block"])
def test_every_order_is_accepted(program, family, mode):
    processors = sorted(os.sched_getaffinity(0))
    scene = Scene("floor", family, mode, 50, 200, 20, exchange_cpu=processors[0], client_cpu=processors[-1])
    result = run(scene, rest_port=1)
    assert (result["bad_signatures"], result["refused"], result["unmatched"]) == (0, 0, 0)
    assert result["client"]["accepted"] == result["client"]["orders"] == result["orders"] >= 220 - result["lost"]
    assert result["client"]["events"] == 2 * result["orders"]
    assert result["client"]["bad_frames"] == 0


class Venue:
    """Answers as the venue does, sends the given frames once the client has subscribed, keeps its orders."""

    def __init__(self, frames, expected):
        self.frames, self.expected, self.orders, self.done = frames, expected, [], threading.Event()

    @staticmethod
    def next_of(socket):
        try:
            return socket.recv()
        except ConnectionClosed:  # the client ends without a close frame
            return None

    def __call__(self, socket):
        while (text := self.next_of(socket)) is not None:
            request = json.loads(text)
            if request["method"] == "SUBSCRIBE":
                socket.send(json.dumps({"result": None, "id": request["id"]}))
                for frame in self.frames:
                    socket.send(frame)
                self.done.wait(10)
                return
            if request["method"] == "order.place":
                self.orders.append(request)
                if len(self.orders) == self.expected:
                    self.done.set()
            socket.send(json.dumps({"id": request["id"], "status": 200, "result": {}}, separators=(",", ":")))


def orders_for(program, frames, expected, *options):
    venue = Venue(frames, expected)
    with serve(venue, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        port = server.socket.getsockname()[1]
        command = [str(program("client")), "--port", str(port), "--mode", "epoll", "--key", KEY, "--secret", SECRET]
        said = subprocess.run([*command, "--seconds", "10", *options], capture_output=True, text=True,
                              timeout=PROCESS_SECONDS)
        server.shutdown()
    return venue.orders, json.loads(said.stdout)


QUOTES = [
    ('{"u":1,"s":"BTCUSDT","b":"97000.10000000","B":"31.21000000","a":"97000.36000000","A":"40.6"}', "97000.36"),
    ('{"A":"1","a":"5.01","B":"2","b":"5","s":"BTCUSDT","u":9223372036854775807}', "5.01"),
    ('{"stream":"x@bookTicker","data":{"u":2,"s":"BTCUSDT","b":"1.00","B":"1","a":"123456.70","A":"2"}}', "123456.70"),
    ('{"e":"bookTicker","u":4,"s":"BTCUSDT","ps":"Z","b":"3.1","B":"1","a":"3.2","A":"1","T":15,"E":16}', "3.20"),
    ('{ "u" :3, "new":{"x":[1,2]}, "s":"BTCUSDT"}', None),
    ('{"u":5,"s":"ETHUSDT","b":"1.00","B":"1","a":"2.00","A":"2"}', None),
    ('{"u":6,"s":"BTCUSDT","b":"1.001","B":"1","a":"2.00","A":"2"}', None),
    ('{"u":7,"s":"BTCUSDT","b":"1.00","B":"1","a":"77.77","A":"2","zz":"a\\"b"}', "77.77"),
]


def test_what_it_reads_is_what_it_sends(program):
    prices = [price for _, price in QUOTES if price]
    orders, said = orders_for(program, [text for text, _ in QUOTES], len(prices))
    assert [o["params"]["price"] for o in orders] == prices
    assert said["bad_frames"] == len(QUOTES) - len(prices)
    assert len({o["params"]["newClientOrderId"] for o in orders}) == len(orders)
    for request in orders:
        params = dict(request["params"])
        signature = params.pop("signature")
        payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
        assert signature == hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
        assert (params["symbol"], params["type"], params["quantity"]) == ("BTCUSDT", "LIMIT", "0.00100")
