"""Whether what a venue says about an order can be about this order: its answers and events are held against what was sent.

What contradicts is believed in no part: it is counted, named with both values, and the venue is asked (Tracker.refuses).
"""

from decimal import Decimal
from typing import Any

from nexus_fast.constants import ExchangeType
from nexus_fast.exchange.instrument import from_mantissa, to_mantissa
from nexus_fast.order.events import OrderUpdate

SIDES = ("BUY", "SELL")
VENUE_ID_LENGTH = 39             # what an order's slot keeps of the venue's id


def contradiction(update: OrderUpdate, fields: dict, instrument: Any, counted: int, *, whole: bool) -> str | None:
    """What speaks against it, with both values; None when nothing does.

    fields: the order (Ledger.fields). counted: the sum of its fills with the one that the update brings, a mantissa. whole: the
    update is the order as the venue has it, which may know of a modification that is not known here."""
    return _of_identity(update, fields, instrument) or _of_quantities(update, fields, instrument, counted, whole)


def _of_identity(update: OrderUpdate, fields: dict, instrument: Any) -> str | None:
    for what, theirs, ours in (
        ("client id", update.client_id, fields["client_id"]),
        ("order id", update.venue_id[:VENUE_ID_LENGTH], fields["venue_id"]),
        ("symbol", update.venue_symbol, instrument and instrument.venue_symbol),
        ("kind of instrument", update.instrument_type, instrument and instrument.type),
        ("side", update.side, SIDES[fields["side"]]),
    ):
        if theirs and ours and theirs != ours:
            return f"{what} {theirs}, which is {ours}"
    return None


def _of_quantities(update: OrderUpdate, fields: dict, instrument: Any, counted: int, whole: bool) -> str | None:
    scale, ours = fields["size_scale"], fields["quantity"]
    values = {"quantity": update.quantity, "executed quantity": update.filled, "quantity of a fill": update.last_quantity}
    for what, value in values.items():
        if value is not None and not _is_writable(value, scale):
            return f"{what} {value}, which has to be a number from 0 on with {scale} decimals at most"
    if update.event == "MODIFIED" and update.price is not None and not _is_writable(update.price, fields["price_scale"]):
        return f"price {update.price}, which has to have {fields['price_scale']} decimals at most"
    if update.trade_id >= 0 and update.last_quantity == 0:
        return "a fill of 0"
    theirs = to_mantissa(update.quantity, scale) if update.quantity else 0
    filled = to_mantissa(update.filled, scale) if update.filled else 0
    if theirs and filled > theirs:
        return f"executed quantity {update.filled} of {update.quantity}"
    if theirs and update.event == "FILLED" and update.filled is not None and filled < theirs:
        return f"filled with {update.filled} of {update.quantity}"
    return _of_limit(update, theirs, ours, max(filled, counted), scale, instrument, whole)


def _of_limit(update: OrderUpdate, theirs: int, ours: int, executed: int, scale: int, instrument: Any, whole: bool) -> str | None:
    """No more is executed than the order's quantity, which is what was sent unless somebody has made it larger."""
    said = f"quantity {update.quantity}, which is {from_mantissa(ours, scale)}"
    if theirs > ours > 0 and not _may_grow(instrument):
        return said
    is_modification = whole or update.event == "MODIFIED"
    if theirs > ours > 0 and not is_modification and executed >= ours:
        return said                              # its modification was not heard of: whoever is asked knows
    limit = max(ours, theirs) if is_modification else ours
    if 0 < limit < executed:
        return f"executed quantity {from_mantissa(executed, scale)} of {from_mantissa(limit, scale)}"
    return None


def _may_grow(instrument: Any) -> bool:
    """Binance's spot changes orders in one way, order.amend.keepPriority, which makes them smaller."""
    return instrument is None or not (instrument.is_spot and instrument.exchange is ExchangeType.BINANCE)


def _is_writable(value: Decimal, scale: int) -> bool:
    if not value.is_finite() or value < 0:
        return False
    try:
        to_mantissa(value, scale)
    except ValueError:
        return False
    return True
