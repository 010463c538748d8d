"""An HTTP handler that knows when a request came in: what REST entries of all venues time orders by."""

from time import perf_counter_ns

from aiohttp.web_protocol import RequestHandler


class TimedHandler(RequestHandler):
    """Keeps the time at which the newest bytes of the connection came in, taken before they are parsed."""

    received_ns = 0

    def data_received(self, data: bytes) -> None:
        self.received_ns = perf_counter_ns()
        super().data_received(data)
