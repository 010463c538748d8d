"""What every venue's REST client has: one aiohttp session per address, made at the first request.

What answers may be anybody: a redirect is not followed (it would carry the key and the signature to another host), the body is
read to a limit, and there is one deadline for the whole.
"""

import math
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from nexus_fast import authorities, fence
from nexus_fast.answers import LATEST_MS, redirected
from nexus_fast.error import UnusableAnswer
from nexus_fast.gateway.body import read_body

TIMEOUT_SECONDS = 15             # for connecting, sending and all of the answer
CLOCK_ROUNDS = 4
SHORT_TRIP_NS = 50_000_000       # a clock that is measured over such a round trip is wrong by half of it at most

LIMITED = (403, 418, 429)        # too many requests; the first two are bans
BAN_MS = 120_000                 # where a venue names no time: the shortest of Binance's bans, a fifth of Bybit's


def pause_of(status: int, headers: Any) -> int:
    """For how long a venue wants to be left alone after this answer, in ms; 0 when it is none of a limit."""
    if status not in LIMITED:
        return 0
    seconds = headers.get("Retry-After", "")
    if seconds.isdecimal() and len(seconds) < 10 and int(seconds) > 0:
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
        ConnectionError and TimeoutError when no answer came, UnusableAnswer for a redirect and for a body that is too large or
        cannot be unpacked; `path` is what those texts name."""
        import aiohttp
        from yarl import URL

        what = f"{method} {self.base_url}{path}"
        headers = {**headers, "Accept-Encoding": "gzip"}
        fence.check_url(url)
        try:
            async with self._opened().request(
                method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False,
                ssl=authorities.context_of(url) or True,
            ) as answer:
                if 300 <= answer.status < 400:
                    text = redirected(url, answer.headers.get("Location"), answer.status)
                    raise UnusableAnswer(f"{what}: {text}", status=answer.status)
                return answer.status, await read_body(answer, what), pause_of(answer.status, answer.headers)
        except aiohttp.ClientError as error:
            # The library's text may hold the whole URL with its signature.
            raise ConnectionError(f"{what}: {_cause(error)}") from None
        except TimeoutError:
            raise TimeoutError(f"{what}: no whole answer within {TIMEOUT_SECONDS} s") from None

    def _opened(self) -> Any:
        import aiohttp

        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            # trust_env is False: no proxy of the environment is used, as for every other connection of the engine.
            self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=False)
        return self._session

    async def _measure_clock(self, ask: Callable[[], Awaitable[int]]) -> int:
        """The venue's clock minus ours, in ms, by the shortest of some round trips; `ask` brings the venue's time. The first trip
        also connects, and loads libraries in a process that has just begun: the venue looks at its clock at the end of it and
        not in its middle."""
        shortest, offset = math.inf, 0
        for _ in range(CLOCK_ROUNDS):
            sent, began = time.time_ns(), time.monotonic_ns()
            venue_ms = await ask()
            took = time.monotonic_ns() - began
            if type(venue_ms) is not int or not 0 < venue_ms < LATEST_MS:
                raise UnusableAnswer(f"{self.base_url}: the venue's time is {venue_ms!r:.40}: no time in ms")
            if took < shortest:
                shortest, offset = took, venue_ms - (sent + took // 2) // 1_000_000
            if shortest <= SHORT_TRIP_NS:
                break
        return offset

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _cause(error: Exception) -> str:
    """The kind of an error and, where the system gave one, its reason."""
    system = getattr(error, "os_error", None)
    number = getattr(system, "errno", None) or 0
    reason = os.strerror(number) if number > 0 else getattr(system, "strerror", None)
    return f"{type(error).__name__}{f': {reason}' if reason else ''}"
