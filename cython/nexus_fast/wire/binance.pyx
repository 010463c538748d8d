"""Binance bookTicker frames to quotes.

    spot    {"u":1,"s":"BTCUSDT","b":"1.0","B":"2","a":"1.1","A":"3"}                            no times
    USD-M   {"e":"bookTicker","u":1,"s":"…","ps":"…",b,B,a,A,"T":1,"E":1,"st":1}                 ps, st since June 2026
    COIN-M  {"u":1,"e":"bookTicker","s":"…","ps":"…",b,B,a,A,"T":1,"E":1}                        or ps behind E
    either  {"stream":"btcusdt@bookTicker","data":{…}}                                           combined streams

One parser serves the three markets, because it goes by keys. It is called by the feed, once per frame.

The fast path follows the orders above literally, comparing whole runs of punctuation and keys at a time, and accepts a
frame only if it is of exactly that form up to its last byte. Everything else it hands on: the general path proves the
document and looks the keys up, in any order, with escapes, space, exponents, null and unknown keys. A frame that the
fast path accepts gets the same result from the general one (tests/unit/wire holds them against each other).

Spot frames carry no "e": a document without it is a quote if it has all four of b, B, a, A, and another event if not.
"""

from libc.stdint cimport uint32_t

from nexus_fast.core.scan cimport after, read_decimal, read_plain, read_time, read_unsigned, starts
from nexus_fast.wire.document cimport (
    NX_ABSENT, NX_OBJECT, NX_STRING, nx_value, pick_members, read_document, text_is,
)
from nexus_fast.wire.field cimport count_field, decimal_field, symbol_field, time_field, worse
from nexus_fast.wire.quote cimport NX_PARSE_MALFORMED, NX_PARSE_OTHER, NX_PARSE_UNUSUAL, judge, quote_symbol

cdef extern from "nexus_fast/wire/ticker.h" nogil:
    bint nx_ticker_runs_here() noexcept
    const char* nx_ticker_sides(const char* data, const char* end, nx_quote* out) noexcept
    const char* nx_ticker_times(const char* p, const char* end, nx_quote* out) noexcept

# Whether the fast path may begin with nx_ticker_sides, which reads all fields at once and leaves what it is not sure of
# to the steps below. nx_ticker_times goes on behind it.
cdef bint at_once = nx_ticker_runs_here()

# --- fast: each step returns the cursor behind what it read, or NULL for "not the expected form" --------------------

cdef inline const char* fast_head(const char* p, const char* end, nx_quote* out) noexcept nogil:
    """{"u":…,"s":"… with the event name before or behind u, up to the quote that closes the symbol or ps."""
    cdef const char* name
    if starts(p, end, b'{"u":'):
        p = read_unsigned(after(p, end, b'{"u":'), end, &out.update_id)
        if p != NULL and starts(p, end, b',"e":"'):
            p = after(p, end, b',"e":"bookTicker"')
    else:
        p = read_unsigned(after(p, end, b'{"e":"bookTicker","u":'), end, &out.update_id)
    name = after(p, end, b',"s":"')
    p = read_plain(name, end)
    if p == NULL or p == name:
        return NULL
    quote_symbol(out, name, <uint32_t>(p - name))
    return read_plain(after(p, end, b'","ps":"'), end) if starts(p, end, b'","p') else p


cdef inline const char* fast_sides(const char* p, const char* end, nx_quote* out) noexcept nogil:
    """From the quote that closes the string before b to behind the one that closes A."""
    p = read_decimal(after(p, end, b'","b":"'), end, &out.bid)
    p = read_decimal(after(p, end, b'","B":"'), end, &out.bid_size)
    p = read_decimal(after(p, end, b'","a":"'), end, &out.ask)
    p = read_decimal(after(p, end, b'","A":"'), end, &out.ask_size)
    return after(p, end, b'"')


cdef inline const char* fast_times(const char* p, const char* end, nx_quote* out) noexcept nogil:
    """","T":…,"E":…"""
    p = read_time(after(p, end, b',"T":'), end, &out.venue_time_ns)
    return read_time(after(p, end, b',"E":'), end, &out.event_time_ns)


cdef inline const char* fast_tail(const char* p, const char* end) noexcept nogil:
    """Behind the times: ps and st where they come."""
    if p != NULL and starts(p, end, b',"ps":"'):
        p = after(read_plain(after(p, end, b',"ps":"'), end), end, b'"')
    if p != NULL and starts(p, end, b',"st":') and end - p == 8:    # one digit and the closing brace
        p += 6 + (c'0' <= p[6] <= c'9')
    return p


