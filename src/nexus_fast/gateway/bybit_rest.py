"""Bybit v5 over REST: metadata, snapshots, queries. Signed requests are made once; only questions are asked again."""

import asyncio
import time
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from nexus_fast.error import VenueError
from nexus_fast.gateway.bybit import sign_rest
from nexus_fast.gateway.credentials import Credentials
from nexus_fast.gateway.session import RestSession

TIME_PATH = "/v5/market/time"
RATE_CODES = frozenset({10006, 10018})          # more requests per second than the key or the address may make
CLOCK_CODE = 10002
RATE_WAIT_SECONDS = 1.0                         # the limits are of one second
BAN_STATUS, BAN_MS = 403, 600_000               # "access too frequent": nothing is answered for ten minutes (rate-limit.mdx)
MOST_PAGES = 100


class Answer(Struct, rename="camel"):
    """Every v5 answer: {"retCode":0,"retMsg":"OK","result":{…},"retExtInfo":{},"time":…}."""

    ret_code: int = -1
    ret_msg: str = ""
    result: Raw = Raw(b"{}")
    time: int = 0


class _Time(Struct, rename="camel"):
    time_nano: int = 0


class _Cursor(Struct, rename="camel"):
    next_page_cursor: str | None = None


_answer = msgspec.json.Decoder(Answer)
_time = msgspec.json.Decoder(_Time, strict=False)
_cursor = msgspec.json.Decoder(_Cursor)


class BybitRest(RestSession):
    """`clock_offset_ms` is the venue's clock minus ours; `synchronise` measures it."""

    def __init__(self, base_url: str, credentials: Credentials | None = None, recv_window_ms: int = 5000):
        super().__init__(base_url)
        self.clock_offset_ms = 0
        self._credentials = credentials
        self._recv_window_ms = recv_window_ms

    async def get(self, path: str, params: dict[str, Any] | None = None, *, signed: bool = False) -> bytes:
        """The whole answer to a question. One that came too often or with a wrong time is asked once more."""
        try:
            return await self.request("GET", path, params, signed=signed)
        except VenueError as error:
            if error.code in RATE_CODES:
                await asyncio.sleep(RATE_WAIT_SECONDS)
            elif error.code == CLOCK_CODE and signed:
                await self.synchronise()
            else:
                raise
        return await self.request("GET", path, params, signed=signed)

    async def result(self, path: str, params: dict[str, Any] | None = None, *, signed: bool = False) -> Raw:
        """`result` of the answer to a question."""
        return _answer.decode(await self.get(path, params, signed=signed)).result

    async def pages(self, path: str, params: dict[str, Any], *, signed: bool = False) -> list[Raw]:
        """`result` of every page, from the first to that without a cursor."""
        found = [await self.result(path, params, signed=signed)]
        cursor = _cursor.decode(found[-1]).next_page_cursor
        seen = {""}
        while cursor and cursor not in seen and len(found) < MOST_PAGES:
            seen.add(cursor)
            found.append(await self.result(path, {**params, "cursor": cursor}, signed=signed))
            cursor = _cursor.decode(found[-1]).next_page_cursor
        return found

    async def request(
        self, method: str, path: str, params: dict[str, Any] | None = None, *, signed: bool = False, keyed: bool = False
    ) -> bytes:
        """The body of an answer with retCode 0. Raises VenueError with the venue's code and text for any other, OSError and
        TimeoutError when no answer came. keyed: of other venues' requests; a key without a signature means nothing here."""
        given = {name: value for name, value in (params or {}).items() if value is not None}
        body, query = None, ""
        if method == "GET":
            query = "&".join(f"{name}={_text(value)}" for name, value in given.items())
        else:
            body = msgspec.json.encode(given)
        headers = {"User-Agent": "nexus_fast"} | ({"Content-Type": "application/json"} if body is not None else {})
        if signed:
            now = time.time_ns() // 1_000_000 + self.clock_offset_ms
            payload = query if body is None else body.decode()
            headers |= sign_rest(self._credentials, now, self._recv_window_ms, payload)
        url = f"{self.base_url}{path}" + (f"?{query}" if query else "")
        status, content, pause_ms = await self.exchange(method, url, path, headers, body)
        return _accepted(content, status, f"{method} {path}", pause_ms)

    async def synchronise(self) -> int:
        """Measure the venue's clock: its time minus ours, in ms."""

        async def ask() -> int:
            answer = _answer.decode(await self.request("GET", TIME_PATH))
            return _time.decode(answer.result).time_nano // 1_000_000 or answer.time

        self.clock_offset_ms = await self._measure_clock(ask)
        return self.clock_offset_ms

    def separate(self) -> "BybitRest":
        """The same address and key over connections of its own: for another event loop, as a session belongs to one."""
        made = BybitRest(self.base_url, self._credentials, self._recv_window_ms)
        made.clock_offset_ms = self.clock_offset_ms
        return made


def _text(value: Any) -> str:
    """Percent-encoded. A cursor is so already when the venue gives it, and goes back as it came."""
    return quote(("false", "true")[value] if isinstance(value, bool) else str(value), safe="%")


def _accepted(body: bytes, status: int, what: str, pause_ms: int) -> bytes:
    """The body, when it says that the venue did what it was asked."""
    if status == BAN_STATUS:
        pause_ms = max(pause_ms, BAN_MS)
    try:
        answer = _answer.decode(body)
    except msgspec.MsgspecError:
        code = "unreadable" if 200 <= status < 300 else status
        text = f"{body[:120].decode('utf-8', 'replace')} ({what})"
        raise VenueError(code, text, venue="bybit", status=status, retry_after_ms=pause_ms) from None
    if 200 <= status < 300 and answer.ret_code == 0:
        return body
    text = f"{answer.ret_msg} ({what})"
    if answer.ret_code in RATE_CODES:
        pause_ms = max(pause_ms, int(RATE_WAIT_SECONDS * 1000))
    raise VenueError(answer.ret_code, text, venue="bybit", status=status, retry_after_ms=pause_ms)
