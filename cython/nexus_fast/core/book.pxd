"""The quote that strategies get: one immutable object around one 128-byte record, held by value."""

from libc.stdint cimport int64_t

from nexus_fast.core.types cimport nx_bookl1


cdef class BookL1:
    cdef nx_bookl1 _record
    cdef readonly object exchange       #: nexus_fast.constants.ExchangeType
    cdef readonly str symbol
    cdef readonly int64_t timestamp     # milliseconds, see bookl1_from_record
    cdef bint _exact                    # the record's mantissas are filled; false for objects made from floats


# timestamp = the record's venue time, or its receive time where the venue sent none.
cdef BookL1 bookl1_from_record(const nx_bookl1* record, object exchange, str symbol)
# timestamp = a time that is not in the record: Binance futures give the event time E, the record has T.
cdef BookL1 bookl1_with_time(const nx_bookl1* record, object exchange, str symbol, int64_t time_ns)
