"""A strategy in Cython: from the record of a tick to the bytes of an order without a Python object in between.

It takes liquidity when one side of the book is much larger than the other, one order at a time, buy and sell in turn, so that
its position is never more than one lot. `taker_fast.py` compiles and runs it; docs/write-a-strategy.md explains it.
"""

from libc.stdint cimport int64_t, uint32_t

from nexus_fast.core.abi cimport require_abi
from nexus_fast.core.types cimport NX_BUY, NX_FLAG_NO_ASK, NX_FLAG_NO_BID, NX_IOC, NX_LIMIT, NX_SELL, nx_bookl1
from nexus_fast.order.states cimport state_is_closed
from nexus_fast.order.table cimport nx_order
from nexus_fast.strategy.base cimport Strategy

require_abi()


cdef class TakerFast(Strategy):
    cdef public str symbol
    cdef public object amount                # Decimal, base units
    cdef public double ratio                 # one side this many times the other
    cdef readonly int64_t sent
    cdef uint32_t symbol_id
    cdef int64_t quantity                    # amount as a mantissa at the symbol's scale
    cdef int64_t pending                     # the order that is not over yet; 0 for none
    cdef bint holds

    def __init__(self, symbol, amount, ratio=2.0):
        super().__init__()
        self.symbol = symbol
        self.amount = amount
        self.ratio = ratio

    def on_start(self):
        self.symbol_id = self.symbol_ids[self.symbol]
        self.subscribe_bookl1(self.symbol)

    cdef int on_quote(self, const nx_bookl1* book) except -1:
        if book.flags & (NX_FLAG_NO_BID | NX_FLAG_NO_ASK):
            return 0
        if not self.quantity:
            self.quantity = self.mantissa(book.size_scale)
        if self.pending and not state_is_closed(self.order(self.pending).state):
            return 0
        if not self.holds and book.bid_size_value > self.ratio * book.ask_size_value:
            self.take(book, NX_BUY, book.ask)
        elif self.holds and book.ask_size_value > self.ratio * book.bid_size_value:
            self.take(book, NX_SELL, book.bid)
        return 0

    cdef void take(self, const nx_bookl1* book, unsigned char side, int64_t price) noexcept nogil:
        """A negative number is a refusal of our own checks; on_failed_order hears of it."""
        cdef int64_t number = self.send_order(book.symbol_id, side, NX_LIMIT, price, self.quantity, NX_IOC)
        self.pending = number if number > 0 else 0
        self.sent += number > 0

    cdef int64_t mantissa(self, int scale) except -1:
        exact = self.amount.scaleb(scale)
        if exact != int(exact):
            raise ValueError(f"{self.symbol}: {self.amount} has more digits than the symbol's {scale}")
        return int(exact)

    def on_filled_order(self, order):
        self.holds = order.is_buy
        self.log.info(f"{order.side.name} {order.filled} {order.symbol} at {order.average}")

    def on_failed_order(self, order):
        self.log.warning(f"{order.symbol}: {order.reason}")
