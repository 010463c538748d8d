# seam: acknowledgements and refused frames go to Python; a quote stays in C up to the strategy.
from libc.string cimport memcpy

from nexus_fast.core.clock cimport clock_ticks, wall_realtime_ns, wall_refresh
from nexus_fast.core.scan cimport number_to_double, rescale
from nexus_fast.core.types cimport NX_FLAG_NO_ASK, NX_FLAG_NO_BID, NX_FLAG_PASSED, NX_FLAG_RESET, NX_FLAG_STALE
from nexus_fast.order.entry cimport STAGE_PARSE, STAGE_PUBLISH
from nexus_fast.shm.latest cimport latest_write
from nexus_fast.shm.ring cimport ring_publish
from nexus_fast.wire.quote cimport NX_PARSE_INSANE, NX_PARSE_MALFORMED, NX_PARSE_OTHER, NX_PARSE_QUOTE, NX_PARSE_RANGE
from nexus_fast.wire.registry cimport parser_for

from nexus_fast.wire.registry import parser_id


cdef int pass_over(const char* data, Py_ssize_t size, nx_quote* quote) noexcept nogil:
    return NX_PARSE_OTHER


def _ignore(payload):
    pass


cdef class MarketFeed(PayloadHandler):
    """`on_other(payload)` gets every well-formed message that is no quote. A refused frame leaves the
    book's numbers untouched, and says that they are not the market any more."""

    def __init__(self, str venue, str market, SymbolTable symbols, Dispatcher dispatcher,
                 OrderEntry entry, RingWriter ring, LatestTable latest, on_other):
        venue_number, market_number = parser_id(venue, market)
        self.parse = parser_for(venue_number, market_number)
        self.venue = venue_number
        self.symbols = symbols
        self.quote.symbols = &symbols.table
        self.dispatcher = dispatcher
        self.entry = entry
        self.ring_writer = ring
        self.latest_table = latest
        self.ring = ring.handle()
        self.latest = latest.handle()
        self.on_other = on_other
        self.kept = []

    cdef int on_payload(self, const char* data, Py_ssize_t size) except -1:
        cdef int64_t ticks = clock_ticks()
        cdef int status = self.parse(data, size, &self.quote)
        if status != NX_PARSE_QUOTE:
            return self.on_unusual(status, data, size)
        cdef nx_symbol* symbol = self.find_symbol()
        if symbol == NULL:
            self.unknown_symbols += 1
            return 0
        # After a break whatever the venue says is newer: its ids may have started again.
        if not self.entry.books[symbol.symbol_id].flags & NX_FLAG_STALE and not self.is_news(symbol, ticks):
            self.consecutive_errors = 0
            return 0
        symbol.update_id = self.quote.update_id
        symbol.matched_ns = self.quote.venue_time_ns
        if self.make_record(symbol, ticks):
            return self.on_unusable(NX_PARSE_RANGE, data, size)
        if not self.sample_size and size <= SAMPLE_CAPACITY:
            memcpy(self.sample, data, size)
            self.sample_size = size
        return self.on_quote()

    cdef bint is_news(self, const nx_symbol* symbol, int64_t ticks) noexcept nogil:
        cdef const nx_quote* quote = &self.quote
        cdef bint has_time = quote.venue_time_ns != 0 and symbol.matched_ns != 0
        if has_time and quote.venue_time_ns < symbol.matched_ns:
            self.late += 1
            return False
        if quote.update_id > symbol.update_id or quote.update_id == 0:
            return True
        if quote.update_id == symbol.update_id:
            self.doubled += 1
            # Said once more, by another connection or by a venue that repeats a book that rests: it is as fresh as that.
            self.entry.books[symbol.symbol_id].receive_time_ns = wall_realtime_ns(&self.entry.wall, ticks)
            return False
        if (has_time and quote.venue_time_ns > symbol.matched_ns) or (not has_time and quote.flags & NX_FLAG_RESET):
            self.resets += 1
            return True
        self.late += 1
        return False

    cdef int rehearse(self) noexcept nogil:
        cdef const nx_symbol* symbol
        cdef int64_t ticks = clock_ticks()
        wall_refresh(&self.entry.wall, ticks)
        if not self.sample_size or self.parse(self.sample, self.sample_size, &self.quote) != NX_PARSE_QUOTE:
            return 0
        symbol = self.find_symbol()
        if symbol == NULL or self.make_record(symbol, ticks):
            return 0
        return self.entry.rehearse(&self.record)

    cdef int make_record(self, const nx_symbol* symbol, int64_t ticks) noexcept nogil:
        """The quote at the symbol's scales; not 0 when a number is not exact there."""
        cdef nx_bookl1* record = &self.record
        cdef nx_quote* quote = &self.quote
        cdef int wrong = 0
        record.flags = quote.flags & (NX_FLAG_NO_BID | NX_FLAG_NO_ASK | NX_FLAG_RESET)
        wrong |= rescale(quote.bid.mantissa, quote.bid.decimals, symbol.price_scale, &record.bid)
        wrong |= rescale(quote.ask.mantissa, quote.ask.decimals, symbol.price_scale, &record.ask)
        wrong |= rescale(quote.bid_size.mantissa, quote.bid_size.decimals, symbol.size_scale, &record.bid_size)
        wrong |= rescale(quote.ask_size.mantissa, quote.ask_size.decimals, symbol.size_scale, &record.ask_size)
        if wrong:
            return -1
        record.bid_value = number_to_double(&quote.bid)
        record.ask_value = number_to_double(&quote.ask)
        record.bid_size_value = number_to_double(&quote.bid_size)
        record.ask_size_value = number_to_double(&quote.ask_size)
        record.venue_time_ns = quote.event_time_ns if quote.event_time_ns else quote.venue_time_ns
        record.receive_time_ns = wall_realtime_ns(&self.entry.wall, ticks)
        record.receive_ticks = ticks
        record.update_id = quote.update_id
        record.symbol_id = symbol.symbol_id
        record.price_scale = symbol.price_scale
        record.size_scale = symbol.size_scale
        record.venue = self.venue
        return 0

    cdef int on_quote(self) except -1:
        cdef OrderEntry entry = self.entry
        self.quotes += 1
        self.consecutive_errors = 0
        if entry.stages.enabled:
            entry.stages.begin(self.record.receive_ticks)
            entry.stages.lap(STAGE_PARSE)
        ring_publish(self.ring, &self.record)
        latest_write(self.latest, self.record.symbol_id, &self.record)
        memcpy(&entry.books[self.record.symbol_id], &self.record, sizeof(nx_bookl1))
        if entry.stages.enabled:
            entry.stages.lap(STAGE_PUBLISH)
        entry.now_ns = self.record.receive_time_ns
        try:
            self.dispatcher.quote(&entry.books[self.record.symbol_id])
        finally:
            entry.now_ns = 0
            entry.stages.tick_started = 0
            wall_refresh(&entry.wall, self.record.receive_ticks)
        return 0

    cdef int on_unusual(self, int status, const char* data, Py_ssize_t size) except -1:
        if status == NX_PARSE_OTHER:
            self.others += 1
            self.on_other(data[:size])
            return 0
        return self.on_unusable(status, data, size)

    cdef int on_unusable(self, int status, const char* data, Py_ssize_t size) except -1:
        """A quote that is set aside: the book that is known is no longer the market."""
        cdef nx_symbol* symbol
        self.quote.symbol_length = 0                 # of this frame, as far as it can be read, and of no frame before it
        self.parse(data, size, &self.quote)
        symbol = self.find_symbol()
        if symbol != NULL:
            self.entry.books[symbol.symbol_id].flags |= NX_FLAG_PASSED
        self.consecutive_errors += 1
        if status == NX_PARSE_RANGE:
            self.out_of_range += 1
        elif status == NX_PARSE_INSANE:
            self.insane += 1
        else:
            self.malformed += 1
        return self.keep(data, size)

    cdef int keep(self, const char* data, Py_ssize_t size) except -1:
        """For `nexus-fast inspect` and the log: at most KEPT_FRAMES payloads, 4 KiB of each."""
        if len(self.kept) >= KEPT_FRAMES:
            del self.kept[0]
        self.kept.append(data[:min(size, 4096)])
        return 0

    @property
    def unusable(self):
        """Frames that were set aside."""
        return self.malformed + self.out_of_range + self.insane

    def retire(self):
        """The segments that this writes into are about to be unmapped. A connection that outlives the engine, as one that is
        being made when it ends may, brings its frames to nobody."""
        self.parse, self.on_other = pass_over, _ignore

    def counters(self):
        """What this connection has seen."""
        return {"messages": self.messages, "quotes": self.quotes, "others": self.others, "malformed": self.malformed,
                "out_of_range": self.out_of_range, "insane": self.insane, "unknown_symbols": self.unknown_symbols,
                "doubled": self.doubled,
                "late": self.late, "resets": self.resets}
