"""The engine's orders: a slot each, found from the client id by arithmetic.

A client id has 17 characters: the session's start in ms as 8 digits of base 36, 3 characters of the strategy's identity, the
order's number as 6 digits of base 32. The slot is the number modulo the table's size. Ids never repeat across restarts because
a session's start never does (nexus_fast.engine.core.next_session). 17 is the most that lets the payload of a signed LIMIT
order end before one more block of SHA-256.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from nexus_fast.core.types cimport nx_order_event
from nexus_fast.order.states cimport nx_order_state

cdef enum:
    CLIENT_ID_PREFIX = 11
    CLIENT_ID_LENGTH = 17
    CLIENT_ID_DIGITS = 6            # 2**30 orders a session

ctypedef struct nx_order:
    uint64_t number             # 0: the slot was never used
    int64_t price               # mantissa; 0 for a market order
    int64_t quantity
    int64_t filled              # cumulative as the venue says; never goes down
    int64_t created_ns          # CLOCK_REALTIME
    int64_t changed_ns
    int64_t deadline_ns         # CLOCK_MONOTONIC: when silence becomes doubt; 0 when nothing is awaited
    uint32_t symbol_id
    uint8_t state               # nx_order_state
    uint8_t side
    uint8_t type
    uint8_t time_in_force
    uint8_t flags               # NX_ORDER_...
    uint8_t account
    uint8_t strategy
    uint8_t reason              # nx_reason of a refusal
    uint8_t price_scale
    uint8_t size_scale
    uint8_t client_id_length
    uint8_t venue_id_length
    uint8_t proven              # the venue has shown that it has the order
    uint8_t pad[5]
    char client_id[40]
    char venue_id[40]


cdef class OrderTable:
    cdef nx_order* slots
    cdef uint64_t mask
    cdef uint64_t next_number
    cdef char prefix[11]
    cdef char unused_id[17]
    cdef readonly dict named             # users' own client ids (bytes) -> order number
    cdef readonly int64_t conflicts      # events that cannot be

    # A free slot with number and client id set, state FREE; NULL when every slot holds a live order. A number whose slot is
    # taken by an order that rests is passed over.
    cdef nx_order* take(self) noexcept nogil
    cdef nx_order* by_number(self, uint64_t number) noexcept nogil
    # The order of an engine-made client id; NULL for any other text.
    cdef nx_order* by_client_id(self, const char* text, Py_ssize_t length) noexcept nogil
    # Applies an event: changes state and cumulative quantity; returns the actions (nx_order_action).
    cdef int apply(self, nx_order* order, uint8_t event, int64_t filled, int64_t now_ns) noexcept nogil
    cdef void describe(self, const nx_order* order, uint8_t event, nx_order_event* out) noexcept nogil
