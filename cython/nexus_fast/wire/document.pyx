"""See document.pxd. Every reader takes a cursor and the end and returns the cursor behind what it read, or NULL."""

from libc.stdint cimport uint32_t
from libc.string cimport memcmp, strlen

cdef enum:
    DEPTH_LIMIT = 64
    EXPONENT_LIMIT = 308        # 1e308 and above may not fit a double


cdef inline const char* skip_space(const char* p, const char* end) noexcept nogil:
    while p < end and (p[0] == c' ' or p[0] == c'\n' or p[0] == c'\r' or p[0] == c'\t'):
        p += 1
    return p


cdef inline bint is_digit(const char* p, const char* end) noexcept nogil:
    return p < end and c'0' <= p[0] <= c'9'


cdef inline const char* skip_digits(const char* p, const char* end) noexcept nogil:
    while is_digit(p, end):
        p += 1
    return p


# --- strings -------------------------------------------------------------------------------------------------------

cdef int hex_digit(char c) noexcept nogil:
    if c'0' <= c <= c'9':
        return c - c'0'
    if c'a' <= c <= c'f':
        return c - c'a' + 10
    if c'A' <= c <= c'F':
        return c - c'A' + 10
    return -1


cdef const char* read_unit(const char* p, const char* end, uint32_t* unit) noexcept nogil:
    """Four hexadecimal digits."""
    cdef int i, digit
    unit[0] = 0
    if end - p < 4:
        return NULL
    for i in range(4):
        digit = hex_digit(p[i])
        if digit < 0:
            return NULL
        unit[0] = unit[0] << 4 | <uint32_t>digit
    return p + 4


cdef const char* read_escape(const char* p, const char* end, uint32_t* code) noexcept nogil:
    """Behind the backslash: one escape, a surrogate pair counting as one."""
    cdef uint32_t low
    cdef char c
    if p == end:
        return NULL
    c = p[0]
    p += 1
    if c == c'u':
        p = read_unit(p, end, code)
        if p == NULL or code[0] < 0xD800 or code[0] > 0xDFFF:
            return p
        if code[0] > 0xDBFF or end - p < 6 or p[0] != c'\\' or p[1] != c'u':
            return NULL
        p = read_unit(p + 2, end, &low)
        if p == NULL or low < 0xDC00 or low > 0xDFFF:
            return NULL
        code[0] = 0x10000 + ((code[0] - 0xD800) << 10) + (low - 0xDC00)
        return p
    if c == c'"' or c == c'\\' or c == c'/':
        code[0] = <uint32_t>c
    elif c == c'b':
        code[0] = 8
    elif c == c'f':
        code[0] = 12
    elif c == c'n':
        code[0] = 10
    elif c == c'r':
        code[0] = 13
    elif c == c't':
        code[0] = 9
    else:
        return NULL
    return p


cdef inline bint is_tail(const char* p, unsigned char low, unsigned char high) noexcept nogil:
    return low <= <unsigned char>p[0] <= high


cdef const char* skip_multibyte(const char* p, const char* end) noexcept nogil:
    """One UTF-8 sequence of two to four bytes in its shortest form, no surrogate, up to U+10FFFF (Unicode 15, table 3-7)."""
    cdef unsigned char lead = <unsigned char>p[0]
    cdef unsigned char low = 0x80, high = 0xBF
    cdef int tail, i
    if 0xC2 <= lead <= 0xDF:
        tail = 1
    elif 0xE0 <= lead <= 0xEF:
        tail = 2
        low = 0xA0 if lead == 0xE0 else 0x80
        high = 0x9F if lead == 0xED else 0xBF
    elif 0xF0 <= lead <= 0xF4:
        tail = 3
        low = 0x90 if lead == 0xF0 else 0x80
        high = 0x8F if lead == 0xF4 else 0xBF
    else:
        return NULL
    if end - p <= tail or not is_tail(p + 1, low, high):
        return NULL
    for i in range(2, tail + 1):
        if not is_tail(p + i, 0x80, 0xBF):
            return NULL
    return p + tail + 1


