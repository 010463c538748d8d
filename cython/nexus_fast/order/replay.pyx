# seam: names, keys and differences are kept in Python; this runs at start and in tools.
"""Order events come out of a journal and meet an empty table. What each record says of its order is compared, byte for byte, with
what the table says after the same event: a change of the rules, of the journal or of either's code is seen at the record where
it first matters.

Where records are missing (hole()), what follows is believed: a record says how its order was after the event."""

import time

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from nexus_fast.core.types cimport nx_order_event
from nexus_fast.journal.writer cimport *
from nexus_fast.order.states cimport *
from nexus_fast.order.table cimport OrderTable, nx_order, nx_order_news, strnlen

from nexus_fast.order.past import Past
from nexus_fast.order.states import EVENTS, STATES

# Slots of a table whose session's first record is missing: as many as an engine's has.
cdef enum:
    RECORD = 256
    SLOTS = 65536
    NAMED = 10000                           # orders that are missing and are named
    MANY = 100                              # differences that are described; the others follow from these


cdef class Replay:
    def __init__(self):
        self.symbols, self.accounts, self.strategies = {}, {}, {}
        self.keys, self.trades, self.waiting, self.key_of = {}, {}, {}, {}
        self.told_sums, self.heard, self.notes_told = {}, {}, True
        self.outside = {}
        self.left_out, self.differences, self.carried, self.noted_keys = [], [], set(), set()
        self.missing, self.told, self.named = {}, None, True
        self.text = b""

    def read(self, const unsigned char[::1] records not None):
        """Whole records, one after the other, as they stand in the files of one epoch."""
        cdef Py_ssize_t place
        for place in range(0, records.shape[0] - RECORD + 1, RECORD):
            self.take(<const nx_order_event*>&records[place])

    def hole(self):
        """Records are missing here. An order whose key was named last may have been among them: its key is held."""
        self.holes += 1
        self.text = None
        if self.table is None:
            self.table, self.named = OrderTable(1, "000", SLOTS), False
        for oid, key in self.waiting.items():
            self.keys[key] = [oid, 0, "UNKNOWN", time.time_ns()]

    def taken_over(self):
        """Whether all that earlier sessions left is in this one's records."""
        return self.begun and (self.told == (self.orders, self.fills, self.key_count) or not (self.told or self.holes))

    def fate(self, client_id):
        """(state, when in ns, filled) of an order that began before this session or whose first record is missing; None when no
        record names it."""
        cdef nx_order* order = NULL
        if self.table is not None:
            order = self.table.by_number(self.table.named.get(client_id.encode(), 0))
        return None if order == NULL else (STATES[order.state], order.changed_ns, order.filled)

    def open_orders(self):
        """Numbers of the orders that were not over at the journal's end, oldest first."""
        cdef uint64_t i
        if self.table is None:
            return []
        found = [self.table.slots[i].number for i in range(self.table.mask + 1) if state_is_live(self.table.slots[i].state)]
        return sorted(found)

    def left_orders(self):
        """Numbers of the orders that the next session takes over, oldest first: those that were not over, and those of which not
        every fill was told, or not every fee of a fill that was."""
        cdef uint64_t i
        if self.table is None:
            return []
        found = []
        for i in range(self.table.mask + 1):
            if state_is_live(self.table.slots[i].state) or self.is_untold(&self.table.slots[i]):
                found.append(self.table.slots[i].number)
        return sorted(found)

    cdef bint is_untold(self, const nx_order* order) except -1:
        if not self.notes_told or not order.number or not order.filled:
            return False
        return order.filled > self.told_sums.get(order.number, 0) or not all(self.heard.get(order.number, {}).values())

    def past(self, uint64_t number):
        """The order's fills, as far as the journal knows them."""
        cdef nx_order* order = self.table.by_number(number)
        trades = self.trades.get(number, {})
        if not self.notes_told:
            return Past(trades, 0 if order == NULL else order.filled, dict.fromkeys(trades, True))
        return Past(trades, self.told_sums.get(number, 0), self.heard.get(number, {}))

    def past_outside(self, client_id):
        """As past, of an order of left_out."""
        return self.outside.get(client_id, Past())

    def names(self, uint64_t number):
        """What the order's symbol, account and strategy are called; None where the journal does not say."""
        cdef nx_order* order = self.table.by_number(number)
        if order == NULL:
            raise KeyError(f"order number {number} is not in the table of this journal")
        return self.symbols.get(order.symbol_id), self.accounts.get(order.account), self.strategies.get(order.strategy)

    def client_id(self, uint64_t number):
        cdef nx_order* order = self.table.by_number(number)
        if order == NULL:
            raise KeyError(f"order number {number} is not in the table of this journal")
        return order.client_id[:order.client_id_length].decode()

    def record(self, uint64_t number):
        """The order as a journal's record that stands for all that was before: what Ledger.carry takes."""
        cdef nx_order* order = self.table.by_number(number)
        cdef nx_order_event event
        if order == NULL:
            raise KeyError(f"order number {number} is not in the table of this journal")
        self.table.describe(order, NX_JOURNAL_ORDER, &event)
        event.venue_time_ns = order.created_ns
        return (<char*>&event)[:RECORD]

    def held_keys(self):
        """{idempotency key: (client id, state when over or "", when in ns)} of the keys that are not free again."""
        return {key: (oid, state, at) for key, (oid, _, state, at) in self.keys.items()}

    cdef int take(self, const nx_order_event* event) except -1:
        self.records += 1
        if event.kind < NX_EVENTS:
            return self.take_event(event)
        if event.kind == NX_JOURNAL_ORDER:
            return self.take_order(event)
        return self.take_note(event)

    cdef int take_event(self, const nx_order_event* event) except -1:
        cdef nx_order* order = self.table.by_number(event.order_number) if self.table is not None else NULL
        cdef nx_order_news news
        cdef bint closed
        if order == NULL:
            if self.table is not None and self.holes and event.order_number:
                order = self.found_again(event)
            elif self.table is None or event.kind not in (NX_EVENT_INTENT, NX_EVENT_REFUSED) or not event.order_number:
                return self.differ(event.number, f"{EVENTS[event.kind]} of order {event.order_number}, which is not in the table")
            else:
                order = self.begin(event)
        closed = state_is_closed(order.state)
        memset(&news, 0, sizeof(news))
        news.filled = event.filled
        news.price, news.quantity = event.price, event.quantity
        news.venue_id = event.venue_id
        news.venue_id_length = strnlen(event.venue_id, sizeof(event.venue_id))
        self.table.change(order, event.kind, &news)
        order.changed_ns = event.time_ns
        if event.kind == NX_EVENT_REFUSED:
            order.reason = event.reason
        if self.holes and not self.same(event, order):
            self.believe(event, order)
        if event.trade_id >= 0:
            self.trades.setdefault(order.number, {})[event.trade_id] = (event.last_price, event.last_quantity)
        if state_is_closed(order.state) and not closed:
            self.note_end(order)
        return self.compare(event, order)

    cdef nx_order* begin(self, const nx_order_event* event) except NULL:
        """The slot of an order's first event, with what its sender had decided."""
        cdef nx_order* order = self.place(event.order_number)
        memcpy(order.client_id, event.client_id, sizeof(order.client_id))
        order.client_id_length = strnlen(event.client_id, sizeof(event.client_id))
        order.price, order.quantity = event.price, event.quantity
        order.created_ns = event.time_ns
        order.symbol_id, order.account, order.strategy = event.symbol_id, event.account, event.strategy
        order.side, order.type, order.time_in_force, order.flags = event.side, event.type, event.time_in_force, event.flags
        order.price_scale, order.size_scale = event.price_scale, event.size_scale
        self.give_key(order)
        return order

    cdef int give_key(self, nx_order* order) except -1:
        """The key that was journalled before the order, if there was one."""
        oid = order.client_id[:order.client_id_length].decode()
        key = self.waiting.pop(oid, None)
        if key is not None:
            self.hold(key, oid, order.number)
            order.keyed = 1
        return 0

    cdef nx_order* place(self, uint64_t number) except NULL:
        """The number's slot, emptied. After a hole numbers may be missing before it, and the slot's order may be one whose end is:
        it is over, as no slot is given away before."""
        cdef uint64_t newest = self.table.newest(), missing
        cdef nx_order* last = &self.table.slots[number & self.table.mask]
        cdef nx_order* order
        cdef char text[17]
        if self.holes:
            for missing in range(newest + 1, min(number, newest + NAMED)):
                self.table.write_id(missing, text)
                self.missing[missing] = text[:17].decode() if self.named else f"number {missing}"
            self.missing.pop(number, None)
            if state_is_live(last.state):
                last.state = NX_STATE_CANCELED
                self.note_end(last)
        self.let_go(last.number)
        order = self.table.place(number)
        self.table.next_number = max(number, newest) + 1
        return order

    cdef nx_order* found_again(self, const nx_order_event* event) except NULL:
        """An order that is not in the table: its first record may be missing."""
        cdef nx_order* order = self.begin(event)
        self.table.named[order.client_id[:order.client_id_length]] = order.number
        return order

    cdef int believe(self, const nx_order_event* event, nx_order* order) except -1:
        cdef int64_t created_ns = order.created_ns
        self.table.restore(order, event)
        order.created_ns = created_ns
        return 0

    cdef int take_order(self, const nx_order_event* event) except -1:
        cdef nx_order* order
        cdef bint closed
        if not self.begun:
            self.orders += 1
            self.carried.add(event.client_id[:strnlen(event.client_id, sizeof(event.client_id))].decode())
        if not event.order_number or self.table is None:
            raw = (<const char*>event)[:RECORD]
            self.left_out.append((raw, self.symbols.get(event.symbol_id), self.accounts.get(event.account)))
            return 0
        order = self.table.by_number(event.order_number)
        if order == NULL:
            order = self.place(event.order_number)
        closed = state_is_closed(order.state)
        self.table.restore(order, event)
        self.table.named[order.client_id[:order.client_id_length]] = order.number
        self.give_key(order)
        if state_is_closed(order.state) and not closed:     # its end found no room in the journal
            self.note_end(order)
        return self.compare(event, order)

    cdef int compare(self, const nx_order_event* event, const nx_order* order) except -1:
        if not self.same(event, order):
            kind = EVENTS[event.kind] if event.kind < NX_EVENTS else "ORDER"
            return self.differ(event.number, f"{kind} of order {event.order_number}: the journal says "
                               f"{STATES[event.state] if event.state < NX_STATES else event.state}, filled {event.filled}; the "
                               f"replay has {STATES[order.state]}, filled {order.filled}")
        return 0

    cdef bint same(self, const nx_order_event* event, const nx_order* order) noexcept:
        cdef nx_order_event expected
        self.table.describe(order, event.kind, &expected)
        expected.sequence, expected.checksum, expected.number = event.sequence, event.checksum, event.number
        expected.last_price, expected.last_quantity = event.last_price, event.last_quantity
        expected.trade_id, expected.venue_time_ns = event.trade_id, event.venue_time_ns
        memcpy(expected.spare, event.spare, sizeof(expected.spare))
        return not memcmp(&expected, event, sizeof(expected))

    def differ(self, number, text):
        if len(self.differences) < MANY:
            self.differences.append(f"event {number}: {text}")
        return 0

    cdef int note_end(self, const nx_order* order) except -1:
        """An idempotency key whose order failed, with nothing executed, is free again."""
        if not self.is_untold(order):
            self.trades.pop(order.number, None)
        key = self.key_of.pop(order.number, None) if order.keyed else None
        if key is not None and self.keys.get(key, (None, 0))[1] == order.number:
            if order.state == NX_STATE_FAILED and not order.filled:
                del self.keys[key]
            else:
                self.keys[key][1:] = [0, STATES[order.state], order.changed_ns]
        return 0

    def hold(self, key, oid, number):
        self.keys[key] = [oid, number, "", 0]
        self.key_of[number] = key

    cdef int let_go(self, uint64_t number) except -1:
        self.trades.pop(number, None)
        self.told_sums.pop(number, None)
        self.heard.pop(number, None)
        return 0

    cdef int take_outside(self, const nx_order_event* event) except -1:
        name = event.client_id[:strnlen(event.client_id, sizeof(event.client_id))].decode()
        past = self.outside.get(name, Past())
        if event.kind == NX_JOURNAL_TRADE:
            self.fills += 1
            self.outside[name] = Past({**past.trades, event.trade_id: (event.price, event.quantity)}, past.told, past.heard)
        else:
            heard = {event.trade_id: bool(event.flags)} if event.trade_id >= 0 else {}
            self.outside[name] = Past(past.trades, event.filled, {**past.heard, **heard})
        return 0

    cdef int take_told(self, const nx_order_event* event) except -1:
        """A trade whose own record is missing is worth what the sum grew by."""
        cdef nx_order* order = self.table.by_number(event.order_number) if self.table is not None else NULL
        number, before = event.order_number, self.told_sums.get(event.order_number, 0)
        if order == NULL:
            return 0                                        # told when its slot was in use by a later one
        self.told_sums[number] = max(before, event.filled)
        if event.trade_id >= 0:
            heard = self.heard.setdefault(number, {})
            heard[event.trade_id] = heard.get(event.trade_id, False) or bool(event.flags)
            if event.filled > before:
                self.trades.setdefault(number, {}).setdefault(event.trade_id, (0, event.filled - before))
        elif event.flags:
            self.heard[number] = dict.fromkeys(self.heard.get(number, {}), True)
        if state_is_closed(order.state) and not self.is_untold(order):
            self.trades.pop(number, None)
        return 0

    cdef int take_note(self, const nx_order_event* event) except -1:
        cdef Py_ssize_t part = min(event.last_quantity - event.last_price, <int64_t>sizeof(event.spare))
        if event.last_price == 0:
            self.text = b""
        if self.text is None or event.last_price != len(self.text):
            return 0                                        # a text whose beginning is missing
        self.text += (<const char*>event.spare)[:part] if part > 0 else b""
        if len(self.text) < event.last_quantity:
            return 0
        text = self.text.decode("utf-8", "replace")
        if event.kind == NX_JOURNAL_SESSION:
            self.table, self.notes_told = OrderTable(event.price, text, event.quantity), event.filled != 0
        elif event.kind == NX_JOURNAL_SYMBOL:
            self.symbols[event.symbol_id] = text
        elif event.kind == NX_JOURNAL_ACCOUNT:
            self.accounts[event.account] = text
        elif event.kind == NX_JOURNAL_STRATEGY:
            self.strategies[event.strategy] = text
        elif event.kind in (NX_JOURNAL_TRADE, NX_JOURNAL_TOLD) and not event.order_number:
            self.take_outside(event)
        elif event.kind == NX_JOURNAL_TRADE:
            self.trades.setdefault(event.order_number, {})[event.trade_id] = (event.price, event.quantity)
            self.fills += 1
        elif event.kind == NX_JOURNAL_TOLD:
            self.take_told(event)
        elif event.kind == NX_JOURNAL_KEY:
            self.take_key(text, event.client_id[:strnlen(event.client_id, 40)].decode(), event.state, event.time_ns)
        elif event.kind == NX_JOURNAL_BEGUN:
            self.note_begun(event)
        elif event.kind == NX_JOURNAL_END:
            self.digest, self.refused = text, event.price
        else:
            self.differ(event.number, f"a record of kind {event.kind}, which this version does not know")
        return 0

    cdef int note_begun(self, const nx_order_event* event) except -1:
        self.begun = True
        if event.venue_time_ns:
            self.told, self.keys_since_ns = (event.price, event.filled, event.quantity), event.venue_time_ns
        if self.told and not self.holes and not self.taken_over():
            self.differ(event.number, f"(orders, fills, keys) that the session took over are {self.told}, its records have "
                        f"{(self.orders, self.fills, self.key_count)}")
        return 0

    def take_key(self, key, oid, state, at):
        cdef nx_order* order = NULL
        self.noted_keys.add(key)
        if not self.begun:
            self.key_count += 1
        if state:
            self.keys[key] = [oid, 0, STATES[state], at]
            return
        if self.table is not None:
            order = self.table.by_number(self.table.named.get(oid.encode(), 0))
        if order == NULL and oid in self.carried:
            self.keys[key] = [oid, 0, "", 0]                # of an order that this session left out
        elif order == NULL and self.holes and not self.begun:
            self.keys[key] = [oid, 0, "", 0]                # of an order of an earlier session, whose record is missing
            self.waiting[oid] = key
        elif order == NULL or state_is_closed(order.state):
            self.waiting[oid] = key
        else:
            order.keyed = 1                 # carried over: it stands in the table already
            self.hold(key, oid, order.number)
