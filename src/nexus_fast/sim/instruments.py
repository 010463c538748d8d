"""What a simulated venue lists: one `Instrument` per symbol, spot, linear or inverse. The lists are in the venues' folders.

    spot      quantity in base; an order is worth price * quantity of `quote`
    linear    quantity in contracts of `contract` base units each (1: the quantity is in base); worth
              price * quantity * contract of `settle`, which is the quote asset
    inverse   quantity in contracts of `contract` quote units each; worth quantity * contract / price of `settle`,
              which is the base asset: wallet, margin, fees and profits are in coins
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from nexus_fast.sim.fixed_point import DECIMALS, SCALE, decimals_of, product, quotient, rounded

# Of the weights with which averages are formed: fine enough that the average of one price is that price.
_FINE = 10**40
_FRIDAY = 4


@dataclass(slots=True, frozen=True)
class Instrument:
    """One tradable symbol of one market. Prices, quantities and notionals are scaled integers (fixed_point).

    settle: the asset of margin and profit; "" is the quote asset. contract, inverse: see above. delivery: when a dated
    contract ends, in ms; 0 for all others. A multiplier of 0 means that the venue does not bound prices on that side.
    words: what only the venue's own folder reads (OKX's instIdCode, a pair's name, …).
    """

    market: str
    symbol: str
    base: str
    quote: str
    start_price: int
    tick: int
    minimum_price: int
    maximum_price: int
    step: int
    minimum_quantity: int
    maximum_quantity: int
    market_maximum_quantity: int
    minimum_notional: int
    price_decimals: int
    quantity_decimals: int
    multiplier_up: int
    multiplier_down: int
    level_quantity: int
    maker_fee: int
    taker_fee: int
    settle: str = ""
    contract: int = SCALE
    inverse: bool = False
    delivery: int = 0
    words: Mapping[str, Any] = field(default_factory=dict, compare=False)
    stream_name: str = field(default="", compare=False)

    def __post_init__(self):
        object.__setattr__(self, "stream_name", self.symbol.lower())
        object.__setattr__(self, "settle", self.settle or (self.base if self.inverse else self.quote))
        needed = decimals_of(self.tick) + decimals_of(self.step) + decimals_of(self.contract)
        if not self.inverse and needed > DECIMALS:
            raise ValueError(f"{self.symbol}: tick, step and contract have more than {DECIMALS} decimals together, so that "
                             "price times quantity would not be exact; choose a coarser one")

    def __deepcopy__(self, memo: dict) -> "Instrument":
        """It never changes: copies of accounts and orders share it."""
        return self

    def value(self, price: int, quantity: int) -> int:
        """What `quantity` is worth at `price`, in the asset it settles in; rounded towards zero at 10^-8."""
        if self.inverse:
            return quotient(product(quantity, self.contract), price)
        if self.contract == SCALE:
            return product(price, quantity)
        return product(product(quantity, self.contract), price)

    def notional(self, price: int, quantity: int) -> int:
        """The same in the quote asset: what minimum notionals are about."""
        return product(quantity, self.contract) if self.inverse else self.value(price, quantity)

    def weight(self, price: int, quantity: int) -> int:
        """What a quantity at a price adds to an average; see `average`."""
        return quantity * _FINE // price if self.inverse else quantity * price

    def average(self, weight: int, quantity: int) -> int:
        """The average price of `quantity` with the sum `weight` of weights: harmonic for inverse contracts. 0 of nothing."""
        if not quantity or not weight:
            return 0
        return rounded(quantity * _FINE, weight) if self.inverse else rounded(weight, quantity)


def quarters(now_ms: int, count: int = 2, ahead_days: int = 21) -> list[int]:
    """Deliveries of the next quarterly contracts in ms: 08:00 UTC on the last Friday of March, June, September and December."""
    found: list[int] = []
    day = datetime.fromtimestamp(now_ms / 1000, UTC)
    year, month = day.year, day.month
    while len(found) < count:
        if month % 3 == 0:
            delivery = int(_last_friday(year, month).timestamp() * 1000)
            if delivery > now_ms + ahead_days * 86_400_000:
                found.append(delivery)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


def _last_friday(year: int, month: int) -> datetime:
    following = datetime(year + month // 12, month % 12 + 1, 1, 8, tzinfo=UTC)
    last = following - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - _FRIDAY) % 7)
