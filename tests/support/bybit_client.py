"""A small client of the simulated Bybit for tests, which signs with hashlib/hmac and speaks through aiohttp."""

import asyncio
import hashlib
import hmac
import json
import time

import aiohttp
from patience import WAIT_SECONDS
from verified import session_to
from yarl import URL

from nexus_fast.sim.bybit.venue import BybitOptions
from nexus_fast.sim.server import SimulatedVenue


def now_ms() -> int:
    return int(time.time() * 1000)


def hmac_hex(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


class BybitClient:
    """REST and WebSockets of one running `SimulatedVenue`."""

    def __init__(self, venue: SimulatedVenue, key: str = "sim", secret: str = "sim"):
        self.venue = venue
        self.exchange = venue.bybit.exchange
        self.endpoints = venue.endpoints()["bybit"]
        self.key, self.secret = key, secret
        self.session = session_to(venue.endpoints())
        self.headers: dict[str, str] = {}  # of the last answer

    async def public(self, path: str, **params) -> dict:
        async with self.session.get(self.endpoints["rest"] + path, params=params) as response:
            assert response.status == 200, await response.text()
            return await response.json(content_type=None)

    def signed(self, sent: str) -> dict[str, str]:
        moment = str(now_ms())
        return {"X-BAPI-API-KEY": self.key, "X-BAPI-TIMESTAMP": moment, "X-BAPI-RECV-WINDOW": "5000",
                "X-BAPI-SIGN": hmac_hex(self.secret, moment + self.key + "5000" + sent),
                "Content-Type": "application/json"}

    async def get(self, path: str, changed: dict | None = None, **params) -> dict:
        """A signed GET; `changed` replaces headers."""
        query = "&".join(f"{name}={value}" for name, value in params.items())
        return await self._send("GET", path + "?" + query, None, {**self.signed(query), **(changed or {})})

    async def post(self, path: str, body=None, changed: dict | None = None, **params) -> dict:
        """A signed POST of `params` as JSON, or of `body` as it is."""
        text = json.dumps(params) if body is None else body
        return await self._send("POST", path, text, {**self.signed(text), **(changed or {})})

    async def _send(self, method: str, target: str, body: str | None, headers: dict) -> dict:
        async with self.session.request(method, URL(self.endpoints["rest"] + target, encoded=True), data=body,
                                        headers=headers) as response:
            self.headers = response.headers
            return await response.json(content_type=None)

    async def create(self, **form) -> dict:
        """Place one order over REST; the whole answer. A linear limit order unless told otherwise."""
        usual = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01",
                 "price": "84000"}
        return await self.post("/v5/order/create", **{**usual, **form})

    async def order(self, category: str, order_id: str) -> dict:
        """The order's row."""
        rows = (await self.get("/v5/order/realtime", category=category, orderId=order_id))["result"]["list"]
        return rows[0]

    async def open(self, place: str) -> "BybitSocket":
        """`public/spot`, `private` or `trade`."""
        base = self.endpoints["private"].removesuffix("private")
        return BybitSocket(self, await self.session.ws_connect(base + place, autoping=False))

    async def private(self, *topics: str) -> "BybitSocket":
        """A private connection, logged in and subscribed."""
        socket = await self.open("private")
        assert (await socket.log_in())["success"]
        if topics:
            assert (await socket.ask({"op": "subscribe", "args": list(topics)}))["success"]
        return socket

    async def trade(self) -> "BybitSocket":
        socket = await self.open("trade")
        assert (await socket.log_in())["retCode"] == 0
        return socket


class BybitSocket:
    """One WebSocket: JSON out, JSON in."""

    def __init__(self, client: BybitClient, connection):
        self.client = client
        self.connection = connection
        self._number = 0

    async def send(self, message) -> None:
        await self.connection.send_str(message if isinstance(message, str) else json.dumps(message))

    async def receive(self, seconds: float = WAIT_SECONDS) -> dict:
        message = await asyncio.wait_for(self.connection.receive(), seconds)
        assert message.type == aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def closed(self, seconds: float = WAIT_SECONDS) -> bool:
        """Whether the next thing that comes is the end."""
        message = await asyncio.wait_for(self.connection.receive(), seconds)
        return message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

    async def silent(self, seconds: float = 0.3) -> bool:
        """True when nothing comes for so long; ends the connection otherwise useless to read from."""
        try:
            await self.receive(seconds)
        except TimeoutError:
            return True
        return False

    async def until(self, wanted, seconds: float = WAIT_SECONDS) -> dict:
        """The next message for which `wanted(message)` holds; others are dropped."""
        deadline = time.monotonic() + seconds
        while True:
            message = await self.receive(max(0.01, deadline - time.monotonic()))
            if wanted(message):
                return message

    async def topic(self, name: str) -> dict:
        return await self.until(lambda message: message.get("topic") == name)

    async def ask(self, message) -> dict:
        """A request and the next message that is its answer: the first that is no topic's."""
        await self.send(message)
        return await self.until(lambda answer: "topic" not in answer)

    async def log_in(self, **changed) -> dict:
        expires = changed.get("expires", now_ms() + 10_000)
        secret = changed.get("secret", self.client.secret)
        signature = hmac_hex(secret, f"GET/realtime{expires}")
        return await self.ask({"op": "auth", "args": [changed.get("key", self.client.key), expires, signature]})

    async def trade(self, op: str, params, **more) -> dict:
        """A trade request and its answer."""
        self._number += 1
        header = {"X-BAPI-TIMESTAMP": str(now_ms()), "X-BAPI-RECV-WINDOW": "8000"}
        return await self.ask({"reqId": f"r{self._number}", "header": header, "op": op, "args": [params], **more})


def on_bybit(scenario, bybit: BybitOptions | None = None, **options) -> None:
    """Run `async def scenario(client)` against a venue of its own; books stand still unless `tick_rate` is given."""

    async def play() -> None:
        venue = SimulatedVenue(["bybit"], bybit=bybit, **{"tick_rate": 0, **options})
        await venue.start()
        client = BybitClient(venue)
        try:
            await scenario(client)
        finally:
            await client.session.close()
            await venue.stop()

    asyncio.run(play())
