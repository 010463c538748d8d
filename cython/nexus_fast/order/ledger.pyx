# seam: venue events, decoded in Python, meet the order table; every change goes to the journal and the order ring first.
"""The cold half's hand on the orders: find, apply an event, look."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from nexus_fast.core.clock cimport clock_monotonic_ns, clock_realtime_ns
from nexus_fast.core.types cimport nx_order_event
from nexus_fast.journal.writer cimport *
from nexus_fast.order.deadlines cimport deadlines_add, nx_deadline, nx_deadlines
from nexus_fast.order.entry cimport OrderEntry
from nexus_fast.order.states cimport state_is_closed, state_is_live
from nexus_fast.order.table cimport nx_order, nx_order_news

from nexus_fast.journal.error import JournalError
from nexus_fast.order.states import EVENTS, STATES

EVENT_CODES = {name: code for code, name in enumerate(EVENTS)}
NAMES = {"symbol": NX_JOURNAL_SYMBOL, "account": NX_JOURNAL_ACCOUNT, "strategy": NX_JOURNAL_STRATEGY}
# What this session has no number for is numbered from the top.
cdef uint32_t LAST_SYMBOL = 0xFFFFFFFF
cdef uint8_t LAST_ACCOUNT = 254
# How many of the last orders are looked at for one by the venue's id.
cdef uint64_t RECENT = 4096


cdef class Ledger:
    """Orders by number. An order's fields are good until its slot is reused; the cold half copies what it keeps."""

    cdef readonly OrderEntry entry
    cdef uint64_t oldest                     # every order before this number is over
    cdef set named                           # (kind, number) of the names that stand in the journal
    cdef dict outside                        # name -> its number from the top
    cdef uint64_t refused                    # appends without room that have been caught up with
    cdef uint64_t orders, fills, keys        # taken over from earlier sessions
    cdef list late                           # records of what was told that found no room

    def __init__(self, OrderEntry entry):
        self.entry = entry
        self.oldest = 1
        self.named, self.outside, self.late = set(), {}, []

    def find(self, str client_id):
        """The number of the order with this client id, or 0."""
        cdef bytes text = client_id.encode()
        cdef nx_order* order = self.entry.table.by_client_id(text, len(text))
        if order == NULL:
            order = self.entry.table.by_number(self.entry.table.named.get(text, 0))
        return 0 if order == NULL else order.number

    def is_ours(self, str client_id):
        """Made in this session, whether the order is still known or not."""
        cdef char text[17]
        self.entry.table.write_id(0, text)
        return client_id.encode()[:11] == text[:11]

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
            "size_scale": order.size_scale, "modifying": bool(order.modifying),
        }

    def state(self, uint64_t number):
        return STATES[self.at(number).state]

    def closed(self, uint64_t number):
        return state_is_closed(self.at(number).state)

    def apply(self, uint64_t number, str event, int64_t filled=-1, str venue_id="", int64_t last_price=0,
              int64_t last_quantity=0, int64_t trade_id=-1, int64_t venue_time_ns=0, int64_t price=0, int64_t quantity=0, str said=""):
        """Apply a venue's event. `filled` is the cumulative quantity (mantissa), -1 when the event does not say; price and
        quantity: of the order after a modification; said: the venue's words of a refusal. Returns (state before, state after, action bits); see
        nexus_fast.order.states.ACTIONS."""
        cdef nx_order* order = self.at(number)
        cdef uint8_t before = order.state
        cdef nx_order_news news
        cdef bytes text = venue_id.encode()[:39], words = cut(said)
        cdef int actions
        news.filled, news.price, news.quantity = filled, price, quantity
        news.last_price, news.last_quantity, news.trade_id, news.venue_time_ns = last_price, last_quantity, trade_id, venue_time_ns
        news.venue_id, news.venue_id_length = text, len(text)
        news.text, news.text_length = words, len(words)
        actions = self.entry.happened(order, EVENT_CODES[event], &news)
        if state_is_closed(before) and not state_is_closed(order.state):
            self.oldest = min(self.oldest, number)
        return STATES[before], STATES[order.state], actions

    def answered(self, uint64_t number):
        """The venue has answered the request that was awaited."""
        self.at(number).deadline_ns = 0

    def overdue(self, int64_t now_ns=0):
        """Numbers of the orders whose answer should have come by now (CLOCK_MONOTONIC, 0: this moment); each is named once per
        deadline."""
        cdef nx_deadlines* waiting = &self.entry.deadlines
        cdef int64_t now = now_ns or clock_monotonic_ns()
        cdef nx_deadline* first
        cdef nx_order* order
        if waiting.overrun:
            self.collect_deadlines()
        found = []
        while waiting.read != waiting.written:
            first = &waiting.queue[waiting.read & waiting.mask]
            order = self.entry.table.by_number(first.number)
            if order != NULL and order.deadline_ns == first.at_ns and state_is_live(order.state):
                if first.at_ns >= now:
                    break
                order.deadline_ns = 0
                found.append(order.number)
            waiting.read += 1
        return found

    cdef collect_deadlines(self):
        """Anew, from the orders: there is room for as many as can live."""
        cdef nx_deadlines* waiting = &self.entry.deadlines
        waiting.read = waiting.written = waiting.overrun = 0
        for at_ns, number in sorted((self.at(number).deadline_ns, number) for number in self.live()):
            if at_ns:
                deadlines_add(waiting, number, at_ns)

    def live(self, symbol_id=None, account=None, strategy=None):
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
                    account is None or order.account == account) and (strategy is None or order.strategy == strategy):
                found.append(order.number)
        return sorted(found) if wrapped else found

    def by_venue_id(self, uint8_t account, str venue_id):
        """The number of the account's order with this id of the venue's, of those that are live and the last RECENT; -1 where it
        may be one that the venue has not named yet, 0 where it is nobody's here."""
        cdef bytes text = venue_id.encode()
        cdef uint64_t last = self.entry.table.next_number
        cdef uint64_t first = min(self.oldest_live(), last - min(last, RECENT))
        cdef uint64_t number
        cdef nx_order* order
        cdef int64_t found = 0
        if last - first > self.entry.table.mask:        # as in live()
            first, last = 0, self.entry.table.mask + 1
        for number in range(first, last):
            order = &self.entry.table.slots[number & self.entry.table.mask]
            if not order.number or order.account != account:
                continue
            if order.venue_id_length == len(text) and not memcmp(order.venue_id, <const char*>text, len(text)):
                return order.number
            if state_is_live(order.state) and not order.venue_id_length:
                found = -1
        return found

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

    def refuse(self, uint64_t number, uint8_t reason):
        """The order was journalled and never sent: it ends, with this reason."""
        self.entry.refuse(self.at(number), reason)

    def forget_name(self, str client_id):
        """A client id that is not made from its order's number leads to nothing from now on."""
        self.entry.table.named.pop(client_id.encode(), None)

    # ------------------------------------------------------------------------------------------ what the journal has besides events

    def begin_session(self, int64_t session_ms, str identity):
        cdef nx_order_event event = note(NX_JOURNAL_SESSION)
        event.price, event.quantity, event.filled = session_ms, self.entry.table.mask + 1, 1
        self.write(&event, identity)

    def name(self, str kind, uint32_t number, str text):
        """Journal what a number of this session stands for, once; kind: "symbol", "account" or "strategy"."""
        cdef nx_order_event event = note(NAMES[kind])
        if (kind, number) in self.named:
            return
        self.named.add((kind, number))
        if kind == "symbol":
            event.symbol_id = number
        elif kind == "account":
            event.account = number
        else:
            event.strategy = number
        self.write(&event, text)

    def key(self, str key, str client_id):
        """Journal an idempotency key before its order. False when the journal has no room: the order must not be sent."""
        cdef nx_order_event event = key_note(client_id)
        return self.append(&event, key)

    def carry_key(self, str key, str client_id, str state, int64_t time_ns):
        """A key of an earlier session. state: "" while its order is not over; the order's end, at time_ns; or "UNKNOWN", where
        nobody knows what became of it."""
        cdef nx_order_event event = key_note(client_id)
        if state:
            event.state, event.time_ns = STATES.index(state), time_ns
        self.write(&event, key)
        self.keys += 1

    def next_client_id(self):
        """The id that the next order gets if it has no client_oid; "" when every slot holds a live order."""
        cdef uint64_t number = self.entry.table.next_free()
        cdef char text[17]
        if not number:
            return ""
        self.entry.table.write_id(number, text)
        return text[:17].decode()

    def told(self, uint64_t number, int64_t trade_id, int64_t told, bint with_fee):
        """A strategy's callbacks for a fill have returned. trade_id: -1 where it has none; told: the sum of the order's fills that
        were told, with it. Without room it is written with what catch_up() writes."""
        cdef nx_order_event event = note(NX_JOURNAL_TOLD)
        cdef nx_order* order = self.entry.table.by_number(number)
        event.order_number, event.trade_id, event.filled, event.flags = number, trade_id, told, with_fee
        if order != NULL:
            memcpy(event.client_id, order.client_id, sizeof(event.client_id))
            event.symbol_id, event.size_scale = order.symbol_id, order.size_scale
        if self.late or not self.append(&event, None):
            self.late.append((<char*>&event)[:sizeof(event)])

    def carry(self, const unsigned char[::1] record, object past, uint32_t symbol_id, uint8_t account, uint8_t strategy):
        """An order of an earlier session (Replay.record) goes on as one of this, with its fills so far (past, as
        nexus_fast.order.past.Past); its number here."""
        cdef nx_order* order = self.entry.table.take()
        cdef nx_order_event event
        if order == NULL:
            raise JournalError(f"{self.entry.table.mask + 1} orders of the last session were not over: no slot is left for more")
        memcpy(&event, &record[0], sizeof(event))
        event.order_number = order.number
        event.symbol_id, event.account, event.strategy = symbol_id, account, strategy
        self.entry.table.restore(order, &event)
        self.write(&event, None)
        self.carry_fills(&event, past)
        self.orders += 1
        self.entry.table.named[order.client_id[:order.client_id_length]] = order.number
        return order.number

    cdef carry_fills(self, const nx_order_event* order, object past):
        """order: the record of the order that they are of."""
        cdef nx_order_event event
        for trade_id, (price, quantity) in past.trades.items():
            event = note_about(NX_JOURNAL_TRADE, order)
            event.trade_id, event.price, event.quantity = trade_id, price, quantity
            self.write(&event, None)
        self.fills += len(past.trades)
        for trade_id, with_fee in past.heard.items() if past.heard or not past.told else [(-1, False)]:
            event = note_about(NX_JOURNAL_TOLD, order)
            event.trade_id, event.filled, event.flags = trade_id, past.told, with_fee
            self.write(&event, None)

    def leave_out(self, const unsigned char[::1] record, object past, str symbol, str account):
        """An order that this session cannot ask about stays in the journal with its fills so far, for one that can."""
        cdef nx_order_event event
        memcpy(&event, &record[0], sizeof(event))
        event.order_number = 0
        event.symbol_id = LAST_SYMBOL - <uint32_t>self.outside.setdefault(symbol, len(self.outside))
        event.account = LAST_ACCOUNT - <uint32_t>self.outside.setdefault(account, len(self.outside)) % 64
        self.name("symbol", event.symbol_id, symbol)
        self.name("account", event.account, account)
        self.write(&event, None)
        self.carry_fills(&event, past)
        self.orders += 1

    def begun(self, int64_t keys_since_ns):
        """What earlier sessions left stands in this session's journal, all of it, and there is room for what comes now. Keys of
        orders that ended before keys_since_ns were not taken over."""
        cdef nx_order_event event = note(NX_JOURNAL_BEGUN)
        event.price, event.filled, event.quantity = self.orders, self.fills, self.keys
        event.venue_time_ns = keys_since_ns
        self.write(&event, None)
        self.make_room()

    def end_session(self):
        """A clean end: the digest of the table, which a replay of this journal has to have too. JournalError when there is no
        room for it even now."""
        cdef nx_order_event event = note(NX_JOURNAL_END)
        self.write_down(True)
        event.price = self.entry.journal.refused
        self.write(&event, digest(self.entry.table.dump()))

    def catch_up(self):
        """Orders whose last events found no room in the journal, written as they stand now; how many there were. Without room
        for all of them the next call goes on."""
        return self.write_down(False)

    cdef write_down(self, bint make_room):
        cdef uint64_t i
        cdef nx_order* order
        cdef nx_order_event event
        count = 0
        if self.entry.journal.refused == self.refused:
            return 0
        for i in range(self.entry.table.mask + 1):
            order = &self.entry.table.slots[i]
            if order.unwritten:
                self.entry.table.describe(order, NX_JOURNAL_ORDER, &event)
                event.venue_time_ns = order.created_ns
                if make_room:
                    self.write(&event, None)
                elif not self.append(&event, None):
                    return count
                self.entry.table.restore(order, &event)
                order.unwritten = 0
                count += 1
        if not self.write_late(make_room):
            return count
        self.refused = self.entry.journal.refused
        return count

    cdef bint write_late(self, bint make_room) except -1:
        """Whether all of it found room."""
        cdef nx_order_event event
        while self.late:
            memcpy(&event, <const char*>self.late[0], sizeof(event))
            if make_room:
                self.write(&event, None)
            elif not self.append(&event, None):
                return False
            del self.late[0]
        return True

    cdef write(self, nx_order_event* event, text):
        """At start and at the end, when nothing waits: makes room where there is none, or raises JournalError."""
        if not self.append(event, text, True):
            state = self.entry.journal_writer.state()
            raise JournalError(f"the journal has no room for what has to stand in it ({state['state']}, in {state['file']}): free "
                               "disk space and start again")

    cdef make_room(self):
        """Let go of the full file, begin the next, make it ready."""
        for _ in range(4):
            self.entry.journal_writer.turn(1 << 40)

    cdef bint append(self, nx_order_event* event, text, bint make_room=False) except -1:
        """The record, or as many as its text needs; False when there was no room for all of them."""
        cdef bytes raw = b"" if text is None else text.encode()
        cdef Py_ssize_t place = 0, part
        while True:
            self.entry.event_number += 1
            event.number = self.entry.event_number
            if text is not None:
                part = min(len(raw) - place, <Py_ssize_t>sizeof(event.spare))
                memset(event.spare, 0, sizeof(event.spare))
                memcpy(event.spare, <const char*>raw + place, part)
                event.last_price, event.last_quantity = place, len(raw)
                place += part
            if make_room and self.entry.journal.cursor == self.entry.journal.end and self.entry.journal.next == NULL:
                self.make_room()
            if journal_append(self.entry.journal, event):
                return False
            if place >= len(raw):
                return True

    cdef nx_order* at(self, uint64_t number) except NULL:
        cdef nx_order* order = self.entry.table.by_number(number)
        if order == NULL:
            raise KeyError(f"order number {number} is not in the table any more")
        return order


cdef bytes cut(str text):
    """What a record holds of a text, in UTF-8: whole characters."""
    return text.encode("utf-8", "replace")[:64].decode("utf-8", "ignore").encode()


cdef nx_order_event note(uint8_t kind):
    """A record that is no order's event, empty."""
    cdef nx_order_event event
    memset(&event, 0, sizeof(event))
    event.kind = kind
    event.trade_id = -1
    event.time_ns = clock_realtime_ns()
    return event


cdef nx_order_event note_about(uint8_t kind, const nx_order_event* order):
    """A record about an order, that of an order's record."""
    cdef nx_order_event event = note(kind)
    event.order_number, event.symbol_id, event.size_scale = order.order_number, order.symbol_id, order.size_scale
    event.price_scale = order.price_scale
    memcpy(event.client_id, order.client_id, sizeof(event.client_id))
    return event


cdef nx_order_event key_note(str client_id):
    cdef nx_order_event event = note(NX_JOURNAL_KEY)
    cdef bytes text = client_id.encode()[:39]
    memcpy(event.client_id, <const char*>text, len(text))
    return event


def digest(bytes table):
    """Of OrderTable.dump(), in hex."""
    import xxhash

    return xxhash.xxh3_128_hexdigest(table)
