# seam: picows and aiofastnet call in here; what happens per frame is C.
"""From the transport's bytes to whole messages. RFC 6455, client side: server frames are unmasked, no extension is in use."""

import asyncio
import logging

from cpython.bytearray cimport PyByteArray_AS_STRING
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memmove
from picows.picows cimport WSCloseCode, WSFrame, WSMsgType

from nexus_fast.core.clock cimport clock_monotonic_ns


cdef extern from "<sys/socket.h>" nogil:
    int setsockopt(int descriptor, int level, int name, const void* value, unsigned int size)
cdef extern from "<netinet/in.h>" nogil:
    int IPPROTO_TCP
cdef extern from "<netinet/tcp.h>" nogil:
    int TCP_QUICKACK

cdef int NO = 0

logger = logging.getLogger("nexus_fast.feed")

LONGEST_MESSAGE = 16 * 1024 * 1024       # bytes; a peer that sends more is left

cdef enum:
    OPCODE_CONTINUATION = 0
    OPCODE_TEXT = 1
    OPCODE_BINARY = 2
    OPCODE_CLOSE = 8
    OPCODE_PING = 9
    OPCODE_PONG = 10
    FIRST_CAPACITY = 65536


cdef class PayloadHandler:
    """Receives the messages of one connection. Derived classes override on_payload (C) or give a Python callable."""

    cdef int on_payload(self, const char* data, Py_ssize_t size) except -1:
        return 0

    def feed(self, bytes payload):
        """Hand one message in as if the socket had brought it: for replays and tests."""
        self.on_payload(payload, len(payload))


cdef class FrameReader(Protocol):
    """The transport's protocol after the handshake. `install` swaps it in when picows holds no unread byte."""

    def __cinit__(self):
        self.buffer = NULL
        self.fragments = NULL

    def __init__(self, WSTransport websocket, PayloadHandler handler, previous, Py_ssize_t maximum_frame=LONGEST_MESSAGE):
        self.websocket = websocket
        self.handler = handler
        self.previous = previous
        self.maximum_frame = maximum_frame
        self.delay_acknowledgements = -1
        self.capacity = FIRST_CAPACITY
        self.buffer = <char*>malloc(self.capacity)
        if self.buffer == NULL:
            raise MemoryError(f"no memory for a receive buffer of {FIRST_CAPACITY} bytes")

    def __dealloc__(self):
        free(self.buffer)
        free(self.fragments)

    cpdef is_buffered_protocol(self):
        return True

    cdef NoResult get_buffer_c(self, Py_ssize_t hint, char** data, Py_ssize_t* size) except NoResult.EXC:
        data[0] = self.buffer + self.filled
        size[0] = self.capacity - self.filled
        return NoResult.OK

    cpdef buffer_updated(self, Py_ssize_t size):
        self.filled += size
        self.handler.bytes_received += size
        self.parse_frames()
        if self.delay_acknowledgements >= 0:
            # Not permanent: the kernel goes back to acknowledging at once by itself. Done after the strategy has acted.
            setsockopt(self.delay_acknowledgements, IPPROTO_TCP, TCP_QUICKACK, &NO, sizeof(NO))

    def feed(self, bytes data):
        """Hand bytes in as if the transport had read them: for replays and tests."""
        cdef Py_ssize_t taken = 0, room
        while taken < len(data):
            room = min(self.capacity - self.filled, len(data) - taken)
            memcpy(self.buffer + self.filled, <const char*>data + taken, room)
            taken += room
            self.buffer_updated(room)

    cdef int parse_frames(self) except -1:
        """Deliver every whole frame in the buffer, keep what is left at its beginning."""
        cdef Py_ssize_t at = 0, left, header, size
        cdef const uint8_t* p
        while not self.closing:
            left = self.filled - at
            if left < 2:
                break
            p = <const uint8_t*>self.buffer + at
            header = 2
            size = p[1] & 0x7F
            if size == 126:
                header = 4
                if left < header:
                    break
                size = (<Py_ssize_t>p[2] << 8) | p[3]
            elif size == 127:
                header = 10
                if left < header:
                    break
                if p[2] or p[3] or p[4] or p[5]:
                    self.fail(WSCloseCode.MESSAGE_TOO_BIG, "frame of more than 4 GiB")
                    break
                size = (<Py_ssize_t>p[6] << 24) | (<Py_ssize_t>p[7] << 16) | (<Py_ssize_t>p[8] << 8) | p[9]
            if p[0] & 0x70 or p[1] & 0x80:
                self.fail(WSCloseCode.PROTOCOL_ERROR, "reserved bit or masked server frame")
                break
            if size > self.maximum_frame:
                self.fail(WSCloseCode.MESSAGE_TOO_BIG, f"frame of {size} bytes, {self.maximum_frame} are allowed")
                break
            if left < header + size:
                self.make_room(header + size)
                break
            self.on_frame(p[0], self.buffer + at + header, size)
            at += header + size
        if at == self.filled or self.closing:
            self.filled = 0
        elif at:
            memmove(self.buffer, self.buffer + at, self.filled - at)
            self.filled -= at
        if self.filled == self.capacity:
            self.make_room(2 * self.capacity)
        return 0

    cdef int on_frame(self, uint8_t first, const char* payload, Py_ssize_t size) except -1:
        cdef uint8_t opcode = first & 0x0F
        cdef bint final = first >> 7
        if first == 0x81 and not self.fragmented:
            self.handler.messages += 1
            self.handler.last_message_ns = clock_monotonic_ns()
            return self.handler.on_payload(payload, size)
        if opcode >= OPCODE_CLOSE:
            if not final or size > 125:
                return self.fail(WSCloseCode.PROTOCOL_ERROR, "fragmented or oversized control frame")
            return self.on_control(opcode, payload, size)
        if opcode > OPCODE_BINARY or (opcode == OPCODE_CONTINUATION) != self.fragmented:
            return self.fail(WSCloseCode.PROTOCOL_ERROR, f"frame with opcode {opcode} out of turn")
        if final and not self.fragmented:
            self.handler.messages += 1
            self.handler.last_message_ns = clock_monotonic_ns()
            return self.handler.on_payload(payload, size)
        return self.on_fragment(not self.fragmented, final, payload, size)

    cdef int on_fragment(self, bint begins, bint ends, const char* payload, Py_ssize_t size) except -1:
        cdef Py_ssize_t total
        if begins:
            self.fragments_size = 0
        total = self.fragments_size + size
        if total > self.maximum_frame:
            return self.fail(WSCloseCode.MESSAGE_TOO_BIG, f"message of more than {self.maximum_frame} bytes")
        self.fragments = <char*>realloc(self.fragments, max(total, 1))
        if self.fragments == NULL:
            raise MemoryError(f"no memory for a message of {total} bytes")
        memcpy(self.fragments + self.fragments_size, payload, size)
        self.fragments_size = total
        self.fragmented = not ends
        if ends:
            self.handler.messages += 1
            self.handler.last_message_ns = clock_monotonic_ns()
            self.handler.on_payload(self.fragments, total)
        return 0

    cdef int on_control(self, uint8_t opcode, const char* payload, Py_ssize_t size) except -1:
        cdef bytes content
        self.handler.last_control_ns = clock_monotonic_ns()
        if opcode == OPCODE_PONG:
            return 0
        content = payload[:size]
        if opcode == OPCODE_PING:
            self.websocket.send_pong(content)
        elif opcode == OPCODE_CLOSE:
            self.closing = True
            code = int.from_bytes(content[:2], "big") if size >= 2 else 1005
            logger.info("the venue closed the connection: code %s, %r", code, content[2:])
            self.websocket.send_close(WSCloseCode.OK)
            self.websocket.disconnect()
        else:
            return self.fail(WSCloseCode.PROTOCOL_ERROR, f"invalid opcode {opcode}")
        return 0

    cdef int fail(self, int code, str reason) except -1:
        """The peer broke the protocol: say so, close, deliver nothing more."""
        self.closing = True
        logger.error("WebSocket protocol error, closing the connection: %s", reason)
        self.websocket.send_close(<WSCloseCode>code, reason)
        self.websocket.disconnect()
        return 0

    cdef int make_room(self, Py_ssize_t needed) except -1:
        cdef char* larger
        if needed <= self.capacity:
            return 0
        larger = <char*>realloc(self.buffer, needed + FIRST_CAPACITY)
        if larger == NULL:
            raise MemoryError(f"no memory for a receive buffer of {needed} bytes")
        self.buffer = larger
        self.capacity = needed + FIRST_CAPACITY
        return 0

    # The transport's other calls go to picows, which keeps the books of the connection.

    def connection_made(self, transport):
        pass

    def connection_lost(self, exception):
        self.closing = True
        self.previous.connection_lost(exception)

    def eof_received(self):
        return self.previous.eof_received()

    def pause_writing(self):
        logger.warning("the send buffer of a connection is over its high-water mark; the venue reads too slowly")

    def resume_writing(self):
        pass

    cpdef Py_ssize_t get_local_write_buffer_size(self) except -1:
        return 0


