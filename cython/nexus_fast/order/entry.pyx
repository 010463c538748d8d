from libc.string cimport memcmp, memcpy, memset

from nexus_fast.core.clock cimport clock_realtime_ns, clock_ticks, wall_monotonic_ns
from nexus_fast.core.histogram cimport histogram_record
from nexus_fast.core.book cimport bookl1_from_record
from nexus_fast.core.memory cimport memory_give_back, memory_take
from nexus_fast.core.types cimport (
    NX_BUY,
    NX_FLAG_STALE,
    NX_GTC,
    NX_LIMIT,
    NX_MARKET,
    NX_ORDER_REDUCE_ONLY,
)
from nexus_fast.gateway.canvas cimport canvas_ahead, canvas_begin, canvas_end, canvas_has_head, canvas_of
from nexus_fast.gateway.channel cimport CHANNEL_HEADROOM, NX_SEND_DOUBT, NX_SEND_DOWN, channel_send
from nexus_fast.gateway.frame cimport next_mask, ws_frame
from nexus_fast.gateway.request cimport MOST_ID_LENGTH, OWN_ID_LENGTH, nx_order_request
from nexus_fast.journal.writer cimport journal_append
from nexus_fast.order.budget cimport budgets_give_back, budgets_take
from nexus_fast.order.deadlines cimport deadlines_add, nx_deadline
from nexus_fast.order.gate cimport ANY_AGE, gate_check
from nexus_fast.order.reasons cimport *
from nexus_fast.order.route cimport NO_ACCOUNT, prefetch, route_has_shape, route_shape, route_soon
from nexus_fast.order.states cimport *
from nexus_fast.order.table cimport CLIENT_ID_LENGTH
from nexus_fast.shm.ring cimport ring_publish

from nexus_fast.core.clock import ticks_per_ns
from nexus_fast.core.histogram cimport Histogram

from nexus_fast.order.states import STATES

STAGE_NAMES = ("parse", "publish", "strategy", "gate", "journal", "encode", "send", "total")


cdef class Stages:
    cdef void begin(self, int64_t ticks) noexcept nogil:
        self.tick_started = ticks
        self.mark = ticks

    cdef void lap(self, int stage) noexcept nogil:
        cdef int64_t now = clock_ticks()
        histogram_record(&self.histograms[stage], now - self.mark)
        self.mark = now

    def clear(self):
        memset(self.histograms, 0, sizeof(self.histograms))

    def summary(self):
        """{stage: {n, p50, p90, p99, p999, max}} in nanoseconds."""
        cdef Histogram copy = Histogram()
        cdef int stage
        found = {}
        scale = ticks_per_ns()
        for stage in range(STAGES):
            memcpy(&copy.data, &self.histograms[stage], sizeof(nx_histogram))
            found[STAGE_NAMES[stage]] = copy.summary(scale)
        return found


