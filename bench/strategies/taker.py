"""One LIMIT order for every tick, at the ask: the wire bench's strategy in Python."""

from decimal import Decimal

from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.schema import BookL1
from nexus_fast.strategy import Strategy


class Taker(Strategy):
    """amount in base units. `sent` counts the ticks that were answered."""

    def __init__(self, symbol: str, amount: Decimal):
        super().__init__()
        self.symbol = symbol
        self.amount = amount
        self.sent = 0

    def on_start(self):
        self.subscribe_bookl1(symbols=[self.symbol])

    def on_bookl1(self, bookl1: BookL1):
        self.create_order(
            symbol=self.symbol,
            side=OrderSide.BUY,
            type=OrderType.LIMIT,
            amount=self.amount,
            price=bookl1.ask_decimal,
        )
        self.sent += 1
