"""The fills of the orders: each counted once, by the venue's trade id, whichever stream brings it first, and its fee with whoever
has it.

What is told of an order's fills is a quantity: a trade brings what the sum of the trades exceeds it by. It is less than the trade
where the venue's total was told before (telling.py), and nothing for a trade that came twice.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from decimal import Decimal

from msgspec import Struct

from nexus_fast.constants import OrderSide, OrderStatus
from nexus_fast.exact import OWN, quotient
from nexus_fast.exchange.instrument import Instrument, from_mantissa, to_mantissa
from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.past import Past
from nexus_fast.schema import Fill

FORMER_TRADES = 100_000          # that are remembered of orders that were forgotten
NO_TRADE = (0, 0)                # price and quantity of a trade of which the journal has lost them


class Total(Struct, frozen=True, gc=False):
    """What the venue says of all that is executed. quantity: a mantissa."""

    quantity: int
    average: Decimal
    cost: Decimal


class Extra(Struct, gc=False):
    """What an order has besides its slot. Quantities are mantissas."""

    reason: str | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    counted: int = 0                         # sum of its unique trades
    told: int = 0                            # sum of the fills that were told, or are about to be
    fees_missing: int = 0                    # of how many of its trades the fee is not known
    paid: Decimal = Decimal(0)               # what the fills that were told were worth
    last_price: Decimal | None = None        # of its last trade
    total: Total | None = None               # the last that the venue said
    shown: OrderStatus | None = None         # while its end waits for fills: the status that was told
    modified_at: float | None = None         # when its last modification became known, by the monotonic clock
    contradiction: str | None = None         # the last that was said of it and not believed
    trades: dict[int, bool] = {}             # its trades that were counted: whether their fees are, too
    unpaid: dict[int, Fill] = {}             # fills that were told without their fee, by trade id
    revived: bool = False                    # it was forgotten, with its trades


def extra_of(fields: dict) -> Extra:
    """Of an order of which nothing is kept: what was executed of it was told."""
    return Extra(counted=fields["filled"], told=fields["filled"], revived=fields["filled"] > 0)


class Execution(Struct, kw_only=True, frozen=True, gc=False):
    """A fill, for who keeps positions. account: its index. amount: unsigned, in base units or contracts. trade_id: None where the
    venue's total is known and not its trades. time_ms: the venue's. recovered: told of a time before on_start."""

    account: int
    instrument: Instrument
    side: OrderSide
    price: Decimal
    amount: Decimal
    fee: Decimal | None
    fee_currency: str | None
    time_ms: int
    trade_id: int | None
    recovered: bool


class Accounted(Struct, frozen=True, gc=False):
    """What a fill made of the position. position: of the symbol on the account after it, signed; None for spot. recovered: the
    position that the strategies saw in on_start contains it."""

    position: Decimal | None
    recovered: bool


OnExecuted = Callable[[Execution], Accounted]


def keep_no_positions(execution: Execution) -> Accounted:
    return Accounted(None, execution.recovered)


class Taken(Struct, frozen=True, gc=False):
    """What an update brought. is_new: a trade that was not counted; repeated: one that was. amount: what is to be told of it, a
    mantissa. is_paid: the fee of a trade, of which it was not known."""

    is_new: bool = False
    repeated: bool = False
    amount: int = 0
    is_paid: bool = False


NOTHING = Taken()


class Executions:
    """`counts` gets "fills" and "repeated_fills"."""

    def __init__(self, instruments: Sequence[Instrument], counts: dict[str, int]):
        self._instruments = instruments
        self._counts = counts
        # Of orders that were forgotten: (order, trade), the oldest first.
        self._former: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._last_lost = 0                  # of every order up to this one a trade may be remembered no longer

    def is_new(self, number: int, extra: Extra, update: OrderUpdate) -> bool:
        """Whether the update brings a trade that was not counted. A venue may say one twice, over two streams or after a
        reconnect. Both sides of one trade may be ours."""
        if update.trade_id < 0 or update.trade_id in extra.trades:
            return False
        return not extra.revived or not (number <= self._last_lost or (number, update.trade_id) in self._former)

    def forget(self, number: int, extra: Extra) -> None:
        """The order has been over for a while: its trades are remembered for as long as there is room."""
        self._former.update(dict.fromkeys((number, trade_id) for trade_id in extra.trades))
        while len(self._former) > FORMER_TRADES:
            (lost, _), _ = self._former.popitem(last=False)
            self._last_lost = max(self._last_lost, lost)

    def take(self, extra: Extra, fields: dict, update: OrderUpdate) -> Taken:
        """Count what the update brings. fields: the order as it was before."""
        _take_total(extra, self._instruments[fields["symbol_id"]], fields, update)
        if update.trade_id < 0:
            return NOTHING
        is_new, amount = self.is_new(fields["number"], extra, update), 0
        if is_new:
            self._counts["fills"] += 1
            extra.trades[update.trade_id] = False
            amount = _add(extra, fields, update)
        else:
            self._counts["repeated_fills"] += 1
        return Taken(is_new, not is_new, amount, update.fee is not None and _take_fee(extra, update))

    def carry(self, extra: Extra, fields: dict, past: Past) -> list[OrderUpdate]:
        """Count the trades that an earlier session told; those of them that it told without their fee."""
        unpaid = []
        for trade_id, with_fee in past.heard.items():
            price, quantity = past.trades.get(trade_id, NO_TRADE)
            extra.trades[trade_id] = with_fee
            extra.counted += quantity
            if not with_fee:
                extra.fees_missing += 1
                unpaid.append(_update_of(fields, trade_id, price, quantity))
        return unpaid

    def untold(self, extra: Extra, fields: dict, past: Past) -> list[OrderUpdate]:
        """The trades that an earlier session did not tell and that were not counted since."""
        return [
            _update_of(fields, trade_id, price, quantity)
            for trade_id, (price, quantity) in past.untold.items()
            if trade_id not in extra.trades
        ]


def _update_of(fields: dict, trade_id: int, price: int, quantity: int) -> OrderUpdate:
    """A trade that the journal has. Price and quantity: mantissas."""
    return OrderUpdate(
        event="FILL",
        client_id=fields["client_id"],
        last_price=from_mantissa(price, fields["price_scale"]),
        last_quantity=from_mantissa(quantity, fields["size_scale"]),
        trade_id=trade_id,
    )


def _take_total(extra: Extra, instrument: Instrument, fields: dict, update: OrderUpdate) -> None:
    if not update.filled or not (update.cost or update.average):
        return
    quantity = to_mantissa(update.filled, fields["size_scale"])
    if extra.total is None or quantity >= extra.total.quantity:
        average = update.average or average_price(instrument, update.filled, update.cost)
        extra.total = Total(quantity, average, update.cost or instrument.cost(average, update.filled))


def _add(extra: Extra, fields: dict, update: OrderUpdate) -> int:
    """The trade's part that was not told, a mantissa. It counts as told from now on."""
    extra.fees_missing += 1
    if not update.last_quantity:
        return 0
    extra.counted += to_mantissa(update.last_quantity, fields["size_scale"])
    amount, extra.told = max(0, extra.counted - extra.told), max(extra.told, extra.counted)
    extra.last_price = update.last_price
    return amount


def _take_fee(extra: Extra, update: OrderUpdate) -> bool:
    """Whether the fee was not known before."""
    if extra.trades.get(update.trade_id, True):
        return False
    extra.trades[update.trade_id] = True
    extra.fees_missing -= 1
    extra.fee = OWN.add(extra.fee or Decimal(0), update.fee)
    extra.fee_currency = update.fee_currency or extra.fee_currency
    return True


def worth(instrument: Instrument, price: Decimal, quantity: Decimal) -> Decimal:
    """As Instrument.cost, not rounded: what is added up."""
    if instrument.is_inverse:
        return OWN.divide(OWN.multiply(quantity, instrument.contract_size), price) if price else Decimal(0)
    return instrument.cost(price, quantity)


def average_price(instrument: Instrument, quantity: Decimal, cost: Decimal) -> Decimal:
    """The price at which the whole quantity has this cost."""
    size = OWN.multiply(quantity, instrument.contract_size)
    if not cost or not size:
        return Decimal(0)
    return quotient(size, cost) if instrument.is_inverse else quotient(cost, size)
