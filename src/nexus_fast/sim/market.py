"""A market: its instruments, one book per symbol, and the money of its accounts.

`Market` is what all venues share; `spot_market` and `futures_market` know how money moves. A refusal is an exception
with a reason from a closed list, which a venue folder turns into its own code and text. What happened is queued as
`Execution`, account and trade events and handed to `listener` by `flush()`, so that a request's own answer can leave
first.
"""

from dataclasses import dataclass

from nexus_fast.sim.account import Account, OrderStore
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.fixed_point import product
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.matching import Book
from nexus_fast.sim.orders import BUY, Fill, Order, Status, TimeInForce, Type
from nexus_fast.sim.tape import Tape
from nexus_fast.sim.wire_statistics import WireStatistics

MAXIMUM_OPEN_ORDERS = 200


class Refused(Exception):
    """An order was refused before it reached the book. `reason` is one of the words below; `detail` fills the text.

    Reasons: tick_size, step_size, price_low, price_high, quantity_low, quantity_high, market_quantity_high,
    percent_low, percent_high, notional, duplicate_client_id, too_many_open, balance, margin,
    reduce_only, post_only, unknown_order, no_change, amend_not_smaller, too_many_amends.
    """

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Execution:
    """One step in the life of an order, as it stood at that moment (the order itself goes on changing)."""

    kind: str  # NEW, TRADE, CANCELED, EXPIRED, REPLACED, AMENDMENT, TRADE_PREVENTION
    order: Order
    execution_id: int
    status: Status
    executed: int
    quote_executed: int
    average: int
    time: int
    fill: Fill | None = None
    is_maker: bool = False
    commission: int = 0
    commission_asset: str = ""
    realized: int = 0


class Listener:
    """What a venue folder implements to hear of events; called by `Market.flush`, in the order of the events."""

    def on_execution(self, account: Account, execution: Execution) -> None: ...

    def on_account(self, account: Account, assets: list[str], symbols: list[str], reason: str) -> None: ...

    def on_trade(self, book: Book, fill: Fill) -> None: ...

    def on_best(self, book: Book) -> None: ...


