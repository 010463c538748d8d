"""Private connections: answers to requests, order and account events.

The plain yes to an order, and the NEW event that repeats it, are dealt with here in C. What needs Python waits until the market
data is quiet: a tick that is on its way never queues behind a balance.
"""

from libc.stdint cimport int64_t

from nexus_fast.feed.frames cimport PayloadHandler
from nexus_fast.order.entry cimport OrderEntry
from nexus_fast.order.table cimport nx_order
from nexus_fast.wire.binance_orders cimport nx_order_message


cdef class DeferredMessages:
    """Messages that wait for a quiet moment, oldest first. Shared by all private connections of an engine."""
    cdef list waiting                        # (CommandFeed, payload)
    cdef Py_ssize_t head
    cdef public bint active                  # somebody runs them: the poller, while it spins

    cdef int add(self, CommandFeed feed, bytes payload) except -1
    cdef int run_one(self) except -1
    cdef inline Py_ssize_t count(self) noexcept:
        return len(self.waiting) - self.head


cdef class CommandFeed(PayloadHandler):
    cdef object on_message                   # (payload: bytes)
    cdef object on_error                     # (payload, exception)
    cdef DeferredMessages deferred           # None: messages are handled as they come

    cdef int handle(self, bytes payload) except -1


# The venue has said yes to this order, NULL for none. False: this is not so plain, leave it to Python.
cdef bint apply_accepted(OrderEntry entry, nx_order* order, const nx_order_message* message) noexcept nogil


cdef class OrderFeed(CommandFeed):
    cdef OrderEntry entry
    cdef readonly int64_t accepted           # dealt with in C
    cdef readonly int64_t repeated

    cdef bint on_accepted(self, const char* data, Py_ssize_t size) noexcept nogil
    cdef bint is_repeated(self, const char* data, Py_ssize_t size) noexcept nogil
