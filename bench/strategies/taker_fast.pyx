"""One LIMIT order for every tick (or for each whose update id divides by `every`), at the ask: the wire bench's strategy in Cython."""

from libc.stdint cimport int64_t, uint64_t

from nexus_fast.core.types cimport NX_BUY, NX_LIMIT, nx_bookl1
from nexus_fast.strategy.base cimport Strategy


cdef class Taker(Strategy):
    """amount: a mantissa at the symbol's size scale. `sent` counts the ticks that were answered."""
    cdef str symbol
    cdef int64_t amount
    cdef int64_t every
    cdef readonly int64_t sent
    cdef readonly int64_t refused

    def __init__(self, str symbol, int64_t amount, int64_t every=1):
        super().__init__()
        self.symbol = symbol
        self.amount = amount
        self.every = every

    def on_start(self):
        self.subscribe_bookl1(symbols=[self.symbol])

    cdef int on_quote(self, const nx_bookl1* book) except -1:
        if book.update_id % <uint64_t>self.every:
            return 0
        if self.send_order(book.symbol_id, NX_BUY, NX_LIMIT, book.ask, self.amount) > 0:
            self.sent += 1
        else:
            self.refused += 1
        return 0
