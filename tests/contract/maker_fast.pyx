"""A market maker in Cython that keeps its own books: by Books in a file, and in whole numbers of its own at the symbol's scale."""

from decimal import Decimal

from libc.stdint cimport int64_t, uint8_t, uint32_t

from nexus_fast.books import Books
from nexus_fast.constants import OrderSide
from nexus_fast.core.types cimport NX_BUY, NX_FLAG_NO_ASK, NX_FLAG_NO_BID, NX_LIMIT, NX_SELL, nx_bookl1
from nexus_fast.strategy.base cimport Strategy


cdef class MakerFast(Strategy):
    """symbol: what it trades; file: of its books; chance: what it does."""
    cdef public object symbol, file, books, in_memory, dice, traded
    cdef public bint quoting
    cdef int64_t lots                        # what it holds, a mantissa at the symbol's size scale
    cdef public int size_scale
    cdef int64_t quotes[2]                   # order numbers of bid and ask; 0: none

    def __init__(self, symbols, file, chance):
        super().__init__()
        self.traded = symbols[:1]
        self.symbol, self.file, self.dice, self.quoting = symbols[0], file, chance, True

    def on_start(self):
        self.books, self.in_memory = Books(self.instrument, self.file), Books(self.instrument)
        held = self.cache.get_position(self.symbol)
        self.in_memory.start_from(self.symbol, held)
        self.size_scale = self.instrument(self.symbol).size_scale
        self.lots = self.mantissa(held.signed_amount) if held else 0
        self.subscribe_bookl1(self.symbol)

    @property
    def position(self):
        return {self.symbol: Decimal(self.lots).scaleb(-self.size_scale)}

    def mantissa(self, amount):
        return int(amount.scaleb(self.size_scale))

    cdef int on_quote(self, const nx_bookl1* book) except -1:
        if self.quoting and not book.flags & (NX_FLAG_NO_BID | NX_FLAG_NO_ASK) and self.dice.random() < 0.4:
            self.quote(book, self.dice.choice((0, 1)), self.dice.choice((10, 20, 50)), self.dice.choice((-200, 0, 0, 100, 500)))
        return 0

    cdef void quote(self, const nx_bookl1* book, int side, int64_t thousandths, int64_t ticks):
        """So many ticks from the own side of the book; below zero: into the other side."""
        cdef int64_t size = thousandths
        cdef int64_t price = book.bid - ticks if side == 0 else book.ask + ticks
        cdef int scale = 3
        while scale < book.size_scale:
            size, scale = size * 10, scale + 1
        if self.quotes[side]:
            self.send_cancel(self.quotes[side])
        number = self.send_order(book.symbol_id, NX_BUY if side == 0 else NX_SELL, NX_LIMIT, price, size)
        self.quotes[side] = number if number > 0 else 0

    def on_fill(self, fill):
        self.books.add(fill)
        self.in_memory.add(fill)
        if not fill.recovered:
            self.lots += self.mantissa(fill.signed_amount)

    def on_fill_fee(self, fill):
        self.books.add_fee(fill)
        self.in_memory.add_fee(fill)
