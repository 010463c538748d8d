"""REST for everything that is not an order in a hurry: market metadata, snapshots, listen keys, queries.

Nothing that changes something is sent twice.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from nexus_fast.error import VenueError
from nexus_fast.gateway.credentials import Credentials
from nexus_fast.gateway.session import RestSession
from nexus_fast.gateway.signing import signed_query

logger = logging.getLogger("nexus_fast.rest")

CLOCK_REFUSED = -1021


class _Refusal(msgspec.Struct):
    code: int | str = 0
    msg: str = ""


class BinanceRest(RestSession):
    """`clock_offset_ms` is the venue's clock minus ours; `synchronise` measures it."""

    def __init__(self, base_url: str, credentials: Credentials | None = None, recv_window_ms: int = 5000):
        super().__init__(base_url)
        self.clock_offset_ms = 0
        self.on_clock_refused: Callable[[], Awaitable[None]] | None = None
        self._credentials = credentials
        self._recv_window_ms = recv_window_ms

    async def get(self, path: str, params: dict[str, Any] | None = None, *, signed: bool = False) -> bytes:
        """The answer to a question. One whose time the venue refuses is signed anew, once, after on_clock_refused."""
        try:
            return await self.request("GET", path, params, signed=signed)
        except VenueError as error:
            if error.code != CLOCK_REFUSED or not signed or self.on_clock_refused is None:
                raise
        await self.on_clock_refused()
        return await self.request("GET", path, params, signed=signed)

    async def request(
        self, method: str, path: str, params: dict[str, Any] | None = None, *, signed: bool = False, keyed: bool = False
    ) -> bytes:
        """The body of a 2xx answer. Raises VenueError with the venue's code and text for any other, OSError and
        TimeoutError when no answer came. keyed: send the API key without a signature (listen keys)."""
        from urllib.parse import quote, urlencode

        headers = {"User-Agent": "nexus_fast"}
        if signed or keyed:
            headers["X-MBX-APIKEY"] = self._credentials.api_key
        if signed:
            now = time.time_ns() // 1_000_000 + self.clock_offset_ms
            query = signed_query(params or {}, self._credentials, now, self._recv_window_ms)
        else:
            query = urlencode(params or {}, quote_via=quote, safe="")
        url = f"{self.base_url}{path}" + (f"?{query}" if query else "")
        status, body, pause_ms = await self.exchange(method, url, path, headers)
        if 200 <= status < 300:
            return body
        raise _refusal(body, status, f"{method} {path}", pause_ms)

    async def synchronise(self, path: str) -> int:
        """Measure the venue's clock: its time minus ours, in ms."""

        async def ask() -> int:
            return msgspec.json.decode(await self.get(path))["serverTime"]

        self.clock_offset_ms = await self._measure_clock(ask)
        return self.clock_offset_ms

    def separate(self) -> "BinanceRest":
        """The same address and key over connections of its own: for another event loop, as a session belongs to one."""
        made = BinanceRest(self.base_url, self._credentials, self._recv_window_ms)
        made.clock_offset_ms = self.clock_offset_ms
        return made


def _refusal(body: bytes, status: int, what: str, pause_ms: int) -> VenueError:
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
    except msgspec.MsgspecError:
        refusal = _Refusal(0, body[:120].decode("utf-8", "replace"))
    return VenueError(refusal.code, f"{refusal.msg} ({what})", venue="binance", status=status, retry_after_ms=pause_ms)
