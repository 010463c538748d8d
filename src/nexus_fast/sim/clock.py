"""The venue's clock. Wall time with an offset that tests and fault scripts can set."""

import time


class Clock:
    """Milliseconds and microseconds since the epoch as the venue sees them."""

    def __init__(self, offset_ms: int = 0):
        self.offset_ms = offset_ms

    def milliseconds(self) -> int:
        return time.time_ns() // 1_000_000 + self.offset_ms

    def microseconds(self) -> int:
        return time.time_ns() // 1_000 + self.offset_ms * 1000
