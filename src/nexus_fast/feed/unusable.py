"""Frames of one connection that could not be used: counted, told of once a minute, and too many of them end the connection."""

from typing import Any

from nexus_fast.log import Logger

IN_A_ROW = 20
SHARE, OF_FRAMES = 0.1, 100      # more than this share of at least so many frames
TELL_SECONDS = 60.0
FIRST_WAIT, LAST_WAIT = 1.0, 300.0


class Unusable:
    """`handler`: of the connection. A MarketFeed counts by itself what its parser sets aside; `note` is for all others."""

    def __init__(self, name: str, handler: Any, log: Logger):
        self._name = name
        self._handler = handler
        self._log = log
        self._noted = 0
        self._row = 0                    # noted without a frame between them
        self._row_end = -2               # handler.messages at the last of them
        self._last: tuple[bytes, Exception | None] = b"", None
        self._told, self._told_at = 0, float("-inf")
        self._frames, self._before = 0, 0                # where the share is counted from
        self._dropped_with, self._next_at, self._wait = 0, 0.0, FIRST_WAIT

    @property
    def count(self) -> int:
        return self._noted + getattr(self._handler, "unusable", 0)

    def note(self, payload: bytes, error: Exception | None = None) -> None:
        messages = self._handler.messages
        self._row = self._row + 1 if messages - self._row_end <= 1 else 1
        self._row_end = messages
        self._last = payload, error
        self._noted += 1

    def check(self, now: float) -> bool:
        """Whether the connection is to be replaced; once a second, `now` by the monotonic clock."""
        self._tell(now)
        if not self._too_many():
            if now - self._next_at > LAST_WAIT:
                self._wait = FIRST_WAIT
            return False
        if now < self._next_at:
            return False
        self._dropped_with, self._next_at = self.count, now + self._wait
        again = f"again in {self._wait:.0f} s at the earliest"
        self._log.error(f"{self._name}: {self.count} frames could not be used, the connection is replaced; {again}")
        self._wait = min(2 * self._wait, LAST_WAIT)
        return True

    def _too_many(self) -> bool:
        """In a row or by their share, of those since the connection was made."""
        frames, count = self._handler.messages - self._frames, self.count - self._before
        if frames >= OF_FRAMES:
            self._frames, self._before = self._handler.messages, self.count
        row = max(getattr(self._handler, "consecutive_errors", 0), self._row if self._handler.messages == self._row_end else 0)
        return min(row, self.count - self._dropped_with) >= IN_A_ROW or (frames >= OF_FRAMES and count > SHARE * frames)

    def _tell(self, now: float) -> None:
        if self.count == self._told or now - self._told_at < TELL_SECONDS:
            return
        payload, error = self._last
        kept = getattr(self._handler, "kept", None)
        what = f" ({type(error).__name__}: {error})" if error is not None else ""
        shown = kept[-1] if kept and error is None else payload
        self._log.warning(f"{self._name}: {self.count - self._told} frames could not be used, the last: {shown[:400]!r}{what}")
        self._told, self._told_at = self.count, now
