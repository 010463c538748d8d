"""An order as the strategies see it: what the table has of it, as far as it was told.

The table changes at once. What was executed is told fill by fill, and an end after the last of them: until then `filled` is the
sum of the fills that were told, and the status the one that was told last.
"""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

from nexus_fast.config import RiskConfig
from nexus_fast.constants import OrderSide, OrderStatus, OrderType, TimeInForce
from nexus_fast.exact import OWN
from nexus_fast.exchange.instrument import Instrument, from_mantissa
from nexus_fast.order.executions import Extra, average_price, extra_of
from nexus_fast.order.refusals import refusal_text
from nexus_fast.schema import Order

SIDES = (OrderSide.BUY, OrderSide.SELL)
TYPES = (OrderType.MARKET, OrderType.LIMIT, OrderType.POST_ONLY)
TIMES_IN_FORCE = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
REDUCE_ONLY = 1
COIN = Decimal("1e-8")
# States of the table to statuses. UNKNOWN is PENDING to a program that was written for NexusTrader: nothing is concluded.
STATUSES = {
    "PENDING": OrderStatus.PENDING,
    "UNKNOWN": OrderStatus.PENDING,
    "ACCEPTED": OrderStatus.ACCEPTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "CANCELING": OrderStatus.CANCELING,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "FAILED": OrderStatus.FAILED,
}
OPEN = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


class OrderView:
    """`extras`: what the tracker keeps of its orders beside the table, by number."""

    def __init__(self, instruments: Sequence[Instrument], extras: dict[int, Extra], risk: RiskConfig | None = None):
        self._instruments = instruments
        self._risk = risk or RiskConfig()
        self._extras = extras

    def order(self, fields: dict, status: OrderStatus | None = None) -> Order:
        """fields: Ledger.fields. The order without a word of a single fill."""
        instrument = self._instruments[fields["symbol_id"]]
        extra = self._extras.get(fields["number"]) or extra_of(fields)
        quantity, told = (from_mantissa(value, fields["size_scale"]) for value in (fields["quantity"], extra.told))
        average, cost = self._worth(instrument, extra, told)
        return Order(
            exchange=instrument.exchange,
            symbol=instrument.symbol,
            status=status or self.status(fields, extra),
            oid=fields["client_id"],
            eid=fields["venue_id"] or None,
            amount=quantity,
            filled=told,
            timestamp=fields["changed_ns"] // 1_000_000,
            type=TYPES[fields["type"]],
            side=SIDES[fields["side"]],
            time_in_force=TIMES_IN_FORCE[fields["time_in_force"]],
            price=float(from_mantissa(fields["price"], fields["price_scale"])) if fields["price"] else None,
            average=None if average is None else float(average),
            remaining=OWN.subtract(quantity, told),
            fee=extra.fee,
            fee_currency=extra.fee_currency,
            cum_cost=cost,
            reduce_only=bool(fields["flags"] & REDUCE_ONLY),
            reason=extra.reason or (self.refusal(fields["reason"], fields) if fields["reason"] else None),
        )

    def refusal(self, reason: int, fields: dict, price: Any = None, amount: Any = None) -> str:
        """Why our own checks refused the order, or a modification of it to this price and amount; None: as the order has it."""
        instrument, is_market = self._instruments[fields["symbol_id"]], TYPES[fields["type"]].is_market
        if price is None and not is_market:
            price = from_mantissa(fields["price"], fields["price_scale"])
        if amount is None:
            amount = from_mantissa(fields["quantity"], fields["size_scale"])
        return refusal_text(reason, instrument, self._risk.limits_of(instrument.symbol), is_market, price, amount)

    def status(self, fields: dict, extra: Extra) -> OrderStatus:
        status = extra.shown or STATUSES[fields["state"]]
        if status in OPEN:
            return OPEN[extra.told > 0]
        return status

    def _worth(self, instrument: Instrument, extra: Extra, told: Decimal) -> tuple[Decimal | None, Decimal | None]:
        """Average and cumulative cost: in the venue's words where they are of what was told."""
        if not extra.told:
            return None, None
        if extra.total is not None and extra.total.quantity == extra.told:
            return extra.total.average, extra.total.cost
        cost = extra.paid.quantize(COIN, ROUND_DOWN, OWN) if instrument.is_inverse else extra.paid
        return average_price(instrument, told, extra.paid), cost
