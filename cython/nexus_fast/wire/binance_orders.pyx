from libc.string cimport memchr, memcmp

cdef extern from "<string.h>" nogil:
    void* memmem(const void* haystack, size_t size, const void* needle, size_t length)


cdef inline const char* after(const char* at, const char* end, const char* literal, size_t length) noexcept nogil:
    """Behind the literal when it stands at `at`, else NULL."""
    if at == NULL or <size_t>(end - at) < length or memcmp(at, literal, length):
        return NULL
    return at + length


cdef inline const char* text(const char* at, const char* end, const char** out, uint32_t* length) noexcept nogil:
    """Of the characters up to the next quote; behind the quote, NULL when there is none or the text has an escape."""
    cdef const char* quote
    if at == NULL:
        return NULL
    quote = <const char*>memchr(at, 34, end - at)
    if quote == NULL or quote - at > 64 or memchr(at, 92, quote - at) != NULL:
        return NULL
    out[0] = at
    length[0] = <uint32_t>(quote - at)
    return quote + 1


cdef inline const char* digits(const char* at, const char* end, const char** out, uint32_t* length) noexcept nogil:
    cdef const char* start = at
    if at == NULL:
        return NULL
    while at < end and 48 <= at[0] <= 57:
        at += 1
    if at == start or at - start > 20 or at == end:
        return NULL
    out[0] = start
    length[0] = <uint32_t>(at - start)
    return at


cdef inline int result(const char* at, const char* end, nx_order_message* out) noexcept nogil:
    """From the first key of a result on, to whose order it is. Spot names the symbol first, futures the order id. An order that is
    not new any more is for others to look at."""
    cdef const char* symbol
    cdef const char* status
    cdef uint32_t symbol_length
    if after(at, end, b'"symbol":"', 10) != NULL:
        at = text(at + 10, end, &symbol, &symbol_length)
        at = after(at, end, b',', 1)
    at = after(at, end, b'"orderId":', 10)
    at = digits(at, end, &out.venue_id, &out.venue_id_length)
    if at == NULL or at[0] != 44:
        return 0
    status = <const char*>memmem(at, end - at, b'"status":"', 10)
    if status != NULL and after(status, end, b'"status":"NEW"', 14) == NULL:
        return 0
    at = <const char*>memmem(at, end - at, b'"clientOrderId":"', 17)
    return at != NULL and text(at + 17, end, &out.client_id, &out.client_id_length) != NULL


cdef int parse_accepted(const char* data, Py_ssize_t size, nx_order_message* out) noexcept nogil:
    cdef const char* end = data + size
    cdef const char* at = after(data, end, b'{"id":"', 7)
    cdef const char* asked
    cdef uint32_t asked_length
    at = text(at, end, &asked, &asked_length)
    at = after(at, end, b',"status":200,"result":{', 24)
    if at == NULL or size < 2 or end[-1] != 125 or end[-2] != 125 or not result(at, end, out):
        return 0
    return out.client_id_length == asked_length and not memcmp(out.client_id, asked, asked_length)


cdef int parse_accepted_body(const char* data, Py_ssize_t size, nx_order_message* out) noexcept nogil:
    if size < 2 or data[0] != 123 or data[size - 1] != 125:
        return 0
    return result(data + 1, data + size, out)


cdef int parse_new(const char* data, Py_ssize_t size, nx_order_message* out) noexcept nogil:
    cdef const char* end = data + size
    cdef const char* at = <const char*>memmem(data, size, b'"e":"executionReport",', 22)
    if size < 2 or end[-1] != 125 or end[-2] != 125:
        return 0
    if at == NULL:
        at = after(data, end, b'{"e":"ORDER_TRADE_UPDATE",', 26)
        if at == NULL:
            return 0
    elif at - data > 40:
        return 0
    if memmem(at, end - at, b'"x":"NEW","X":"NEW"', 19) == NULL:
        return 0
    at = <const char*>memmem(at, end - at, b'"c":"', 5)
    if at == NULL:
        return 0
    out.venue_id_length = 0
    return text(at + 5, end, &out.client_id, &out.client_id_length) != NULL


def accepted(bytes payload):
    """(client id, venue id) of a plain yes to order.place, or None: what the hot path makes of a message."""
    cdef nx_order_message found
    if not parse_accepted(payload, len(payload), &found):
        return None
    return found.client_id[:found.client_id_length], found.venue_id[:found.venue_id_length]


def new(bytes payload):
    """The client id of a NEW event, or None: what the hot path makes of a message."""
    cdef nx_order_message found
    if not parse_new(payload, len(payload), &found):
        return None
    return found.client_id[:found.client_id_length]
