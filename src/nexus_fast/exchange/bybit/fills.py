"""Fills of Bybit orders, from the topics that speak of them.

    execution.fast   first; without the fee, and without orderLinkId where the account was the maker
    execution        the same fills with the fee
    order            cumulative quantity and value; no word of the single fill

The engine counts a fill once, by its trade id, and takes the fee from whoever has it (order/tracker.py). Here is what that needs:
whose order it is, and the average so far.
"""

from collections import OrderedDict
from decimal import Decimal

import xxhash
from msgspec import Raw, Struct
from msgspec.structs import replace

from nexus_fast.exact import exactly, quotient
from nexus_fast.exchange.bybit.snapshot import Text, exact, milliseconds, number, rows_of, type_of
from nexus_fast.exchange.rows import Found, Rows
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
    side: str = ""
    exec_fee: Text = ""
    fee_currency: Text = ""
    exec_type: str = "Trade"
    exec_time: str = ""
    is_maker: bool = False


execution_rows = Rows(ExecutionRow, "Bybit fills", "execId")


class Tally:
    """What is known of one order: its client id, and the sum of the fills that were seen. cost: quantity times price, for an
    inverse contract quantity by price."""

    __slots__ = ("client_id", "seen", "quantity", "cost")

    def __init__(self) -> None:
        self.client_id = ""
        self.seen: set[str] = set()
        self.quantity = self.cost = ZERO

    @exactly
    def add(self, row: ExecutionRow, quantity: Decimal, price: Decimal) -> None:
        if row.exec_id not in self.seen:
            self.seen.add(row.exec_id)
            self.quantity += quantity
            self.cost += quotient(quantity, price) if row.category == INVERSE else quantity * price

    def average(self, category: str) -> Decimal:
        dividend, divisor = (self.quantity, self.cost) if category == INVERSE else (self.cost, self.quantity)
        return quotient(dividend, divisor)


def trade_id(execution_id: str) -> int:
    """The engine numbers trades: 63 bits of the venue's text."""
    return xxhash.xxh3_64_intdigest(execution_id.encode()) >> 1


class Fills:
    def __init__(self) -> None:
        self._tallies: OrderedDict[str, Tally] = OrderedDict()

    def on_order(self, update: OrderUpdate) -> None:
        """Remembers whose order it is."""
        if update.client_id:
            self._tally(update.venue_id).client_id = update.client_id

    def on_execution(self, row: ExecutionRow) -> OrderUpdate | None:
        """None for an execution of nobody's order here, and for one of nothing."""
        if row.exec_type != "Trade":
            return None
        quantity, price = exact(row.exec_qty), exact(row.exec_price)
        if quantity <= 0:
            return None
        tally = self._tally(row.order_id)
        tally.client_id = row.order_link_id or tally.client_id
        tally.add(row, quantity, price)
        if not tally.client_id:
            return None
        return OrderUpdate(
            event="FILL",
            client_id=tally.client_id,
            venue_id=row.order_id,
            venue_symbol=row.symbol,
            average=tally.average(row.category),
            cost=tally.cost,
            last_price=price,
            last_quantity=quantity,
            trade_id=trade_id(row.exec_id),
            fee=number(row.exec_fee),
            fee_currency=row.fee_currency or None,
            is_maker=row.is_maker,
            time_ms=milliseconds(row.exec_time),
            side=row.side.upper() or None,
            instrument_type=type_of(row.category),
        )

    def _tally(self, order_id: str) -> Tally:
        found = self._tallies.get(order_id)
        if found is None:
            found = self._tallies[order_id] = Tally()
            if len(self._tallies) > KEPT_ORDERS:
                self._tallies.popitem(last=False)
        return found


def read_executions(result: bytes | Raw) -> Found:
    """Of one page of execution/list."""
    return execution_rows.decode(rows_of(result))


@exactly
def all_together(fills: list[OrderUpdate]) -> OrderUpdate:
    """What the fills of one order come to, as its state: of no single fill."""
    filled = sum((update.last_quantity for update in fills), start=ZERO)
    return replace(fills[-1], filled=filled, trade_id=-1, last_price=None, last_quantity=None, fee=None)


def updates_of(rows: list[ExecutionRow], category: str, fills: Fills | None = None) -> list[OrderUpdate]:
    """The fills of one order as execution/list has them, oldest first."""
    fills = fills or Fills()
    found = []
    for row in sorted(rows, key=lambda row: milliseconds(row.exec_time) or 0):
        row.category = category
        found.append(fills.on_execution(row))
    return [update for update in found if update is not None]
