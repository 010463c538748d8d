"""Market data of one connection: payload -> quote -> record -> ring, latest table, strategies."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from nexus_fast.core.symbols cimport nx_symbol, symbol_find
from nexus_fast.core.types cimport nx_bookl1
from nexus_fast.engine.dispatch cimport Dispatcher
from nexus_fast.feed.frames cimport PayloadHandler
from nexus_fast.feed.symbols cimport SymbolTable
from nexus_fast.order.entry cimport OrderEntry
from nexus_fast.shm.latest cimport LatestTable, nx_latest
from nexus_fast.shm.ring cimport RingWriter, nx_ring
from nexus_fast.wire.quote cimport nx_parse_function, nx_quote

cdef enum:
    KEPT_FRAMES = 16
    SAMPLE_CAPACITY = 512


cdef class MarketFeed(PayloadHandler):
    cdef:
        nx_parse_function parse
        SymbolTable symbols
        Dispatcher dispatcher
        OrderEntry entry
        RingWriter ring_writer
        LatestTable latest_table
        nx_ring* ring
        nx_latest* latest
        uint8_t venue
        object on_other                      # (payload): acknowledgements, notices, other events
        nx_quote quote
        nx_bookl1 record
        char sample[512]                     # the first quote that came, for rehearsals
        Py_ssize_t sample_size
    cdef:
        readonly int64_t quotes
        readonly int64_t others
        readonly int64_t malformed           # no valid message of the venue
        readonly int64_t out_of_range        # a number that does not fit exactly
        readonly int64_t insane              # negative size, zero price, bid above ask
        readonly int64_t unknown_symbols
        readonly int64_t doubled             # the update that the book has, once more: another connection was faster
        readonly int64_t late                # an update older than the book
        readonly int64_t resets              # the venue's update ids began anew
        readonly int64_t consecutive_errors
        readonly list kept                   # the last refused payloads, newest last

    # Of the quote; NULL for a symbol that nobody asked for.
    cdef inline nx_symbol* find_symbol(self) noexcept nogil:
        return symbol_find(&self.symbols.table, self.quote.symbol, self.quote.symbol_length, self.quote.symbol_hash)

    cdef int on_quote(self) except -1
    # Several connections may carry one symbol: the first arrival of an update wins. Its matching time, where the venue gives
    # one, tells the restart of the venue's ids (later time, lower id) from a late copy (earlier time, whatever the id).
    cdef bint is_news(self, const nx_symbol* symbol, int64_t ticks) noexcept nogil
    cdef int make_record(self, const nx_symbol* symbol, int64_t ticks) noexcept nogil
    # Walk the way of a tick up to the bytes of an order, without telling anybody and without sending: it keeps caches and branch
    # predictors warm while the feed is quiet.
    cdef int rehearse(self) noexcept nogil
    cdef int on_unusual(self, int status, const char* data, Py_ssize_t size) except -1
    cdef int on_unusable(self, int status, const char* data, Py_ssize_t size) except -1
    cdef int keep(self, const char* data, Py_ssize_t size) except -1

