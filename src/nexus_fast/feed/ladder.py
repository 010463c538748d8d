"""Depth that a venue tells by its changes."""

from collections.abc import Iterable, Sequence

from nexus_fast.constants import ExchangeType
from nexus_fast.schema import BookL2, BookOrderData


class Ladder:
    """One symbol's depth: text of the price to (price, size), of each side."""

    def __init__(self) -> None:
        self.bids: dict[str, tuple[float, float]] = {}
        self.asks: dict[str, tuple[float, float]] = {}

    def apply(self, bids: Iterable[Sequence[str]], asks: Iterable[Sequence[str]], *, anew: bool) -> None:
        """Levels begin with price and size; a size of 0 takes the level away. anew: forget what was there."""
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            if anew:
                side.clear()
            for level in levels:
                price, size = level[0], float(level[1])
                if size:
                    side[price] = float(price), size
                else:
                    side.pop(price, None)

    def book(self, exchange: ExchangeType, symbol: str, depth: int, timestamp: int) -> BookL2:
        """The best `depth` levels of each side."""
        bids = [BookOrderData(*level) for level in sorted(self.bids.values(), reverse=True)[:depth]]
        asks = [BookOrderData(*level) for level in sorted(self.asks.values())[:depth]]
        return BookL2(exchange, symbol, bids, asks, timestamp)
