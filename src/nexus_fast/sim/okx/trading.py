"""The venue's two markets over the matching core: one account's money for both, one order store, amendments.

An account of the venue is unified: the cash of an asset pays for spot orders and is the margin of contracts settled in
it. `unify` opens two ledgers over the same cash; what positions and contract orders need is withheld from spot orders
as well.
"""

import itertools
from dataclasses import dataclass

from nexus_fast.sim.account import Account, FuturesLedger, OrderStore, SpotLedger
from nexus_fast.sim.fixed_point import product
from nexus_fast.sim.futures_market import FuturesMarket
from nexus_fast.sim.market import Refused
from nexus_fast.sim.matching import Book
from nexus_fast.sim.okx.listing import BALANCES, CONTRACT_MARKET, SPOT_MARKET
from nexus_fast.sim.orders import BUY, Fill, Order, Status, Type
from nexus_fast.sim.spot_market import SpotMarket, cost_of

MAXIMUM_OPEN_PER_INSTRUMENT = 500


class Words:
    """What an order's form said in the venue's terms, and what its rows and pushes tell beside the core's fields."""

    __slots__ = ("type", "mode", "target", "size", "tag", "currency", "stp", "fee", "pushed_fee", "pnl", "pushed_pnl",
                 "bills", "last", "request_id", "failure", "cancel_source")

    def __init__(self, type_: str, mode: str, target: str = "", size: str = "", tag: str = "", currency: str = "",
                 stp: str = "cancel_maker"):
        self.type = type_
        self.mode = mode
        self.target = target
        self.size = size  # as sent, when it was an amount of the quote asset
        self.tag = tag
        self.currency = currency
        self.stp = stp
        self.fee = self.pushed_fee = 0
        self.pnl = self.pushed_pnl = 0
        self.bills: dict[int, int] = {}  # trade id -> bill id
        self.last: Fill | None = None
        self.request_id = ""
        self.failure: tuple[int, str, str] | None = None  # of the last amendment: code, text, amendResult
        self.cancel_source = ""


@dataclass(slots=True)
class PositionRecord:
    """What the venue tells of a position beside its amount: since when, its fees and realized profit, its last trade."""

    position_id: int
    created: int
    trade_id: int = 0
    fee: int = 0
    pnl: int = 0


def unify(account: Account) -> None:
    """One purse: the wallet of the account's contracts is its spot cash."""
    spot = SpotLedger(BALANCES)
    account.open(SPOT_MARKET, spot)
    account.open(CONTRACT_MARKET, FuturesLedger(wallet=spot.free))


def spot_ledger(account: Account) -> SpotLedger:
    return account.ledgers[SPOT_MARKET]


def contract_ledger(account: Account) -> FuturesLedger:
    return account.ledgers[CONTRACT_MARKET]


def orders_of(account: Account) -> OrderStore:
    """The orders of an account on both markets."""
    return account.orders("okx")


def share_order_ids(first: int, *markets) -> None:
    """Order ids are unique over all markets of the venue."""
    ids = itertools.count(first)
    for market in markets:
        market.next_order_id = ids.__next__


