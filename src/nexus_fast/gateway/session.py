"""What every venue's REST client has: one aiohttp session per address, made at the first request."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from nexus_fast import fence

TIMEOUT_SECONDS = 15
CLOCK_ROUNDS = 4
SHORT_TRIP_NS = 50_000_000       # a clock that is measured over such a round trip is wrong by half of it at most

LIMITED = (403, 418, 429)        # too many requests; the first two are bans
BAN_MS = 120_000                 # where a venue names no time: the shortest of Binance's bans, a fifth of Bybit's


def pause_of(status: int, headers: Any) -> int:
    """For how long a venue wants to be left alone after this answer, in ms; 0 when it is none of a limit."""
    if status not in LIMITED:
        return 0
    seconds = headers.get("Retry-After", "")
    if seconds.isdecimal() and int(seconds) > 0:
        return int(seconds) * 1000
    return 1000 if status == 429 else BAN_MS


class RestSession:
    """`base_url` without a slash at its end. A session belongs to one event loop."""

    def __init__(self, base_url: str):
        self.base_url = base_url.rstrip("/")
        self._session: Any = None

    async def exchange(
        self, method: str, url: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[int, bytes, int]:
        """(status, body, ms for which the venue wants a pause) of one request, sent once; `url` is encoded already. Raises
        ConnectionError and TimeoutError when no answer came; `path` is what those texts name."""
        import aiohttp
        from yarl import URL

        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=True)
        fence.check_url(url)
        try:
            async with self._session.request(method, URL(url, encoded=True), headers=headers, data=body) as answer:
                return answer.status, await answer.read(), pause_of(answer.status, answer.headers)
        except aiohttp.ClientError as error:
            # The library's text may hold the whole URL with its signature.
            raise ConnectionError(f"{method} {self.base_url}{path}: {type(error).__name__}") from None

    async def _measure_clock(self, ask: Callable[[], Awaitable[int]]) -> int:
        """The venue's clock minus ours, in ms, by the shortest of some round trips; `ask` brings the venue's time. The first trip
        also connects, and loads libraries in a process that has just begun: the venue looks at its clock at the end of it and
        not in its middle."""
        shortest, offset = math.inf, 0
        for _ in range(CLOCK_ROUNDS):
            sent, began = time.time_ns(), time.monotonic_ns()
            venue_ms = await ask()
            took = time.monotonic_ns() - began
            if took < shortest:
                shortest, offset = took, venue_ms - (sent + took // 2) // 1_000_000
            if shortest <= SHORT_TRIP_NS:
                break
        return offset

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
