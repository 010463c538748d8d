"""Bybit v5 orderbook.1 frames: spot, linear and inverse."""

from nexus_fast.wire.quote cimport nx_quote

cdef int parse_spot(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
cdef int parse_linear(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
cdef int parse_inverse(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
cdef int fast_order_book(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
cdef int general_order_book(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
