"""A REST venue of a few paths for tests: bars by time and limit as Binance documents them, and answers set by hand."""

import asyncio
import threading

from aiohttp import web
from patience import WAIT_SECONDS

MINUTE = 60_000
DAY = 1440 * MINUTE


class FakeRest:
    """`with FakeRest(first, count) as venue:` serves `count` one-minute bars from `first` (ms) on at `venue.url`.

    answers: path -> (status, text, seconds to wait). requests: (method, path, query) as they came.
    """

    def __init__(self, first: int = 0, count: int = 0):
        self.starts = [first + number * MINUTE for number in range(count)]
        self.answers: dict[str, tuple[int, str, float]] = {}
        self.requests: list[tuple[str, str, dict]] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(WAIT_SECONDS)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(WAIT_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()

    async def _start(self):
        self._runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

    async def _stop(self):
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _answer(self, request):
        self.requests.append((request.method, request.path, dict(request.query)))
        if request.path in self.answers:
            status, text, seconds = self.answers[request.path]
            await asyncio.sleep(seconds)
            return web.Response(status=status, text=text, content_type="application/json")
        if request.path == "/dapi/v1/klines":
            return self._coin_m_bars(request.query)
        largest = {"/api/v3/klines": 1000, "/fapi/v1/klines": 1500, "/fapi/v1/indexPriceKlines": 1500}[request.path]
        return web.json_response(self._bars(request.query, largest))

    def _coin_m_bars(self, query):
        """The last ones between startTime and endTime, which may lie 200 days apart."""
        start, end = int(query["startTime"]), int(query["endTime"])
        if end - start > 200 * DAY:
            return web.json_response({"code": -1127, "msg": "Lookup interval is too big."}, status=400)
        found = [s for s in self.starts if start <= s <= end]
        return web.json_response(self._rows(found[-min(int(query.get("limit", 500)), 1500):]))

    def _bars(self, query, largest):
        start, end = query.get("startTime"), query.get("endTime")
        found = [s for s in self.starts if (not start or s >= int(start)) and (not end or s <= int(end))]
        limit = min(int(query.get("limit", 500)), largest)
        return self._rows(found[:limit] if start else found[-limit:])

    def _rows(self, found):
        price = [str(50_000 + number) for number in (0, 9, -9, 1)]
        return [[s, *price, "2.5", s + MINUTE - 1, "125000", 7, "1.5", "75000", "0"] for s in found]
