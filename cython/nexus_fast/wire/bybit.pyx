"""Bybit v5 orderbook.1 frames to quotes; the same form on spot, linear and inverse.

    {"topic":"orderbook.1.BTCUSDT","ts":1,"type":"snapshot","data":{"s":"BTCUSDT","b":[["1.0","2"]],"a":[["1.1","3"]],
     "u":1,"seq":1},"cts":1}                                                    or type before ts; [] for an empty side

Depth 1 is pushed as snapshots only (v5/websocket/public/orderbook). A frame of another type says what changed, not what
is, and is passed over as no quote. u == 1 says that the service restarted and the update ids begin anew.

The two halves share their work as in wire/binance.pyx: the fast one follows the form above to its last byte.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from nexus_fast.core.scan cimport after, nx_number, read_decimal, read_plain, read_time, read_unsigned, starts
from nexus_fast.core.types cimport NX_FLAG_NO_ASK, NX_FLAG_NO_BID, NX_FLAG_RESET
from nexus_fast.wire.document cimport (
    NX_OBJECT, NX_STRING, nx_value, pick_members, read_document, text_begins, text_is,
)
from nexus_fast.wire.field cimport count_field, level_field, symbol_field, time_field, worse
from nexus_fast.wire.quote cimport NX_PARSE_MALFORMED, NX_PARSE_OTHER, NX_PARSE_UNUSUAL, judge, quote_symbol

# --- fast -----------------------------------------------------------------------------------------------------------

cdef inline const char* fast_head(const char* p, const char* end, nx_quote* out) noexcept nogil:
    """From the quote that closes the topic to the symbol."""
    if p == NULL or starts(p, end, b'","ts":'):
        p = read_time(after(p, end, b'","ts":'), end, &out.event_time_ns)
        return after(p, end, b',"type":"snapshot","data":{"s":"')
    p = read_time(after(p, end, b'","type":"snapshot","ts":'), end, &out.event_time_ns)
    return after(p, end, b',"data":{"s":"')


cdef inline const char* fast_side(const char* p, const char* end, nx_number* price, nx_number* size, uint32_t empty,
                                  nx_quote* out) noexcept nogil:
    """Behind the side's opening bracket to behind its closing one."""
    if p != NULL and starts(p, end, b']'):
        memset(price, 0, sizeof(nx_number))
        memset(size, 0, sizeof(nx_number))
        out.flags |= empty
        return after(p, end, b']')
    p = read_decimal(after(p, end, b'["'), end, price)
    p = read_decimal(after(p, end, b'","'), end, size)
    return after(p, end, b'"]]')


cdef inline const char* fast_sides(const char* p, const char* end, nx_quote* out) noexcept nogil:
    """From the symbol to behind the asks."""
    cdef const char* name = p
    p = read_plain(p, end)
    if p == NULL or p == name:
        return NULL
    quote_symbol(out, name, <uint32_t>(p - name))
    p = fast_side(after(p, end, b'","b":['), end, &out.bid, &out.bid_size, NX_FLAG_NO_BID, out)
    return fast_side(after(p, end, b',"a":['), end, &out.ask, &out.ask_size, NX_FLAG_NO_ASK, out)


cdef inline const char* fast_tail(const char* p, const char* end, nx_quote* out) noexcept nogil:
    cdef uint64_t sequence
    p = read_unsigned(after(p, end, b',"u":'), end, &out.update_id)
    p = read_unsigned(after(p, end, b',"seq":'), end, &sequence)
    return read_time(after(p, end, b'},"cts":'), end, &out.venue_time_ns)


cdef int fast_order_book(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    """NX_PARSE_QUOTE, NX_PARSE_INSANE or NX_PARSE_UNUSUAL."""
    cdef const char* p = data
    cdef const char* end = data + size
    if size < 64:                       # shorter than any quote, and the eight-byte loads need eight
        return NX_PARSE_UNUSUAL
    out.flags = 0
    p = read_plain(after(p, end, b'{"topic":"orderbook.1.'), end)
    p = fast_sides(fast_head(p, end, out), end, out)
    p = fast_tail(p, end, out)
    if p == NULL or end - p != 1 or p[0] != c'}':
        return NX_PARSE_UNUSUAL
    if out.update_id == 1:
        out.flags |= NX_FLAG_RESET
    return judge(out)


# --- general --------------------------------------------------------------------------------------------------------

cdef enum:
    TOPIC = 0
    TYPE = 1
    SYSTEM_TIME = 2
    MATCHING_TIME = 3
    DATA = 4
    SYMBOL = 0
    BIDS = 1
    ASKS = 2
    UPDATE = 3

cdef extern from *:
    """
    static const char* const nx_bybit_envelope[] = {"topic", "type", "ts", "cts", "data"};
    static const char* const nx_bybit_fields[] = {"s", "b", "a", "u"};
    """
    const char* const* ENVELOPE "nx_bybit_envelope"
    const char* const* FIELDS "nx_bybit_fields"


cdef int read_sides(const nx_value* fields, nx_quote* out) noexcept nogil:
    cdef bint present
    cdef int status = level_field(&fields[BIDS], &out.bid, &out.bid_size, &present)
    if not present:
        out.flags |= NX_FLAG_NO_BID
    status = worse(status, level_field(&fields[ASKS], &out.ask, &out.ask_size, &present))
    if not present:
        out.flags |= NX_FLAG_NO_ASK
    return status


cdef int read_fields(const nx_value* envelope, const nx_value* fields, nx_quote* out) noexcept nogil:
    cdef int status
    out.flags = 0
    status = time_field(&envelope[SYSTEM_TIME], &out.event_time_ns)
    status = worse(status, time_field(&envelope[MATCHING_TIME], &out.venue_time_ns))
    status = worse(status, symbol_field(&fields[SYMBOL], out))
    status = worse(status, count_field(&fields[UPDATE], True, &out.update_id))
    status = worse(status, read_sides(fields, out))
    if out.venue_time_ns == 0:
        out.venue_time_ns = out.event_time_ns
    if out.update_id == 1:
        out.flags |= NX_FLAG_RESET
    return status


cdef int general_order_book(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    """Any nx_parse but NX_PARSE_UNUSUAL."""
    cdef nx_value root
    cdef nx_value[5] envelope
    cdef nx_value[4] fields
    cdef int status
    if not read_document(data, size, &root):
        return NX_PARSE_MALFORMED
    pick_members(&root, ENVELOPE, 5, envelope)
    if not text_begins(&envelope[TOPIC], b"orderbook.1."):
        return NX_PARSE_OTHER
    if envelope[TYPE].kind != NX_STRING or envelope[DATA].kind != NX_OBJECT:
        return NX_PARSE_MALFORMED
    if not text_is(&envelope[TYPE], b"snapshot"):
        return NX_PARSE_OTHER
    pick_members(&envelope[DATA], FIELDS, 4, fields)
    status = read_fields(envelope, fields, out)
    return status if status else judge(out)


cdef inline int parse_order_book(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    cdef int status = fast_order_book(data, size, out)
    return status if status != NX_PARSE_UNUSUAL else general_order_book(data, size, out)


cdef int parse_spot(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    return parse_order_book(data, size, out)


cdef int parse_linear(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    return parse_order_book(data, size, out)


cdef int parse_inverse(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    return parse_order_book(data, size, out)
