"""A quote to everybody who subscribed to its symbol, in the order in which they subscribed."""

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
    cdef readonly int64_t errors

    cdef int position(self, nx_subscribers* subscribers, StrategyCore strategy)
    cdef int quote(self, const nx_bookl1* book) except -1
