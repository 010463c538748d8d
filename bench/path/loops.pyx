"""The way from a frame's bytes to an order's bytes in loops of C, cut off after any stage, over the engine's own modules.

Every level does what the one before it does and one stage more, so that a stage is the difference of two levels and the stages
add up to the whole. The last level is the engine's own `submit`; its send(2) leads into bench/floor/no_send.c.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from nexus_fast.core.clock cimport clock_ticks, wall_set
from nexus_fast.core.symbols cimport nx_symbol
from nexus_fast.core.types cimport NX_BUY, NX_GTC, NX_LIMIT, nx_bookl1
from nexus_fast.feed.market cimport MarketFeed
from nexus_fast.gateway.canvas cimport canvas_end
from nexus_fast.gateway.channel cimport CHANNEL_HEADROOM, Channel, nx_channel
from nexus_fast.gateway.frame cimport next_mask, ws_frame
from nexus_fast.gateway.request cimport nx_template
from nexus_fast.gateway.template cimport TemplateSet
from nexus_fast.order.entry cimport OrderEntry
from nexus_fast.order.gate cimport gate_check
from nexus_fast.order.route cimport nx_route, route_shape
from nexus_fast.order.states cimport NX_EVENT_INTENT, NX_STATE_FREE, NX_STATE_PENDING
from nexus_fast.order.table cimport nx_order
from nexus_fast.shm.latest cimport latest_write
from nexus_fast.shm.ring cimport ring_publish
from nexus_fast.strategy.base cimport Strategy
from nexus_fast.wire.quote cimport NX_PARSE_QUOTE
from nexus_fast.wire.registry cimport parser_row

from nexus_fast.core.clock import ticks_per_ns

cdef extern from * nogil:
    """
    #include <stdint.h>
    #include <time.h>
    #ifdef __has_include
    #if __has_include(<valgrind/callgrind.h>)
    #include <valgrind/callgrind.h>
    #endif
    #endif
    #ifdef CALLGRIND_START_INSTRUMENTATION
    #define BENCH_COUNTED RUNNING_ON_VALGRIND
    #define BENCH_COUNT_BEGIN() do { CALLGRIND_START_INSTRUMENTATION; CALLGRIND_ZERO_STATS; } while (0)
    #define BENCH_COUNT_END(name) do { CALLGRIND_DUMP_STATS_AT(name); CALLGRIND_STOP_INSTRUMENTATION; } while (0)
    #else
    #define BENCH_COUNTED -1
    #define BENCH_COUNT_BEGIN() (void)0
    #define BENCH_COUNT_END(name) (void)(name)
    #endif
    #if defined(__x86_64__)
    #define BENCH_FENCE() __builtin_ia32_lfence()
    #else
    #define BENCH_FENCE() __asm__ __volatile__("isb" ::: "memory")
    #endif
    static inline double bench_ns(void) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
    }
    """
    ctypedef unsigned long long volatile_uint64 "volatile uint64_t"
    int BENCH_COUNTED
    void BENCH_COUNT_BEGIN()
    void BENCH_COUNT_END(const char* name)
    void BENCH_FENCE()
    double bench_ns()

cdef enum:
    SINK = -5           # the descriptor that no_send.c takes everything for
    PARSE = 0
    RECORD = 1
    RING = 2
    DISPATCH = 3
    RISK = 4
    JOURNAL = 5
    FILL = 6
    SIGN = 7
    MASK = 8
    WHOLE = 9

LEVELS = ("parse", "record", "ring", "dispatch", "risk", "journal", "fill", "sign", "mask", "whole")

cdef Py_ssize_t nothing_queued = 0


def can_count():
    """1 under callgrind, 0 outside of it, -1 when this module was compiled without its header."""
    return BENCH_COUNTED


def connect_to_sink(Channel channel):
    """The channel believes that it is connected; what it sends goes nowhere."""
    cdef nx_channel* c = channel.handle()
    c.descriptor = SINK
    c.plain = 1
    c.ready = 1
    c.backlog = &nothing_queued


cdef class Answer(Strategy):
    """A Cython strategy that answers each quote as far as `level` says; WHOLE is a plain send_order."""
    cdef public int level
    cdef public int64_t amount
    cdef TemplateSet bare, full
    cdef const nx_template* unsigned_template
    cdef const nx_template* signed_template

    def __init__(self, int64_t amount, TemplateSet bare, TemplateSet full):
        super().__init__()
        self.amount = amount
        self.level = DISPATCH
        self.bare, self.full = bare, full
        self.unsigned_template = bare.place(NX_BUY, NX_LIMIT, NX_GTC, False)
        self.signed_template = full.place(NX_BUY, NX_LIMIT, NX_GTC, False)

    cdef int on_quote(self, const nx_bookl1* book) except -1:
        if self.level == DISPATCH:
            return 0
        if self.level == WHOLE:
            return 0 if self.send_order(book.symbol_id, NX_BUY, NX_LIMIT, book.ask, self.amount) > 0 else self.complain(book)
        return self.part(book)

    cdef int complain(self, const nx_bookl1* book) except -1:
        raise ValueError(f"the order was refused: reason {self.entry.table.by_number(self.entry.refused_number).reason}")

    cdef int part(self, const nx_bookl1* book) except -1:
        """OrderEntry.submit, step by step, up to the stage."""
        cdef OrderEntry entry = self.entry
        cdef nx_order* order = entry.table.take()
        cdef nx_route* route
        cdef nx_channel* channel = NULL
        cdef const nx_template* template = self.unsigned_template if self.level == FILL else self.signed_template
        cdef char* start
        cdef int size, status
        order.symbol_id, order.price, order.quantity = book.symbol_id, book.ask, self.amount
        order.side, order.type, order.time_in_force = NX_BUY, NX_LIMIT, NX_GTC
        order.created_ns = order.changed_ns = entry.now_ns
        order.account = entry.routes.default_account[book.symbol_id]
        route = entry.routes.find(book.symbol_id, order.account)
        order.price_scale, order.size_scale = route.price_scale, route.size_scale
        if gate_check(&route.limits, book, 0, 0, order.price, order.quantity, 0, order.created_ns):
            return self.complain(book)
        if self.level < JOURNAL:
            return 0
        if self.level >= FILL:
            # As if prepared after the order before; what that costs is counted there.
            entry.ahead[order.account].number = order.number
            channel = entry.begin(route, template, order, &status)
            if status:
                raise ValueError(f"the request was not filled: status {status}")
        order.state = NX_STATE_PENDING
        entry.journal_event(order, NX_EVENT_INTENT, NULL, &entry.intent)
        if self.level < FILL:
            return 0
        size = canvas_end(entry.canvas)
        if self.level >= MASK:
            ws_frame(entry.canvas.text, size, next_mask(&channel.mask_state), channel.buffer + CHANNEL_HEADROOM, &start)
        return 0


cdef class Frames:
    """Frames side by side, as they lie in a receive buffer."""
    cdef bytes blob
    cdef Py_ssize_t* offsets
    cdef readonly Py_ssize_t count

    def __cinit__(self, list frames):
        cdef Py_ssize_t i
        self.blob = b"".join(frames)
        self.count = len(frames)
        self.offsets = <Py_ssize_t*>calloc(self.count + 1, sizeof(Py_ssize_t))
        if self.offsets == NULL:
            raise MemoryError()
        for i in range(self.count):
            self.offsets[i + 1] = self.offsets[i] + <Py_ssize_t>len(frames[i])

    def __dealloc__(self):
        free(self.offsets)


cdef class Path:
    """feed: with everything behind it. Each run is `passes` times over all frames."""
    cdef MarketFeed feed
    cdef OrderEntry entry
    cdef Frames frames
    cdef uint64_t renewed           # the first order number that has not been given back yet
    cdef nx_symbol** symbols        # the cells in use: a walk over all would leave the caches with the empty ones
    cdef Py_ssize_t symbol_count

    def __init__(self, MarketFeed feed, Frames frames):
        self.feed = feed
        self.entry = feed.entry
        self.frames = frames
        self.find_symbols()

    def __dealloc__(self):
        free(self.symbols)

    cdef int find_symbols(self) except -1:
        cdef nx_symbol* cell = self.feed.symbols.table.cells
        cdef nx_symbol* end = cell + self.feed.symbols.table.mask + 1
        self.symbols = <nx_symbol**>calloc(len(self.feed.symbols), sizeof(nx_symbol*))
        if self.symbols == NULL:
            raise MemoryError()
        while cell < end:
            if cell.length:
                self.symbols[self.symbol_count] = cell
                self.symbol_count += 1
            cell += 1
        return 0

    cdef int renew(self) except -1:
        """As if none of it had happened: update ids may begin anew, and the journal has room for all the frames' orders."""
        cdef OrderEntry entry = self.entry
        cdef uint8_t* cursor = <uint8_t*>entry.journal.cursor
        cdef uint64_t number
        cdef Py_ssize_t i
        for i in range(self.symbol_count):
            self.symbols[i].update_id = 0
            self.symbols[i].matched_ns = 0
        if <uint8_t*>entry.journal.end - cursor < 256 * self.frames.count:
            entry.journal.cursor = entry.journal_writer.current.records()
        entry.notes_read = entry.notes_written
        for number in range(self.renewed, entry.table.next_number):
            entry.table.slots[number & entry.table.mask].state = NX_STATE_FREE
        self.renewed = entry.table.next_number
        return 0

    cdef int once(self, int level) except -1:
        cdef MarketFeed feed = self.feed
        cdef const char* data = self.frames.blob
        cdef const nx_symbol* symbol
        cdef Py_ssize_t i, size, quotes = 0
        for i in range(self.frames.count):
            size = self.frames.offsets[i + 1] - self.frames.offsets[i]
            if level >= DISPATCH:
                feed.on_payload(data + self.frames.offsets[i], size)
                continue
            quotes += feed.parse(data + self.frames.offsets[i], size, &feed.quote) == NX_PARSE_QUOTE
            if level >= RECORD:
                symbol = feed.find_symbol()
                feed.make_record(symbol, clock_ticks())
            if level >= RING:
                ring_publish(feed.ring, &feed.record)
                latest_write(feed.latest, feed.record.symbol_id, &feed.record)
                memcpy(&self.entry.books[feed.record.symbol_id], &feed.record, sizeof(nx_bookl1))
        return 0

    def check(self):
        """Raises ValueError unless every frame is a quote that reaches the strategies."""
        before = self.feed.quotes
        self.renew()
        self.once(DISPATCH)
        if self.feed.quotes - before != self.frames.count:
            raise ValueError(f"{self.feed.quotes - before} of {self.frames.count} frames were quotes: {self.feed.counters()}")

    def grown(self, int level, size_t address):
        """How much the uint64 at `address` grows in one pass: a count that somebody else keeps."""
        cdef volatile_uint64* counter = <volatile_uint64*>address
        cdef uint64_t before
        self.renew()
        before = counter[0]
        self.once(level)
        return counter[0] - before

    def times(self, int level, int passes):
        """Nanoseconds per frame of each pass."""
        cdef double begun
        cdef int k
        found = []
        before = self.feed.quotes
        for k in range(passes):
            self.renew()
            begun = bench_ns()
            self.once(level)
            found.append((bench_ns() - begun) / self.frames.count)
        if level >= DISPATCH and self.feed.quotes - before != passes * self.frames.count:
            raise ValueError(f"of {passes * self.frames.count} frames {self.feed.quotes - before} came through")
        return found

    def to_send(self, size_t sent_ticks, size_t mark, int passes):
        """Nanoseconds per frame of each pass, from before a frame's first byte is looked at until its order is handed to send(). Without
        what comes after, and without what a processor would do of the next frame meanwhile: it waits before each."""
        cdef MarketFeed feed = self.feed
        cdef const char* data = self.frames.blob
        cdef volatile_uint64* sent = <volatile_uint64*>sent_ticks
        cdef int64_t begun, spent, empty = 1000000
        cdef Py_ssize_t i
        cdef int k
        for k in range(1000):
            BENCH_FENCE()
            begun = clock_ticks()
            BENCH_FENCE()
            BENCH_FENCE()
            empty = min(empty, clock_ticks() - begun)
        found = []
        (<int*>mark)[0] = 1
        for k in range(passes):
            self.renew()
            spent = 0
            for i in range(self.frames.count):
                BENCH_FENCE()
                begun = clock_ticks()
                BENCH_FENCE()
                feed.on_payload(data + self.frames.offsets[i], self.frames.offsets[i + 1] - self.frames.offsets[i])
                spent += <int64_t>sent[0] - begun - empty
            found.append(spent / ticks_per_ns() / self.frames.count)
        (<int*>mark)[0] = 0
        return found

    def count(self, int level, int passes, bytes name):
        """Under callgrind: writes the instructions of `passes` passes under `name`.

        How often the clocks are read again goes by time, and how much time a frame takes there goes by the machine's load:
        they are read before each pass and then not again.
        """
        cdef int k
        for k in range(passes):
            self.renew()
            wall_set(&self.entry.wall)
            self.entry.wall.trusted = self.entry.wall.fresh = <uint64_t>-1
            BENCH_COUNT_BEGIN()
            self.once(level)
            BENCH_COUNT_END(name)


