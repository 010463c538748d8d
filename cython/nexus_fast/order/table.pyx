from libc.string cimport memcmp, memcpy, memset

from nexus_fast.core.memory cimport memory_give_back, memory_take
from nexus_fast.order.states cimport (
    NX_ACT_CONFLICT,
    NX_ACT_NOTIFY_CANCEL_FAILED,
    NX_ACT_NOTIFY_FILL,
    NX_ACT_QUERY,
    NX_EVENT_ACCEPTED,
    NX_EVENT_CANCEL_REJECTED,
    NX_EVENT_FILL,
    NX_EVENT_FILLED,
    NX_EVENT_MODIFIED,
    NX_EVENT_MODIFY_REJECTED,
    NX_STATE_ACCEPTED,
    NX_STATE_CANCELING,
    NX_STATE_PARTIALLY_FILLED,
    NX_STATE_UNKNOWN,
    order_transition,
    state_is_closed,
    state_is_live,
)


cdef enum:
    NUMBERS = (1 << 30) - 1             # what the digits of a client id can say

cdef const char* DIGITS = b"0123456789abcdefghijklmnopqrstuvwxyz"


def base36(int64_t value, int digits):
    """`value` in base 36, with leading zeros."""
    text = ""
    for _ in range(digits):
        text = chr(DIGITS[value % 36]) + text
        value //= 36
    return text


cdef void write_number(uint64_t number, char* out) noexcept nogil:
    """The low 30 bits as CLIENT_ID_DIGITS digits of base 32."""
    cdef int i
    for i in range(CLIENT_ID_DIGITS):
        out[i] = DIGITS[(number >> (5 * (CLIENT_ID_DIGITS - 1 - i))) & 31]


cdef inline void narrow_fields(nx_order_event* out, const nx_order* order, uint8_t kind) noexcept nogil:
    """In whole words: who copies a record reads words, and a load of one that was stored in pieces a moment ago waits until all
    of them are in the cache."""
    cdef uint64_t symbol = order.symbol_id
    cdef uint64_t what = (<uint64_t>kind | <uint64_t>order.state << 8 | <uint64_t>order.side << 16 | <uint64_t>order.type << 24
                          | <uint64_t>order.time_in_force << 32 | <uint64_t>order.flags << 40
                          | <uint64_t>order.account << 48 | <uint64_t>order.reason << 56)
    cdef uint64_t scales = <uint64_t>order.price_scale | <uint64_t>order.size_scale << 8 | <uint64_t>order.strategy << 16
    memcpy(&out.symbol_id, &symbol, 8)      # and checksum, which is the journal's
    memcpy(&out.kind, &what, 8)
    memcpy(&out.price_scale, &scales, 8)


