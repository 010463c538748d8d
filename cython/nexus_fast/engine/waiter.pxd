"""Waiting for bytes in uvloop's place: hot descriptors are read as soon as they are ready, uvloop has its turn when it has work."""

from libc.stdint cimport int64_t

from nexus_fast.engine.epoll cimport MOST_READY, epoll_event

cdef enum:
    HANDLE_WORDS = 32           # of 8 bytes, for one of libuv's handles, whose size only libuv knows

ctypedef struct nx_wait:
    int64_t prepare[HANDLE_WORDS]       # libuv's handles; this one first, so that its address is this struct's
    int64_t idle[HANDLE_WORDS]
    void* loop                              # uv_loop_t
    void* owner                             # the Waiter, borrowed
    int queue                               # epoll set of the hot descriptors and of uvloop's own set
    int backend                             # uvloop's own set
    int open_handles
    bint armed
    bint gives_way                          # uvloop has its turn before anything else is read
    bint postponed                          # the reader has work that waits until nothing is ready
    int64_t patience_ns
    int64_t turns                           # of libuv
    int descriptors[MOST_READY]             # those that are ready now
    epoll_event events[MOST_READY]


cdef class Reader:
    """Who is called, with the GIL held."""
    # Read these descriptors; some may have been taken off since.
    cdef int on_ready(self, const int* descriptors, int count) except -1
    # Do one piece of what waits for a moment when nothing is ready; whether more of it waits.
    cdef bint has_postponed(self)
    cdef int run_postponed(self) except -1


cdef class Waiter:
    cdef readonly object loop
    cdef Reader reader
    cdef double patience_us
    cdef nx_wait* wait                      # NULL when closed: libuv frees it
    cdef readonly int64_t waits             # that ended with something to read

    cdef int open(self, Reader reader) except -1
    cdef int watch(self, int descriptor) except -1
    cdef int unwatch(self, int descriptor) except -1
    cdef int arm(self) except -1
    cdef int disarm(self) except -1
    cdef int give_way(self) except -1
    cdef int close(self) except -1
