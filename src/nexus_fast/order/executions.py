"""The fills of the orders: each counted once, by the venue's trade id, whichever stream brings it first, and its fee with whoever
has it."""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from nexus_fast.exact import OWN, quotient
from nexus_fast.exchange.instrument import Instrument, from_mantissa, to_mantissa
from nexus_fast.order.events import OrderUpdate

SEEN_TRADES = 100_000


class Extra(Struct, gc=False):
    """What an order has besides its slot."""

    reason: str | None = None
    average: Decimal | None = None
    cost: Decimal | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    last_price: Decimal | None = None
    last_quantity: Decimal | None = None
    counted: int = 0                         # sum of its unique fills, mantissa
    fees_missing: int = 0                    # of how many of them the fee is not known
    paid: Decimal = Decimal(0)               # what its unique fills were worth
    modified_at: float | None = None         # when its last modification became known, by the monotonic clock
    contradiction: str | None = None         # the last that was said of it and not believed


class Executions:
    """`counts` gets "fills" and "repeated_fills"."""

    def __init__(self, instruments: Sequence[Instrument], counts: dict[str, int]):
        self._instruments = instruments
        self._counts = counts
        self._seen: dict[tuple[int, int], bool] = {}             # (order, trade) -> its fee is counted
        self._seen_order: deque[tuple[int, int]] = deque()

    def is_new(self, number: int, update: OrderUpdate) -> bool:
        """Whether the update brings a fill that was not counted. A venue may say one twice, over two streams or after a
        reconnect. Both sides of one trade may be ours."""
        return update.trade_id >= 0 and (number, update.trade_id) not in self._seen

    def take(self, extra: Extra, fields: dict, update: OrderUpdate) -> bool:
        """Count what the update brings; whether its fill is a repetition. fields: the order as it was before."""
        number = fields["number"]
        repeated = update.trade_id >= 0 and not self.is_new(number, update)
        if update.average is not None:
            extra.average = update.average
        if update.cost is not None:
            extra.cost = update.cost
        if repeated:
            self._counts["repeated_fills"] += 1
        elif update.trade_id >= 0:
            self._remember((number, update.trade_id))
            self._counts["fills"] += 1
            self._add(extra, fields, update)
        if update.trade_id >= 0 and update.fee is not None:
            self._take_fee(extra, (number, update.trade_id), update)
        return repeated

    def _add(self, extra: Extra, fields: dict, update: OrderUpdate) -> None:
        extra.last_price, extra.last_quantity = update.last_price, update.last_quantity
        extra.fees_missing += 1
        if update.last_quantity:
            extra.counted += to_mantissa(update.last_quantity, fields["size_scale"])
        if update.last_price and update.last_quantity:
            self._add_up(extra, fields, update)

    def _add_up(self, extra: Extra, fields: dict, update: OrderUpdate) -> None:
        """Cost and average by the fills themselves, where the venue does not say them with the fill."""
        instrument = self._instruments[fields["symbol_id"]]
        extra.paid = OWN.add(extra.paid, instrument.cost(update.last_price, update.last_quantity))
        if update.cost is None and update.average is None and extra.counted >= fields["filled"]:
            quantity = from_mantissa(extra.counted, fields["size_scale"])
            extra.cost = extra.paid
            extra.average = _average(instrument, quantity, extra.paid)

    def _take_fee(self, extra: Extra, key: tuple[int, int], update: OrderUpdate) -> None:
        if self._seen.get(key, True):
            return
        self._seen[key] = True
        extra.fees_missing -= 1
        extra.fee = OWN.add(extra.fee or Decimal(0), update.fee)
        extra.fee_currency = update.fee_currency or extra.fee_currency

    def carry(self, extra: Extra, number: int, trades: dict[int, tuple[int, int]]) -> None:
        """An order of an earlier session, and the fills that were counted there, with their fees."""
        for trade_id, (_, quantity) in trades.items():
            self._remember((number, trade_id), True)
            extra.counted += quantity

    def _remember(self, key: tuple[int, int], with_fee: bool = False) -> None:
        self._seen[key] = with_fee
        self._seen_order.append(key)
        if len(self._seen_order) > SEEN_TRADES:
            self._seen.pop(self._seen_order.popleft(), None)


def _average(instrument: Instrument, quantity: Decimal, cost: Decimal) -> Decimal:
    """The price at which the whole quantity has this cost."""
    size = OWN.multiply(quantity, instrument.contract_size)
    if not cost or not size:
        return Decimal(0)
    return quotient(size, cost) if instrument.is_inverse else quotient(cost, size)
