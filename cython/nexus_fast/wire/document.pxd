"""A strict JSON walker for the general paths: first the whole document is proved, then members are looked up in it.

Strict means RFC 8259 and UTF-8, no more: no trailing comma, no bare control character, no lone surrogate, no number from
1e308 on, at most 64 levels. Where a key comes twice the last one counts. Nothing is allocated or copied: a value is
a span of the frame.
"""

cdef enum nx_kind:
    NX_ABSENT = 0
    NX_NULL
    NX_BOOLEAN
    NX_NUMBER
    NX_STRING
    NX_ARRAY
    NX_OBJECT

ctypedef struct nx_value:
    const char* start           # of a string: after its opening quote
    const char* end             # one past; of a string: its closing quote
    int kind
    bint escaped                # a string with at least one backslash

cdef bint read_document(const char* data, Py_ssize_t size, nx_value* root) noexcept nogil
cdef void pick_members(const nx_value* holder, const char* const* names, int count, nx_value* found) noexcept nogil
cdef bint next_element(const nx_value* array, const char** cursor, nx_value* element) noexcept nogil
cdef bint text_is(const nx_value* string, const char* text) noexcept nogil
cdef bint text_begins(const nx_value* string, const char* text) noexcept nogil
cdef Py_ssize_t copy_text(const nx_value* string, char* buffer, Py_ssize_t capacity) noexcept nogil
