"""The fills of an order in earlier sessions, as their journal knows them."""

from msgspec import Struct, field


class Past(Struct, frozen=True, gc=False):
    """Quantities are mantissas. trades: {trade id: (price, quantity)}, oldest first. told: the sum of the fills that strategies
    were told of. heard: {trade id: whether its fee was told too}, of the trades that were."""

    trades: dict[int, tuple[int, int]] = field(default_factory=dict)
    told: int = 0
    heard: dict[int, bool] = field(default_factory=dict)

    @property
    def untold(self) -> dict[int, tuple[int, int]]:
        """The trades that strategies were not told of, or may not have been."""
        return {trade_id: trade for trade_id, trade in self.trades.items() if trade_id not in self.heard}
