"""Which of many descriptors can be read, asked in one call: a read of each that finds nothing costs more than that."""

from nexus_fast.engine.epoll cimport MOST_READY, epoll_event


cdef class Look:
    cdef int queue
    cdef int descriptors[MOST_READY]
    cdef epoll_event events[MOST_READY]

    # How many can be read now; their numbers stand in `descriptors`. Those beyond MOST_READY come the next time.
    cdef int find(self) noexcept nogil
