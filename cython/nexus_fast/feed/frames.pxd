"""WebSocket frames of one established connection, from the transport's bytes to a handler. picows makes the connection
(TCP, TLS, HTTP upgrade); afterwards the transport's protocol is swapped for a FrameReader, which reads into a buffer of
its own and hands each payload on as a pointer: no object is made per read or per frame.

    transport ── bytes ──▶ FrameReader ── payload pointer ──▶ PayloadHandler
                               └── ping, close, protocol errors ──▶ picows' WSTransport
"""

from aiofastnet.transport cimport Protocol
from aiofastnet.utils cimport NoResult
from libc.stdint cimport int64_t, uint8_t, uint64_t
from picows.picows cimport WSListener, WSTransport


cdef class PayloadHandler:
    # Reads of the socket that brought data, whole messages, pings; for status and for the idle watchdog.
    cdef public int64_t messages
    cdef public int64_t bytes_received
    cdef public int64_t last_message_ns          # CLOCK_MONOTONIC
    cdef public int64_t last_control_ns          # of a ping or pong: the peer lives, but that is no data
    # One whole message. The pointer is good until the call returns.
    cdef int on_payload(self, const char* data, Py_ssize_t size) except -1


cdef class FrameReader(Protocol):
    cdef:
        PayloadHandler handler
        WSTransport websocket
        object previous                  # picows' protocol: it is told of the connection's end
        char* buffer
        Py_ssize_t capacity              # bytes allocated; a frame larger than maximum_frame closes the connection
        Py_ssize_t filled                # bytes in the buffer, unread ones first
        Py_ssize_t maximum_frame
        char* fragments                  # payload of a message that comes in several frames
        Py_ssize_t fragments_size
        bint fragmented                  # a message has begun and its last frame is still to come
        bint closing                     # a close frame was seen or sent: nothing more is delivered
        int delay_acknowledgements       # descriptor, or -1: after each read the kernel may put off its TCP acknowledgement

    cdef int parse_frames(self) except -1
    cdef int on_frame(self, uint8_t first, const char* payload, Py_ssize_t size) except -1
    cdef int on_control(self, uint8_t opcode, const char* payload, Py_ssize_t size) except -1
    cdef int on_fragment(self, bint begins, bint ends, const char* payload, Py_ssize_t size) except -1
    cdef int fail(self, int code, str reason) except -1
    cdef int make_room(self, Py_ssize_t needed) except -1


cdef class HandshakeListener(WSListener):
    cdef readonly PayloadHandler handler
    cdef object on_lost
    cdef bytearray fragments
    cdef bint fragmented
