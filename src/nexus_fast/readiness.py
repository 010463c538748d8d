"""Whether data has come for every symbol that was asked for."""

from collections.abc import Iterable
from typing import Any

from nexus_fast.clock import LiveClock


class DataReady:
    """Ready once every symbol has had data, or `timeout` seconds after the last symbols were added: a symbol that
    does not trade must not hold a strategy up for good. Without symbols it is ready at once."""

    def __init__(
        self,
        symbols: Iterable[str],
        name: str = "",
        clock: LiveClock | None = None,
        timeout: float = 60,
        permanently_ready: bool = False,
    ):
        self.name = name
        self._clock = clock or LiveClock()
        self._timeout_ms = timeout * 1000
        self._seen: set[str] = set()
        self._missing: set[str] = set() if permanently_ready else set(symbols)
        self._since_ms = self._clock.timestamp_ms()

    def add_symbols(self, symbols: str | Iterable[str]) -> None:
        """Symbols whose data has come already need not come again."""
        added = {symbols} if isinstance(symbols, str) else set(symbols)
        if not added <= self._seen | self._missing:
            self._missing |= added - self._seen
            self._since_ms = self._clock.timestamp_ms()

    def remove_symbols(self, symbols: str | Iterable[str]) -> None:
        removed = {symbols} if isinstance(symbols, str) else set(symbols)
        self._missing -= removed
        self._seen -= removed

    def input(self, data: Any) -> None:
        """data: anything with a symbol."""
        self.arrived(data.symbol)

    def arrived(self, symbol: str) -> None:
        if symbol in self._missing:
            self._missing.discard(symbol)
            self._seen.add(symbol)

    @property
    def missing(self) -> set[str]:
        return set(self._missing)

    @property
    def ready(self) -> bool:
        return not self._missing or self._clock.timestamp_ms() - self._since_ms >= self._timeout_ms