def parse_times(Frames frames, tuple parser, int passes):
    """Nanoseconds per frame of a venue's parser alone, for frames of any form."""
    cdef const char* data = frames.blob
    cdef MarketFeed feed = MarketFeed.__new__(MarketFeed)
    cdef Py_ssize_t i
    cdef double begun
    cdef int k
    feed.parse = parser_row(parser[0], parser[1]).parse
    found = []
    for k in range(passes):
        begun = bench_ns()
        for i in range(frames.count):
            feed.parse(data + frames.offsets[i], frames.offsets[i + 1] - frames.offsets[i], &feed.quote)
        found.append((bench_ns() - begun) / frames.count)
    return found


def call_times(function, list frames, int passes):
    """Nanoseconds per frame of a Python function that is called from C, as a C extension would."""
    cdef double begun
    cdef int k
    found = []
    for k in range(passes):
        begun = bench_ns()
        for frame in frames:
            function(frame)
        found.append((bench_ns() - begun) / len(frames))
    return found


def call_count(function, list frames, bytes name):
    BENCH_COUNT_BEGIN()
    for frame in frames:
        function(frame)
    BENCH_COUNT_END(name)


def parse_count(Frames frames, tuple parser, bytes name):
    cdef const char* data = frames.blob
    cdef MarketFeed feed = MarketFeed.__new__(MarketFeed)
    cdef Py_ssize_t i
    feed.parse = parser_row(parser[0], parser[1]).parse
    BENCH_COUNT_BEGIN()
    for i in range(frames.count):
        feed.parse(data + frames.offsets[i], frames.offsets[i + 1] - frames.offsets[i], &feed.quote)
    BENCH_COUNT_END(name)
