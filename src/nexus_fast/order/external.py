"""Orders on the account that no strategy of this engine placed: by hand, by another program, by the venue (liquidation,
settlement).

They are kept apart from the strategies' own: in `cache.get_external_orders()`, and told to every strategy by
`on_external_order`. What they execute comes as balances and positions, like everything else.
"""

import time
from decimal import Decimal
from typing import Any

from nexus_fast.cache import Cache
from nexus_fast.constants import OrderSide, OrderStatus, OrderType
from nexus_fast.exact import OWN
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.order.events import OrderUpdate
from nexus_fast.schema import Order

STATUSES = {
    "ACCEPTED": OrderStatus.ACCEPTED,
    "MODIFIED": OrderStatus.ACCEPTED,
    "FILL": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.FAILED,
}


def oid_of(update: OrderUpdate) -> str:
    """Venues name an order that came without a client id by theirs."""
    return update.client_id or update.venue_id


def apply_external(cache: Cache, instrument: Instrument, update: OrderUpdate) -> Order | None:
    """The order as it stands now, in the cache; None for what changes nothing."""
    status = STATUSES.get(update.event)
    oid = oid_of(update)
    known = cache.get_order(oid)
    if status is None or not oid or (known is not None and known.is_closed):
        return None
    if update.event == "FILL" and update.filled is None:
        return None                      # a fast stream's fill: the order's own event comes next and says how much in all
    filled = max(update.filled or Decimal(0), known.filled if known is not None and known.filled else Decimal(0))
    if status is OrderStatus.ACCEPTED and filled:
        status = OrderStatus.PARTIALLY_FILLED
    amount = update.quantity or (known.amount if known is not None else None)
    order = Order(
        exchange=instrument.exchange,
        symbol=instrument.symbol,
        status=status,
        oid=oid,
        eid=update.venue_id or (known.eid if known is not None else None),
        amount=amount,
        filled=filled,
        timestamp=update.time_ms or time.time_ns() // 1_000_000,
        type=_member(OrderType, update.type) or (known.type if known is not None else None),
        side=_member(OrderSide, update.side) or (known.side if known is not None else None),
        price=float(update.price) if update.price else None,
        average=float(update.average) if update.average else None,
        last_filled_price=float(update.last_price) if update.last_price else None,
        last_filled=update.last_quantity,
        remaining=None if amount is None else OWN.subtract(amount, filled),
        fee=update.fee,
        fee_currency=update.fee_currency,
        cum_cost=update.cost,
        reduce_only=update.reduce_only,
        reason=update.reason,
    )
    if known is not None and (known.status, known.filled, known.price) == (order.status, order.filled, order.price):
        return None
    cache.apply_external_order(order)
    return order


def _member(enum: Any, name: str | None) -> Any:
    return enum.__members__.get(name) if name else None
