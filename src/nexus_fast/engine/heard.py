"""A snapshot may be older than what the private stream brings while it is on its way: the stream is not undone.

The stream is subscribed to before the snapshot is asked for, so what it says of an asset or a position after that is either
newer than the snapshot or will be followed by what is.
"""

import time
from collections.abc import Iterable
from typing import Any


class Heard:
    """What the stream spoke of, by account and name, and when the account's snapshot was asked for."""

    def __init__(self):
        self._said: dict[int, dict[str, float]] = {}
        self._asked: dict[int, float] = {}

    def ask(self, account: Any, lag: float = 0.0) -> None:
        """lag: how far who answers may be behind, in seconds; the stream was listened to all that time."""
        self._asked[account.index] = time.monotonic() - lag

    def note(self, account: Any, names: Iterable[str]) -> None:
        self._said.setdefault(account.index, {}).update(dict.fromkeys(names, time.monotonic()))

    def since_asked(self, account: Any) -> set[str]:
        """Names that the stream has spoken of since the snapshot was asked for; none before the first one."""
        asked = self._asked.get(account.index)
        if asked is None:
            return set()
        return {name for name, at in self._said.get(account.index, {}).items() if at >= asked}
