"""A fill as a strategy is told of it, with the position and the order as they stand with it."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from nexus_fast.cache import Cache
from nexus_fast.constants import AccountType
from nexus_fast.exact import OWN
from nexus_fast.exchange.instrument import Instrument, from_mantissa
from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.executions import Execution, Extra, OnExecuted, average_price, keep_no_positions, worth
from nexus_fast.order.view import SIDES, OrderView
from nexus_fast.schema import Fill

# Of a part of an order that has no trade of its own.
WITHOUT_TRADE = OrderUpdate(event="FILL", client_id="")


class FillMaker:
    """account_type: of an account, by its index. `on_executed`: who keeps positions; called once with every fill that is told."""

    def __init__(
        self,
        cache: Cache,
        view: OrderView,
        instruments: Sequence[Instrument],
        account_type: Callable[[int], AccountType],
    ):
        self.on_executed: OnExecuted = keep_no_positions
        self._cache = cache
        self._view = view
        self._instruments = instruments
        self._account_type = account_type

    def of_trade(self, fields: dict, extra: Extra, amount: int, update: OrderUpdate, recovered: bool) -> Fill:
        """What the update's trade brings: position and cache are up to date with it. amount: a mantissa, of what was not told yet
        and is in extra.told now."""
        quantity = from_mantissa(amount, fields["size_scale"])
        price = update.last_price or self._price_of(fields, extra, quantity)
        extra.paid = OWN.add(extra.paid, worth(self._instruments[fields["symbol_id"]], price, quantity))
        fill = self._fill(fields, update, price, quantity, recovered)
        instrument = self._instruments[fields["symbol_id"]]
        accounted = self.on_executed(
            Execution(
                account=fields["account"],
                instrument=instrument,
                side=fill.side,
                price=price,
                amount=quantity,
                fee=fill.fee,
                fee_currency=fill.fee_currency,
                time_ms=fill.timestamp,
                trade_id=fill.trade_id,
                recovered=recovered,
            )
        )
        order = replace(
            fill.order, last_filled=quantity, last_filled_price=float(price), cost=instrument.cost(price, quantity)
        )
        self._cache.apply_order(fill.order)
        return replace(fill, order=order, position=accounted.position, recovered=accounted.recovered)

    def of_rest(self, fields: dict, extra: Extra, amount: int, recovered: bool) -> Fill:
        """As of_trade, of a quantity without a trade."""
        return self.of_trade(fields, extra, amount, WITHOUT_TRADE, recovered)

    def of_earlier(self, fields: dict, update: OrderUpdate) -> Fill:
        """A fill that an earlier session told without its fee."""
        return self._fill(fields, update, update.last_price or Decimal(0), update.last_quantity or Decimal(0), True)

    def with_fee(self, fields: dict, fill: Fill | None, update: OrderUpdate) -> Fill:
        """The fill once more, now that its fee is known. None: it was told as a part of a quantity without a trade."""
        fill = fill or self._fill(fields, update, update.last_price or Decimal(0), update.last_quantity or Decimal(0), False)
        order = self._view.order(fields)
        self._cache.apply_order(order)
        is_maker = fill.is_maker if update.is_maker is None else update.is_maker
        return replace(fill, fee=update.fee, fee_currency=update.fee_currency, is_maker=is_maker, order=order)

    def _fill(self, fields: dict, update: OrderUpdate, price: Decimal, amount: Decimal, recovered: bool) -> Fill:
        order = self._view.order(fields)
        return Fill(
            exchange=order.exchange,
            account_type=self._account_type(fields["account"]),
            symbol=order.symbol,
            oid=order.oid,
            eid=order.eid,
            trade_id=None if update.trade_id < 0 else update.trade_id,
            side=SIDES[fields["side"]],
            price=price,
            amount=amount,
            is_maker=update.is_maker,
            fee=update.fee,
            fee_currency=update.fee_currency,
            timestamp=update.time_ms or order.timestamp,
            recovered=recovered,
            position=None,
            order=order,
        )

    def _price_of(self, fields: dict, extra: Extra, amount: Decimal) -> Decimal:
        """What the venue's total is worth more than the fills that were told; else the price of the last trade, or the limit."""
        instrument, total = self._instruments[fields["symbol_id"]], extra.total
        if total is not None and total.quantity == extra.told:
            price = average_price(instrument, amount, OWN.subtract(total.cost, extra.paid))
            return price if price > 0 else total.average
        return extra.last_price or from_mantissa(fields["price"], fields["price_scale"])
