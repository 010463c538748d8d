"""A small client of the simulated Binance for tests, which signs with hashlib/hmac and speaks through aiohttp."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import aiohttp
from patience import WAIT_SECONDS
from verified import session_to
from yarl import URL

from nexus_fast.sim.server import SimulatedVenue


def now_ms() -> int:
    return int(time.time() * 1000)


def hmac_hex(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


class VenueClient:
    """REST and WebSockets of one running `SimulatedVenue`."""

    def __init__(self, venue: SimulatedVenue, key: str = "sim", secret: str = "sim"):
        self.venue = venue
        self.endpoints = venue.endpoints()
        self.rest_url = self.endpoints["binance.spot"]["rest"]
        self.key, self.secret = key, secret
        self.session = session_to(venue.endpoints())

    async def public(self, path: str, **params) -> tuple[int, object]:
        async with self.session.get(self.rest_url + path, params=params) as response:
            return response.status, await response.json(content_type=None)

    async def signed(self, method: str, path: str, *, in_body: bool = False, signature: str | None = None,
                     key: str | None = None, **params) -> tuple[int, dict]:
        """A signed request; `signature` replaces the right one."""
        params.setdefault("timestamp", now_ms())
        return await self.signed_text(method, path, urlencode(params), in_body, signature, key)

    async def signed_text(self, method: str, path: str, payload: str, in_body: bool = False, signature: str | None = None,
                          key: str | None = None) -> tuple[int, dict]:
        """Parameters as a text of the caller's own."""
        payload += "&signature=" + (signature or hmac_hex(self.secret, payload))
        url, data, headers = self.rest_url + path, None, {"X-MBX-APIKEY": self.key if key is None else key}
        if in_body:
            data, headers["Content-Type"] = payload, "application/x-www-form-urlencoded"
        else:
            url += "?" + payload
        # As it was signed: an address that is no URL yet would be encoded otherwise.
        async with self.session.request(method, URL(url, encoded=True), data=data, headers=headers) as response:
            self.headers = response.headers
            return response.status, await response.json(content_type=None)

    async def keyed(self, method: str, path: str) -> tuple[int, dict]:
        async with self.session.request(method, self.rest_url + path, headers={"X-MBX-APIKEY": self.key}) as response:
            return response.status, await response.json(content_type=None)

    async def open(self, url: str) -> "Socket":
        return Socket(await self.session.ws_connect(url, autoping=False), self.key, self.secret)

    async def spot_api(self, query: str = "") -> "Socket":
        return await self.open(self.endpoints["binance.spot"]["ws_api"] + query)

    async def usd_m_api(self, query: str = "") -> "Socket":
        return await self.open(self.endpoints["binance.usd_m"]["ws_api"] + query)


class Socket:
    """One WebSocket: JSON out, JSON in, with requests that are signed sorted by name."""

    def __init__(self, connection, key: str, secret: str):
        self.connection = connection
        self.key, self.secret = key, secret
        self.waiting: list[dict] = []
        self._number = 0

    async def send(self, message) -> None:
        await self.connection.send_str(message if isinstance(message, str) else json.dumps(message))

    async def receive(self, seconds: float = WAIT_SECONDS) -> dict:
        """The next JSON message that no request has claimed."""
        if self.waiting:
            return self.waiting.pop(0)
        return await self._next(seconds)

    async def _next(self, seconds: float) -> dict:
        message = await asyncio.wait_for(self.connection.receive(), seconds)
        assert message.type == aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def silent(self, seconds: float = 0.4) -> bool:
        """True when nothing comes for so long."""
        try:
            self.waiting.append(await self._next(seconds))
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

    async def ask(self, method: str, params: dict | None = None, **more) -> dict:
        """An unsigned request and its answer; what comes in between waits for `receive`."""
        self._number += 1
        message = {"id": self._number, "method": method, **more}
        if params is not None:
            message["params"] = params
        await self.send(message)
        while True:
            answer = await self._next(WAIT_SECONDS)
            if "id" in answer and answer["id"] in (self._number, None):
                return answer
            self.waiting.append(answer)

    async def ask_signed(self, method: str, **params) -> dict:
        params = {"apiKey": self.key, "timestamp": now_ms(), **params}
        params["signature"] = hmac_hex(self.secret, "&".join(f"{k}={params[k]}" for k in sorted(params)))
        return await self.ask(method, params)

    async def ask_ed25519(self, method: str, private_key, **params) -> dict:
        params = {"apiKey": self.key, "timestamp": now_ms(), **params}
        payload = "&".join(f"{k}={params[k]}" for k in sorted(params))
        params["signature"] = base64.b64encode(private_key.sign(payload.encode())).decode()
        return await self.ask(method, params)


def on_venue(scenario, **options) -> None:
    """Run `async def scenario(client)` against a venue of its own; books stand still unless `tick_rate` is given."""

    async def play() -> None:
        venue = SimulatedVenue(**{"tick_rate": 0, **options})
        await venue.start()
        client = VenueClient(venue)
        try:
            await scenario(client)
        finally:
            await client.session.close()
            await venue.stop()

    asyncio.run(play())
