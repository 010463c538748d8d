"""The clock of a strategy: the machine's real time, UTC."""

import time
from datetime import UTC, datetime


class LiveClock:
    __slots__ = ()

    def timestamp(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def timestamp_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def timestamp_us(self) -> int:
        return time.time_ns() // 1_000

    def timestamp_ns(self) -> int:
        return time.time_ns()

    def utc_now(self) -> datetime:
        return datetime.now(UTC)
