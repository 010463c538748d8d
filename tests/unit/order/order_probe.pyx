# The hot half of the orders as Python calls, for tests. Compiled by conftest.py against the package.
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from nexus_fast.core.types cimport NX_FLAG_NO_ASK, NX_FLAG_NO_BID, NX_FLAG_PASSED, NX_FLAG_STALE, nx_bookl1
from nexus_fast.gateway.channel cimport Channel, nx_channel
from nexus_fast.order.entry cimport OrderEntry
from nexus_fast.order.gate cimport ANY_AGE, gate_check, limits_set_notional, nx_limits
from nexus_fast.order.table cimport OrderTable, nx_order
from nexus_fast.strategy.base cimport Strategy

from nexus_fast.order.states import ACTIONS, EVENTS, STATES

STALE, PASSED, NO_BID, NO_ASK = NX_FLAG_STALE, NX_FLAG_PASSED, NX_FLAG_NO_BID, NX_FLAG_NO_ASK


cdef class Orders:
    cdef public OrderTable table

    def __init__(self, session_ms=1_700_000_000_000, identity="abc", capacity=8):
        self.table = OrderTable(session_ms, identity, capacity)

    def take(self, int64_t quantity=0):
        """The number of a new order, 0 when there is no room. It is PENDING as an order that was sent."""
        cdef nx_order* order = self.table.take()
        if order == NULL:
            return 0
        order.quantity = quantity
        self.apply(order.number, "INTENT")
        return order.number

    def apply(self, uint64_t number, str event, int64_t filled=-1):
        cdef nx_order* order = self.table.by_number(number)
        bits = self.table.apply(order, EVENTS.index(event), filled)
        return frozenset(name for name, bit in ACTIONS.items() if bits & bit)

    def known(self, uint64_t number):
        return self.table.by_number(number) != NULL

    def state(self, uint64_t number):
        return STATES[self.table.by_number(number).state]

    def filled(self, uint64_t number):
        return self.table.by_number(number).filled

    def client_id(self, uint64_t number):
        cdef nx_order* order = self.table.by_number(number)
        return order.client_id[:order.client_id_length].decode()

    def find(self, bytes text):
        cdef nx_order* order = self.table.by_client_id(text, len(text))
        return 0 if order == NULL else order.number

    def skip_to(self, uint64_t number):
        self.table.next_number = number


def await_answer(OrderEntry entry, uint64_t number):
    """A request about this order was sent; when its answer is due."""
    cdef nx_order* order = entry.table.by_number(number)
    entry.await_answer(order)
    return order.deadline_ns


cdef set_notional(nx_limits* limits, bint risk, value):
    unsigned = int(value) & ((1 << 128) - 1)
    if risk:
        limits_set_notional(&limits.risk_maximum_notional, unsigned >> 64, unsigned & 0xFFFFFFFFFFFFFFFF)
    else:
        limits_set_notional(&limits.minimum_notional, unsigned >> 64, unsigned & 0xFFFFFFFFFFFFFFFF)


def gate(limits, book, int is_sell, int is_market, int64_t price, int64_t quantity, int reduces=0, int64_t now_ns=0):
    """limits: a dict of nx_limits' fields. book: None or (bid, ask, flags), with the time of its receipt where that counts."""
    cdef nx_limits rules
    cdef nx_bookl1 quote
    memset(&rules, 0, sizeof(rules))
    memset(&quote, 0, sizeof(quote))
    rules.tick = limits.get("tick", 0)
    rules.minimum_price = limits.get("minimum_price", 0)
    rules.maximum_price = limits.get("maximum_price", 0)
    rules.lot = limits.get("lot", 0)
    rules.minimum_quantity = limits.get("minimum_quantity", 0)
    rules.maximum_quantity = limits.get("maximum_quantity", 0)
    rules.market_lot = limits.get("market_lot", 0)
    rules.market_minimum_quantity = limits.get("market_minimum_quantity", 0)
    rules.market_maximum_quantity = limits.get("market_maximum_quantity", 0)
    rules.risk_maximum_quantity = limits.get("risk_maximum_quantity", 0)
    rules.risk_distance_ppm = limits.get("risk_distance_ppm", 0)
    rules.fresh_ns = limits.get("fresh_ns", ANY_AGE)
    set_notional(&rules, False, limits.get("minimum_notional", 0))
    set_notional(&rules, True, limits.get("risk_maximum_notional", 0))
    if book is None:
        return gate_check(&rules, NULL, is_sell, is_market, price, quantity, reduces, now_ns)
    quote.bid, quote.ask, quote.flags = book[:3]
    quote.receive_time_ns = book[3] if len(book) > 3 else 0
    return gate_check(&rules, &quote, is_sell, is_market, price, quantity, reduces, now_ns)


cdef Py_ssize_t nothing_queued = 0


def connect(Channel channel, int descriptor):
    """The channel sends to this descriptor."""
    cdef nx_channel* c = channel.handle()
    c.descriptor = descriptor
    c.plain = 1
    c.ready = 1
    c.backlog = &nothing_queued


cdef class Sender(Strategy):
    """What a strategy in Cython can call, with any arguments that the types allow."""

    def send(self, uint32_t symbol_id, uint8_t side, uint8_t type, int64_t price, int64_t quantity, uint8_t time_in_force=0,
             uint8_t flags=0):
        return self.send_order(symbol_id, side, type, price, quantity, time_in_force, flags)

    def submit(self, uint32_t symbol_id, uint8_t account, bytes client_id=None, uint8_t length=0):
        cdef const char* text = NULL if client_id is None else <const char*>client_id
        return self.entry.submit(symbol_id, account, 0, 1, 0, 0, 100, 100, self.index, text, length)

    def cancel(self, uint64_t number):
        return self.send_cancel(number)

    def knows(self, uint64_t number):
        return self.order(number) != NULL

    def cancel_nothing(self):
        return self.entry.cancel(NULL)

    def modify_nothing(self, int64_t price, int64_t quantity):
        return self.entry.modify(NULL, price, quantity)

    def modify(self, uint64_t number, int64_t price, int64_t quantity):
        return self.entry.modify(self.entry.table.by_number(number), price, quantity)
