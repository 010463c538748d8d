"""A way out: the socket that carries an account's requests. Bytes leave by one send(2) when nothing waits in front of
them and the connection is plain; TLS, a full socket buffer and a connection with a backlog go through the transport."""

from aiofastnet.transport cimport Transport, WritableTransport
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef enum nx_send_status:
    NX_SENT = 0                 # handed to the kernel or to the transport's queue: may have reached the venue
    NX_SEND_DOWN = -1           # nothing left this process
    NX_SEND_DOUBT = -2          # some of it may have left: the outcome is unknown

ctypedef struct nx_channel:
    int descriptor
    uint8_t ready               # connected and, where the venue asks for it, logged on
    uint8_t framed              # requests travel as WebSocket text frames
    uint8_t plain               # no TLS: send(2) is allowed
    uint8_t in_flight           # REST: a request is out and its response has not come
    uint8_t request_kind        # REST: nx_order_event_kind of the request that is out
    uint64_t request_number     # REST: number of its order
    const Py_ssize_t* backlog   # the transport's count of unsent bytes
    void* transport             # borrowed from Channel.transport
    int64_t clock_offset_ms     # the venue's clock minus ours
    uint64_t mask_state
    uint64_t sent               # requests
    char* buffer                # of frames: CHANNEL_HEADROOM bytes, the masked payload, FRAME_SLACK bytes

cdef enum:
    CHANNEL_HEADROOM = 16
    CHANNEL_CAPACITY = 8192

# Frame and mask (where framed) and send a text of up to CHANNEL_CAPACITY bytes, with FRAME_SLACK readable ones behind it.
cdef int channel_send(nx_channel* channel, const char* text, Py_ssize_t size) noexcept nogil


cdef class Channel:
    cdef nx_channel channel
    cdef readonly object transport
    cdef inline nx_channel* handle(self) noexcept:
        return &self.channel