class Market:
    """Books and orders of one market. Subclasses say what an order may cost and how a fill is booked.

    `first_order_id` also begins the execution, update and trade ids: a venue takes it from the clock, so that none of
    them comes again after a restart.
    """

    def __init__(self, name: str, instruments: tuple[Instrument, ...], clock: Clock, statistics: WireStatistics,
                 first_order_id: int):
        self.name = name
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self.books = {symbol: Book(instrument, self._settle, self._expired)
                      for symbol, instrument in self.instruments.items()}
        for book in self.books.values():
            book.update_id, book.last_trade_id = first_order_id // 10, first_order_id // 100
        self.tapes = {symbol: Tape(instrument) for symbol, instrument in self.instruments.items()}
        self.clock = clock
        self.listener = Listener()
        self.statistics = statistics
        self.open_limit = MAXIMUM_OPEN_ORDERS
        self.refuses_taking_post_only = True
        self.bounds_every_price = False  # or buys from above and sells from below alone
        self._next_order_id = first_order_id
        self.last_execution_id = first_order_id * 10
        self._pending: list[tuple] = []
        self._best: dict[str, tuple] = {}

    # ---- what venues call

    def ledger_of(self, account: Account):
        """The account's money on this market. A venue with one wallet for several markets says so here or shares it."""
        return account.ledgers[self.name]

    def orders_of(self, account: Account) -> OrderStore:
        return account.orders(self.name)

    def next_order_id(self) -> int:
        self._next_order_id += 1
        return self._next_order_id

    def place(self, order: Order) -> Order:
        """Check, match and rest a client's order. Raises `Refused`; `order.status` says what became of it."""
        book = self.books[order.instrument.symbol]
        self.check(order, book)
        store = self.orders_of(order.account)
        self._reserve(order, book)
        order.time = order.update_time = book.now = self.clock.milliseconds()
        self.statistics.orders += 1
        store.add(order)
        self._execution("NEW", order)
        book.submit(order)
        self._after_submit(order)
        return order

    def check(self, order: Order, book: Book) -> None:
        """All that can be said against an order without touching the book or the money."""
        self._check_filters(order, book)
        if self.refuses_taking_post_only and order.type == Type.POST_ONLY and book.would_take(order.side, order.price):
            raise Refused("post_only")
        store = self.orders_of(order.account)
        if order.client_id in store.open_client_ids:
            raise Refused("duplicate_client_id")
        if len(store.open) >= self.open_limit and order.type != Type.MARKET:
            if sum(1 for o in store.open.values() if o.instrument is order.instrument) >= self.open_limit:
                raise Refused("too_many_open")

    def cancel(self, order: Order, new_client_id: str | None = None, kind: str = "CANCELED") -> Order:
        """Take a client's open order out of the book."""
        if not order.is_open:
            raise Refused("unknown_order")
        book = self.books[order.instrument.symbol]
        book.now = self.clock.milliseconds()
        remaining = order.remaining
        book.cancel(order, Status.CANCELED if kind == "CANCELED" else Status.EXPIRED)
        if new_client_id is not None:
            self.orders_of(order.account).rename(order, new_client_id)
        self._closed(order, remaining)
        self._execution(kind, order)
        self._account_changed(order, traded=False)
        return order

    def amend_quantity(self, order: Order, new_quantity: int, new_client_id: str) -> Order:
        """Make an open order smaller; it keeps its place in the queue."""
        if not order.is_open:
            raise Refused("unknown_order")
        if not order.executed < new_quantity < order.quantity:
            raise Refused("amend_not_smaller")
        if new_quantity % order.instrument.step:
            raise Refused("step_size")
        book = self.books[order.instrument.symbol]
        book.now = order.update_time = self.clock.milliseconds()
        self._reduced(order, order.quantity - new_quantity)
        book.reduce(order, new_quantity)
        order.amends += 1
        if new_client_id != order.client_id:
            self.orders_of(order.account).rename(order, new_client_id)
        else:
            order.original_client_id = new_client_id
        self._execution("REPLACED", order)
        self._account_changed(order, traded=False)
        return order

    def house_order(self, symbol: str, side: int, type_: Type, price: int, quantity: int) -> Order:
        """An order of the simulator's own market maker: no account, no filters, no events of its own."""
        book = self.books[symbol]
        book.now = self.clock.milliseconds()
        order = Order(self.next_order_id(), "", None, book.instrument, side, type_, TimeInForce.GTC, price, quantity,
                      time=book.now)
        book.submit(order)
        return order

    def house_cancel(self, order: Order) -> None:
        if order.is_open:
            self.books[order.instrument.symbol].cancel(order)

    def flush(self, book: Book | None = None) -> None:
        """Tell the listener what happened since the last call, then of a new best in `book` (None: in any book)."""
        while self._pending:
            pending, self._pending = self._pending, []
            for event in pending:
                event[0](*event[1:])
        for one in (book,) if book is not None else self.books.values():
            best = one.best()
            if best != self._best.get(one.instrument.symbol):
                self._best[one.instrument.symbol] = best
                self.listener.on_best(one)

    # ---- filters

    def _check_filters(self, order: Order, book: Book) -> None:
        instrument = order.instrument
        quantity = order.quantity
        if quantity < instrument.minimum_quantity:
            raise Refused("quantity_low")
        if order.type == Type.MARKET:
            if quantity > instrument.market_maximum_quantity:
                raise Refused("market_quantity_high")
        elif quantity > instrument.maximum_quantity:
            raise Refused("quantity_high")
        if quantity % instrument.step:
            raise Refused("step_size")
        reference = book.last_price
        price = order.price
        if order.type != Type.MARKET:
            self._check_price(order, book)
        elif price == 0:
            price = reference
        if instrument.notional(price, quantity) < instrument.minimum_notional and not order.reduce_only:
            raise Refused("notional")

    def _check_price(self, order: Order, book: Book) -> None:
        instrument, price = order.instrument, order.price
        if price < instrument.minimum_price:
            raise Refused("price_low")
        if price > instrument.maximum_price:
            raise Refused("price_high")
        if price % instrument.tick:
            raise Refused("tick_size")
        self._check_distance(order, *self.price_limits(book))

    def _check_distance(self, order: Order, lowest: int, highest: int) -> None:
        """What buys far too dear or sells far too cheap is refused; what only waits far away is, where every price is bound."""
        buys, bound = order.side == BUY, self.bounds_every_price
        if highest and (buys or bound) and order.price > highest:
            raise Refused("percent_high", f"{highest}")
        if (not buys or bound) and order.price < lowest:
            raise Refused("percent_low", f"{lowest}")

    def price_limits(self, book: Book) -> tuple[int, int]:
        """(lowest price of a sell, highest of a buy), both on the instrument's tick; 0: no limit."""
        instrument, reference = book.instrument, self.reference_price(book)
        lowest, highest = product(reference, instrument.multiplier_down), product(reference, instrument.multiplier_up)
        return lowest + -lowest % instrument.tick, highest - highest % instrument.tick

    def reference_price(self, book: Book) -> int:
        """By what the limits of prices are measured."""
        raise NotImplementedError

    # ---- money, in the subclasses

    def _reserve(self, order: Order, book: Book) -> None:
        raise NotImplementedError

    def _book_side(self, order: Order, fill: Fill, is_maker: bool) -> tuple[int, str, int]:
        raise NotImplementedError

    def _rested(self, order: Order) -> None:
        """The remainder of an order has come to rest."""

    def _closed(self, order: Order, remaining: int) -> None:
        """An order that rested has left the book with `remaining` unfilled; or a taker has ended."""
        raise NotImplementedError

    def _reduced(self, order: Order, quantity: int) -> None:
        raise NotImplementedError

    def _account_changed(self, order: Order, traded: bool) -> None:
        raise NotImplementedError

    # ---- what the book reports

    def _after_submit(self, order: Order) -> None:
        if order.is_open:
            self._rested(order)
        elif order.status != Status.FILLED:
            self._ended(order)
        else:
            self._closed(order, 0)
        self._account_changed(order, traded=bool(order.fills))

    def _ended(self, order: Order) -> None:
        self._closed(order, 0)
        kind = "TRADE_PREVENTION" if order.status == Status.EXPIRED_IN_MATCH else "EXPIRED"
        self._execution(kind, order)

    def _settle(self, fill: Fill) -> None:
        maker, taker = fill.maker, fill.taker
        # The taker hears first, as on the venue; both before the next match.
        for order, is_maker in ((taker, False), (maker, True)):
            if order.account is None:
                continue
            self.statistics.fills += 1
            commission, asset, realized = self._book_side(order, fill, is_maker)
            self.orders_of(order.account).trades.append((order, fill, commission, asset, is_maker, realized))
            self._execution("TRADE", order, fill=fill, is_maker=is_maker, commission=commission, commission_asset=asset,
                            realized=realized)
            if is_maker:
                if order.status == Status.FILLED:
                    self._closed(order, 0)
                self._account_changed(order, traded=True)
            else:
                order.fills.append((fill, commission, asset))
        book = self.books[taker.instrument.symbol]
        self.tapes[taker.instrument.symbol].add(fill)
        self._pending.append((self.listener.on_trade, book, fill))

    def _expired(self, order: Order) -> None:
        """A resting order was taken out by self-trade prevention."""
        self._closed(order, order.remaining)
        self._execution("TRADE_PREVENTION", order)
        self._account_changed(order, traded=False)

    def _execution(self, kind: str, order: Order, **extra) -> None:
        self.last_execution_id += 1
        execution = Execution(kind, order, self.last_execution_id, order.status, order.executed, order.quote_executed,
                              order.average_price, order.update_time, **extra)
        self._pending.append((self.listener.on_execution, order.account, execution))