cdef class OrderTable:
    """`capacity` slots (a power of two). `session_ms` and `identity` make the prefix of every client id."""

    def __cinit__(self, int64_t session_ms, str identity, Py_ssize_t capacity=65536):
        if capacity < 2 or capacity & (capacity - 1):
            raise ValueError(f"order table capacity {capacity} is not a power of two")
        if len(identity) != 3 or not identity.isalnum() or not identity.isascii():
            raise ValueError(f"identity {identity!r} must be 3 ASCII letters or digits: it stands in every client id")
        self.slots = <nx_order*>memory_take(capacity * sizeof(nx_order))
        if self.slots == NULL:
            raise MemoryError(f"no memory for {capacity} orders")
        self.mask = capacity - 1
        self.next_number = 1
        self.named = {}
        if not 0 < session_ms < 36**8:
            raise ValueError(f"session_ms={session_ms} is no time in milliseconds since 1970")
        prefix = (base36(session_ms, 8) + identity).encode()
        memcpy(self.prefix, <const char*>prefix, CLIENT_ID_PREFIX)
        # What a rehearsal calls its order: number 0, which no order has.
        self.write_id(0, self.unused_id)

    def __dealloc__(self):
        memory_give_back(self.slots, (self.mask + 1) * sizeof(nx_order))

    cdef uint64_t next_free(self) noexcept nogil:
        cdef uint64_t number = self.next_number
        while state_is_live(self.slots[number & self.mask].state):
            number += 1
            if number - self.next_number > self.mask:
                return 0
        return number

    cdef nx_order* place(self, uint64_t number) noexcept nogil:
        """The slot of this number, emptied. A number grows, and what was in its slot is over."""
        cdef nx_order* order = &self.slots[number & self.mask]
        self.next_number = number + 1
        memset(order, 0, sizeof(nx_order))
        order.number = number
        return order

    cdef nx_order* take(self) noexcept nogil:
        cdef uint64_t number = self.next_free()
        cdef nx_order* order
        if not number:
            return NULL
        order = self.place(number)
        self.write_id(number, order.client_id)
        order.client_id_length = CLIENT_ID_LENGTH
        return order

    cdef void write_id(self, uint64_t number, char* out) noexcept nogil:
        memcpy(out, self.prefix, CLIENT_ID_PREFIX)
        write_number(number, out + CLIENT_ID_PREFIX)

    cdef uint64_t newest(self) noexcept nogil:
        """The number of the last order that was placed; 0 before the first."""
        return self.next_number - 1

    cdef nx_order* by_number(self, uint64_t number) noexcept nogil:
        cdef nx_order* order = &self.slots[number & self.mask]
        return order if number and order.number == number else NULL

    cdef nx_order* by_client_id(self, const char* text, Py_ssize_t length) noexcept nogil:
        cdef uint64_t number = 0
        cdef nx_order* order
        cdef int i
        if length != CLIENT_ID_LENGTH or memcmp(text, self.prefix, CLIENT_ID_PREFIX):
            return NULL
        for i in range(CLIENT_ID_PREFIX, CLIENT_ID_LENGTH):
            if 48 <= text[i] <= 57:
                number = number << 5 | <uint64_t>(text[i] - 48)
            elif 97 <= text[i] <= 118:
                number = number << 5 | <uint64_t>(text[i] - 87)
            else:
                return NULL
        order = &self.slots[number & self.mask]
        return order if order.number and (order.number & NUMBERS) == number else NULL

    cdef int apply(self, nx_order* order, uint8_t event, int64_t filled) noexcept nogil:
        cdef int found, actions
        cdef bint late = state_is_closed(order.state) and filled > order.filled
        if event in (NX_EVENT_ACCEPTED, NX_EVENT_FILL, NX_EVENT_FILLED, NX_EVENT_MODIFIED):
            order.proven = 1
        if filled > order.filled:
            order.filled = filled
        elif event == NX_EVENT_FILL and order.filled > 0 and order.state > NX_STATE_UNKNOWN:
            return 0                       # older than what is known, or a repetition
        if event == NX_EVENT_FILL and order.quantity and order.filled >= order.quantity:
            event = NX_EVENT_FILLED
        found = order_transition(order.state, event, order.filled > 0)
        if event == NX_EVENT_CANCEL_REJECTED and order.state == NX_STATE_CANCELING and not order.proven:
            # That a cancel failed does not say that there is an order: it was sent before the venue spoke of it.
            found = NX_STATE_UNKNOWN | (NX_ACT_NOTIFY_CANCEL_FAILED | NX_ACT_QUERY) << 8
        actions = found >> 8
        if actions & NX_ACT_CONFLICT:
            self.conflicts += 1
            return actions
        if late and not actions:
            actions = NX_ACT_NOTIFY_FILL   # an end that was known, with more executed than was known
        if (found & 0xFF) != order.state:
            order.deadline_ns = 0
        order.state = found & 0xFF
        return actions

    cdef int change(self, nx_order* order, uint8_t event, const nx_order_news* news) noexcept nogil:
        if news.venue_id_length and not order.venue_id_length:
            memcpy(order.venue_id, news.venue_id, news.venue_id_length)
            order.venue_id_length = news.venue_id_length
        if event == NX_EVENT_MODIFIED and news.quantity > 0:
            order.price = news.price
            order.quantity = news.quantity
        if event == NX_EVENT_MODIFIED or event == NX_EVENT_MODIFY_REJECTED:
            order.modifying = 0
        return self.apply(order, event, news.filled)

    cdef void describe(self, const nx_order* order, uint8_t event, nx_order_event* out) noexcept nogil:
        memset(out, 0, sizeof(nx_order_event))
        out.order_number = order.number
        out.time_ns = order.changed_ns
        out.price = order.price
        out.quantity = order.quantity
        out.filled = order.filled
        out.trade_id = -1
        memcpy(out.client_id, order.client_id, 40)
        memcpy(out.venue_id, order.venue_id, 40)
        narrow_fields(out, order, event)

    @property
    def capacity(self):
        return self.mask + 1

    cdef void restore(self, nx_order* order, const nx_order_event* event) noexcept nogil:
        memcpy(order.client_id, event.client_id, sizeof(order.client_id))
        order.named = 1
        order.client_id_length = strnlen(event.client_id, sizeof(event.client_id))
        memcpy(order.venue_id, event.venue_id, sizeof(order.venue_id))
        order.venue_id_length = strnlen(event.venue_id, sizeof(event.venue_id))
        order.price = event.price
        order.quantity = event.quantity
        order.filled = event.filled
        order.created_ns = event.venue_time_ns
        order.changed_ns = event.time_ns
        order.symbol_id = event.symbol_id
        order.state = event.state
        order.side = event.side
        order.type = event.type
        order.time_in_force = event.time_in_force
        order.flags = event.flags
        order.account = event.account
        order.strategy = event.strategy
        order.reason = event.reason
        order.price_scale = event.price_scale
        order.size_scale = event.size_scale
        order.proven = event.filled > 0 or order.venue_id_length > 0 or event.state in (
            NX_STATE_ACCEPTED, NX_STATE_PARTIALLY_FILLED)

    def dump(self):
        """Every order in the table as bytes, by slot: what a replay of the journal has to arrive at."""
        cdef nx_order copy
        cdef uint64_t i
        found = []
        for i in range(self.mask + 1):
            if self.slots[i].number:
                copy = self.slots[i]
                copy.deadline_ns = 0
                copy.unwritten = copy.keyed = copy.named = copy.modifying = 0
                memset(copy.pad, 0, sizeof(copy.pad))
                found.append((<char*>&copy)[:sizeof(nx_order)])
        return b"".join(found)

    @property
    def issued(self):
        """Orders numbered so far."""
        return self.newest()
