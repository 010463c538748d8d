"""OKX v5 bbo-tbt frames, of every kind of instrument."""

from nexus_fast.wire.quote cimport nx_quote

cdef int parse_public(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
cdef int fast_best_levels(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
cdef int general_best_levels(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil
