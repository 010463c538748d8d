"""Hot: channel_send. Cold: attach and detach, when a connection comes and goes."""

import os

from libc.errno cimport EAGAIN, errno
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from nexus_fast.gateway.frame cimport FRAME_SLACK, next_mask, ws_frame

cdef extern from "<sys/socket.h>" nogil:
    ssize_t send(int descriptor, const void* data, size_t size, int flags)
    int MSG_DONTWAIT
    int MSG_NOSIGNAL


cdef int channel_send(nx_channel* channel, const char* text, Py_ssize_t size) noexcept nogil:
    cdef char* start = <char*>text
    cdef ssize_t sent = 0
    if not channel.ready:
        return NX_SEND_DOWN
    if channel.framed:
        size = ws_frame(text, size, next_mask(&channel.mask_state), channel.buffer + CHANNEL_HEADROOM, &start)
    if channel.plain and channel.backlog[0] == 0:
        sent = send(channel.descriptor, start, size, MSG_DONTWAIT | MSG_NOSIGNAL)
        if sent == size:
            channel.sent += 1
            return NX_SENT
        if sent < 0:
            if errno != EAGAIN:
                channel.ready = 0
                return NX_SEND_DOWN
            sent = 0
    channel.sent += 1
    return send_through_transport(channel, start + sent, size - sent)


cdef int send_through_transport(nx_channel* channel, char* start, Py_ssize_t size) noexcept with gil:
    # seam
    try:
        (<Transport><object>channel.transport).write_c(start, size)
    except BaseException:
        channel.ready = 0
        return NX_SEND_DOUBT
    return NX_SENT


cdef class Channel:
    """`attach` when the connection can carry orders, `detach` when it no longer can. Between the two, `ready`."""

    def __cinit__(self, bint framed=True):
        self.channel.buffer = <char*>malloc(CHANNEL_HEADROOM + CHANNEL_CAPACITY + FRAME_SLACK)
        if self.channel.buffer == NULL:
            raise MemoryError("no memory for a send buffer")
        self.channel.framed = framed
        self.channel.descriptor = -1
        self.channel.mask_state = int.from_bytes(os.urandom(8), "little") | 1

    def __dealloc__(self):
        free(self.channel.buffer)

    def attach(self, transport, bint plain):
        """`transport` is an aiofastnet stream transport (picows' underlying_transport)."""
        cdef WritableTransport writable
        self.transport = transport
        self.channel.transport = <void*>transport
        self.channel.plain = plain and isinstance(transport, WritableTransport)
        if self.channel.plain:
            writable = transport
            self.channel.backlog = &writable._write_backlog_size
        self.channel.descriptor = transport.get_extra_info("socket").fileno()
        self.channel.in_flight = 0
        self.channel.ready = 1

    def detach(self):
        self.channel.ready = 0
        self.channel.backlog = NULL
        self.channel.plain = 0

    @property
    def ready(self):
        return bool(self.channel.ready)

    @property
    def sent(self):
        """Requests handed over since the start."""
        return self.channel.sent

    @property
    def clock_offset_ms(self):
        """The venue's clock minus ours, in milliseconds."""
        return self.channel.clock_offset_ms

    @clock_offset_ms.setter
    def clock_offset_ms(self, int64_t value):
        self.channel.clock_offset_ms = value

    @property
    def in_flight(self):
        """(order number, kind of request) that awaits its response, or None. REST only."""
        if not self.channel.in_flight:
            return None
        return self.channel.request_number, self.channel.request_kind

    def answered(self):
        """The response has come: the channel can carry the next request. Returns what was in flight."""
        found = self.in_flight
        self.channel.in_flight = 0
        return found

    def send_later(self, bytes request, uint64_t number, uint8_t kind):
        """A request that had to wait for a channel; ConnectionError when the connection is down."""
        cdef char text[CHANNEL_CAPACITY + FRAME_SLACK]
        if len(request) > CHANNEL_CAPACITY:
            raise ValueError(f"a request of {len(request)} bytes; {CHANNEL_CAPACITY} fit")
        self.channel.request_number = number
        self.channel.request_kind = kind
        self.channel.in_flight = 1
        memcpy(text, <const char*>request, len(request))
        if channel_send(&self.channel, text, len(request)) != NX_SENT:
            raise ConnectionError("the order connection is down")
