# seam: the transport's read is a Python method.
import logging
import os

from aiofastnet.selector_transport import SelectorSocketTransport
from aiofastnet.transport cimport Protocol
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport int64_t

cdef extern from "<sys/socket.h>" nogil:
    ssize_t recv(int descriptor, void* data, size_t size, int flags)
    int MSG_DONTWAIT

logger = logging.getLogger("nexus_fast.engine")

cdef enum:
    # Of more connections than these, the kernel is asked which can be read. A read that finds nothing costs about 210 ns, the question
    # 135 for all of them, and a read that finds something comes after the question.
    FEW = 2


cdef class HotConnection:
    """A transport whose bytes the poller reads. Of a plain one it reads the socket itself, as the transport would: the transport's
    method is called for what is not data."""

    def __init__(self, loop, transport, PayloadHandler handler, bint urgent):
        self.loop = loop
        self.on_readable = None
        self.read_ready = transport._read_ready
        self.descriptor = transport.get_extra_info("socket").fileno()
        self.handler = handler
        self.urgent = urgent
        self.plain = transport if isinstance(transport, SelectorSocketTransport) else None

    def take(self):
        """From the selector to the poller."""
        self.loop.remove_reader(self.descriptor)
        self.polled = True

    def give_back(self, poller=None):
        """To the selector; with a poller, the first bytes wake it."""
        self.polled = False
        self.on_readable = poller
        try:
            self.loop.add_reader(self.descriptor, self.read_ready if poller is None else self.read_and_wake)
        except (OSError, RuntimeError, ValueError) as error:
            # Its socket is gone, its connection is about to say so. The others must not stay without a reader.
            logger.debug("descriptor %s cannot be given back to the selector: %s", self.descriptor, error)

    def read_and_wake(self):
        self.read_ready()
        if self.on_readable is not None:
            self.on_readable.wake()

    cdef int read(self) except -1:
        """What has come, to the protocol."""
        cdef int64_t before = self.handler.messages
        if self.plain is not None and self.is_usual():
            self.read_plain()
        else:
            self.read_ready()
        return self.handler.messages - before

    cdef bint is_usual(self) noexcept:
        """The transport would read now, into its protocol's own buffer."""
        cdef FDTransport plain = self.plain
        return (plain._protocol_aiofn and plain._protocol_buffered
                and not plain._read_paused and not plain._finalizing_close)

    cdef int read_plain(self) except -1:
        cdef Protocol protocol = self.plain._protocol
        cdef char* place
        cdef Py_ssize_t room, size
        cdef int code
        protocol.get_buffer_c(-1, &place, &room)
        size = recv(self.descriptor, place, room, MSG_DONTWAIT)
        code = errno
        if size > 0:
            try:
                protocol.buffer_updated(size)
            except Exception as error:
                self.fail(error)
        elif size == 0:
            self.read_ready()                # the end: a second read of it says the same
        elif code != EAGAIN and code != EINTR:
            self.fail(OSError(code, os.strerror(code)))
        return 0

    cdef int fail(self, error) except -1:
        self.plain._fatal_error(error, "reading a hot connection failed")
        return 0


cdef class ConnectionGroup:
    def __init__(self, connections, bint polled):
        """polled: it is read over and over, not when the waiter says so."""
        self.connections = list(connections)
        self.look = Look([c.descriptor for c in self.connections]) if polled and len(self.connections) > FEW else None

    cdef int read(self) except -1:
        cdef HotConnection connection
        cdef int found, messages = 0
        if self.look is not None:
            found = self.look.find()
            return self.read_among(self.look.descriptors, found) if found else 0
        for connection in self.connections:
            messages += connection.read()
        return messages

    cdef int read_among(self, const int* descriptors, int count) except -1:
        """Those of these descriptors that are in the group."""
        cdef HotConnection connection
        cdef int messages = 0
        for connection in self.connections:
            if is_among(connection.descriptor, descriptors, count):
                messages += connection.read()
        return messages
