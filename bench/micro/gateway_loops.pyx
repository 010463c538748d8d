"""Loops of N around the hot steps of the gateway, for test_gateway.py: one call from Python, N steps in C."""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from nexus_fast.core.fixed cimport FIXED_ROOM, fixed_write, uint_write_fixed
from nexus_fast.gateway.canvas cimport canvas_begin, canvas_end, nx_canvas
from nexus_fast.gateway.frame cimport FRAME_ROOM, FRAME_SLACK, next_mask, ws_frame
from nexus_fast.gateway.sha256 cimport HMAC_ROOM, hmac_absorb, hmac_finish, hmac_key, nx_hmac
from nexus_fast.gateway.request cimport REQUEST_CAPACITY, nx_order_request, nx_template
from nexus_fast.gateway.template cimport TemplateSet


def blocks(int n):
    """n blocks of SHA-256 in one chain."""
    cdef nx_hmac hmac
    cdef uint8_t data[64 * 16]
    cdef int i
    memset(data, 7, sizeof(data))
    hmac_key(&hmac, b"key", 3)
    for i in range(n // 16):
        hmac_absorb(&hmac, data, 16)
    return hmac.inner[0]


def hmacs(int n, size_t size):
    """n signatures over `size` new bytes."""
    cdef nx_hmac hmac
    cdef uint8_t message[512 + HMAC_ROOM]
    cdef char text[64]
    cdef int i
    hmac_key(&hmac, b"key", 3)
    memset(message, 7, sizeof(message))
    for i in range(n):
        hmac_finish(&hmac, message, size, text)
        message[0] = text[0]
    return text[0]


def numbers(int n, int64_t first, int scale):
    """n prices of ticks beside each other."""
    cdef char text[FIXED_ROOM]
    cdef int i, total = 0
    for i in range(n):
        total += fixed_write(first + (i & 1023), scale, text)
        total += text[3]
    return total


def timestamps(int n):
    cdef char text[FIXED_ROOM]
    cdef int64_t start_ms = 1747699200123
    cdef int i, total = 0
    for i in range(n):
        uint_write_fixed(start_ms + i, 13, text)
        total += text[12]
    return total


def orders(TemplateSet templates, int n, int type, bint framed):
    """n orders from their numbers to their bytes: text, signature and, if framed, header and mask."""
    cdef nx_order_request request
    cdef nx_template* template = templates.place(0, type, 0, False)
    cdef char buffer[FRAME_ROOM + REQUEST_CAPACITY + FRAME_SLACK]
    cdef char client_id[24]
    cdef char* start
    cdef nx_canvas canvas
    cdef uint64_t masks = 1
    cdef int64_t start_ms = 1747699200123
    cdef int i, size = 0, total = 0
    canvas.kept = 0
    memcpy(client_id, b"A0000000000000000000000Z", 24)
    request.client_id, request.client_id_length = client_id, 24
    for i in range(n):
        uint_write_fixed(i, 8, client_id + 8)
        request.price, request.quantity = 6180020 + (i & 255), 13 + (i & 7)
        request.timestamp_ms, request.request_number = start_ms + i, i
        if canvas_begin(template, &request, NULL, &canvas) < 0:
            raise ValueError("the template was not filled")
        size = canvas_end(&canvas)
        if framed:
            size = ws_frame(canvas.text, size, next_mask(&masks), buffer + FRAME_ROOM, &start)
        total += size + canvas.text[40]
    return size
