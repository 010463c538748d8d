"""Programs that keep their own books, as docs/write-a-strategy.md says: by Books in a file, which count every fill once; by Books
in memory, from on_start's position; and by hand, from that position and the fills that are not recovered."""

from decimal import Decimal

from nexus_fast.books import Books
from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.strategy import Strategy

BUY, SELL = OrderSide.BUY, OrderSide.SELL


class Bookkeeper(Strategy):
    """symbols: what it trades. file: of its books. `position`: what it counts by hand, of the perpetuals."""

    def __init__(self, symbols, file, chance):
        super().__init__()
        self.traded = symbols
        self.file = file
        self.position = {}
        self.dice = chance
        self.quoting = True

    def on_start(self):
        self.books, self.in_memory = Books(self.instrument, self.file), Books(self.instrument)
        for symbol in self.traded:
            held = self.cache.get_position(symbol)
            self.in_memory.start_from(symbol, held)
            self.position[symbol] = held.signed_amount if held else Decimal(0)
        self.subscribe_bookl1(self.traded)

    def on_fill(self, fill):
        self.books.add(fill)
        self.in_memory.add(fill)
        if not fill.recovered:
            self.position[fill.symbol] += fill.signed_amount

    def on_fill_fee(self, fill):
        self.books.add_fee(fill)
        self.in_memory.add_fee(fill)

    def at(self, symbol, side, away):
        """A price so far from the own side of the book, as a part of it; below zero: into the other side."""
        book = self.cache.bookl1(symbol)
        best = Decimal(str(book.bid if side is BUY else book.ask))
        return self.price_to_precision(symbol, best * (1 - away if side is BUY else 1 + away))


class MarketMaker(Bookkeeper):
    """A bid and an ask, each moved with a cancel and a new order; some so near that they take."""

    def __init__(self, symbols, file, chance):
        super().__init__(symbols, file, chance)
        self.quotes = {}

    def on_bookl1(self, book):
        if self.quoting and self.dice.random() < 0.4:
            self.quote(book.symbol, self.dice.choice((BUY, SELL)))

    def quote(self, symbol, side):
        oid = self.quotes.pop((symbol, side), None)
        if oid is not None:
            self.cancel_order(symbol, oid)
        kind = self.dice.choice((OrderType.POST_ONLY, OrderType.LIMIT, OrderType.LIMIT))
        away = Decimal(self.dice.choice(("0.0005", "0.0001", "0", "-0.0002" if kind is OrderType.LIMIT else "0")))
        amount = Decimal(self.dice.choice(("0.01", "0.02", "0.05")))
        self.quotes[symbol, side] = self.create_order(symbol, side, kind, amount, self.at(symbol, side, away))

    def on_filled_order(self, order):
        if self.quotes.get((order.symbol, order.side)) == order.oid:
            del self.quotes[order.symbol, order.side]


class Pairs(Bookkeeper):
    """Two perpetuals: one is bought where the other is sold. What the second leg lacks is sent when a fill or a book shows it."""

    LIMIT = Decimal("0.1")

    def __init__(self, symbols, file, chance):
        super().__init__(symbols, file, chance)
        self.hedging = None              # the order of the second leg that is not over

    def on_bookl1(self, book):
        if self.quoting and self.dice.random() < 0.2:
            self.enter()
        self.hedge()

    def enter(self):
        first = self.traded[0]
        side = BUY if self.position[first] < 0 else SELL if self.position[first] > 0 else self.dice.choice((BUY, SELL))
        if self.dice.random() < 0.3:
            side = BUY if side is SELL else SELL
        if abs(self.position[first]) < self.LIMIT and self.cache.bookl1(first) is not None:
            self.create_order(first, side, OrderType.LIMIT, Decimal("0.02"), self.at(first, side, Decimal("-0.0001")))

    def hedge(self):
        rest = sum(self.position.values())
        if self.quoting and rest and self.hedging is None and self.cache.bookl1(self.traded[1]) is not None:
            self.hedging = self.create_order(self.traded[1], SELL if rest > 0 else BUY, OrderType.MARKET, abs(rest))

    def on_fill(self, fill):
        super().on_fill(fill)
        self.hedge()

    def over(self, order):
        if order.oid == self.hedging:
            self.hedging = None

    on_filled_order = on_canceled_order = on_expired_order = on_failed_order = over