cdef const char* read_string(const char* p, const char* end, nx_value* out) noexcept nogil:
    """Behind the opening quote; returns behind the closing one."""
    cdef unsigned char c
    cdef uint32_t code
    out.kind = NX_STRING
    out.escaped = False
    out.start = p
    while p != NULL and p < end:
        c = <unsigned char>p[0]
        if c == c'"':
            out.end = p
            return p + 1
        if c < 0x20:
            return NULL
        if c == c'\\':
            out.escaped = True
            p = read_escape(p + 1, end, &code)
        elif c < 0x80:
            p += 1
        else:
            p = skip_multibyte(p, end)
    return NULL


# --- numbers and words ---------------------------------------------------------------------------------------------

cdef bint exponent_fits(const char* first, const char* last, const char* p, const char* end, bint negative) noexcept nogil:
    """Whether the number stays below 1e308. first..last are its digits before the point, p..end those of the exponent; between
    them stand the others. Zero is zero whatever its exponent."""
    cdef Py_ssize_t exponent = 0
    cdef const char* digit = first
    while digit < p and not c'1' <= digit[0] <= c'9':
        digit += 1
    if digit == p:
        return True
    while p < end:
        if exponent < 1000000:
            exponent = exponent * 10 + (p[0] - c'0')
        p += 1
    return (last - first) - 1 + (-exponent if negative else exponent) < EXPONENT_LIMIT


cdef const char* read_json_number(const char* p, const char* end, nx_value* out) noexcept nogil:
    cdef const char* first
    cdef const char* last
    cdef const char* mark
    cdef bint negative = False
    out.kind = NX_NUMBER
    out.start = p
    p += p[0] == c'-'
    first = p
    p = last = skip_digits(p, end)
    if p == first or (first[0] == c'0' and p - first > 1):
        return NULL
    if p < end and p[0] == c'.':
        mark = p + 1
        p = skip_digits(mark, end)
        if p == mark:
            return NULL
    mark = p
    if p < end and (p[0] == c'e' or p[0] == c'E'):
        p += 1
        if p < end and (p[0] == c'+' or p[0] == c'-'):
            negative = p[0] == c'-'
            p += 1
        mark = p
        p = skip_digits(p, end)
        if p == mark:
            return NULL
    out.end = p
    return p if exponent_fits(first, last, mark, p, negative) else NULL


cdef const char* read_word(const char* p, const char* end, const char* word, int kind, nx_value* out) noexcept nogil:
    cdef Py_ssize_t length = <Py_ssize_t>strlen(word)
    if end - p < length or memcmp(p, word, length) != 0:
        return NULL
    out.kind = kind
    out.start = p
    out.end = p + length
    return out.end


# --- containers ----------------------------------------------------------------------------------------------------

cdef const char* read_array(const char* p, const char* end, int depth) noexcept nogil:
    """Behind the [; returns behind the ]."""
    cdef nx_value element
    p = skip_space(p, end)
    if p < end and p[0] == c']':
        return p + 1
    while True:
        p = read_value(p, end, depth + 1, &element)
        if p == NULL:
            return NULL
        p = skip_space(p, end)
        if p == end:
            return NULL
        if p[0] == c']':
            return p + 1
        if p[0] != c',':
            return NULL
        p = skip_space(p + 1, end)


cdef const char* read_member(const char* p, const char* end, int depth, nx_value* key, nx_value* value) noexcept nogil:
    if p == end or p[0] != c'"':
        return NULL
    p = read_string(p + 1, end, key)
    if p == NULL:
        return NULL
    p = skip_space(p, end)
    if p == end or p[0] != c':':
        return NULL
    return read_value(skip_space(p + 1, end), end, depth + 1, value)


cdef const char* read_object(const char* p, const char* end, int depth) noexcept nogil:
    """Behind the {; returns behind the }."""
    cdef nx_value key, value
    p = skip_space(p, end)
    if p < end and p[0] == c'}':
        return p + 1
    while True:
        p = read_member(p, end, depth, &key, &value)
        if p == NULL:
            return NULL
        p = skip_space(p, end)
        if p == end:
            return NULL
        if p[0] == c'}':
            return p + 1
        if p[0] != c',':
            return NULL
        p = skip_space(p + 1, end)


