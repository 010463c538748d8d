# seam: venue events, decoded in Python, meet the order table; every change goes to the journal and the order ring first.
"""The cold half's hand on the orders: find, apply an event, look."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from nexus_fast.core.clock cimport clock_monotonic_ns, clock_realtime_ns
from nexus_fast.core.types cimport nx_order_event
from nexus_fast.journal.writer cimport journal_append
from nexus_fast.order.entry cimport OrderEntry
from nexus_fast.order.reasons cimport NX_REASON_NONE
from nexus_fast.order.states cimport NX_EVENT_FILL, NX_EVENT_FILLED, NX_EVENT_INTENT, state_is_closed, state_is_live
from nexus_fast.order.table cimport nx_order
from nexus_fast.shm.ring cimport ring_publish

from nexus_fast.order.states import ACTIONS, EVENTS, STATES

EVENT_CODES = {name: code for code, name in enumerate(EVENTS)}


cdef class Ledger:
    """Orders by number. An order's fields are good until its slot is reused; the cold half copies what it keeps."""

    cdef readonly OrderEntry entry
    cdef uint64_t oldest                     # every order before this number is over

    def __init__(self, OrderEntry entry):
        self.entry = entry
        self.oldest = 1

    def find(self, str client_id):
        """The number of the order with this client id, or 0."""
        cdef bytes text = client_id.encode()
        cdef nx_order* order = self.entry.table.by_client_id(text, len(text))
        if order != NULL:
            return order.number
        return self.entry.table.named.get(text, 0)

    def fields(self, uint64_t number):
        """The order as a dict, mantissas and codes as they stand in its slot; KeyError when the slot was reused."""
        cdef nx_order* order = self.at(number)
        return {
            "number": order.number, "client_id": order.client_id[:order.client_id_length].decode(),
            "venue_id": order.venue_id[:order.venue_id_length].decode(), "price": order.price, "quantity": order.quantity,
            "filled": order.filled, "created_ns": order.created_ns, "changed_ns": order.changed_ns,
            "symbol_id": order.symbol_id, "state": STATES[order.state], "side": order.side, "type": order.type,
            "time_in_force": order.time_in_force, "flags": order.flags, "account": order.account,
            "strategy": order.strategy, "reason": order.reason, "price_scale": order.price_scale,
            "size_scale": order.size_scale,
        }

    def state(self, uint64_t number):
        return STATES[self.at(number).state]

    def closed(self, uint64_t number):
        return state_is_closed(self.at(number).state)

    def apply(self, uint64_t number, str event, int64_t filled=-1, str venue_id="", int64_t last_price=0,
              int64_t last_quantity=0, int64_t trade_id=-1, int64_t venue_time_ns=0):
        """Apply a venue's event. `filled` is the cumulative quantity (mantissa), -1 when the event does not say.
        Returns (state before, state after, action bits); see nexus_fast.order.states.ACTIONS."""
        cdef nx_order* order = self.at(number)
        cdef uint8_t code = EVENT_CODES[event]
        cdef uint8_t before = order.state
        cdef int actions
        cdef bytes text
        if venue_id and not order.venue_id_length:
            text = venue_id.encode()[:39]
            memset(order.venue_id, 0, sizeof(order.venue_id))
            memcpy(order.venue_id, <const char*>text, len(text))
            order.venue_id_length = len(text)
        actions = self.entry.table.apply(order, code, filled, clock_realtime_ns())
        if actions or order.state != before:
            self.record(order, code, last_price, last_quantity, trade_id, venue_time_ns)
        if state_is_closed(order.state) and not state_is_closed(before):
            order.deadline_ns = 0
        return STATES[before], STATES[order.state], actions

    def answered(self, uint64_t number):
        """The venue has answered the request that was awaited."""
        self.at(number).deadline_ns = 0

    def await_answer(self, uint64_t number, int64_t deadline_ns):
        """Set the CLOCK_MONOTONIC time after which silence is doubt."""
        self.at(number).deadline_ns = deadline_ns

    def replace(self, uint64_t number, int64_t price, int64_t quantity):
        """Price and quantity after a modification that the venue has confirmed."""
        cdef nx_order* order = self.at(number)
        order.price = price
        order.quantity = quantity

    def overdue(self):
        """Numbers of the orders whose answer should have come by now; each is named once per deadline."""
        cdef int64_t now = clock_monotonic_ns()
        cdef nx_order* order
        found = []
        for number in self.live():
            order = self.at(number)
            if order.deadline_ns and order.deadline_ns < now:
                order.deadline_ns = 0
                found.append(number)
        return found

    def live(self, symbol_id=None, account=None):
        """Numbers of the orders that are, or may be, open at the venue."""
        cdef uint64_t first = self.oldest_live()
        cdef uint64_t last = self.entry.table.next_number
        cdef uint64_t number
        cdef nx_order* order
        cdef bint wrapped = last - first > self.entry.table.mask
        found = []
        if wrapped:                     # an old order rests among many newer ones: look at every slot once
            first, last = 0, self.entry.table.mask + 1
        for number in range(first, last):
            order = &self.entry.table.slots[number & self.entry.table.mask]
            if state_is_live(order.state) and (symbol_id is None or order.symbol_id == symbol_id) and (
                    account is None or order.account == account):
                found.append(order.number)
        return sorted(found) if wrapped else found

    cdef uint64_t oldest_live(self) noexcept nogil:
        """No order with a smaller number is live."""
        cdef nx_order* order
        while self.oldest < self.entry.table.next_number:
            order = self.entry.table.by_number(self.oldest)
            if order != NULL and state_is_live(order.state):
                break
            self.oldest += 1
        return self.oldest

    def cancel(self, uint64_t number):
        """Send a cancel; 0, or the code of the reason why it could not be sent."""
        return -self.entry.cancel(self.at(number))

    def forget_name(self, str client_id):
        """A user's client id is free again."""
        self.entry.table.named.pop(client_id.encode(), None)

    cdef nx_order* at(self, uint64_t number) except NULL:
        cdef nx_order* order = self.entry.table.by_number(number)
        if order == NULL:
            raise KeyError(f"order number {number} is not in the table any more")
        return order

    cdef int record(self, const nx_order* order, uint8_t event, int64_t last_price, int64_t last_quantity, int64_t trade_id,
                    int64_t venue_time_ns) except -1:
        cdef nx_order_event entry
        self.entry.table.describe(order, event, &entry)
        self.entry.event_number += 1
        entry.number = self.entry.event_number
        entry.last_price = last_price
        entry.last_quantity = last_quantity
        entry.trade_id = trade_id
        entry.venue_time_ns = venue_time_ns
        # A journal without room does not undo what the venue did: the ring and the strategy hear of it all the same.
        journal_append(self.entry.journal, &entry)
        ring_publish(self.entry.ring, &entry)
        return 0