cdef class HandshakeListener(WSListener):
    """Takes a connection from picows: the few messages that arrive before the swap, and the news of its end."""

    def __init__(self, PayloadHandler handler, on_lost):
        self.handler = handler
        self.on_lost = on_lost
        self.fragments = bytearray()

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        self.handler.last_control_ns = clock_monotonic_ns()
        if frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif frame.msg_type == WSMsgType.PONG:
            return
        elif frame.fin and not self.fragmented:
            self.deliver(frame.get_payload_as_bytes())
        else:
            self.fragments += frame.get_payload_as_bytes()
            if len(self.fragments) > LONGEST_MESSAGE:
                logger.error("WebSocket protocol error, closing the connection: message of more than %s bytes", LONGEST_MESSAGE)
                self.fragments.clear()
                transport.disconnect(False)
                return
            self.fragmented = not frame.fin
            if frame.fin:
                whole = bytes(self.fragments)
                self.fragments.clear()
                self.deliver(whole)

    def deliver(self, bytes payload):
        self.handler.messages += 1
        self.handler.last_message_ns = clock_monotonic_ns()
        self.handler.on_payload(payload, len(payload))

    cpdef on_ws_disconnected(self, WSTransport transport):
        self.on_lost()

    cpdef pause_writing(self):
        pass

    cpdef resume_writing(self):
        pass


def install(WSTransport websocket, HandshakeListener listener, Py_ssize_t read_buffer_size, bint urgent=False):
    """Swap picows' protocol for a FrameReader, one that keeps acknowledgements out of the way when `urgent`; returns it, or None while picows still holds bytes of an unfinished frame
    (try again later: the listener keeps delivering) or when the transport is not one of aiofastnet's."""
    transport = websocket.underlying_transport
    if not hasattr(transport, "get_protocol") or not hasattr(transport, "_read_ready"):
        return None
    previous = transport.get_protocol()
    if previous is None or listener.fragmented or len(previous.get_buffer(-1)) < read_buffer_size - 256:
        return None
    reader = FrameReader(websocket, listener.handler, previous)
    if urgent:
        (<FrameReader>reader).delay_acknowledgements = transport.get_extra_info("socket").fileno()
    transport.set_protocol(reader)
    return reader
