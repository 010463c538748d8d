"""A TCP connection of the process with itself, over loopback: what is sent goes the kernel's whole way out and in, and nowhere else.

Between seldom ticks the kernel's own code and data for a socket go cold like ours. A walk through this connection keeps them warm.
"""

from libc.stdint cimport int64_t

cdef class DeadEnd:
    cdef object near_socket
    cdef object far_socket
    cdef int near                           # descriptors; -1 when closed
    cdef int far
    cdef readonly int64_t walks             # whose bytes arrived
    cdef char request[512]
    cdef char received[1024]

    # Send a request's worth of bytes and receive it.
    cdef void walk(self) noexcept nogil
