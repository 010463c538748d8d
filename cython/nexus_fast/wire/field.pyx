"""See field.pxd."""

from libc.stdint cimport int32_t, uint32_t
from libc.string cimport memset

from nexus_fast.core.scan cimport NX_SCAN_RANGE, scan_number
from nexus_fast.wire.document cimport (
    NX_ABSENT, NX_ARRAY, NX_NULL, NX_NUMBER, NX_STRING, copy_text, next_element,
)
from nexus_fast.wire.quote cimport NX_PARSE_MALFORMED, NX_PARSE_RANGE, quote_symbol

cdef enum:
    LAST_MILLISECOND = 9223372036854    # the last that int64 nanoseconds hold, in the year 2262


ctypedef struct nx_text:
    const char* start
    const char* end
    char storage[64]


cdef int number_text(const nx_value* value, nx_text* out) noexcept nogil:
    """The characters of a number, or of a string that should be one: in the frame, or without their escapes in storage."""
    cdef Py_ssize_t length
    out.start = value.start
    out.end = value.end
    if value.kind == NX_NUMBER or (value.kind == NX_STRING and not value.escaped):
        return 0
    if value.kind != NX_STRING:
        return NX_PARSE_MALFORMED
    length = copy_text(value, out.storage, sizeof(out.storage))
    out.start = out.storage
    out.end = out.storage + length
    return 0 if length >= 0 else NX_PARSE_MALFORMED


cdef int decimal_field(const nx_value* value, nx_number* out) noexcept nogil:
    cdef nx_text text
    cdef int status = number_text(value, &text)
    if status:
        return status
    status = scan_number(text.start, text.end - text.start, out)
    out.text = value.start
    out.text_length = <int32_t>(value.end - value.start)
    if status == NX_SCAN_RANGE:
        return NX_PARSE_RANGE
    return NX_PARSE_MALFORMED if status else 0


cdef int digits_to_count(const char* p, const char* end, uint64_t* out) noexcept nogil:
    cdef uint64_t digit
    while p < end:
        digit = <uint64_t>(p[0] - c'0')
        if out[0] > (<uint64_t>0xFFFFFFFFFFFFFFFF - digit) // 10:
            return NX_PARSE_RANGE
        out[0] = out[0] * 10 + digit
        p += 1
    return 0


cdef int count_field(const nx_value* value, bint required, uint64_t* out) noexcept nogil:
    """A non-negative integer in plain digits; 0 where it is absent and need not be there."""
    cdef nx_text text
    cdef const char* p
    cdef int status
    out[0] = 0
    if value.kind == NX_ABSENT or value.kind == NX_NULL:
        return NX_PARSE_MALFORMED if required else 0
    status = number_text(value, &text)
    if status or text.start == text.end:
        return NX_PARSE_MALFORMED
    p = text.start
    while p < text.end:
        if p[0] < c'0' or p[0] > c'9':
            return NX_PARSE_MALFORMED
        p += 1
    return digits_to_count(text.start, text.end, out)


cdef int time_field(const nx_value* value, int64_t* out_ns) noexcept nogil:
    """Milliseconds to nanoseconds; 0 where the venue sends none."""
    cdef uint64_t milliseconds
    cdef int status = count_field(value, False, &milliseconds)
    out_ns[0] = 0
    if status or milliseconds > LAST_MILLISECOND:
        return status if status else NX_PARSE_RANGE
    out_ns[0] = <int64_t>milliseconds * 1000000
    return 0


cdef int symbol_field(const nx_value* value, nx_quote* out) noexcept nogil:
    cdef const char* text
    cdef Py_ssize_t length
    if value.kind != NX_STRING or value.start == value.end:
        return NX_PARSE_MALFORMED
    text = value.start
    length = value.end - value.start
    if value.escaped:
        text = out.symbol_storage
        length = copy_text(value, out.symbol_storage, sizeof(out.symbol_storage))
    if length < 0 or length > 0x7FFFFFFF:
        return NX_PARSE_RANGE
    quote_symbol(out, text, <uint32_t>length)
    return 0


cdef int level_field(const nx_value* levels, nx_number* price, nx_number* size, bint* present) noexcept nogil:
    """The best level of one side, `[[price, size, …], …]`; an empty side is not present and its numbers are zero."""
    cdef const char* cursor = NULL
    cdef nx_value level, part
    cdef int status
    memset(price, 0, sizeof(nx_number))
    memset(size, 0, sizeof(nx_number))
    present[0] = False
    if levels.kind != NX_ARRAY:
        return NX_PARSE_MALFORMED
    if not next_element(levels, &cursor, &level):
        return 0
    present[0] = True
    cursor = NULL
    if level.kind != NX_ARRAY or not next_element(&level, &cursor, &part):
        return NX_PARSE_MALFORMED
    status = decimal_field(&part, price)
    if not next_element(&level, &cursor, &part):
        return NX_PARSE_MALFORMED
    return worse(status, decimal_field(&part, size))
