"""Binance bookTicker frames: spot, USD-M and COIN-M futures, raw and combined streams."""

from nexus_fast.wire.quote cimport nx_quote

cdef int parse_spot(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
cdef int parse_usd_m(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
cdef int parse_coin_m(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
cdef int fast_book_ticker(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
cdef int general_book_ticker(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
