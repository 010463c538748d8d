"""A small client of the simulated OKX for tests, which signs with hashlib/hmac and speaks through aiohttp."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

import aiohttp
from patience import SCRIPT_SECONDS, WAIT_SECONDS
from verified import session_to

from nexus_fast.sim.okx.venue import OkxOptions
from nexus_fast.sim.server import SimulatedVenue


def sign(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def iso_now(offset_seconds: float = 0.0) -> str:
    moment = datetime.fromtimestamp(time.time() + offset_seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class OkxClient:
    """REST and WebSockets of one running `SimulatedVenue`."""

    def __init__(self, venue: SimulatedVenue, key: str = "sim", secret: str = "sim", passphrase: str = "sim"):
        self.venue = venue
        self.exchange = venue.okx.exchange
        self.endpoints = venue.endpoints()["okx"]
        self.key, self.secret, self.passphrase = key, secret, passphrase
        self.session = session_to(venue.endpoints())

    async def public(self, path: str, **params) -> tuple[int, dict]:
        async with self.session.get(self.endpoints["rest"] + path, params=params) as response:
            return response.status, await response.json(content_type=None)

    def headers(self, method: str, target: str, body: str = "") -> dict[str, str]:
        moment = iso_now()
        return {"OK-ACCESS-KEY": self.key, "OK-ACCESS-PASSPHRASE": self.passphrase, "OK-ACCESS-TIMESTAMP": moment,
                "OK-ACCESS-SIGN": sign(self.secret, moment + method + target + body), "x-simulated-trading": "1",
                "Content-Type": "application/json"}

    async def get(self, path: str, changed: dict | None = None, **params) -> tuple[int, dict]:
        """A signed GET; `changed` replaces headers (None takes one out)."""
        query = "&".join(f"{name}={value}" for name, value in params.items())
        return await self._send("GET", path + ("?" + query if query else ""), "", changed)

    async def post(self, path: str, body, changed: dict | None = None) -> tuple[int, dict]:
        return await self._send("POST", path, body if isinstance(body, str) else json.dumps(body), changed)

    async def _send(self, method: str, target: str, body: str, changed: dict | None) -> tuple[int, dict]:
        headers = {name: value for name, value in {**self.headers(method, target, body), **(changed or {})}.items()
                   if value is not None}
        async with self.session.request(method, self.endpoints["rest"] + target, data=body or None,
                                        headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def order(self, **form) -> dict:
        """Place one order over REST; its row of the answer."""
        _, answer = await self.post("/api/v5/trade/order", {"tdMode": "cash", **form})
        return answer["data"][0] if answer["data"] else answer

    async def open(self, place: str) -> "OkxSocket":
        return OkxSocket(self, await self.session.ws_connect(self.endpoints[place], autoping=False))

    async def private(self, *arguments: dict) -> "OkxSocket":
        """A private connection, logged in and subscribed."""
        socket = await self.open("private")
        assert (await socket.login())["event"] == "login"
        if arguments:
            await socket.send({"op": "subscribe", "args": list(arguments)})
        return socket


class OkxSocket:
    """One WebSocket: JSON out, JSON in."""

    def __init__(self, client: OkxClient, connection):
        self.client = client
        self.connection = connection
        self.waiting: list[dict] = []
        self._number = 0

    async def send(self, message) -> None:
        await self.connection.send_str(message if isinstance(message, str) else json.dumps(message))

    async def frame(self, seconds: float = WAIT_SECONDS):
        return await asyncio.wait_for(self.connection.receive(), seconds)

    async def receive(self, seconds: float = WAIT_SECONDS) -> dict:
        """The next JSON message that no request has claimed."""
        if self.waiting:
            return self.waiting.pop(0)
        message = await self.frame(seconds)
        assert message.type == aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def until(self, wanted, seconds: float = WAIT_SECONDS) -> dict:
        """The next message for which `wanted(message)` holds; others are dropped."""
        deadline = time.monotonic() + seconds
        while True:
            message = await self.receive(max(0.01, deadline - time.monotonic()))
            if wanted(message):
                return message

    async def push(self, channel: str, seconds: float = WAIT_SECONDS) -> dict:
        return await self.until(lambda m: m.get("arg", {}).get("channel") == channel and "data" in m, seconds)

    async def silent(self, seconds: float = 0.3) -> bool:
        try:
            self.waiting.append(await self.receive(seconds))
        except TimeoutError:
            return True
        return False

    async def ask(self, operation: str, *arguments: dict, **more) -> dict:
        """An order operation and its answer; what comes in between waits for `receive`."""
        self._number += 1
        identity, kept = f"t{self._number}", []
        await self.send({"id": identity, "op": operation, "args": list(arguments), **more})
        while True:
            answer = await self.receive()
            if answer.get("id") == identity:
                self.waiting = kept + self.waiting
                return answer
            kept.append(answer)

    async def subscribe(self, **argument) -> dict:
        """Subscribe; the acknowledgement or the error."""
        await self.send({"op": "subscribe", "args": [argument]})
        return await self.until(lambda m: m.get("event") in ("subscribe", "error"))

    async def login(self, **changed) -> dict:
        moment = str(int(time.time()))
        client = self.client
        argument = {"apiKey": client.key, "passphrase": client.passphrase, "timestamp": moment,
                    "sign": sign(client.secret, moment + "GET/users/self/verify"), **changed}
        await self.send({"op": "login", "args": [argument]})
        return await self.receive()


def on_okx(scenario, *, options: OkxOptions | None = None, **more) -> None:
    """Run `async def scenario(client)` against a venue of its own; books stand still unless `tick_rate` is given."""

    async def play() -> None:
        venue = SimulatedVenue(("okx",), **{"tick_rate": 0, "okx": options, **more})
        await venue.start()
        client = OkxClient(venue)
        try:
            await asyncio.wait_for(scenario(client), SCRIPT_SECONDS)
        finally:
            await client.session.close()
            await venue.stop()

    asyncio.run(play())
