import logging
import os

from libc.errno cimport errno

from nexus_fast.engine.epoll cimport (
    EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLLIN, EPOLLRDHUP, MOST_READY, epoll_create1, epoll_ctl, epoll_event, epoll_wait,
)

cdef extern from "<unistd.h>" nogil:
    int close(int descriptor)

logger = logging.getLogger("nexus_fast.engine")


cdef class Look:
    """A closed descriptor leaves by itself."""

    def __cinit__(self, descriptors):
        cdef epoll_event event
        self.queue = epoll_create1(EPOLL_CLOEXEC)
        if self.queue < 0:
            raise OSError(errno, f"no epoll set: {os.strerror(errno)}")
        for descriptor in descriptors:
            event.events = EPOLLIN | EPOLLRDHUP
            event.data.fd = descriptor
            if epoll_ctl(self.queue, EPOLL_CTL_ADD, descriptor, &event) < 0:
                # Its socket is gone, its connection is about to say so.
                logger.debug("descriptor %s cannot be looked at: %s", descriptor, os.strerror(errno))

    def __dealloc__(self):
        if self.queue >= 0:
            close(self.queue)

    cdef int find(self) noexcept nogil:
        cdef int i, found = epoll_wait(self.queue, self.events, MOST_READY, 0)
        for i in range(found):
            self.descriptors[i] = self.events[i].data.fd
        return found if found > 0 else 0

    def ready(self):
        """The descriptors that can be read now."""
        cdef int i
        return [self.descriptors[i] for i in range(self.find())]
