"""Fills of Bybit orders, put together from what three topics say of each.

    execution.fast   first, without the fee; without orderLinkId where the account was the maker
    execution        with the fee
    order            cumulative quantity, value and fee; no word of the single fill

An execution is known by its execId. Its quantity counts once, whichever topic brings it first; the sum of what was seen is never
more than what was filled, and where one was missed the order's own cumulative quantity makes up for it.
"""

from collections import OrderedDict
from decimal import Decimal

import xxhash
from msgspec import Struct

from nexus_fast.exchange.bybit.snapshot import milliseconds, number
from nexus_fast.order.events import OrderUpdate

KEPT_ORDERS = 50_000
ZERO = Decimal(0)
INVERSE = "inverse"


class ExecutionRow(Struct, rename="camel"):
    """Of execution, execution.fast and execution/list. execType: Trade, or what is no strategy's order (funding, liquidation)."""

    exec_id: str
    order_id: str
    symbol: str
    exec_price: str
    exec_qty: str
    category: str = ""
    order_link_id: str = ""
    exec_fee: str = ""
    fee_currency: str = ""
    exec_type: str = "Trade"
    exec_time: str = ""
    is_maker: bool = False


class Tally:
    """What is known of one order's fills."""

    __slots__ = ("client_id", "seen", "quantity", "cost", "charged", "charged_quantity", "fee", "currency", "told", "told_fee")

    def __init__(self) -> None:
        self.client_id = ""
        self.seen: set[str] = set()
        self.charged: set[str] = set()                   # executions whose fee is known
        self.quantity = self.cost = self.charged_quantity = self.fee = self.told = ZERO
        self.told_fee: Decimal | None = None
        self.currency: str | None = None

    @property
    def total_fee(self) -> Decimal | None:
        """By whoever knows of more."""
        if self.charged_quantity >= self.told and self.charged:
            return self.fee
        return self.told_fee


def trade_id(execution_id: str) -> int:
    """The engine numbers trades: 63 bits of the venue's text."""
    return xxhash.xxh3_64_intdigest(execution_id.encode()) >> 1


class Fills:
    def __init__(self) -> None:
        self._tallies: OrderedDict[str, Tally] = OrderedDict()

    def on_order(self, update: OrderUpdate) -> None:
        """Completes the update's fee and currency, and remembers whose order it is."""
        tally = self._tally(update.venue_id)
        tally.client_id = update.client_id or tally.client_id
        if update.filled is not None and update.filled >= tally.told:
            tally.told, tally.told_fee = update.filled, update.total_fee
        tally.currency = update.fee_currency or tally.currency
        if update.filled:
            update.total_fee, update.fee_currency = tally.total_fee, tally.currency

    def on_execution(self, row: ExecutionRow) -> OrderUpdate | None:
        """None for an execution that says nothing new, or is of nobody's order here."""
        if row.exec_type != "Trade":
            return None
        tally = self._tally(row.order_id)
        tally.client_id = row.order_link_id or tally.client_id
        quantity, price = Decimal(row.exec_qty), Decimal(row.exec_price)
        first = row.exec_id not in tally.seen
        if first:
            tally.seen.add(row.exec_id)
            tally.quantity += quantity
            tally.cost += quantity / price if row.category == INVERSE else quantity * price
        charged = bool(row.exec_fee) and row.exec_id not in tally.charged
        if charged:
            tally.charged.add(row.exec_id)
            tally.charged_quantity += quantity
            tally.fee += Decimal(row.exec_fee)
            tally.currency = row.fee_currency or tally.currency
        if not tally.client_id or not (first or charged):
            return None
        complete = tally.quantity >= tally.told
        return OrderUpdate(
            event="FILL",
            client_id=tally.client_id,
            venue_id=row.order_id,
            venue_symbol=row.symbol,
            filled=tally.quantity,
            cost=tally.cost if complete else None,
            average=_average(tally, row.category) if complete else None,
            last_price=price if first else None,
            last_quantity=quantity if first else None,
            trade_id=trade_id(row.exec_id) if first else -1,
            total_fee=tally.total_fee,
            fee_currency=tally.currency,
            is_maker=row.is_maker if first else None,
            time_ms=milliseconds(row.exec_time),
        )

    def _tally(self, order_id: str) -> Tally:
        found = self._tallies.get(order_id)
        if found is None:
            found = self._tallies[order_id] = Tally()
            if len(self._tallies) > KEPT_ORDERS:
                self._tallies.popitem(last=False)
        return found


def _average(tally: Tally, category: str) -> Decimal:
    return tally.quantity / tally.cost if category == INVERSE else tally.cost / tally.quantity


def summed(rows: list[ExecutionRow], category: str) -> OrderUpdate | None:
    """What execution/list proves of an order that no list of orders names any more; None without an execution."""
    fills, found = Fills(), None
    for row in sorted(rows, key=lambda row: number(row.exec_time) or ZERO):
        row.category = category
        found = fills.on_execution(row) or found
    if found is not None:
        found.trade_id, found.last_price, found.last_quantity = -1, None, None
    return found
