"""Connections whose bytes the engine reads itself, without the selector."""

from aiofastnet.transport cimport FDTransport

from nexus_fast.engine.look cimport Look
from nexus_fast.feed.frames cimport PayloadHandler


cdef class HotConnection:
    cdef readonly object loop
    cdef readonly object read_ready
    cdef readonly int descriptor
    cdef readonly PayloadHandler handler
    cdef readonly bint urgent
    cdef readonly bint polled
    cdef readonly FDTransport plain          # None: only the transport can read it (TLS)
    cdef object on_readable                  # what the selector calls while the poller rests

    cdef int read(self) except -1            # how many messages came
    cdef int read_plain(self) except -1
    cdef bint is_usual(self) noexcept
    cdef int fail(self, error) except -1


cdef class ConnectionGroup:
    """Connections that are read one after the other. Never changed: a connection may come or go while they are walked."""
    cdef readonly list connections
    cdef Look look                           # None: each is read, whether something has come or not

    cdef int read(self) except -1            # how many messages came
    cdef int read_among(self, const int* descriptors, int count) except -1


cdef inline bint is_among(int descriptor, const int* descriptors, int count) noexcept nogil:
    cdef int i
    for i in range(count):
        if descriptors[i] == descriptor:
            return True
    return False
