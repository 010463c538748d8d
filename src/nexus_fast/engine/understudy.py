"""Between seldom ticks the caches forget Python's part of an order's way as they do C's: ten to thirty microseconds.

The understudy walks it while the loop has nothing to read, as a program of a user's would: from a quote's object by the
interpreter, enumerations and Decimals to the order's entry, where it ends. Users' own callbacks are never called without a quote.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.engine.core import Core
from nexus_fast.schema import BookL1
from nexus_fast.strategy import Strategy
from nexus_fast.strategy.api import StrategyApi
from nexus_fast.strategy.base import attach_understudy

AMOUNT = Decimal(1)              # exact at every symbol's scale


class Understudy(Strategy):
    def on_bookl1(self, book: BookL1) -> None:
        self.create_order(book.symbol, OrderSide.BUY, OrderType.LIMIT, AMOUNT, book.ask_decimal)


def make_understudy(core: Core, strategies: Sequence[Any]) -> Understudy | None:
    """None where no strategy is written in Python."""
    if all(type(strategy).on_bookl1 is StrategyApi.on_bookl1 for strategy in strategies):
        return None
    understudy = Understudy()
    names, exchanges = [i.symbol for i in core.instruments], [i.exchange for i in core.instruments]
    attach_understudy(understudy, core.entry, core.symbol_ids, names, exchanges)
    return understudy
