"""The futures market: positions and margin in the quote asset, one-way mode, cross margin."""

from nexus_fast.sim.account import Account
from nexus_fast.sim.fixed_point import product
from nexus_fast.sim.market import Market, Refused
from nexus_fast.sim.matching import Book
from nexus_fast.sim.orders import BUY, Order, Type


class FuturesMarket(Market):
    """Positions and margin in the quote asset, one-way mode."""

    def __init__(self, name, instruments, clock, statistics, first_order_id):
        super().__init__(name, instruments, clock, statistics, first_order_id)
        self.asset_of = {symbol: instrument.quote for symbol, instrument in self.instruments.items()}

    def orders_of(self, account):
        return account.usd_m_orders

    def mark_price(self, symbol: str) -> int:
        """The middle of the book, or the last price while a side is empty."""
        book = self.books[symbol]
        bid, _, ask, _ = book.best()
        return (bid + ask) // 2 if bid and ask else book.last_price

    def marks(self) -> dict[str, int]:
        return {symbol: self.mark_price(symbol) for symbol in self.books}

    def available(self, account: Account, asset: str) -> int:
        return account.usd_m.available(asset, self.marks(), self.asset_of)

    def modify(self, order: Order, side: int, price: int, quantity: int) -> Order:
        """Replace price and quantity of an open limit order; it goes to the end of the queue.

        An amendment that a filter refuses leaves the order as it was; one that leaves nothing to fill, or makes a
        post-only order take, cancels it.
        """
        if not order.is_open or side != order.side:
            raise Refused("unknown_order")
        if price == order.price and quantity == order.quantity:
            raise Refused("no_change")
        if order.amends >= 10_000:
            raise Refused("too_many_amends")
        book = self.books[order.instrument.symbol]
        trial = Order(order.order_id, order.client_id, order.account, order.instrument, side, order.type,
                      order.time_in_force, price, quantity, reduce_only=order.reduce_only)
        self._check_filters(trial, book)
        takes = order.type == Type.POST_ONLY and book.would_take(side, price)
        if quantity <= order.executed or takes:
            return self.cancel(order)
        return self._requeue(order, book, price, quantity)

    def _requeue(self, order: Order, book: Book, price: int, quantity: int) -> Order:
        ledger, old_status = order.account.usd_m, order.status
        book.now = self.clock.milliseconds()
        ledger.add_open(order, -1, order.remaining)
        book.cancel(order)
        order.price, order.quantity, order.status = price, quantity, old_status
        order.amends += 1
        order.update_time = book.now
        self._execution("AMENDMENT", order)
        book.submit(order)
        self._after_submit(order)
        return order

    def _check_percent_price(self, order, reference):
        instrument = order.instrument
        mark = self.mark_price(instrument.symbol)
        if order.side == BUY and order.price > product(mark, instrument.multiplier_up):
            raise Refused("percent_high", f"{product(mark, instrument.multiplier_up)}")
        if order.side != BUY and order.price < product(mark, instrument.multiplier_down):
            raise Refused("percent_low", f"{product(mark, instrument.multiplier_down)}")

    def _reserve(self, order, book):
        ledger = order.account.usd_m
        symbol = order.instrument.symbol
        position = ledger.position(symbol).amount
        if order.reduce_only:
            if position * order.side >= 0:
                raise Refused("reduce_only")
            order.quantity = min(order.quantity, abs(position))
            return
        price = order.price or self.mark_price(symbol)
        growing = order.quantity - max(0, -position * order.side)
        if growing > 0:
            needed = product(price, growing) // ledger.symbol_risk(symbol).leverage
            if needed > ledger.available(order.instrument.quote, self.marks(), self.asset_of):
                raise Refused("margin")

    def _rested(self, order):
        order.account.usd_m.add_open(order, 1, order.remaining)

    def _book_side(self, order, fill, is_maker):
        ledger = order.account.usd_m
        if is_maker:
            ledger.add_open(order, -1, fill.quantity)
        rate = order.instrument.maker_fee if is_maker else order.instrument.taker_fee
        commission, asset, realized = ledger.settle(order, fill, rate)
        self._trim_reduce_only(order)
        return commission, asset, realized

    def _trim_reduce_only(self, cause: Order) -> None:
        """Resting reduce-only orders never outgrow the position: what is too much of them expires."""
        account, instrument = cause.account, cause.instrument
        position = account.usd_m.position(instrument.symbol).amount
        resting = [o for o in self.orders_of(account).open.values()
                   if o.reduce_only and o is not cause and o.instrument is instrument and o.is_open]
        for order in resting:
            if not self.books[instrument.symbol].holds(order):
                continue
            left = max(0, -position * order.side)
            if left == 0:
                self.cancel(order, kind="EXPIRED")
            elif left < order.remaining:
                account.usd_m.add_open(order, -1, order.remaining - left)
                self.books[instrument.symbol].reduce(order, order.executed + left)

    def _closed(self, order, remaining):
        if remaining:
            order.account.usd_m.add_open(order, -1, remaining)
        self.orders_of(order.account).close(order)

    def _reduced(self, order, quantity):
        order.account.usd_m.add_open(order, -1, quantity)

    def _account_changed(self, order, traded):
        """Only fills change a futures wallet or position; resting and cancelling do not."""
        if traded:
            self._pending.append((self.listener.on_account, order.account, [order.instrument.quote],
                                  [order.instrument.symbol], "ORDER"))
