"""The engine's orders: a slot each, found from the client id by arithmetic.

A client id has 17 characters: the session's start in ms as 8 digits of base 36, 3 characters of the strategy's identity, the
order's number as 6 digits of base 32. The slot is the number modulo the table's size. Ids never repeat across restarts because
a session's start never does (nexus_fast.engine.core.next_session). 17 is the most that lets the payload of a signed LIMIT
order end before one more block of SHA-256.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from nexus_fast.core.types cimport nx_order_event
from nexus_fast.order.states cimport nx_order_state

cdef extern from "<string.h>" nogil:
    size_t strnlen(const char* text, size_t limit)

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
    int64_t changed_ns          # of the last event that was journalled
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
    # Not part of the order's truth; dump() leaves them out, and deadline_ns.
    uint8_t unwritten           # the journal had no room for its last event
    uint8_t keyed               # an idempotency key belongs to it; a replay's alone
    uint8_t named               # the client id is a user's, or of an earlier session
    uint8_t modifying           # a modification was sent, and what became of it is not known
    uint8_t pad[1]
    char client_id[40]
    char venue_id[40]

# What an event says beside its kind.
ctypedef struct nx_order_news:
    int64_t filled              # cumulative; -1 where the event does not say
    int64_t price               # with quantity, after a modification; 0 where the event does not say
    int64_t quantity
    int64_t last_price          # of the fill that it brings
    int64_t last_quantity
    int64_t trade_id            # -1 where there is none
    int64_t venue_time_ns
    const char* venue_id
    uint8_t venue_id_length     # 0 where the event does not say
    uint8_t text_length         # of what the venue said with a refusal, cut to what a record holds; 0: nothing
    const char* text


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
    cdef uint64_t newest(self) noexcept nogil
    cdef nx_order* by_number(self, uint64_t number) noexcept nogil
    # The engine's own client id of a number: CLIENT_ID_LENGTH characters.
    cdef void write_id(self, uint64_t number, char* out) noexcept nogil
    # Whether the client id is the one that the order's number makes.
    cdef inline bint is_own_id(self, const nx_order* order) noexcept nogil:
        return order.client_id_length == CLIENT_ID_LENGTH and not order.named
    # The order of an engine-made client id; NULL for any other text.
    cdef nx_order* by_client_id(self, const char* text, Py_ssize_t length) noexcept nogil
    # The number that the next take() gives; 0 when it would give none.
    cdef uint64_t next_free(self) noexcept nogil
    # Applies an event: changes state and cumulative quantity; returns the actions (nx_order_action).
    cdef int apply(self, nx_order* order, uint8_t event, int64_t filled) noexcept nogil
    # The same with all that the event says. The one function by which the engine, and a replay of its journal, change an
    # order that is there.
    cdef int change(self, nx_order* order, uint8_t event, const nx_order_news* news) noexcept nogil
    cdef nx_order* place(self, uint64_t number) noexcept nogil
    # The order as a record has it that stands for all that was before (NX_JOURNAL_ORDER).
    cdef void restore(self, nx_order* order, const nx_order_event* event) noexcept nogil
    cdef void describe(self, const nx_order* order, uint8_t event, nx_order_event* out) noexcept nogil
