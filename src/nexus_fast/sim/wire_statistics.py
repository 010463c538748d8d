"""What the simulator saw on the wire: counts, and microseconds from its send of a tick to its receipt of an order.

Both moments are taken in this process with one clock, the first immediately before the tick's bytes go to the socket,
the second as the first thing when the order's bytes arrive, so the figure holds the client's whole tick-to-order time
and the kernel's two transits of the loopback, and nothing of the simulator's own work on the order.
"""

from time import perf_counter_ns


class Histogram:
    """Counts per microsecond up to 10 ms, per 100 us up to 1 s, one bin beyond; exact maximum."""

    FINE = 10_000
    COARSE = 10_000

    def __init__(self):
        self.clear()

    def clear(self) -> None:
        self.fine = [0] * self.FINE
        self.coarse = [0] * self.COARSE
        self.beyond = 0
        self.count = 0
        self.maximum = 0.0

    def add(self, microseconds: float) -> None:
        self.count += 1
        if microseconds > self.maximum:
            self.maximum = microseconds
        whole = int(microseconds)
        if whole < self.FINE:
            self.fine[whole] += 1
        elif whole < self.COARSE * 100:
            self.coarse[whole // 100] += 1
        else:
            self.beyond += 1

    def percentile(self, share: float) -> float:
        """The upper edge of the bin in which this share of the values is reached; 0 when there are none."""
        wanted = share * self.count
        seen = 0
        for bins, width in ((self.fine, 1), (self.coarse, 100)):
            for index, amount in enumerate(bins):
                seen += amount
                if amount and seen >= wanted:
                    return float(min((index + 1) * width, self.maximum))
        return float(self.maximum)

    def summary(self) -> dict:
        return {"n": self.count, "p50": self.percentile(0.5), "p90": self.percentile(0.9), "p99": self.percentile(0.99),
                "p999": self.percentile(0.999), "max": round(self.maximum, 3)}


class WireStatistics:
    """Counters of one simulated venue."""

    def __init__(self):
        self.histogram = Histogram()
        self.reset()

    def reset(self) -> None:
        self.ticks = 0
        self.orders = 0
        self.fills = 0
        self.rejects = 0
        self.bad_signatures = 0
        self.histogram.clear()
        self._last_tick_ns = 0
        self._tick_ns: dict[tuple[str, str], int] = {}

    def tick_sent(self, market: str, symbol: str) -> None:
        """Call immediately before the send."""
        self.ticks += 1
        self._last_tick_ns = self._tick_ns[market, symbol] = perf_counter_ns()

    def order_received(self, market: str, symbol: str, received_ns: int) -> None:
        """`received_ns`: perf_counter_ns as the order's bytes came in. Orders before the first tick are not timed."""
        sent = self._tick_ns.get((market, symbol), self._last_tick_ns)
        if sent and received_ns > sent:
            self.histogram.add((received_ns - sent) / 1000)

    def summary(self) -> dict:
        return {"ticks": self.ticks, "orders": self.orders, "fills": self.fills, "rejects": self.rejects,
                "bad_signatures": self.bad_signatures, "wire_us": self.histogram.summary()}
