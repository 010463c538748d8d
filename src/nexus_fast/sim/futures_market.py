"""The futures market: positions and margin in the asset that a contract settles in, one-way mode, cross margin.

One market may hold linear, inverse and dated contracts: each instrument says what it is.
"""

from nexus_fast.sim.account import Account
from nexus_fast.sim.market import Market, Refused
from nexus_fast.sim.matching import Book
from nexus_fast.sim.orders import Order, Type


class FuturesMarket(Market):
    """Positions and margin; `settles_in` says in which asset, by symbol."""

    def __init__(self, name, instruments, clock, statistics, first_order_id):
        super().__init__(name, instruments, clock, statistics, first_order_id)
        self.settles_in = {symbol: instrument.settle for symbol, instrument in self.instruments.items()}

    def mark_price(self, symbol: str) -> int:
        """The middle of the book, or the last price while a side is empty."""
        return self.books[symbol].middle()

    def marks(self) -> dict[str, int]:
        return {symbol: self.mark_price(symbol) for symbol in self.books}

    def available(self, account: Account, asset: str) -> int:
        """What of an asset new orders can use."""
        return self.ledger_of(account).available(asset, self.marks(), self.settles_in)

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
        old_status = order.status
        book.now = self.clock.milliseconds()
        self.ledger_of(order.account).set_open(order, 0)
        book.cancel(order)
        order.price, order.quantity, order.status = price, quantity, old_status
        order.amends += 1
        order.update_time = book.now
        self._execution("AMENDMENT", order)
        book.submit(order)
        self._after_submit(order)
        return order

    def reference_price(self, book):
        return self.mark_price(book.instrument.symbol)

    def _reserve(self, order, book):
        ledger, instrument = self.ledger_of(order.account), order.instrument
        position = ledger.position(instrument).amount
        if order.reduce_only:
            if position * order.side >= 0:
                raise Refused("reduce_only")
            order.quantity = min(order.quantity, abs(position))
            return
        price = order.price or self.mark_price(instrument.symbol)
        growing = order.quantity - max(0, -position * order.side)
        if growing > 0:
            needed = instrument.value(price, growing) // ledger.symbol_risk(instrument.symbol).leverage
            if needed > self.available(order.account, instrument.settle):
                raise Refused("margin")

    def _rested(self, order):
        self.ledger_of(order.account).set_open(order, order.remaining)

    def _book_side(self, order, fill, is_maker):
        ledger = self.ledger_of(order.account)
        if is_maker:
            ledger.set_open(order, order.remaining)
        rate = order.instrument.maker_fee if is_maker else order.instrument.taker_fee
        commission, asset, realized = ledger.settle(order, fill, rate)
        self._trim_reduce_only(order)
        return commission, asset, realized

    def _trim_reduce_only(self, cause: Order) -> None:
        """Resting reduce-only orders never outgrow the position: what is too much of them expires."""
        account, instrument = cause.account, cause.instrument
        ledger = self.ledger_of(account)
        position = ledger.position(instrument).amount
        resting = [o for o in self.orders_of(account).open.values()
                   if o.reduce_only and o is not cause and o.instrument is instrument and o.is_open]
        for order in resting:
            if not self.books[instrument.symbol].holds(order):
                continue
            left = max(0, -position * order.side)
            if left == 0:
                self.cancel(order, kind="EXPIRED")
            elif left < order.remaining:
                ledger.set_open(order, left)
                self.books[instrument.symbol].reduce(order, order.executed + left)

    def _closed(self, order, remaining):
        self.ledger_of(order.account).set_open(order, 0)
        self.orders_of(order.account).close(order)

    def _reduced(self, order, quantity):
        self.ledger_of(order.account).set_open(order, order.remaining - quantity)

    def _account_changed(self, order, traded):
        """Only fills change a futures wallet or position; resting and cancelling do not."""
        if traded:
            self._pending.append((self.listener.on_account, order.account, [order.instrument.settle],
                                  [order.instrument.symbol], "ORDER"))
