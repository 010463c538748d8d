"""Which parser reads which stream, by number; the names are in registry.pyx."""

from nexus_fast.wire.quote cimport nx_parse_function

cdef enum nx_market:
    NX_MARKET_SPOT = 0
    NX_MARKET_USD_M = 1
    NX_MARKET_COIN_M = 2
    NX_MARKET_LINEAR = 3
    NX_MARKET_INVERSE = 4
    NX_MARKET_PUBLIC = 5

ctypedef struct nx_parser:
    nx_parse_function parse         # what the feed calls
    nx_parse_function fast          # its two halves, for `inspect`, tests and the fuzzer
    nx_parse_function general

# NULL where the venue (nx_venue) has no such market.
cdef const nx_parser* parser_row(int venue, int market) noexcept nogil
cdef nx_parse_function parser_for(int venue, int market) noexcept nogil
