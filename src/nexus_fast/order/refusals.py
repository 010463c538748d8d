"""The sentence of a refusal by our own checks: the value, the rule, and the nearest values that are allowed.

The hot half says by a number alone which rule it was (reasons.pxd). The sentence is made of the order and its instrument as they
are when the strategy is told.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec import Struct

from nexus_fast.config import RiskConfig
from nexus_fast.core.decimals import mantissa_at
from nexus_fast.exact import OWN, as_decimal, quotient
from nexus_fast.exchange.instrument import Instrument, round_to_step
from nexus_fast.order import reasons
from nexus_fast.order.reasons import reason_text


class Refused(Struct, frozen=True):
    """price: None where the order has none. Both as they were asked for; at reasons.INEXACT they may be NaN or too long."""

    instrument: Instrument
    risk: RiskConfig
    is_market: bool
    price: Decimal | None
    amount: Decimal

    @property
    def lot(self) -> Decimal:
        return self.instrument.market_lot_size if self.is_market else self.instrument.lot_size

    @property
    def least(self) -> Decimal:
        """The smallest amount on the lot that is not below the minimum."""
        found = self.instrument.market_min_quantity if self.is_market else self.instrument.min_quantity
        return round_to_step(max(found, self.lot), self.lot, "ceil")

    @property
    def most(self) -> Decimal | None:
        return self.instrument.market_max_quantity if self.is_market else self.instrument.max_quantity

    @property
    def lowest(self) -> Decimal:
        return max(self.instrument.min_price, self.instrument.tick_size)

    @property
    def cost(self) -> Decimal:
        """Price times amount, in the quote asset."""
        return OWN.multiply(OWN.multiply(self.price or Decimal(0), self.amount), self.instrument.contract_size).normalize(OWN)

    def amount_worth(self, notional: Decimal, mode: str) -> Decimal:
        """The amount on the lot that is worth so much at this price."""
        unit = OWN.multiply(self.price or Decimal(1), self.instrument.contract_size)
        return round_to_step(quotient(notional, unit), self.lot, mode)


def refusal_text(reason: int, instrument: Instrument, risk: RiskConfig, is_market: bool, price: Any, amount: Any) -> str:
    """reason: a nx_reason; risk: RiskConfig.limits_of the symbol; price: None of a market order."""
    rule = RULES.get(reason)
    if rule is None:
        return reason_text(reason)
    return rule(Refused(instrument, risk, is_market, None if price is None else as_decimal(price), as_decimal(amount)))


def plain(value: Decimal) -> str:
    """Without an exponent, as long as that is readable."""
    return f"{value:f}" if value.is_finite() and -24 < value.adjusted() < 24 else str(value)


# ------------------------------------------------------------------------------------------------ prices


def _price_missing(order: Refused) -> str:
    if order.price is None:
        return "a LIMIT order needs a price: price is None"
    return f"price {plain(order.price)} is not above 0: the lowest price is {plain(order.lowest)}"


def _off_tick(order: Refused) -> str:
    offset = order.instrument.min_price
    counted = f", counted from {plain(offset)}" if OWN.remainder(offset, order.instrument.tick_size) else ""
    tick = f"the tick size {plain(order.instrument.tick_size)}{counted}"
    return f"price {plain(order.price)} is not a multiple of {tick}: {_near_price(order)} (price_to_precision rounds)"


def _price_range(order: Refused) -> str:
    highest = order.instrument.max_price
    if order.price < order.lowest or highest is None:
        return f"price {plain(order.price)} is below the venue's lowest price for this symbol, {plain(order.lowest)}"
    return f"price {plain(order.price)} is above the venue's highest price for this symbol, {plain(highest)}"


def _near_price(order: Refused) -> str:
    beside = [order.instrument.round_price(order.price, mode) for mode in ("floor", "ceil")]
    return _near(beside, order.lowest, order.instrument.max_price)


# ------------------------------------------------------------------------------------------------ amounts


def _off_lot(order: Refused) -> str:
    lot = f"the lot size {plain(order.lot)}"
    return f"amount {plain(order.amount)} is not a multiple of {lot}: {_near_amount(order)} (amount_to_precision rounds)"


def _too_small(order: Refused) -> str:
    return f"amount {plain(order.amount)} is below the venue's minimum: the least amount is {plain(order.least)}"


def _too_large(order: Refused) -> str:
    return f"amount {plain(order.amount)} is above the venue's maximum: the largest amount is {plain(order.most)}"


def _near_amount(order: Refused) -> str:
    return _near([round_to_step(order.amount, order.lot, mode) for mode in ("floor", "ceil")], order.least, order.most)


def _near(beside: list[Decimal], least: Decimal, most: Decimal | None) -> str:
    allowed = [plain(value) for value in dict.fromkeys(beside) if value >= least and (most is None or value <= most)]
    if len(allowed) > 1:
        return f"the nearest are {' and '.join(allowed)}"
    if allowed:
        return f"the nearest is {allowed[0]}"
    return f"the nearest is {plain(least if most is None or beside[0] < least else most)}"


# ------------------------------------------------------------------------------------------------ price times amount


def _notional(order: Refused) -> str:
    quote = order.instrument.quote
    rule = f"the venue's minimum notional of {plain(order.instrument.min_notional)} {quote}"
    if order.price is None:
        return f"amount {plain(order.amount)} is worth less than {rule} at the book's price; min_order_amount says what is enough"
    least = max(order.least, order.amount_worth(order.instrument.min_notional, "ceil"))
    what = f"price {plain(order.price)} times amount {plain(order.amount)} is {plain(order.cost)} {quote}"
    return f"{what}, below {rule}: at this price the least amount is {plain(least)}"


# ------------------------------------------------------------------------------------------------ the trader's limits


def _risk_quantity(order: Refused) -> str:
    if order.risk.max_quantity is not None and order.amount > order.risk.max_quantity:
        return f"amount {plain(order.amount)} is above RiskConfig.max_quantity {plain(order.risk.max_quantity)}"
    size = f"contracts of {plain(order.instrument.contract_size)} {order.instrument.quote}"
    limit = order.risk.max_notional or Decimal(0)
    return f"amount {plain(order.amount)}, {size}, is above RiskConfig.max_notional {plain(limit)}"


def _risk_notional(order: Refused) -> str:
    limit = order.risk.max_notional or Decimal(0)
    rule = f"RiskConfig.max_notional {plain(limit)}"
    if order.price is None or order.instrument.is_inverse:
        return f"amount {plain(order.amount)} is worth more than {rule} at the book's price"
    what = f"price {plain(order.price)} times amount {plain(order.amount)} is {plain(order.cost)} {order.instrument.quote}"
    return f"{what}, above {rule}: at this price the largest amount is {plain(order.amount_worth(limit, 'floor'))}"


def _risk_distance(order: Refused) -> str:
    distance = order.risk.max_price_distance or Decimal(0)
    rule = f"RiskConfig.max_price_distance {plain(distance)} ({plain(OWN.multiply(distance, Decimal(100)).normalize(OWN))} %)"
    return f"price {plain(order.price)} is further from the market than {rule}"


# ------------------------------------------------------------------------------------------------ digits


def _inexact(order: Refused) -> str:
    if order.price is not None and mantissa_at(order.price, order.instrument.price_scale) is None:
        return _no_mantissa("price", order.price, order.instrument.price_scale, lambda: _near_price(order))
    return _no_mantissa("amount", order.amount, order.instrument.size_scale, lambda: _near_amount(order))


def _no_mantissa(name: str, value: Decimal, scale: int, near: Callable[[], str]) -> str:
    if not value.is_finite():
        return f"{name} {value} is no finite number"
    if value.adjusted() + scale >= 18:
        return f"{name} {plain(value)} has too many digits: more than 18 with the symbol's {scale} decimals"
    return f"{name} {plain(value)} has too many digits, the symbol's {name}s have {scale} decimals: {near()}"


RULES: dict[int, Callable[[Refused], str]] = {
    reasons.PRICE_MISSING: _price_missing,
    reasons.PRICE_OFF_TICK: _off_tick,
    reasons.PRICE_RANGE: _price_range,
    reasons.QUANTITY_OFF_LOT: _off_lot,
    reasons.QUANTITY_TOO_SMALL: _too_small,
    reasons.QUANTITY_TOO_LARGE: _too_large,
    reasons.NOTIONAL_TOO_SMALL: _notional,
    reasons.RISK_QUANTITY: _risk_quantity,
    reasons.RISK_NOTIONAL: _risk_notional,
    reasons.RISK_DISTANCE: _risk_distance,
    reasons.INEXACT: _inexact,
}