cdef const char* read_value(const char* p, const char* end, int depth, nx_value* out) noexcept nogil:
    """At the first byte of a value of any kind."""
    out.escaped = False
    if p == end or depth > DEPTH_LIMIT:
        return NULL
    if p[0] == c'"':
        return read_string(p + 1, end, out)
    if p[0] == c'-' or c'0' <= p[0] <= c'9':
        return read_json_number(p, end, out)
    if p[0] == c't':
        return read_word(p, end, b"true", NX_BOOLEAN, out)
    if p[0] == c'f':
        return read_word(p, end, b"false", NX_BOOLEAN, out)
    if p[0] == c'n':
        return read_word(p, end, b"null", NX_NULL, out)
    if p[0] != c'{' and p[0] != c'[':
        return NULL
    out.kind = NX_OBJECT if p[0] == c'{' else NX_ARRAY
    out.start = p
    out.end = read_object(p + 1, end, depth) if out.kind == NX_OBJECT else read_array(p + 1, end, depth)
    return out.end


cdef bint read_document(const char* data, Py_ssize_t size, nx_value* root) noexcept nogil:
    """Whether the bytes are one JSON value and nothing but space around it."""
    cdef const char* end = data + size
    cdef const char* p = read_value(skip_space(data, end), end, 0, root)
    return p != NULL and skip_space(p, end) == end


# --- looking up, in a document that has been proved ----------------------------------------------------------------

cdef void pick_members(const nx_value* holder, const char* const* names, int count, nx_value* found) noexcept nogil:
    """For each name its last value in the object, or NX_ABSENT; everything absent where the holder is no object."""
    cdef const char* p
    cdef nx_value key, value
    cdef int i
    for i in range(count):
        found[i].kind = NX_ABSENT
    if holder.kind != NX_OBJECT:
        return
    p = skip_space(holder.start + 1, holder.end)
    while p[0] == c'"':
        p = skip_space(read_member(p, holder.end, 0, &key, &value), holder.end)
        for i in range(count):
            if text_is(&key, names[i]):
                found[i] = value
        if p[0] == c',':
            p = skip_space(p + 1, holder.end)


cdef bint next_element(const nx_value* array, const char** cursor, nx_value* element) noexcept nogil:
    """The element at the cursor (NULL: the first) of an array; False behind the last."""
    cdef const char* p = array.start + 1 if cursor[0] == NULL else cursor[0]
    p = skip_space(p, array.end)
    if p[0] == c']':
        return False
    p = skip_space(read_value(p, array.end, 0, element), array.end)
    cursor[0] = p + 1 if p[0] == c',' else p
    return True


cdef int encode_utf8(uint32_t code, char* out) noexcept nogil:
    if code < 0x80:
        out[0] = <char>code
        return 1
    if code < 0x800:
        out[0] = <char>(0xC0 | code >> 6)
        out[1] = <char>(0x80 | code & 0x3F)
        return 2
    if code < 0x10000:
        out[0] = <char>(0xE0 | code >> 12)
        out[1] = <char>(0x80 | code >> 6 & 0x3F)
        out[2] = <char>(0x80 | code & 0x3F)
        return 3
    out[0] = <char>(0xF0 | code >> 18)
    out[1] = <char>(0x80 | code >> 12 & 0x3F)
    out[2] = <char>(0x80 | code >> 6 & 0x3F)
    out[3] = <char>(0x80 | code & 0x3F)
    return 4


cdef Py_ssize_t copy_text(const nx_value* string, char* buffer, Py_ssize_t capacity) noexcept nogil:
    """The string without its escapes, as UTF-8; its length, or -1 where it is longer than the buffer."""
    cdef const char* p = string.start
    cdef Py_ssize_t length = 0
    cdef uint32_t code
    while p < string.end:
        if length + 4 > capacity:
            return -1
        if p[0] == c'\\':
            p = read_escape(p + 1, string.end, &code)
            length += encode_utf8(code, buffer + length)
        else:
            buffer[length] = p[0]
            length += 1
            p += 1
    return length


cdef bint text_compare(const nx_value* string, const char* text, bint whole) noexcept nogil:
    cdef char buffer[64]
    cdef const char* start = string.start
    cdef Py_ssize_t length = string.end - string.start
    cdef Py_ssize_t wanted = <Py_ssize_t>strlen(text)
    if string.kind != NX_STRING:
        return False
    if string.escaped:
        start = buffer
        length = copy_text(string, buffer, sizeof(buffer))
    return (length == wanted if whole else length >= wanted) and memcmp(start, text, wanted) == 0


cdef bint text_is(const nx_value* string, const char* text) noexcept nogil:
    return text_compare(string, text, True)


cdef bint text_begins(const nx_value* string, const char* text) noexcept nogil:
    return text_compare(string, text, False)
