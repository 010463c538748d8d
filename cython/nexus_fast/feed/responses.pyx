# seam: what is not a plain yes to an order goes to Python.
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy

from nexus_fast.core.clock cimport clock_monotonic_ns
from nexus_fast.feed.commands cimport apply_accepted
from nexus_fast.gateway.channel cimport Channel
from nexus_fast.order.states cimport NX_EVENT_INTENT
from nexus_fast.order.table cimport nx_order
from nexus_fast.wire.binance_orders cimport nx_order_message, parse_accepted_body

cdef extern from "<strings.h>" nogil:
    int strncasecmp(const char* a, const char* b, size_t length)

cdef enum:
    CAPACITY = 65536
    LONGEST_NUMBER = 9              # digits of a Content-Length


cdef Py_ssize_t body_of(const char* data, Py_ssize_t size) noexcept nogil:
    """Where the body begins, when the data are one whole 200 whose length its head names; else 0."""
    cdef const char* end = data + size
    cdef const char* line
    cdef const char* at
    cdef Py_ssize_t length = -1
    if size < 16 or memcmp(data, b"HTTP/1.1 200 ", 13):
        return 0
    line = data
    while True:
        line = <const char*>memchr(line, 10, end - line)
        if line == NULL or line[-1] != 13:
            return 0
        line += 1
        if end - line >= 2 and line[0] == 13 and line[1] == 10:
            break
        if end - line < 20 or strncasecmp(line, b"transfer-encoding:", 18) == 0:
            return 0
        if strncasecmp(line, b"content-length:", 15) == 0:
            length = number_at(line + 15, end)
            if length < 0:
                return 0
    at = line + 2
    return at - data if length >= 0 and end - at == length else 0


cdef Py_ssize_t number_at(const char* at, const char* end) noexcept nogil:
    """The number that is all of this line; -1 when it is anything else."""
    cdef Py_ssize_t value = 0
    cdef const char* start
    while at < end and at[0] == 32:
        at += 1
    start = at
    while at < end and 48 <= at[0] <= 57 and at - start < LONGEST_NUMBER:
        value = 10 * value + at[0] - 48
        at += 1
    return value if start < at < end and at[0] == 13 else -1


cdef class ResponseReader(Protocol):
    """The transport's protocol. `on_bytes` keeps `unfinished` up to date: whether it waits for more of a response."""

    def __cinit__(self):
        self.buffer = NULL

    def __init__(self, Channel channel, OrderEntry entry, on_bytes, on_free, on_lost):
        self.owner_of_channel = channel
        self.channel = channel.handle()
        self.entry = entry
        self.handler = PayloadHandler()
        self.on_bytes = on_bytes
        self.on_free = on_free
        self.on_lost = on_lost
        self.buffer = <char*>malloc(CAPACITY)
        if self.buffer == NULL:
            raise MemoryError(f"no memory for a receive buffer of {CAPACITY} bytes")

    def __dealloc__(self):
        free(self.buffer)

    cpdef is_buffered_protocol(self):
        return True

    cdef NoResult get_buffer_c(self, Py_ssize_t hint, char** data, Py_ssize_t* size) except NoResult.EXC:
        data[0] = self.buffer
        size[0] = CAPACITY
        return NoResult.OK

    cpdef buffer_updated(self, Py_ssize_t size):
        self.filled = size
        self.handler.bytes_received += size
        self.handler.messages += 1
        self.handler.last_message_ns = clock_monotonic_ns()
        if self.unfinished or not self.take_plain_yes():
            self.on_bytes(self.buffer[:size])
        elif self.entry.postponed:
            self.on_free()

    def feed(self, bytes data):
        """Hand bytes in as if the transport had read them: for tests. At most 65,536."""
        memcpy(self.buffer, <const char*>data, len(data))
        self.buffer_updated(len(data))

    cdef bint take_plain_yes(self) noexcept nogil:
        """Apply the whole response in the buffer, when it is the yes to the new order that is out."""
        cdef nx_order_message message
        cdef nx_order* order
        cdef Py_ssize_t body
        if not self.channel.in_flight or self.channel.request_kind != NX_EVENT_INTENT:
            return False
        body = body_of(self.buffer, self.filled)
        if not body or not parse_accepted_body(self.buffer + body, self.filled - body, &message):
            return False
        order = self.entry.table.by_number(self.channel.request_number)
        if not apply_accepted(self.entry, order, &message):
            return False
        self.channel.in_flight = 0
        self.accepted += 1
        return True

    def connection_made(self, transport):
        pass

    def connection_lost(self, error):
        self.on_lost(error)

    def eof_received(self):
        return False

    def pause_writing(self):
        pass

    def resume_writing(self):
        pass

    cpdef Py_ssize_t get_local_write_buffer_size(self) except -1:
        return 0
