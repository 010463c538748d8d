"""From a strategy's wish to bytes on the socket: slot, gate, journal, template, signature, mask, send. One thread, one pass.

    submit ─▶ slot ─▶ gate ─▶ what is signed ─▶ journal ─▶ request + signature ─▶ channel ─▶ order ring, next id
       └── refused: the slot ends FAILED with a reason, nothing is sent, the strategy hears of it

What the strategy is told (on_pending_order, on_failed_order …) waits in a list until the cold half's turn.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from nexus_fast.core.clock cimport nx_wall
from nexus_fast.core.histogram cimport nx_histogram
from nexus_fast.core.types cimport nx_bookl1, nx_order_event
from nexus_fast.gateway.canvas cimport CANVASES, nx_ahead, nx_canvas
from nexus_fast.gateway.channel cimport nx_channel
from nexus_fast.gateway.request cimport nx_template
from nexus_fast.journal.writer cimport JournalWriter, nx_journal
from nexus_fast.order.deadlines cimport nx_deadlines
from nexus_fast.order.route cimport RouteTable, nx_route
from nexus_fast.order.table cimport OrderTable, nx_order, nx_order_news
from nexus_fast.shm.ring cimport RingWriter, nx_ring

# What is timed between a tick's bytes and an order's bytes. `total` runs from the read of the tick to after the send.
cdef enum:
    STAGE_PARSE = 0
    STAGE_PUBLISH = 1
    STAGE_STRATEGY = 2
    STAGE_GATE = 3
    STAGE_JOURNAL = 4
    STAGE_ENCODE = 5
    STAGE_SEND = 6
    STAGE_TOTAL = 7
    STAGES = 8

cdef enum:
    NOTES = 65536


cdef class Stages:
    """Latency of each stage, in cycle-counter ticks. Recording costs a counter read per stage, so it can be off."""
    cdef public bint enabled
    cdef int64_t mark                       # counter at the end of the last stage
    cdef int64_t tick_started               # counter when the tick under way was read; 0 outside of a dispatch
    cdef nx_histogram histograms[8]

    cdef void lap(self, int stage) noexcept nogil
    cdef void begin(self, int64_t ticks) noexcept nogil


cdef class OrderEntry:
    cdef readonly OrderTable table
    cdef readonly RouteTable routes
    cdef readonly Stages stages
    cdef readonly JournalWriter journal_writer
    cdef RingWriter ring_writer
    cdef nx_journal* journal
    cdef nx_ring* ring
    cdef nx_bookl1* books                   # last book by symbol id; update_id and times 0 before the first
    cdef uint32_t symbols
    cdef int64_t now_ns                     # CLOCK_REALTIME of the dispatch under way; 0 outside of one
    cdef nx_wall wall                       # the time of this thread, told from the CPU's counter
    cdef uint64_t event_number
    cdef public bint halted                 # nothing is sent but cancels
    cdef uint8_t gates[256]                 # by account: why nothing is sent but cancels (nx_reason); 0: open
    cdef uint8_t strategy_gates[256]        # by strategy: as gates
    cdef public int64_t deadline_ns         # how long an answer may take before silence becomes doubt; the same for all
    cdef nx_deadlines deadlines             # of the requests under way
    # Orders with news for the strategies, waiting for the cold half: number << 8 | state.
    cdef uint64_t notes[65536]
    cdef uint64_t notes_written
    cdef uint64_t notes_read
    # account -> [(order number, kind, request text)]: REST requests that wait for a free connection, oldest first.
    cdef readonly dict postponed
    cdef object wake                        # called once when the first note is written
    cdef bint woken
    cdef readonly int64_t sent
    cdef readonly int64_t refused

    # Order number > 0 when sent or in doubt; refused: the negative of its reason, with the order's number in refused_number, 0
    # where it has none: side, type, time in force, flags, symbol or client id are none that there are, or the table is full.
    cdef int64_t submit(self, uint32_t symbol_id, uint8_t account, uint8_t side, uint8_t type, uint8_t time_in_force,
                        uint8_t flags, int64_t price, int64_t quantity, uint8_t strategy,
                        const char* client_id, uint8_t client_id_length) noexcept nogil
    cdef uint64_t refused_number
    cdef nx_canvas canvases[CANVASES]       # by template
    cdef nx_canvas* canvas                  # with the request that is being made
    cdef nx_order_event intent              # what the journal has of it, for the order ring once the request is out
    cdef nx_ahead ahead[256]                # by account: the head of the next order's signature
    cdef uint64_t rehearsal_mask
    cdef char rehearsal[2048]               # a masked payload, never sent
    # 0, or a negative reason; of NULL too. The order's state changes when the venue answers.
    cdef int cancel(self, nx_order* order) noexcept nogil
    cdef int modify(self, nx_order* order, int64_t price, int64_t quantity) noexcept nogil
    # As submit, for a LIMIT order at the book's price, without slot, journal and send.
    cdef int rehearse(self, const nx_bookl1* book) noexcept nogil
    # An event of the venue: into the table, and where it changes anything into journal and ring; the actions.
    cdef int happened(self, nx_order* order, uint8_t event, const nx_order_news* news) noexcept nogil
    cdef int journal_event(self, nx_order* order, uint8_t event, const nx_order_news* news, nx_order_event* entry) noexcept nogil
    # The steps of submit behind the gate. begin: a channel (NULL: none is up) and what is signed; complete: the rest, and out.
    cdef nx_channel* begin(self, const nx_route* route, const nx_template* template, const nx_order* order,
                           int* status) noexcept nogil
    cdef int complete(self, nx_channel* channel, const nx_order* order, uint8_t kind, bint timed) noexcept nogil
    cdef void prepare(self, const nx_template* template, uint8_t account) noexcept nogil
    cdef int record(self, nx_order* order, uint8_t event, const nx_order_news* news) noexcept nogil
    cdef void await_answer(self, nx_order* order) noexcept nogil
    cdef void note(self, uint64_t number, uint8_t state) noexcept nogil
    cdef uint8_t closed_by(self, uint8_t account, uint8_t strategy) noexcept nogil
    cdef int64_t refuse_unnumbered(self, uint8_t reason) noexcept nogil
    cdef int refuse(self, nx_order* order, uint8_t reason) noexcept nogil
    cdef nx_channel* channel_of(self, const nx_route* route) noexcept nogil
    cdef nx_channel* begin_with(self, const nx_route* route, const nx_template* template, const nx_order* order, int64_t price,
                                int64_t quantity, const nx_ahead* ahead, int* status) noexcept nogil
    cdef int request(self, const nx_route* route, const nx_template* template, nx_order* order,
                     int64_t price, int64_t quantity, uint8_t kind) noexcept nogil
    cdef int postpone(self, const nx_order* order, uint8_t kind, const char* text, int size) noexcept with gil
