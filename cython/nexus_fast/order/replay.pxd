"""A session's order table made again from its journal, by the function that made it the first time (OrderTable.change)."""

from libc.stdint cimport uint64_t

from nexus_fast.core.types cimport nx_order_event
from nexus_fast.order.table cimport OrderTable, nx_order


cdef class Replay:
    cdef readonly OrderTable table          # None before the session's first record
    cdef readonly dict symbols              # id -> name; as accounts and strategies
    cdef readonly dict accounts
    cdef readonly dict strategies
    cdef readonly dict keys                 # idempotency key -> [client id, number or 0, state when over, when in ns]
    cdef readonly dict trades               # number of an order that is left -> {trade id: (price, quantity)}
    cdef readonly dict told_sums            # number -> sum of its fills that strategies were told of
    cdef readonly dict heard                # number -> {id of a trade that was told: whether with its fee}
    cdef dict outside                       # client id of an order of left_out -> its Past
    cdef readonly bint notes_told           # the session says what was told; False: what it executed counts as told
    cdef readonly list left_out             # events of orders that no table holds: (record's bytes, symbol, account)
    cdef readonly set carried               # client ids of the orders that earlier sessions left
    cdef readonly set noted_keys            # every idempotency key that a record of this session names
    cdef readonly object told               # (orders, fills, keys) that were taken over, as the session says; None: it does not
    cdef readonly long long keys_since_ns   # keys of orders that ended before were not taken over
    cdef readonly dict missing              # number -> client id of orders of which no record is whole
    cdef readonly long long holes           # places where records are missing
    cdef readonly list differences          # texts: where the journal and its replay part
    cdef readonly object digest             # of the table as the engine ended; None without a clean end
    cdef readonly long long refused         # appends that found no room
    cdef readonly long long records
    cdef readonly bint begun
    cdef long long orders, fills, key_count # taken over, as its records are counted
    cdef bytes text                         # what there is so far of a text in several records; None when its start is missing
    cdef bint named                         # the session's first record is there, and with it what its client ids begin with
    cdef dict waiting                       # client id -> key: its order has not come yet
    cdef dict key_of                        # order number -> key

    cdef int take(self, const nx_order_event* event) except -1
    cdef bint is_untold(self, const nx_order* order) except -1
    cdef int take_outside(self, const nx_order_event* event) except -1
    cdef int take_told(self, const nx_order_event* event) except -1
    cdef int let_go(self, uint64_t number) except -1
    cdef nx_order* begin(self, const nx_order_event* event) except NULL
    cdef int give_key(self, nx_order* order) except -1
    cdef nx_order* place(self, uint64_t number) except NULL
    cdef nx_order* found_again(self, const nx_order_event* event) except NULL
    cdef int believe(self, const nx_order_event* event, nx_order* order) except -1
    cdef bint same(self, const nx_order_event* event, const nx_order* order) noexcept
    cdef int note_begun(self, const nx_order_event* event) except -1
    cdef int take_order(self, const nx_order_event* event) except -1
    cdef int take_event(self, const nx_order_event* event) except -1
    cdef int take_note(self, const nx_order_event* event) except -1
    cdef int compare(self, const nx_order_event* event, const nx_order* order) except -1
    cdef int note_end(self, const nx_order* order) except -1