cdef int fast_book_ticker(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    """NX_PARSE_QUOTE, NX_PARSE_INSANE or NX_PARSE_UNUSUAL."""
    cdef const char* p = data
    cdef const char* sides
    cdef const char* end = data + size
    if size < 64:                       # shorter than any quote, and the eight-byte loads need eight
        return NX_PARSE_UNUSUAL
    if starts(p, end, b'{"stream":"'):
        p = after(read_plain(after(p, end, b'{"stream":"'), end), end, b'","data":')
        end -= 1
        if p == NULL or end[0] != c'}':
            return NX_PARSE_UNUSUAL
    out.flags = 0
    out.venue_time_ns = 0
    out.event_time_ns = 0
    sides = nx_ticker_sides(p, end, out) if at_once else NULL
    p = sides if sides != NULL else fast_sides(fast_head(p, end, out), end, out)
    if p != NULL and end - p > 1:
        p = nx_ticker_times(p, end, out) if sides != NULL else fast_times(p, end, out)
        p = fast_tail(p, end)
    if p == NULL or end - p != 1 or p[0] != c'}':
        return NX_PARSE_UNUSUAL
    return judge(out)


# --- general --------------------------------------------------------------------------------------------------------

cdef enum:
    STREAM = 0
    DATA = 1
    EVENT = 0
    UPDATE = 1
    SYMBOL = 2
    BID = 3
    BID_SIZE = 4
    ASK = 5
    ASK_SIZE = 6
    TRANSACTION_TIME = 7
    EVENT_TIME = 8

cdef extern from *:
    """
    static const char* const nx_binance_envelope[] = {"stream", "data"};
    static const char* const nx_binance_fields[] = {"e", "u", "s", "b", "B", "a", "A", "T", "E"};
    """
    const char* const* ENVELOPE "nx_binance_envelope"
    const char* const* FIELDS "nx_binance_fields"


cdef bint is_book_ticker(const nx_value* fields) noexcept nogil:
    if fields[EVENT].kind != NX_ABSENT:
        return text_is(&fields[EVENT], b"bookTicker")
    return (fields[BID].kind != NX_ABSENT and fields[BID_SIZE].kind != NX_ABSENT
            and fields[ASK].kind != NX_ABSENT and fields[ASK_SIZE].kind != NX_ABSENT)


cdef int read_fields(const nx_value* fields, nx_quote* out) noexcept nogil:
    cdef int status
    out.flags = 0
    status = count_field(&fields[UPDATE], True, &out.update_id)
    status = worse(status, symbol_field(&fields[SYMBOL], out))
    status = worse(status, decimal_field(&fields[BID], &out.bid))
    status = worse(status, decimal_field(&fields[BID_SIZE], &out.bid_size))
    status = worse(status, decimal_field(&fields[ASK], &out.ask))
    status = worse(status, decimal_field(&fields[ASK_SIZE], &out.ask_size))
    status = worse(status, time_field(&fields[TRANSACTION_TIME], &out.venue_time_ns))
    status = worse(status, time_field(&fields[EVENT_TIME], &out.event_time_ns))
    if out.venue_time_ns == 0:
        out.venue_time_ns = out.event_time_ns
    return status


cdef int general_book_ticker(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    """Any nx_parse but NX_PARSE_UNUSUAL."""
    cdef nx_value root
    cdef nx_value[2] envelope
    cdef nx_value[9] fields
    cdef int status
    if not read_document(data, size, &root):
        return NX_PARSE_MALFORMED
    pick_members(&root, ENVELOPE, 2, envelope)
    if envelope[STREAM].kind == NX_STRING and envelope[DATA].kind == NX_OBJECT:
        root = envelope[DATA]
    pick_members(&root, FIELDS, 9, fields)
    if not is_book_ticker(fields):
        return NX_PARSE_OTHER
    status = read_fields(fields, out)
    return status if status else judge(out)


cdef inline int parse_book_ticker(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    cdef int status = fast_book_ticker(data, size, out)
    return status if status != NX_PARSE_UNUSUAL else general_book_ticker(data, size, out)


cdef int parse_spot(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    return parse_book_ticker(data, size, out)


cdef int parse_usd_m(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    return parse_book_ticker(data, size, out)


cdef int parse_coin_m(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    return parse_book_ticker(data, size, out)


def implementations() -> list:
    """How this CPU can read frames, best first: "avx2" where it has that, "portable"."""
    return ["avx2", "portable"] if nx_ticker_runs_here() else ["portable"]


def use_implementation(name: str) -> None:
    """Chooses one for the whole process; for tests and measurements, the best is chosen at import."""
    global at_once
    if name not in implementations():
        raise ValueError(f"{name!r} does not run here; one of {implementations()}")
    at_once = name == "avx2"
