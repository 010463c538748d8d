"""The venue's markets over the matching core: what Bybit does otherwise with orders, and what it remembers of them.

Spot, linear and inverse are markets of one account with one wallet (`wallet`). All three amend orders in place, refuse a
client id that was ever used, and let an order that would take as a maker die by itself instead of refusing it.
"""

from dataclasses import dataclass, field

from nexus_fast.sim.account import Account
from nexus_fast.sim.bybit.wallet import Member
from nexus_fast.sim.futures_market import FuturesMarket
from nexus_fast.sim.market import Execution, Listener, Market, Refused
from nexus_fast.sim.matching import Book
from nexus_fast.sim.orders import Fill, Order, Status, Type
from nexus_fast.sim.spot_market import SpotMarket

MAXIMUM_OPEN = 500
CANCEL_RACE_MS = 5
SEQUENCE_AHEAD = 5_000_000_000  # of the cross sequence before a book's own update id


@dataclass(slots=True)
class Words:
    """What an order's form said in the venue's terms, and what its rows tell beside the core's fields."""

    order_type: str
    time_in_force: str
    link_id: str
    market_unit: str = ""
    asked: int = 0  # a spot market order's amount of the quote coin
    smp: str = "None"
    shown_price: int = 0
    last_price: int = 0
    cancel_type: str = "UNKNOWN"
    reject_reason: str = "EC_NoError"
    fees: dict[str, int] = field(default_factory=dict)
    profit: int = 0
    sequence: int = 0


@dataclass(slots=True)
class Trade:
    """One side of a fill as the account sees it. `closed`: how much of a position it closed."""

    order: Order
    fill: Fill
    is_maker: bool
    commission: int
    coin: str
    profit: int
    closed: int
    leaves: int
    sequence: int


class Trading:
    """What the markets have in common; mixed in before the core's own market class."""

    def __init__(self, name, instruments, clock, statistics, first_order_id, members: dict[str, Member]):
        super().__init__(name, instruments, clock, statistics, first_order_id)
        self.members = members
        self.numbers = {symbol: number for number, symbol in enumerate(self.instruments)}
        self.open_limit = MAXIMUM_OPEN
        self.refuses_taking_post_only = False
        self.cancel_race_ms = CANCEL_RACE_MS
        self.events = None  # private_events.PrivateEvents

    def sequence(self, book: Book) -> int:
        """The venue's cross sequence: grows with the book, the same at every depth."""
        return book.update_id + SEQUENCE_AHEAD

    def place(self, order: Order) -> Order:
        book = self.books[order.instrument.symbol]
        order.words.last_price = book.last_price
        super().place(order)
        self._explain(order)
        return order

    def check(self, order: Order, book: Book) -> None:
        """A client id may come only once, also after its order has ended."""
        if order.client_id in self.orders_of(order.account).latest_by_client_id:
            raise Refused("duplicate_client_id")
        super().check(order, book)

    def cancel_for(self, order: Order, cancel_type: str = "CancelByUser", reason: str = "EC_PerCancelRequest") -> None:
        """A cancel that crosses the last fill is accepted, and the order is told as Filled once more, with the reason that
        there is nothing to cancel."""
        if order.status == Status.FILLED and self.clock.milliseconds() - order.update_time <= self.cancel_race_ms:
            order.words.reject_reason = "EC_OrigClOrdIDDoesNotExist"
            self._execution("CANCELED", order)
            return
        if not order.is_open:
            raise Refused("unknown_order")
        order.words.cancel_type, order.words.reject_reason = cancel_type, reason
        self.cancel(order)

    def amend(self, order: Order, price: int, quantity: int) -> Order:
        """Another price or whole quantity for an open order. Less of it at the same price keeps the place in the queue."""
        if not order.is_open:
            raise Refused("unknown_order")
        if (price, quantity) == (order.price, order.quantity):
            raise Refused("no_change")
        if quantity <= order.executed:
            raise Refused("already_executed")
        book = self.books[order.instrument.symbol]
        trial = Order(order.order_id, order.client_id, order.account, order.instrument, order.side, order.type,
                      order.time_in_force, price, quantity, reduce_only=order.reduce_only)
        self._check_filters(trial, book)
        book.now = order.update_time = self.clock.milliseconds()
        order.amends += 1
        if order.type == Type.POST_ONLY and book.would_take(order.side, price):
            order.words.reject_reason = "EC_PostOnlyWillTakeLiquidity"
            return self.cancel(order, kind="EXPIRED")
        if price == order.price and quantity < order.quantity:
            self._reduced(order, order.quantity - quantity)
            book.reduce(order, quantity)
            self._execution("REPLACED", order)
            self._account_changed(order, traded=False)
            return order
        return self._requeue(order, trial, book)

    def _requeue(self, order: Order, trial: Order, book: Book) -> Order:
        """The order gives its money back, reserves anew with the trial's terms, and goes to the end of the queue."""
        price, quantity, status = trial.price, trial.quantity, order.status
        trial.quantity = quantity - order.executed
        held = self._let_go(order)
        try:
            self._reserve(trial, book)
        except Refused:
            self._hold_again(order, held)
            raise
        book.cancel(order)
        order.price, order.quantity, order.status = price, quantity, status
        self._take_over(order, trial)
        self._execution("AMENDMENT", order)
        book.submit(order)
        self._after_submit(order)
        self._explain(order)
        return order

    @staticmethod
    def _explain(order: Order) -> None:
        """Why an order that nobody cancelled has ended."""
        words = order.words
        if order.is_open or order.status == Status.FILLED or words.reject_reason != "EC_NoError":
            return
        if order.status == Status.EXPIRED_IN_MATCH:
            words.cancel_type, words.reject_reason = "CancelBySmp", "EC_BySelfMatch"
        elif order.type == Type.POST_ONLY:
            words.reject_reason = "EC_PostOnlyWillTakeLiquidity"
        elif words.time_in_force == "FOK":
            words.reject_reason = "EC_NoEnoughQtyToFill"
        else:
            words.reject_reason = "EC_CancelForNoFullFill" if order.executed else "EC_NoImmediateQtyToFill"

    def _expired(self, order: Order) -> None:
        self._explain(order)
        super()._expired(order)

    def _remember(self, order: Order, fill: Fill, is_maker: bool, commission: int, coin: str, profit: int,
                  closed: int) -> None:
        words, member = order.words, self.members[order.account.key]
        words.fees[coin] = words.fees.get(coin, 0) + commission
        words.profit += profit
        book = self.books[order.instrument.symbol]
        words.sequence = self.sequence(book)
        trade = Trade(order, fill, is_maker, commission, coin, profit, closed, order.remaining, words.sequence)
        member.trades.append((self.name, trade))
        self.events.traded(self, order.account, trade)

    def flush(self, book: Book | None = None) -> None:
        super().flush(book)
        self.listener.on_flushed()


