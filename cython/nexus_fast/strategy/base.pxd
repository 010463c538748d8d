"""What users derive from. A Cython strategy overrides `on_quote` and sends with `send_order`; a Python strategy overrides
`on_bookl1` and calls `create_order`. Both may run in one engine.

    from nexus_fast.core.types cimport nx_bookl1, NX_BUY, NX_LIMIT
    from nexus_fast.strategy.base cimport Strategy

    cdef class Taker(Strategy):
        cdef int on_quote(self, const nx_bookl1* book) except -1:
            self.send_order(book.symbol_id, NX_BUY, NX_LIMIT, book.ask, 1000)
            return 0
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from nexus_fast.core.types cimport NX_GTC, nx_bookl1, nx_fill
from nexus_fast.order.entry cimport OrderEntry
from nexus_fast.order.table cimport nx_order


cdef class StrategyCore:
    cdef:
        object __weakref__
        dict __dict__
        public object _nexus_runtime         # the engine's services; None before the engine is built
        OrderEntry entry                     # the way to the venues; None before the engine is built
        dict symbol_ids                      # symbol -> symbol id
        list symbol_names                    # symbol id -> symbol
        list symbol_exchanges                # symbol id -> ExchangeType
        dict account_ids                     # account type -> account index
        object python_on_bookl1              # the overridden on_bookl1, or None
        uint8_t index                        # of this strategy in the engine
        bint rehearses                       # create_order goes all the way up to the order's entry, and no further

    # The tick. The record is good until the call returns; copy it to keep it.
    cdef int on_quote(self, const nx_bookl1* book) except -1

    # What on_fill and on_fill_fee tell, before they are called: every fill of every order of this strategy, exactly once. The record
    # is good until the call returns.
    cdef int on_execution(self, const nx_fill* fill) except -1
    cdef int on_execution_fee(self, const nx_fill* fill) except -1
    # What the on_…_order callbacks tell, before they are called. event: nx_order_callback. The record is the order's slot, as it is
    # now: its quantity `filled` may be ahead of the fills that were told. NULL when its slot has been taken by a later order.
    cdef int on_order(self, const nx_order* order, uint8_t event) except -1

    # Order number > 0 (sent, or in doubt); a negative nx_reason when refused, whatever was passed. Price and quantity are
    # mantissas at the symbol's scales (book.price_scale, book.size_scale). The account is the symbol's own. A side, type, time in
    # force, flag or symbol id that there is not makes no order, and no on_failed_order either: nothing could be said of it.
    cdef int64_t send_order(self, uint32_t symbol_id, uint8_t side, uint8_t type, int64_t price, int64_t quantity,
                            uint8_t time_in_force=*, uint8_t flags=*) noexcept nogil
    # The same on an account of its own choice: account_number() of its type.
    cdef int64_t send_order_on(self, uint8_t account, uint32_t symbol_id, uint8_t side, uint8_t type, int64_t price,
                               int64_t quantity, uint8_t time_in_force=*, uint8_t flags=*) noexcept nogil
    # 0, or a negative nx_reason. A number that is not an order's is refused.
    cdef int send_cancel(self, uint64_t order_number) noexcept nogil
    # The same. Price and quantity: both as they are to be.
    cdef int send_modify(self, uint64_t order_number, int64_t price, int64_t quantity) noexcept nogil
    # The index of an account by its type, for send_order_on; prepares the symbol's orders on it. Raises RouteError. Call it once.
    cdef uint8_t account_number(self, object account_type, str symbol) except? 254
    # The number of a symbol, as records and send_order have it. Raises KeyError.
    cdef uint32_t symbol_number(self, str symbol) except? 4294967295
    # The average price of an order's fills so far; 0.0 before the first, and for an order that is no longer known.
    cdef double average_price(self, uint64_t order_number) except? -1.0
    # NULL when there is none of this number.
    cdef const nx_order* order(self, uint64_t order_number) noexcept nogil

    cdef uint8_t account_index(self, uint32_t symbol_id, object account_type) except? 254
    cdef nx_order* find_order(self, object oid)


cdef class Strategy(StrategyCore):
    pass
