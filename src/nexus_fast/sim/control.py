"""The simulator's own address, beside those of the venues: what it has seen, for tests, the demo and the benchmarks.

    GET  /sim/v1/statistics          counts and latencies, see nexus_fast.sim.wire_statistics
    POST /sim/v1/statistics/reset    begin again
    POST /sim/v1/prices              `walk` or `stand`: see nexus_fast.sim.market_maker
"""

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from nexus_fast.sim.endpoints import Place

# (method, path) -> what it does with the request's body; the result is the answer.
Operations = dict[tuple[str, str], Callable[[bytes], Any]]


class ControlServer:
    """Raises of an operation: a ValueError is answered by 400 with its text."""

    def __init__(self, operations: Operations):
        self.url = ""
        self._operations = operations
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int) -> None:
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = Place(self._runner.addresses[0]).http()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        operation = self._operations.get((request.method, request.path))
        if operation is None:
            return web.Response(status=404, text=f"no {request.method} {request.path} here\n")
        try:
            answer = operation(await request.read())
        except ValueError as error:
            return web.Response(status=400, text=f"{error}\n")
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")