class UnifiedMarket:
    """What both markets of the venue do alike; mixed into the core's."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.refuses_taking_post_only = False
        self.open_limit = MAXIMUM_OPEN_PER_INSTRUMENT

    def orders_of(self, account: Account) -> OrderStore:
        return orders_of(account)

    def reference_price(self, book: Book) -> int:
        """The middle of the book, as index and mark price are, for both sides of spot and contracts alike."""
        return book.middle()

    def amend(self, order: Order, price: int, quantity: int) -> Order:
        """Another price or quantity for an open order; `quantity` counts what is filled already.

        A smaller quantity at the same price keeps the place in the queue; not more than what is filled ends the order
        as filled. Raises `Refused` and leaves the order as it was.
        """
        if not order.is_open:
            raise Refused("unknown_order")
        if price == order.price and quantity == order.quantity:
            raise Refused("no_change")
        book = self.books[order.instrument.symbol]
        trial = Order(order.order_id, order.client_id, order.account, order.instrument, order.side, order.type,
                      order.time_in_force, price, quantity, reduce_only=order.reduce_only)
        self._check_filters(trial, book)
        if order.type == Type.POST_ONLY and book.would_take(order.side, price):
            raise Refused("post_only")
        book.now = self.clock.milliseconds()
        if quantity <= order.executed:
            self._complete(order, book)
        elif price == order.price and quantity < order.quantity:
            self._shrink(order, book, quantity)
        else:
            self._afford(order, price, quantity)
            self._move(order, book, price, quantity)
        return order

    def amendment_failed(self, order: Order) -> None:
        """Tell, behind the answer, that an amendment that was accepted came to nothing."""
        self._execution("FAILED", order)

    def _complete(self, order: Order, book: Book) -> None:
        remaining = order.remaining
        book.cancel(order, Status.FILLED)
        self._closed(order, remaining)
        order.quantity = order.executed
        self._execution("AMENDMENT", order)
        self._account_changed(order, traded=False)

    def _shrink(self, order: Order, book: Book, quantity: int) -> None:
        self._reduced(order, order.quantity - quantity)
        book.reduce(order, quantity)
        order.update_time = book.now
        self._execution("AMENDMENT", order)
        self._account_changed(order, traded=False)

    def _move(self, order: Order, book: Book, price: int, quantity: int) -> None:
        """To the end of another queue; what it meets there it takes."""
        status = order.status
        self._withdraw(order)
        book.cancel(order)
        order.price, order.quantity, order.status = price, quantity, status
        order.update_time = book.now
        self._deposit(order)
        self._execution("AMENDMENT", order)
        book.submit(order)
        self._after_submit(order)

    def _afford(self, order: Order, price: int, quantity: int) -> None:
        """Raises `Refused` when the account cannot pay for the order with this price and quantity."""
        raise NotImplementedError

    def _withdraw(self, order: Order) -> None:
        """What the order holds is given back."""
        raise NotImplementedError

    def _deposit(self, order: Order) -> None:
        """What the order will hold is set aside."""

    def _note(self, order: Order, fill: Fill, commission: int, realized: int) -> None:
        words = order.words
        words.fee += commission
        words.pnl += realized
        words.bills[fill.trade_id] = self.next_order_id()
        words.last = fill


class UnifiedSpotMarket(UnifiedMarket, SpotMarket):
    """Spot pays from the purse what positions leave over. `contracts` is the other market, which knows the margins."""

    contracts: "UnifiedContractMarket"

    def _reserve(self, order, book):
        if order.side != BUY:
            amount = order.quantity
        elif order.type == Type.MARKET:
            amount = cost_of(book, order.quantity)
        else:
            amount = product(order.price, order.quantity)
        ledger = self.ledger_of(order.account)
        if amount > self.contracts.available(order.account, ledger.held_asset(order)) or not ledger.lock(order, amount):
            raise Refused("balance")

    def _book_side(self, order, fill, is_maker):
        booked = super()._book_side(order, fill, is_maker)
        self._note(order, fill, booked[0], 0)
        return booked

    def _account_changed(self, order, traded):
        instrument = order.instrument
        self._pending.append((self.listener.on_account, order.account, [instrument.base, instrument.quote], [],
                              "TRADE" if traded else "ORDER"))

    @staticmethod
    def _worth(order: Order, price: int, quantity: int) -> int:
        return product(price, quantity) if order.side == BUY else quantity

    def _afford(self, order, price, quantity):
        ledger = self.ledger_of(order.account)
        asset, more = ledger.held_asset(order), self._worth(order, price, quantity - order.executed) - order.locked
        # Profit that is not realized is margin for contracts, but pays for nothing.
        if more > min(self.contracts.available(order.account, asset), ledger.free.get(asset, 0)):
            raise Refused("balance")

    def _withdraw(self, order):
        self.ledger_of(order.account).release(order)

    def _deposit(self, order):
        self.ledger_of(order.account).lock(order, self._worth(order, order.price, order.remaining))


class UnifiedContractMarket(UnifiedMarket, FuturesMarket):
    """Contracts in net mode, with the purse as margin."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.records: dict[tuple[str, str], PositionRecord] = {}

    def available(self, account: Account, asset: str) -> int:
        """As the core has it, without marks of what the account does not hold."""
        ledger = self.ledger_of(account)
        marks = {symbol: self.mark_price(symbol) for symbol, held in ledger.positions.items() if held.amount}
        return ledger.available(asset, marks, self.settles_in)

    def record(self, account: Account, symbol: str) -> PositionRecord:
        found = self.records.get((account.key, symbol))
        if found is None:
            found = self.records[account.key, symbol] = PositionRecord(self.next_order_id(), self.clock.milliseconds())
        return found

    def _book_side(self, order, fill, is_maker):
        symbol = order.instrument.symbol
        if not self.ledger_of(order.account).position(order.instrument).amount:
            self.records.pop((order.account.key, symbol), None)
        booked = super()._book_side(order, fill, is_maker)
        record = self.record(order.account, symbol)
        record.trade_id = fill.trade_id
        record.fee += booked[0]
        record.pnl += booked[2]
        self._note(order, fill, booked[0], booked[2])
        return booked

    def _account_changed(self, order, traded):
        symbol = order.instrument.symbol
        self._pending.append((self.listener.on_account, order.account, [order.instrument.settle],
                              [symbol] if traded else [], "TRADE" if traded else "ORDER"))

    def _afford(self, order, price, quantity):
        ledger, instrument = self.ledger_of(order.account), order.instrument
        left = quantity - order.executed
        if order.reduce_only:
            if left > abs(ledger.position(instrument).amount):
                raise Refused("reduce_only")
            return
        more = instrument.value(price, left) - instrument.value(order.price, order.remaining)
        if more > 0 and more // ledger.symbol_risk(instrument.symbol).leverage > self.available(
                order.account, instrument.settle):
            raise Refused("margin")

    def _withdraw(self, order):
        self.ledger_of(order.account).set_open(order, 0)
