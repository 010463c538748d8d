"""What a wire parser gives back: one quote in the venue's own words, numbers exact. No copy is made: the pointers go into
the frame and are valid only as long as its bytes are.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from nexus_fast.core.scan cimport nx_compare, nx_number
from nexus_fast.core.symbols cimport nx_symbols, symbol_hash, symbol_soon
from nexus_fast.core.types cimport NX_FLAG_NO_ASK, NX_FLAG_NO_BID

cdef extern from *:
    """
    #ifndef NEXUS_FAST_QUOTE_H
    #define NEXUS_FAST_QUOTE_H
    typedef struct nx_quote {
        const nx_symbols* symbols;  /* where the caller will look the symbol up, set before parsing; NULL: nowhere */
        const char* symbol;         /* the venue's own symbol, into the frame; into symbol_storage when it had escapes */
        uint32_t symbol_length;     /* bytes of UTF-8 */
        uint64_t symbol_hash;       /* of the symbol's text (quote_symbol) */
        uint32_t flags;             /* NX_FLAG_NO_BID, NX_FLAG_NO_ASK; NX_FLAG_RESET for Bybit's u == 1 */
        nx_number bid;
        nx_number ask;
        nx_number bid_size;
        nx_number ask_size;
        uint64_t update_id;         /* 0 where the venue sends none */
        int64_t venue_time_ns;      /* Binance T, else E; Bybit cts, else ts; OKX ts; 0 where there is none */
        int64_t event_time_ns;      /* Binance E; Bybit ts; OKX ts; 0 where there is none */
        char symbol_storage[64];
    } nx_quote;

    /* Every path of every parser says with it where the symbol stands, as soon as it knows. */
    static inline void nx_quote_symbol(nx_quote* quote, const char* text, uint32_t length) {
        quote->symbol = text;
        quote->symbol_length = length;
        quote->symbol_hash = nx_symbol_hash(text, length);
        if (quote->symbols) nx_symbol_soon(quote->symbols, quote->symbol_hash);
    }
    #endif
    """
    ctypedef struct nx_quote:
        const nx_symbols* symbols
        const char* symbol
        uint32_t symbol_length
        uint64_t symbol_hash
        uint32_t flags
        nx_number bid
        nx_number ask
        nx_number bid_size
        nx_number ask_size
        uint64_t update_id
        int64_t venue_time_ns
        int64_t event_time_ns
        char symbol_storage[64]
    void quote_symbol "nx_quote_symbol"(nx_quote* quote, const char* text, uint32_t length) noexcept nogil

cdef enum nx_parse:
    NX_PARSE_UNUSUAL = 2        # a fast path's word for "not the expected form": the general path decides
    NX_PARSE_QUOTE = 1
    NX_PARSE_OTHER = 0          # well-formed, no quote: an acknowledgement, another event, a control message
    NX_PARSE_MALFORMED = -1     # no JSON, or a quote whose fields are missing or of the wrong kind
    NX_PARSE_RANGE = -2         # a number that no int64 and 18 decimals hold exactly, or a time past 2262
    NX_PARSE_INSANE = -3        # negative size, price not above zero where there is a side, bid above ask

ctypedef int (*nx_parse_function)(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil


cdef inline int judge(nx_quote* quote) noexcept nogil:
    """The sanity gate, the same for every venue. Price and size both zero is how Binance writes an empty side."""
    if quote.bid.mantissa == 0 and quote.bid_size.mantissa == 0:
        quote.flags |= NX_FLAG_NO_BID
    elif quote.bid.mantissa <= 0 or quote.bid_size.mantissa < 0:
        return NX_PARSE_INSANE
    if quote.ask.mantissa == 0 and quote.ask_size.mantissa == 0:
        quote.flags |= NX_FLAG_NO_ASK
    elif quote.ask.mantissa <= 0 or quote.ask_size.mantissa < 0:
        return NX_PARSE_INSANE
    if quote.flags & (NX_FLAG_NO_BID | NX_FLAG_NO_ASK):
        return NX_PARSE_QUOTE
    return NX_PARSE_QUOTE if nx_compare(&quote.bid, &quote.ask) <= 0 else NX_PARSE_INSANE
