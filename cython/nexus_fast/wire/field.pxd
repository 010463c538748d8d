"""Fields of a proved document as the parts of a quote; shared by the general paths of all venues.

Each gives 0, NX_PARSE_MALFORMED or NX_PARSE_RANGE. Text where a number is expected and a number where text is
expected are both read: the value is the same. Null counts as absent.
"""

from libc.stdint cimport int64_t, uint64_t

from nexus_fast.core.scan cimport nx_number
from nexus_fast.wire.document cimport nx_value
from nexus_fast.wire.quote cimport nx_quote

cdef int decimal_field(const nx_value* value, nx_number* out) noexcept nogil
cdef int count_field(const nx_value* value, bint required, uint64_t* out) noexcept nogil
cdef int time_field(const nx_value* value, int64_t* out_ns) noexcept nogil
cdef int symbol_field(const nx_value* value, nx_quote* out) noexcept nogil
cdef int level_field(const nx_value* levels, nx_number* price, nx_number* size, bint* present) noexcept nogil


cdef inline int worse(int a, int b) noexcept nogil:
    """Of two field results the one that names the frame: malformed before out of range before fine."""
    if a == 0 or b == 0:
        return a + b
    return a if a > b else b
