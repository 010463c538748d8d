"""How long the books of watched symbols have not moved, by the monotonic clock. Looked at a few symbols at a time."""

from libc.stdint cimport int64_t, uint32_t

from nexus_fast.core.clock cimport clock_monotonic_ns
from nexus_fast.core.memory cimport memory_give_back, memory_take
from nexus_fast.core.types cimport NX_FLAG_STALE, nx_bookl1
from nexus_fast.order.entry cimport OrderEntry


ctypedef struct nx_age:
    int64_t limit_ns            # 0: nobody watches
    int64_t heard_ns            # receive_time_ns of the book at the last look
    int64_t since_ns            # CLOCK_MONOTONIC when that was seen first
    int64_t due_ns              # when the silence is told of: after the limit, and each time again when it is twice as old


cdef class BookAges:
    """Of the books of one OrderEntry."""
    cdef OrderEntry entry
    cdef nx_age* ages
    cdef uint32_t count
    cdef uint32_t at

    def __cinit__(self, OrderEntry entry not None):
        self.entry = entry
        self.count = entry.symbols
        self.ages = <nx_age*>memory_take(self.count * sizeof(nx_age))
        if self.ages == NULL:
            raise MemoryError(f"no memory for the ages of {entry.symbols} books")

    def __dealloc__(self):
        memory_give_back(self.ages, self.count * sizeof(nx_age))

    def watch(self, uint32_t symbol_id, int64_t limit_ns):
        """From now on; limit_ns: how long the book may rest, 0 ends it."""
        cdef nx_age* age
        if symbol_id >= self.count:
            raise IndexError(f"symbol id {symbol_id} is not one of {self.count}")
        age = &self.ages[symbol_id]
        age.limit_ns = limit_ns
        age.heard_ns = self.entry.books[symbol_id].receive_time_ns
        age.since_ns = clock_monotonic_ns()
        age.due_ns = age.since_ns + limit_ns

    def silent(self, uint32_t most):
        """Looks at the next `most` symbols: [(symbol id, ns of silence)] of those whose time is over. Their books are stale from now
        on; a book that never came is told of as well."""
        cdef int64_t now = clock_monotonic_ns()
        cdef uint32_t looked
        found = []
        for looked in range(min(most, self.count)):
            if self.is_silent(self.at, now):
                found.append((self.at, now - self.ages[self.at].since_ns))
            self.at = self.at + 1 if self.at + 1 < self.count else 0
        return found

    cdef bint is_silent(self, uint32_t symbol_id, int64_t now) noexcept nogil:
        cdef nx_age* age = &self.ages[symbol_id]
        cdef nx_bookl1* book = &self.entry.books[symbol_id]
        if age.limit_ns == 0:
            return False
        if book.receive_time_ns != age.heard_ns:
            age.heard_ns = book.receive_time_ns
            age.since_ns = now
            age.due_ns = now + age.limit_ns
            return False
        if now < age.due_ns:
            return False
        age.due_ns = now + (now - age.since_ns)
        book.flags |= NX_FLAG_STALE
        return True
