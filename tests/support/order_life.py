"""An engine's order half alone: journal, table, ledger. Orders come as an earlier session's, events as a venue's."""

from nexus_fast.core.types import pack
from nexus_fast.journal.sessions import replay_epoch
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.order.entry import OrderEntry
from nexus_fast.order.ledger import Ledger
from nexus_fast.order.past import Past
from nexus_fast.order.route import RouteTable
from nexus_fast.order.states import STATES
from nexus_fast.order.table import OrderTable
from nexus_fast.shm.ring import RingWriter


class Life:
    """`directory`: of the journal; NEXUS_FAST_SHM says where the ring is."""

    def __init__(self, directory, records=1024, slots=16):
        self.directory = directory
        self.journal = JournalWriter(directory, "s.u", records)
        self.table = OrderTable(1000 + self.journal.epoch, "abc", slots)
        ring = RingWriter(f"replay{directory.name}", "order_event", 64)
        self.ring = ring
        self.ledger = Ledger(OrderEntry(self.table, RouteTable(1, 1), self.journal, ring, 1, lambda: None))
        self.ledger.begin_session(1000 + self.journal.epoch, "abc")
        self.numbers = []

    def carry(self, state="ACCEPTED", filled=0, trades=None, name=None):
        if len(self.ledger.live()) >= 15:
            return
        self.numbers.append(self.place(name or f"old{len(self.numbers)}", state, trades, filled))
        return self.numbers[-1]

    def place(self, name, state="ACCEPTED", trades=None, filled=0):
        record = pack("order_event", kind=36, state=STATES.index(state), client_id=name, price=100, quantity=10, filled=filled,
                      time_ns=5, venue_time_ns=4, trade_id=-1)
        trades = trades or {}
        return self.ledger.carry(record, Past(trades, filled, dict.fromkeys(trades, True)), 0, 0, 0)

    def apply(self, which, event, filled=-1, trade=-1, venue="", price=0):
        if not self.numbers:
            return
        number = self.numbers[which % len(self.numbers)]
        if self.ledger.find(f"old{self.numbers.index(number)}") == number:      # not when its slot is another's by now
            self.ledger.apply(number, event, filled, venue, 100, 1, trade, 7, price, 12 if price else 0)

    def end(self):
        self.ledger.end_session()
        self.die()

    def die(self):
        self.journal.close()
        self.ring.close(unlink=True)
        return replay_epoch(self.directory, self.journal.epoch).replay
