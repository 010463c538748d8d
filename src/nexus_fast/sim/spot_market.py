"""The spot market: assets change hands, and the price of a resting order is locked."""

from nexus_fast.sim.fixed_point import SCALE, product
from nexus_fast.sim.market import Market, Refused
from nexus_fast.sim.matching import Book
from nexus_fast.sim.orders import BUY, Type


class SpotMarket(Market):
    """Assets change hands; the price of a resting order is locked."""

    def reference_price(self, book):
        return book.last_price

    def _reserve(self, order, book):
        if order.side != BUY:
            amount = order.quantity
        elif order.type == Type.MARKET:
            amount = cost_of(book, order.quantity)
        else:
            amount = product(order.price, order.quantity)
        if not self.ledger_of(order.account).lock(order, amount):
            raise Refused("balance")

    def _book_side(self, order, fill, is_maker):
        rate = order.instrument.maker_fee if is_maker else order.instrument.taker_fee
        commission, asset = self.ledger_of(order.account).settle(order, fill, rate)
        return commission, asset, 0

    def _closed(self, order, remaining):
        if order.locked:
            self.ledger_of(order.account).release(order)
        self.orders_of(order.account).close(order)

    def _reduced(self, order, quantity):
        self.ledger_of(order.account).release(order, product(order.price, quantity) if order.side == BUY else quantity)

    def _account_changed(self, order, traded):
        """Resting and cancelling move money between free and locked, so every order event changes a spot account."""
        instrument = order.instrument
        self._pending.append((self.listener.on_account, order.account, [instrument.base, instrument.quote], [],
                              "ORDER"))


def cost_of(book: Book, quantity: int) -> int:
    """What a market buy of `quantity` costs at the book's present prices; the rest of a too thin book at the last."""
    cost, left = 0, quantity
    for price, available in book.asks.depth(len(book.asks.keys)):
        take = min(left, available)
        cost += product(price, take)
        left -= take
        if not left:
            break
    return cost


def quantity_for(book: Book, side: int, budget: int) -> int:
    """How much base a market order can trade for `budget` of quote at the present prices, in whole steps."""
    levels = book.asks if side == BUY else book.bids
    total = 0
    for price, available in levels.depth(len(levels.keys)):
        cost = product(price, available)
        if cost >= budget:
            total += budget * SCALE // price
            break
        total += available
        budget -= cost
    return total - total % book.instrument.step
