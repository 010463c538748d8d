"""A strategy in Cython: from the record of a tick to the bytes of an order without a Python object in between.

It takes liquidity when one side of the book is much larger than the other: buys `amount`, sells what it has bought, one order
at a time. `taker_fast.py` compiles and runs it; docs/write-a-strategy.md explains it.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from nexus_fast.core.abi cimport require_abi
from nexus_fast.core.types cimport (
    NX_BUY, NX_FLAG_NO_ASK, NX_FLAG_NO_BID, NX_IOC, NX_LIMIT, NX_ORDER_REDUCE_ONLY, NX_SELL, nx_bookl1,
)
from nexus_fast.order.states cimport state_is_closed
from nexus_fast.order.table cimport nx_order
from nexus_fast.strategy.base cimport Strategy

require_abi()


cdef class TakerFast(Strategy):
    cdef public str symbol
    cdef public object amount                # Decimal, base units
    cdef public double ratio                 # one side this many times the other
    cdef readonly int64_t sent
    cdef int64_t quantity                    # amount as a mantissa at the symbol's scale
    cdef int64_t position                    # what the orders that are over have bought and not sold again
    cdef int64_t pending                     # the order that is not over yet; 0 for none

    def __init__(self, symbol, amount, ratio=2.0):
        super().__init__()
        self.symbol = symbol
        self.amount = amount
        self.ratio = ratio

    def on_start(self):
        self.subscribe_bookl1(self.symbol)

    cdef int on_quote(self, const nx_bookl1* book) except -1:
        if book.flags & (NX_FLAG_NO_BID | NX_FLAG_NO_ASK):
            return 0
        if not self.quantity:
            self.quantity = self.mantissa(book.size_scale)
        if self.pending and not self.settled():
            return 0
        if not self.position and book.bid_size_value > self.ratio * book.ask_size_value:
            self.take(book.symbol_id, NX_BUY, book.ask, self.quantity, 0)
        elif self.position and book.ask_size_value > self.ratio * book.bid_size_value:
            self.take(book.symbol_id, NX_SELL, book.bid, self.position, NX_ORDER_REDUCE_ONLY)
        return 0

    cdef bint settled(self) noexcept nogil:
        """Whether the order is over; its fills then belong to the position. An order whose outcome is unknown is not over."""
        cdef const nx_order* order = self.order(self.pending)
        if not state_is_closed(order.state):
            return False
        self.position += order.filled if order.side == NX_BUY else -order.filled
        self.pending = 0
        return True

    cdef void take(self, uint32_t symbol_id, uint8_t side, int64_t price, int64_t quantity, uint8_t flags) noexcept nogil:
        """A negative number is a refusal of the engine's own checks; on_failed_order hears of it."""
        cdef int64_t number = self.send_order(symbol_id, side, NX_LIMIT, price, quantity, NX_IOC, flags)
        self.pending = number if number > 0 else 0
        self.sent += number > 0

    cdef int64_t mantissa(self, int scale) except -1:
        exact = self.amount.scaleb(scale)
        if exact != int(exact):
            raise ValueError(f"{self.symbol}: {self.amount} has more digits than the symbol's {scale}")
        return int(exact)

    def on_filled_order(self, order):
        self.log.info(f"{order.side.name} {order.filled} {order.symbol} at {order.average}")

    def on_failed_order(self, order):
        self.log.warning(f"{order.symbol}: {order.reason}")
