# seam: what is not a plain acknowledgement goes to Python.
from libc.string cimport memcmp, memset

from nexus_fast.order.states cimport NX_ACT_NOTIFY, NX_EVENT_ACCEPTED, NX_STATE_CANCELING, NX_STATE_FAILED, NX_STATE_UNKNOWN, state_is_closed
from nexus_fast.order.table cimport nx_order, nx_order_news
from nexus_fast.wire.binance_orders cimport nx_order_message, parse_accepted, parse_new


cdef class DeferredMessages:
    def __init__(self):
        self.waiting = []
        self.head = 0

    cdef int add(self, CommandFeed feed, bytes payload) except -1:
        self.waiting.append((feed, payload))
        return 0

    cdef int run_one(self) except -1:
        """Handle the oldest; 0 when none waits."""
        cdef CommandFeed feed
        if self.head == len(self.waiting):
            return 0
        feed, payload = self.waiting[self.head]
        self.waiting[self.head] = None
        self.head += 1
        if self.head == len(self.waiting):
            self.waiting.clear()
            self.head = 0
        feed.handle(payload)
        return 1

    def run_all(self):
        while self.run_one():
            pass

    def __len__(self):
        return self.count()


cdef class CommandFeed(PayloadHandler):
    """`on_message(payload)`; what it raises goes to `on_error(payload, exception)` and no further. With `deferred`, messages wait
    there for a quiet moment."""

    def __init__(self, on_message, on_error, DeferredMessages deferred=None):
        self.on_message = on_message
        self.on_error = on_error
        self.deferred = deferred

    cdef int on_payload(self, const char* data, Py_ssize_t size) except -1:
        if self.deferred is None or not (self.deferred.active or self.deferred.count()):
            return self.handle(data[:size])
        return self.deferred.add(self, data[:size])

    cdef int handle(self, bytes payload) except -1:
        try:
            self.on_message(payload)
        except Exception as error:
            self.on_error(payload, error)
        return 0


cdef bint apply_accepted(OrderEntry entry, nx_order* order, const nx_order_message* message) noexcept nogil:
    cdef nx_order_news news
    if order == NULL or state_is_closed(order.state) or message.venue_id_length >= sizeof(order.venue_id):
        return False
    if order.client_id_length != message.client_id_length or memcmp(order.client_id, message.client_id, message.client_id_length):
        return False
    if order.venue_id_length and (
            order.venue_id_length != message.venue_id_length or memcmp(order.venue_id, message.venue_id, message.venue_id_length)):
        return False
    if order.state != NX_STATE_CANCELING:
        order.deadline_ns = 0
    memset(&news, 0, sizeof(news))
    news.filled = news.trade_id = -1
    news.venue_id = message.venue_id
    news.venue_id_length = message.venue_id_length
    if entry.happened(order, NX_EVENT_ACCEPTED, &news) & NX_ACT_NOTIFY:
        entry.note(order.number, order.state)
    return True


cdef class OrderFeed(CommandFeed):
    """A connection that carries an account's answers or order events."""

    def __init__(self, OrderEntry entry, on_message, on_error, DeferredMessages deferred=None):
        CommandFeed.__init__(self, on_message, on_error, deferred)
        self.entry = entry

    cdef int on_payload(self, const char* data, Py_ssize_t size) except -1:
        if self.on_accepted(data, size):
            self.accepted += 1
            return 0
        if self.is_repeated(data, size):
            self.repeated += 1
            return 0
        return CommandFeed.on_payload(self, data, size)

    cdef bint on_accepted(self, const char* data, Py_ssize_t size) noexcept nogil:
        """Apply a plain yes to an order of the engine's own numbering. Anything unusual is left to Python."""
        cdef nx_order_message message
        if not parse_accepted(data, size, &message):
            return False
        return apply_accepted(self.entry, self.entry.table.by_client_id(message.client_id, message.client_id_length), &message)

    cdef bint is_repeated(self, const char* data, Py_ssize_t size) noexcept nogil:
        """A NEW event of an order that is known to be accepted, or is over. One that was held to have failed is news."""
        cdef nx_order_message message
        cdef nx_order* order
        if not parse_new(data, size, &message):
            return False
        order = self.entry.table.by_client_id(message.client_id, message.client_id_length)
        return order != NULL and NX_STATE_UNKNOWN < order.state < NX_STATE_FAILED
