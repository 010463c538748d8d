"""A quote to everybody who subscribed to its symbol, in the order in which they subscribed.

Callbacks follow one another without the loop's turn for a limited time. What is read later is put off: it goes to the backlog
(nexus_fast.engine.backlog), from where the loop delivers it between its other work.
"""

from libc.stdint cimport int64_t, uint32_t

from nexus_fast.core.types cimport nx_bookl1
from nexus_fast.strategy.base cimport StrategyCore

ctypedef struct nx_subscribers:
    int count
    int capacity
    void** strategies               # borrowed; Dispatcher.kept holds them


cdef class Dispatcher:
    cdef nx_subscribers* lists      # by symbol id
    cdef uint32_t symbols
    cdef list kept
    cdef object on_error            # (strategy, exception): cold
    cdef object on_success          # (strategy): the first callback without an exception after some with one
    cdef object on_slow             # (strategy, nanoseconds): a callback that took longer than was allowed
    cdef set failing                # ids of strategies whose last callback raised
    cdef int64_t slow               # ticks of the cycle counter
    cdef int64_t attention          # a callback that took longer than this is looked at: `slow`, or less while one fails
    cdef object backlog             # None: nothing is put off
    cdef int64_t most               # ticks for which callbacks may follow one another without the loop's turn
    cdef int64_t until              # what is read later than this is put off
    cdef int64_t turn_began
    cdef bint in_turn               # the poller reads, and says when the loop has had its turn
    cdef bint is_awaited            # the loop has been asked to say when it has its turn
    cdef readonly bint is_behind    # the backlog has something, or had until a moment ago
    cdef readonly int64_t errors

    cdef int position(self, nx_subscribers* subscribers, StrategyCore strategy)
    cdef int quote(self, const nx_bookl1* book) except -1
    cdef int failed(self, StrategyCore strategy, error, int64_t took) except -1
    cdef int attend(self, StrategyCore strategy, int64_t took) except -1
    cdef bint begins_turn(self, int64_t ticks) except -1
    cdef int put_off(self, const nx_bookl1* book, int first) except -1
    # The poller: it reads from now on, after a turn of the loop; it has read.
    cdef int begin_turn(self) except -1
    cdef int end_turn(self) except -1
    # Callbacks have taken all the time that they may without the loop's turn.
    cdef bint is_overdue(self) noexcept