cdef class OrderEntry:
    """`wake` is called once when news is waiting for `take_notes`; it must only schedule, never work."""

    def __cinit__(self, OrderTable table, RouteTable routes, JournalWriter journal, RingWriter ring, uint32_t symbols, wake):
        self.table = table
        self.routes = routes
        self.stages = Stages()
        self.journal_writer = journal
        self.journal = journal.handle()
        self.ring_writer = ring
        self.ring = ring.handle()
        self.symbols = symbols
        self.books = <nx_bookl1*>memory_take(symbols * sizeof(nx_bookl1))
        if self.books == NULL:
            raise MemoryError(f"no memory for the books of {symbols} symbols")
        self.wake = wake
        self.postponed = {}
        self.rehearsal_mask = 1
        self.deadline_ns = 5_000_000_000
        # Of every order that the table holds one, and room for cancels and modifications of orders that rest.
        self.deadlines.mask = 2 * table.capacity - 1
        self.deadlines.queue = <nx_deadline*>memory_take((self.deadlines.mask + 1) * sizeof(nx_deadline))
        if self.deadlines.queue == NULL:
            raise MemoryError(f"no memory for the deadlines of {table.capacity} orders")

    def __dealloc__(self):
        memory_give_back(self.deadlines.queue, (self.deadlines.mask + 1) * sizeof(nx_deadline))
        memory_give_back(self.books, self.symbols * sizeof(nx_bookl1))

    cdef int64_t submit(self, uint32_t symbol_id, uint8_t account, uint8_t side, uint8_t type, uint8_t time_in_force,
                        uint8_t flags, int64_t price, int64_t quantity, uint8_t strategy,
                        const char* client_id, uint8_t client_id_length) noexcept nogil:
        cdef nx_route* route
        cdef nx_order* order
        cdef const nx_template* template
        cdef nx_channel* channel
        cdef int status, shape, begun = 0
        cdef bint timed = self.stages.enabled and self.stages.tick_started
        if timed:
            self.stages.lap(STAGE_STRATEGY)
        if not route_has_shape(side, type, time_in_force, flags):
            return self.refuse_unnumbered(NX_REASON_NO_SUCH_ORDER)
        if symbol_id >= self.symbols:
            return self.refuse_unnumbered(NX_REASON_SYMBOL_UNKNOWN)
        if client_id_length and (client_id == NULL or client_id_length > MOST_ID_LENGTH):
            return self.refuse_unnumbered(NX_REASON_ENCODING)
        if account == NO_ACCOUNT:
            account = self.routes.default_account[symbol_id]
        shape = route_shape(side, type, time_in_force, flags)
        route = self.routes.of_symbol(symbol_id, account)
        if route != NULL:
            route_soon(route, shape)
        order = self.table.take()
        if order == NULL:
            return self.refuse_unnumbered(NX_REASON_TABLE_FULL)
        if client_id_length:
            memset(order.client_id, 0, sizeof(order.client_id))
            memcpy(order.client_id, client_id, client_id_length)
            order.client_id_length = client_id_length
            order.named = 1
        order.symbol_id = symbol_id
        order.side = side
        order.type = type
        order.time_in_force = time_in_force
        order.flags = flags
        order.strategy = strategy
        order.price = 0 if type == NX_MARKET else price
        order.quantity = quantity
        order.created_ns = self.now_ns if self.now_ns else clock_realtime_ns()
        order.changed_ns = order.created_ns
        if route == NULL:
            return self.refuse(order, NX_REASON_NO_ROUTE)
        order.account = account
        order.price_scale = route.price_scale
        order.size_scale = route.size_scale
        template = route.place[shape]
        if self.halted or self.gates[account] or self.strategy_gates[strategy]:
            return self.refuse(order, self.closed_by(account, strategy))
        if template == NULL:
            return self.refuse(order, NX_REASON_NO_SUCH_ORDER)
        if not route.trading:
            return self.refuse(order, NX_REASON_NOT_TRADING)
        status = gate_check(&route.limits, &self.books[symbol_id] if self.books[symbol_id].receive_time_ns else NULL,
                            side, type == NX_MARKET, order.price, quantity, flags, order.created_ns)
        if status:
            return self.refuse(order, status)
        if not budgets_take(route.place_budgets, order.created_ns + route.channels[0].clock_offset_ms * 1000000, flags):
            return self.refuse(order, NX_REASON_ORDER_BUDGET)
        if timed:
            self.stages.lap(STAGE_GATE)
        channel = self.begin(route, template, order, &begun)
        order.state = NX_STATE_PENDING
        if self.journal_event(order, NX_EVENT_INTENT, NULL, &self.intent):
            order.state = NX_STATE_FREE
            budgets_give_back(route.place_budgets)
            return self.refuse(order, NX_REASON_JOURNAL_FULL)
        if timed:
            self.stages.lap(STAGE_JOURNAL)
        status = begun if begun else self.complete(channel, order, NX_EVENT_INTENT, timed)
        ring_publish(self.ring, &self.intent)
        if status and status != -NX_REASON_SEND:
            budgets_give_back(route.place_budgets)
            return self.refuse(order, -status)
        if timed:
            self.stages.lap(STAGE_SEND)
            histogram_record(&self.stages.histograms[STAGE_TOTAL], self.stages.mark - self.stages.tick_started)
        self.await_answer(order)
        self.sent += 1
        self.note(order.number, NX_STATE_PENDING)
        self.prepare(template, account)
        return order.number

    cdef nx_channel* channel_of(self, const nx_route* route) noexcept nogil:
        """The first channel that can take a request now, else the first that is up; NULL when all are down."""
        cdef nx_channel* channel
        cdef nx_channel* busy = NULL
        cdef int i
        for i in range(route.channel_count):
            channel = route.channels[i]
            if channel.ready:
                if not channel.in_flight:
                    return channel
                if busy == NULL:
                    busy = channel
        return busy

    cdef nx_channel* begin(self, const nx_route* route, const nx_template* template, const nx_order* order,
                           int* status) noexcept nogil:
        return self.begin_with(route, template, order, order.price, order.quantity, &self.ahead[order.account], status)

    cdef nx_channel* begin_with(self, const nx_route* route, const nx_template* template, const nx_order* order, int64_t price,
                                int64_t quantity, const nx_ahead* ahead, int* status) noexcept nogil:
        """Chooses the channel and begins the request's signature; *status: 0, or the negative reason why it cannot go out."""
        cdef nx_channel* channel = self.channel_of(route)
        cdef nx_order_request fields
        status[0] = 0
        if channel == NULL:
            status[0] = -NX_REASON_NOT_CONNECTED
            return NULL
        fields.price = price
        fields.quantity = quantity
        fields.timestamp_ms = (self.now_ns if self.now_ns else clock_realtime_ns()) // 1000000 + channel.clock_offset_ms
        fields.request_number = order.number
        fields.client_id = order.client_id
        fields.client_id_length = order.client_id_length
        fields.side = order.side
        fields.type = order.type
        fields.time_in_force = order.time_in_force
        fields.flags = order.flags
        if not self.table.is_own_id(order):
            ahead = NULL
        self.canvas = canvas_of(self.canvases, template)
        if canvas_begin(template, &fields, ahead, self.canvas) < 0:
            status[0] = -NX_REASON_ENCODING
        return channel

    cdef int complete(self, nx_channel* channel, const nx_order* order, uint8_t kind, bint timed) noexcept nogil:
        """0 when the bytes are out, or the negative reason: nothing left; -NX_REASON_SEND: something may have left."""
        # What was sent before from this canvas or the channel's buffer is with the kernel or in the transport's own queue.
        cdef int size = canvas_end(self.canvas)
        cdef int status
        if timed:
            self.stages.lap(STAGE_ENCODE)
        if not channel.framed:
            if channel.in_flight:
                return self.postpone(order, kind, self.canvas.text, size)
            channel.in_flight = 1
            channel.request_number = order.number
            channel.request_kind = kind
        status = channel_send(channel, self.canvas.text, size)
        if status == NX_SEND_DOWN:
            return -NX_REASON_NOT_CONNECTED
        if status == NX_SEND_DOUBT:
            return -NX_REASON_SEND
        return 0

    cdef int request(self, const nx_route* route, const nx_template* template, nx_order* order,
                     int64_t price, int64_t quantity, uint8_t kind) noexcept nogil:
        """All of a cancel's or a modification's request; the status of complete."""
        cdef int status = 0
        cdef nx_channel* channel = self.begin_with(route, template, order, price, quantity, NULL, &status)
        return status if status else self.complete(channel, order, kind, False)

    cdef void prepare(self, const nx_template* template, uint8_t account) noexcept nogil:
        """After a send: what the next order's signature begins with, for the account that has just sent one."""
        cdef uint64_t number = self.table.next_free() if canvas_has_head(template) else 0
        cdef char client_id[OWN_ID_LENGTH]
        if number:
            self.table.write_id(number, client_id)
            canvas_ahead(template, client_id, number, &self.ahead[account])

    cdef int postpone(self, const nx_order* order, uint8_t kind, const char* text, int size) noexcept with gil:
        # seam
        """Every REST connection of the account waits for a response: the request goes out with the next one that is free."""
        try:
            self.postponed.setdefault(order.account, []).append((order.number, kind, text[:size]))
        except MemoryError:
            return -NX_REASON_ENCODING
        return 0

    cdef int rehearse(self, const nx_bookl1* book) noexcept nogil:
        cdef uint8_t account = self.routes.default_account[book.symbol_id]
        cdef nx_route* route
        cdef nx_order_request fields
        cdef const nx_template* template
        cdef nx_canvas* canvas
        cdef char* start
        cdef int size
        if account == NO_ACCOUNT:
            return 0
        route = self.routes.find(book.symbol_id, account)
        template = route.place[route_shape(NX_BUY, NX_LIMIT, NX_GTC, 0)] if route != NULL else NULL
        if template == NULL:
            return 0
        gate_check(&route.limits, &self.books[book.symbol_id], 0, 0, book.ask, route.limits.minimum_quantity, 0,
                   book.receive_time_ns)
        fields.price = book.ask
        fields.quantity = max(route.limits.minimum_quantity, 1)
        fields.timestamp_ms = clock_realtime_ns() // 1000000
        fields.request_number = 1
        fields.client_id = self.table.unused_id
        fields.client_id_length = CLIENT_ID_LENGTH
        fields.side = NX_BUY
        fields.type = NX_LIMIT
        fields.time_in_force = NX_GTC
        fields.flags = 0
        canvas = canvas_of(self.canvases, template)
        if canvas_begin(template, &fields, NULL, canvas) < 0:
            return 0
        size = canvas_end(canvas)
        if route.channels[0].framed:
            ws_frame(canvas.text, size, next_mask(&self.rehearsal_mask), self.rehearsal + CHANNEL_HEADROOM, &start)
        prefetch(&self.table.slots[self.table.next_number & self.table.mask])
        return size

    cdef int cancel(self, nx_order* order) noexcept nogil:
        cdef nx_route* route = self.routes.find(order.symbol_id, order.account) if order != NULL else NULL
        cdef bint repeated
        cdef int status
        if route == NULL or route.cancel == NULL:
            return -NX_REASON_NO_ROUTE
        repeated = order.state == NX_STATE_CANCELING
        order.changed_ns = self.now_ns if self.now_ns else clock_realtime_ns()
        self.table.apply(order, NX_EVENT_CANCEL_INTENT, -1)
        self.record(order, NX_EVENT_CANCEL_INTENT, NULL)
        status = self.request(route, route.cancel, order, 0, 0, NX_EVENT_CANCEL_INTENT)
        self.await_answer(order)
        if not repeated:
            self.note(order.number, NX_STATE_CANCELING)
        return status

    cdef int modify(self, nx_order* order, int64_t price, int64_t quantity) noexcept nogil:
        cdef nx_route* route = self.routes.find(order.symbol_id, order.account) if order != NULL else NULL
        cdef nx_order_news wanted
        cdef int64_t now_ns = self.now_ns if self.now_ns else clock_realtime_ns()
        cdef int status
        if route == NULL:
            return -NX_REASON_NO_ROUTE
        if self.halted or self.gates[order.account] or self.strategy_gates[order.strategy]:
            return -<int>self.closed_by(order.account, order.strategy)
        if state_is_closed(order.state):
            return -NX_REASON_ORDER_OVER
        if route.modify[order.side] == NULL or order.type == NX_MARKET:
            return -NX_REASON_NO_MODIFICATION
        if not route.trading:
            return -NX_REASON_NOT_TRADING
        status = gate_check(&route.limits, &self.books[order.symbol_id] if self.books[order.symbol_id].receive_time_ns else NULL,
                            order.side, 0, price, quantity, order.flags & NX_ORDER_REDUCE_ONLY, now_ns)
        if status:
            return -status
        if not budgets_take(route.modify_budgets, now_ns + route.channels[0].clock_offset_ms * 1000000,
                            order.flags & NX_ORDER_REDUCE_ONLY):
            return -NX_REASON_ORDER_BUDGET
        memset(&wanted, 0, sizeof(wanted))
        wanted.last_price = price                # what is asked for; the order is what it was until the venue agrees
        wanted.last_quantity = quantity
        wanted.trade_id = -1
        order.changed_ns = now_ns
        if self.record(order, NX_EVENT_MODIFY_INTENT, &wanted):
            budgets_give_back(route.modify_budgets)
            return -NX_REASON_JOURNAL_FULL
        status = self.request(route, route.modify[order.side], order, price, quantity, NX_EVENT_MODIFY_INTENT)
        if status and status != -NX_REASON_SEND:
            budgets_give_back(route.modify_budgets)
            return status
        order.modifying = 1                      # after -NX_REASON_SEND, too: it may have left
        self.await_answer(order)
        return 0

    cdef uint8_t closed_by(self, uint8_t account, uint8_t strategy) noexcept nogil:
        """The reason of the gate that is closed; of the wider one when several are."""
        if self.halted:
            return NX_REASON_HALTED
        return self.gates[account] if self.gates[account] else self.strategy_gates[strategy]

    cdef int64_t refuse_unnumbered(self, uint8_t reason) noexcept nogil:
        """What is no order, or has no place in the table: only its sender hears of it."""
        self.refused_number = 0
        self.refused += 1
        return -<int64_t>reason

    cdef int refuse(self, nx_order* order, uint8_t reason) noexcept nogil:
        self.table.apply(order, NX_EVENT_REFUSED, -1)
        order.reason = reason
        self.refused_number = order.number
        self.refused += 1
        self.record(order, NX_EVENT_REFUSED, NULL)
        self.note(order.number, NX_STATE_FAILED)
        return -<int>reason

    cdef int happened(self, nx_order* order, uint8_t event, const nx_order_news* news) noexcept nogil:
        cdef nx_order before = order[0]
        cdef int actions = self.table.change(order, event, news)
        before.deadline_ns = order.deadline_ns
        if actions or news.text_length or memcmp(&before, order, sizeof(before)):
            order.changed_ns = clock_realtime_ns()
            self.record(order, event, news)
        return actions

    cdef int record(self, nx_order* order, uint8_t event, const nx_order_news* news) noexcept nogil:
        """Into the journal and the order ring. -1 when the journal has no room: an intent is then not published. What a venue did
        is not undone by a full disk: the ring and the strategy hear of it, and the journal gets the order as it stands once
        there is room (Ledger.catch_up)."""
        cdef nx_order_event entry
        cdef int status = self.journal_event(order, event, news, &entry)
        if status == 0 or (event != NX_EVENT_INTENT and event != NX_EVENT_MODIFY_INTENT):
            ring_publish(self.ring, &entry)
        return status

    cdef int journal_event(self, nx_order* order, uint8_t event, const nx_order_news* news, nx_order_event* entry) noexcept nogil:
        cdef int status
        self.table.describe(order, event, entry)
        self.event_number += 1
        entry.number = self.event_number
        if news != NULL:
            entry.last_price = news.last_price
            entry.last_quantity = news.last_quantity
            entry.trade_id = news.trade_id
            entry.venue_time_ns = news.venue_time_ns
            if news.text_length:
                memcpy(entry.spare, news.text, min(<size_t>news.text_length, sizeof(entry.spare)))
        status = journal_append(self.journal, entry)
        if status and event != NX_EVENT_INTENT and event != NX_EVENT_MODIFY_INTENT:
            order.unwritten = 1
        return status

    cdef void await_answer(self, nx_order* order) noexcept nogil:
        order.deadline_ns = wall_monotonic_ns(&self.wall, clock_ticks()) + self.deadline_ns
        deadlines_add(&self.deadlines, order.number, order.deadline_ns)

    cdef void note(self, uint64_t number, uint8_t state) noexcept nogil:
        if self.notes_written - self.notes_read < NOTES:
            self.notes[self.notes_written & (NOTES - 1)] = number << 8 | state
            self.notes_written += 1
        if not self.woken:
            with gil:
                self.woken = True
                self.wake()

    def book(self, uint32_t symbol_id, exchange, str symbol, int64_t fresh_ns=ANY_AGE):
        """The last quote of a symbol as a BookL1, stale when it is older than fresh_ns; None before the first."""
        cdef nx_bookl1 copy
        if symbol_id >= self.symbols or not self.books[symbol_id].receive_time_ns:
            return None
        copy = self.books[symbol_id]
        if clock_realtime_ns() - copy.receive_time_ns > fresh_ns:
            copy.flags |= NX_FLAG_STALE
        return bookl1_from_record(&copy, exchange, symbol)

    def close_gate(self, uint8_t account, uint8_t reason):
        """Nothing of this account is sent but cancels; new orders are refused with this reason. 0 opens it again."""
        self.gates[account] = reason

    def close_strategy(self, uint8_t strategy, uint8_t reason):
        """Nothing of this strategy is sent but cancels."""
        self.strategy_gates[strategy] = reason

    def mark_stale(self, uint32_t symbol_id):
        """The book can no longer be trusted: its connection is down, or its stream is silent. The next quote makes it fresh."""
        if symbol_id < self.symbols:
            self.books[symbol_id].flags |= NX_FLAG_STALE

    def take_notes(self):
        """(order number, its strategy, state that it entered) of what has happened since the last call, oldest first."""
        cdef uint64_t note
        cdef nx_order* order
        self.woken = False
        found = []
        while self.notes_read < self.notes_written:
            note = self.notes[self.notes_read & (NOTES - 1)]
            self.notes_read += 1
            order = self.table.by_number(note >> 8)
            if order != NULL:
                found.append((order.number, order.strategy, STATES[note & 0xFF]))
        return found

    def noted(self):
        """The numbers of the orders that take_notes will name; nothing is taken."""
        cdef uint64_t at
        return [self.notes[at & (NOTES - 1)] >> 8 for at in range(self.notes_read, self.notes_written)]
