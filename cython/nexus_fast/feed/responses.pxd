"""Responses of a REST connection that carries orders, one request at a time. The plain yes to a new order is dealt with here in C;
everything else goes to an HTTP parser and to Python.

    transport ── bytes ──▶ ResponseReader ── 200 to an order, whole and alone ──▶ order table
                                └── any other response, or a part of one ──▶ on_bytes (llhttp)
"""

from aiofastnet.transport cimport Protocol
from aiofastnet.utils cimport NoResult
from libc.stdint cimport int64_t

from nexus_fast.feed.frames cimport PayloadHandler
from nexus_fast.gateway.channel cimport nx_channel
from nexus_fast.order.entry cimport OrderEntry


cdef class ResponseReader(Protocol):
    cdef:
        object owner_of_channel
        nx_channel* channel
        OrderEntry entry
        readonly PayloadHandler handler
        object on_bytes                      # (bytes)
        object on_free                       # (): the channel can take the next request, and one may wait
        object on_lost                       # (error or None)
        char* buffer
        Py_ssize_t filled
        public bint unfinished               # on_bytes has had a part of a response: the rest of it belongs there
        readonly int64_t accepted            # dealt with in C

    cdef bint take_plain_yes(self) noexcept nogil
