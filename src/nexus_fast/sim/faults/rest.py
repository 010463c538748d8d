"""Faults of REST requests: the answer of a venue's operation passes here."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from nexus_fast.sim.faults import answers, hostile
from nexus_fast.sim.faults.faults import Faults
from nexus_fast.sim.faults.rules import FROM_CLIENT, TO_CLIENT, Rule
from nexus_fast.sim.faults.wire import ban_left, reset

LONGEST_SILENCE = 120.0
LOOK_SECONDS = 0.05
JSON = "application/json"


class RestRequest:
    """One request on its way: `names` are "POST /api/v3/order" and the path alone, `key` is the API key that it names.

    `perform` takes a function that swaps the account for what a lagging replica knows, and gives the venue's answer.
    """

    def __init__(self, faults: Faults, venue: str, request: web.BaseRequest, key: str,
                 perform: Callable[[Callable[[Any], Any]], web.Response]):
        self.faults = faults
        self.venue = venue
        self.request = request
        self.perform = perform
        names = (f"{request.method} {request.path}", request.path)
        faults.hear(venue, key)
        self._requests = list(faults.firing(venue, ("rest",), names, key, FROM_CLIENT))
        self._answers = lambda: list(faults.firing(venue, ("rest",), names, key, TO_CLIENT))

    async def answer(self) -> web.StreamResponse:
        copies, replacement = 1, None
        for rule in self._requests:
            if rule.kind in ("drop", "half_open"):
                return await self._say_nothing()
            if rule.kind == "cut":
                if rule["execute"]:
                    self._perform()
                return self._cut()
            if rule.kind == "ban" and ban_left(rule, self.faults.seconds()) <= 0:
                continue                 # it is over
            if rule.kind == "ban":
                return self._ban(rule)
            if rule.kind == "answer":
                if not rule["execute"]:
                    return self._refusal(rule)
                replacement = self._refusal(rule)
            elif rule.kind in ("delay", "reorder"):
                await asyncio.sleep(rule.milliseconds() / 1000)
            elif rule.kind == "duplicate":
                copies += rule["copies"]
        for _ in range(copies):
            response = self._perform()
        return await self._deliver(replacement or response)

    def _perform(self) -> web.Response:
        stale = next((rule for rule in self._requests if rule.kind == "stale"), None)
        return self.perform(lambda account: account if stale is None else self.faults.seen_by_replica(account, stale))

    async def _deliver(self, response: web.Response) -> web.StreamResponse:
        for rule in self._answers():
            if rule.kind in ("drop", "half_open"):
                return await self._say_nothing()
            if rule.kind == "cut":
                return await self._cut_within(response, rule["bytes"])
            if rule.kind in ("delay", "reorder"):
                await asyncio.sleep(rule.milliseconds() / 1000)
            elif rule.kind == "wrong":
                response = _wrong(rule["what"], response)
            elif rule.kind == "one_byte":
                return await self._in_bytes(response)
        return response

    # ------------------------------------------------------------------------------------------ ways to answer

    def _refusal(self, rule: Rule) -> web.Response:
        headers = {} if rule["retry_after"] is None else {"Retry-After": str(int(rule["retry_after"]))}
        body = rule["body"].encode() or answers.rest(self.venue, rule["code"], rule["text"])
        return web.Response(status=rule["status"], body=body, content_type=JSON, headers=headers)

    def _ban(self, rule: Rule) -> web.Response:
        if rule["status"] == 403:        # the firewall before the venue: no JSON, no header
            return web.Response(status=403, text="<html><body><h1>403 Forbidden</h1></body></html>", content_type="text/html")
        left = ban_left(rule, self.faults.seconds())
        body = answers.rest(self.venue, answers.TOO_MANY.get(self.venue, -1003), "Way too many requests.")
        return web.Response(status=rule["status"], body=body, content_type=JSON, headers={"Retry-After": str(int(left) + 1)})

    def _cut(self) -> web.Response:
        if self.request.transport is not None:
            reset(self.request.transport)
        return web.Response()

    async def _cut_within(self, response: web.Response, count: int | None) -> web.Response:
        """The head and `count` bytes of the body; the whole length was announced."""
        if count is None:
            return self._cut()
        partial = web.StreamResponse(status=response.status, headers={"Content-Length": str(len(response.body))})
        await partial.prepare(self.request)
        await partial.write(response.body[:count])
        await asyncio.sleep(0.02)
        return self._cut()

    async def _in_bytes(self, response: web.Response) -> web.StreamResponse:
        slow = web.StreamResponse(status=response.status, headers={**response.headers, "Content-Length": str(len(response.body))})
        await slow.prepare(self.request)
        for at in range(len(response.body)):
            await slow.write(response.body[at : at + 1])
        await slow.write_eof()
        return slow

    async def _say_nothing(self) -> web.Response:
        """Until the client goes away."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LONGEST_SILENCE
        while loop.time() < until:
            transport = self.request.transport
            if transport is None or transport.is_closing():
                break
            await asyncio.sleep(LOOK_SECONDS)
        return self._cut()


def _wrong(what: str, response: web.Response) -> web.Response:
    """In the place of an answer, mostly with its status: it says nothing about the request."""
    if what == "redirect":
        return web.Response(status=302, headers={"Location": hostile.ELSEWHERE})
    if what in hostile.SPOILED:
        kind = "text/html" if what == "page" else JSON
        return web.Response(status=response.status, body=hostile.spoil(what, response.body or b""), content_type=kind)
    body = response.body[: len(response.body) // 2] + (b"\xff\xfe" if what == "utf8" else b"")
    return web.Response(status=response.status, body=body, content_type=JSON)
