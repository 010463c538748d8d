"""When the answers to requests are due, in the order in which they are: every request waits for as long as every other.

An answered request stays until it is at the front, where its order says that nothing is awaited, or something else. Walking the
orders instead would take longer with every order that rests.
"""

from libc.stdint cimport int64_t, uint64_t

cdef struct nx_deadline:
    uint64_t number             # of the order
    int64_t at_ns               # CLOCK_MONOTONIC. It counts while the order's own deadline is the same

cdef struct nx_deadlines:
    nx_deadline* queue
    uint64_t mask               # places - 1
    uint64_t written
    uint64_t read               # written - read <= mask + 1
    bint overrun                # one found no place: only the orders themselves know them all


cdef inline void deadlines_add(nx_deadlines* d, uint64_t number, int64_t at_ns) noexcept nogil:
    cdef nx_deadline* place = &d.queue[d.written & d.mask]
    if d.written - d.read > d.mask:
        d.overrun = True
        return
    place.number, place.at_ns = number, at_ns
    d.written += 1
