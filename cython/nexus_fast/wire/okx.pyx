"""OKX v5 bbo-tbt frames to quotes.

    {"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["1.1","3","0","2"]],"bids":[["1.0","2","0","5"]],
     "ts":"1","seqId":1}]}                                          seqId since 2022; [] for an empty side

A level is price, size, a deprecated "0" and the number of orders. ts is the matching engine's time, as text. The bare
text `pong` answers a `ping`. Should `data` ever carry several snapshots, the last one is the newest and is the quote.

The two halves share their work as in wire/binance.pyx: the fast one follows the form above to its last byte.
"""

from libc.stdint cimport uint32_t
from libc.string cimport memset

from nexus_fast.core.scan cimport after, nx_number, read_decimal, read_plain, read_time, read_unsigned, starts
from nexus_fast.core.types cimport NX_FLAG_NO_ASK, NX_FLAG_NO_BID
from nexus_fast.wire.document cimport (
    NX_ABSENT, NX_ARRAY, NX_OBJECT, nx_value, next_element, pick_members, read_document, text_is,
)
from nexus_fast.wire.field cimport count_field, level_field, symbol_field, time_field, worse
from nexus_fast.wire.quote cimport NX_PARSE_MALFORMED, NX_PARSE_OTHER, NX_PARSE_UNUSUAL, judge, quote_symbol

# --- fast -----------------------------------------------------------------------------------------------------------

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
    p = read_plain(after(p, end, b'","'), end)
    p = read_plain(after(p, end, b'","'), end)
    return after(p, end, b'"]]')


cdef inline const char* fast_sides(const char* p, const char* end, nx_quote* out) noexcept nogil:
    """From the quote that closes instId to behind the bids."""
    p = fast_side(after(p, end, b'"},"data":[{"asks":['), end, &out.ask, &out.ask_size, NX_FLAG_NO_ASK, out)
    return fast_side(after(p, end, b',"bids":['), end, &out.bid, &out.bid_size, NX_FLAG_NO_BID, out)


cdef inline const char* fast_tail(const char* p, const char* end, nx_quote* out) noexcept nogil:
    """","ts":"…" and seqId where it comes."""
    p = after(read_time(after(p, end, b',"ts":"'), end, &out.venue_time_ns), end, b'"')
    if p == NULL:
        return NULL
    out.event_time_ns = out.venue_time_ns
    out.update_id = 0
    return read_unsigned(after(p, end, b',"seqId":'), end, &out.update_id) if starts(p, end, b',') else p


cdef int fast_best_levels(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    """NX_PARSE_QUOTE, NX_PARSE_INSANE or NX_PARSE_UNUSUAL."""
    cdef const char* p = data
    cdef const char* name
    cdef const char* end = data + size
    if size < 64:                       # shorter than any quote, and the eight-byte loads need eight
        return NX_PARSE_UNUSUAL
    out.flags = 0
    name = after(p, end, b'{"arg":{"channel":"bbo-tbt","instId":"')
    p = read_plain(name, end)
    if p == NULL or p == name:
        return NX_PARSE_UNUSUAL
    quote_symbol(out, name, <uint32_t>(p - name))
    p = after(fast_tail(fast_sides(p, end, out), end, out), end, b'}]}')
    return judge(out) if p == end else NX_PARSE_UNUSUAL


# --- general --------------------------------------------------------------------------------------------------------

cdef enum:
    ARGUMENT = 0
    DATA = 1
    CHANNEL = 0
    INSTRUMENT = 1
    ASKS = 0
    BIDS = 1
    TIME = 2
    SEQUENCE = 3

cdef extern from *:
    """
    static const char* const nx_okx_envelope[] = {"arg", "data"};
    static const char* const nx_okx_argument[] = {"channel", "instId"};
    static const char* const nx_okx_fields[] = {"asks", "bids", "ts", "seqId"};
    """
    const char* const* ENVELOPE "nx_okx_envelope"
    const char* const* ARGUMENTS "nx_okx_argument"
    const char* const* FIELDS "nx_okx_fields"


cdef int read_fields(const nx_value* fields, nx_quote* out) noexcept nogil:
    cdef bint present
    cdef int status = level_field(&fields[BIDS], &out.bid, &out.bid_size, &present)
    if not present:
        out.flags |= NX_FLAG_NO_BID
    status = worse(status, level_field(&fields[ASKS], &out.ask, &out.ask_size, &present))
    if not present:
        out.flags |= NX_FLAG_NO_ASK
    status = worse(status, time_field(&fields[TIME], &out.venue_time_ns))
    out.event_time_ns = out.venue_time_ns
    return worse(status, count_field(&fields[SEQUENCE], False, &out.update_id))


cdef int read_push(const nx_value* envelope, const nx_value* argument, nx_quote* out) noexcept nogil:
    cdef nx_value snapshot
    cdef nx_value[4] fields
    cdef const char* cursor = NULL
    cdef int status
    snapshot.kind = NX_ABSENT
    if envelope[DATA].kind == NX_ARRAY:
        while next_element(&envelope[DATA], &cursor, &snapshot):
            pass
    if snapshot.kind != NX_OBJECT:
        return NX_PARSE_MALFORMED
    pick_members(&snapshot, FIELDS, 4, fields)
    out.flags = 0
    status = worse(symbol_field(&argument[INSTRUMENT], out), read_fields(fields, out))
    return status if status else judge(out)


cdef int general_best_levels(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    """Any nx_parse but NX_PARSE_UNUSUAL."""
    cdef nx_value root
    cdef nx_value[2] envelope
    cdef nx_value[2] argument
    if size == 4 and starts(data, data + size, b"pong"):
        return NX_PARSE_OTHER
    if not read_document(data, size, &root):
        return NX_PARSE_MALFORMED
    pick_members(&root, ENVELOPE, 2, envelope)
    pick_members(&envelope[ARGUMENT], ARGUMENTS, 2, argument)
    if not text_is(&argument[CHANNEL], b"bbo-tbt") or envelope[DATA].kind == NX_ABSENT:
        return NX_PARSE_OTHER
    return read_push(envelope, argument, out)


cdef int parse_public(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    cdef int status = fast_best_levels(data, size, out)
    return status if status != NX_PARSE_UNUSUAL else general_best_levels(data, size, out)