class BybitSpot(Trading, SpotMarket):
    """Spot. What contracts need of a coin is not there to spend."""

    contracts: tuple["BybitContracts", ...] = ()

    def spendable(self, account: Account, coin: str) -> int:
        free = self.ledger_of(account).free.get(coin, 0)
        return free - sum(market.withheld(account, coin) for market in self.contracts)

    def _reserve(self, order, book):
        super()._reserve(order, book)
        ledger = self.ledger_of(order.account)
        if self.spendable(order.account, ledger.held_asset(order)) < 0:
            ledger.release(order)
            raise Refused("balance")

    def _let_go(self, order: Order) -> int:
        held = order.locked
        self.ledger_of(order.account).release(order)
        return held

    def _hold_again(self, order: Order, held: int) -> None:
        self.ledger_of(order.account).lock(order, held)

    def _take_over(self, order: Order, trial: Order) -> None:
        order.locked = trial.locked

    def _book_side(self, order, fill, is_maker):
        commission, coin, _ = super()._book_side(order, fill, is_maker)
        self._remember(order, fill, is_maker, commission, coin, 0, 0)
        return commission, coin, 0


class BybitContracts(Trading, FuturesMarket):
    """Linear or inverse perpetuals, one-way mode, cross margin."""

    def settled_in(self, coin: str) -> list[str]:
        return [symbol for symbol, instrument in self.instruments.items() if instrument.settle == coin]

    def withheld(self, account: Account, coin: str) -> int:
        """What positions and orders need of a coin beyond what unrealized profit covers; never below nothing."""
        return max(0, self.ledger_of(account).wallet.get(coin, 0) - self.available(account, coin))

    def _let_go(self, order: Order) -> int:
        held = order.remaining
        self.ledger_of(order.account).set_open(order, 0)
        return held

    def _hold_again(self, order: Order, held: int) -> None:
        self.ledger_of(order.account).set_open(order, held)

    def _take_over(self, order: Order, trial: Order) -> None:
        order.quantity = order.executed + trial.quantity

    def _book_side(self, order, fill, is_maker):
        position = self.ledger_of(order.account).position(order.instrument)
        against = max(0, -position.amount * order.side)
        commission, coin, realized = super()._book_side(order, fill, is_maker)
        self.members[order.account.key].record(self.name, order.instrument.symbol).traded(
            fill.time, commission, realized, flat=position.amount == 0)
        self._remember(order, fill, is_maker, commission, coin, realized, min(against, fill.quantity))
        return commission, coin, realized

    def _trim_reduce_only(self, cause: Order) -> None:
        """An order that the position has outgrown is told with what is left of it."""
        before = {order: order.quantity for order in self.orders_of(cause.account).open.values() if order.reduce_only}
        super()._trim_reduce_only(cause)
        for order, quantity in before.items():
            if order.is_open and order.quantity != quantity:
                self._execution("REPLACED", order)

    def cancel(self, order, new_client_id=None, kind="CANCELED"):
        """Only the core itself lets a resting order expire: when nothing is left for it to reduce."""
        if kind == "EXPIRED" and order.words.reject_reason == "EC_NoError":
            order.words.cancel_type, order.words.reject_reason = "CancelByReduceOnly", "EC_ReduceOnly"
        return super().cancel(order, new_client_id, kind)

    def _account_changed(self, order, traded):
        """Every event of an order is told of its position as well, and its margin changes the wallet."""
        self._pending.append((self.listener.on_account, order.account, [order.instrument.settle],
                              [order.instrument.symbol], "ORDER"))


class Publisher(Listener):
    """Events of one market go to the private connections and the public channels."""

    def __init__(self, market: Market, events, channels):
        self.market = market
        self.events = events
        self.channels = channels
        self.on_trade = channels.publish_trade
        self.on_best = channels.publish_best

    def on_execution(self, account: Account, execution: Execution) -> None:
        self.events.changed(self.market, account, execution.order)

    def on_account(self, account: Account, assets: list[str], symbols: list[str], reason: str) -> None:
        self.events.account_changed(self.market, account, assets, symbols)

    def on_flushed(self) -> None:
        self.events.publish(self.market)
        self.channels.publish_trades()
