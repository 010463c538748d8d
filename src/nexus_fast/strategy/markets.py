"""Instruments: their steps and limits, amounts and prices on them, lists of symbols."""

from decimal import Decimal
from typing import Any

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import SubscriptionError
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.exchange.market import base_market
from nexus_fast.schema import BaseMarket
from nexus_fast.strategy.arguments import Mode
from nexus_fast.strategy.runtime_access import engine_of


class Markets:
    __slots__ = ()

    def market(self, symbol: str) -> BaseMarket:
        return base_market(_instrument(self, "market", symbol))

    def instrument(self, symbol: str) -> Instrument:
        """The same with exact steps and limits."""
        return _instrument(self, "instrument", symbol)

    def tick_sz(self, symbol: str) -> float:
        return float(_instrument(self, "tick_sz", symbol).tick_size)

    def lot_sz(self, symbol: str) -> float:
        return float(_instrument(self, "lot_sz", symbol).lot_size)

    def min_order_amount(self, symbol: str, px: float | None = None) -> Decimal:
        """The least amount the venue takes at price px (the book's middle where it is left out), 1 % to spare."""
        instrument = _instrument(self, "min_order_amount", symbol)
        if px is None:
            book = self.cache.bookl1(symbol)
            if book is None:
                raise SubscriptionError(
                    f"min_order_amount({symbol!r}) needs a price and no quote of it has come yet: pass px=, or "
                    "subscribe_bookl1 it and call after its first on_bookl1."
                )
            px = book.mid
        return instrument.smallest_quantity(px)

    def amount_to_precision(self, symbol: str, amount: float | Decimal, mode: Mode = "round") -> Decimal:
        """amount on the symbol's lot, exactly; halves go away from zero with "round"."""
        return _instrument(self, "amount_to_precision", symbol).round_quantity(amount, mode)

    def price_to_precision(self, symbol: str, price: float | Decimal, mode: Mode = "round") -> Decimal:
        """price on the symbol's tick, exactly; halves go away from zero with "round"."""
        return _instrument(self, "price_to_precision", symbol).round_price(price, mode)

    def linear_info(
        self,
        exchange: ExchangeType,
        base: str | None = None,
        quote: str | None = None,
        exclude: list[str] | None = None,
    ) -> list[str]:
        """Linear perpetuals that are being traded."""
        return _symbols(self, "linear_info", exchange, InstrumentType.LINEAR, base, quote, exclude)

    def inverse_info(
        self,
        exchange: ExchangeType,
        base: str | None = None,
        quote: str | None = None,
        exclude: list[str] | None = None,
    ) -> list[str]:
        """Inverse perpetuals that are being traded."""
        return _symbols(self, "inverse_info", exchange, InstrumentType.INVERSE, base, quote, exclude)

    def spot_info(
        self,
        exchange: ExchangeType,
        base: str | None = None,
        quote: str | None = None,
        exclude: list[str] | None = None,
    ) -> list[str]:
        return _symbols(self, "spot_info", exchange, InstrumentType.SPOT, base, quote, exclude)

    def future_info(
        self,
        exchange: ExchangeType,
        base: str | None = None,
        quote: str | None = None,
        exclude: list[str] | None = None,
    ) -> list[str]:
        """Dated futures that are being traded, linear and inverse."""
        kinds = (InstrumentType.LINEAR, InstrumentType.INVERSE)
        return [s for kind in kinds for s in _symbols(self, "future_info", exchange, kind, base, quote, exclude, True)]


def _instrument(strategy: Any, method: str, symbol: str) -> Instrument:
    return engine_of(strategy, method).instruments.get(symbol)


def _symbols(strategy: Any, method: str, exchange: ExchangeType, type: InstrumentType, *rest: Any) -> list[str]:
    return engine_of(strategy, method).instruments.symbols(exchange, type, *rest)
