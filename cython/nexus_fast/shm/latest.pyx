"""The Python face of the latest table (latest.pxd has the protocol)."""

from libc.stdint cimport uint8_t

from nexus_fast.core.types import record_class


cdef class LatestTable:
    """The last quote of every symbol, by symbol id. create() for the one writer, attach() for readers anywhere."""

    def __cinit__(self):
        self.unpack = record_class("bookl1")

    @staticmethod
    def create(str name, uint64_t capacity=4096):
        """Claims the table for writing and empties it; capacity is the number of symbol ids. Raises SegmentBusy."""
        cdef LatestTable latest = LatestTable.__new__(LatestTable)
        latest.segment = Segment.create(name, "latest", "bookl1", capacity)
        latest_open(&latest.table, latest.segment.header)
        latest_reset(&latest.table, latest.segment.epoch)
        return latest

    @staticmethod
    def attach(str name):
        """Opens the table for reading. Raises SegmentMissing or SegmentMismatch."""
        cdef LatestTable latest = LatestTable.__new__(LatestTable)
        latest.segment = Segment.attach(name, "latest", "bookl1")
        latest_open(&latest.table, latest.segment.header)
        return latest

    cdef nx_latest* handle(self) noexcept nogil:
        return &self.table

    @property
    def capacity(self):
        """Number of slots."""
        return self.table.capacity

    def write(self, uint32_t slot, const uint8_t[::1] quote not None):
        """Writes one quote, given as the 128 bytes of its record. For tests and tools."""
        self.segment.need_open()
        if not self.segment.writable:
            raise PermissionError(f"latest table {self.segment.name!r} was attached to be read: only its creator writes")
        if slot >= self.table.capacity:
            raise IndexError(f"slot was {slot}, the table has {self.table.capacity}")
        if quote.shape[0] != sizeof(nx_bookl1):
            raise ValueError(f"quote was {quote.shape[0]} bytes, a record has {sizeof(nx_bookl1)}")
        latest_write(&self.table, slot, <const nx_bookl1*>&quote[0])

    def read_bytes(self, uint32_t slot):
        """The record's 128 bytes, or None when this writer has not written the slot."""
        cdef nx_bookl1 quote
        self.segment.need_open()
        return (<char*>&quote)[:sizeof(quote)] if latest_read(&self.table, slot, &quote) else None

    def read(self, uint32_t slot):
        """The last quote as a BookL1Record, or None when this writer has not written the slot."""
        record = self.read_bytes(slot)
        return None if record is None else self.unpack(record)

    def close(self, bint unlink=False):
        """Unmaps the table; hot code must have let go of handle()."""
        self.table.slots = NULL
        self.segment.close(unlink)
