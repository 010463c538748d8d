"""The Python face of the broadcast ring (ring.pxd has the protocol)."""

from libc.stdint cimport uint8_t

from nexus_fast.core.atomics cimport store_release_u64
from nexus_fast.core.types import record_class
from nexus_fast.shm.error import SegmentDamaged


cdef class RingWriter:
    """The one writer of a ring. Hot code takes handle() once and calls ring_publish(); all checks are made here.

    record is "bookl1" (128 bytes) or "order_event" (256), capacity a power of two. Raises SegmentBusy while another
    process writes the ring. Positions go on where the last writer stopped; `segment.epoch` has grown by one. A ring whose
    stamps contradict its head is replaced by an empty one.
    """

    def __init__(self, str name, str record="bookl1", uint64_t capacity=65536):
        self.segment = Segment.create(name, "ring", record, capacity)
        if ring_open(&self.ring, self.segment.header) != 0:
            self.segment = self.segment.renew()
            ring_open(&self.ring, self.segment.header)
        store_release_u64(&self.segment.header.epoch_start, self.ring.position)

    cdef nx_ring* handle(self) noexcept nogil:
        return &self.ring

    @property
    def position(self):
        """Records published since the ring was made, by all its writers."""
        return self.ring.position

    def publish(self, const uint8_t[::1] record not None):
        """Publishes one record, given as its bytes. For tests and tools."""
        self.segment.need_open()
        if <uint64_t>record.shape[0] != self.ring.words * 8:
            raise ValueError(f"record was {record.shape[0]} bytes, the ring's records have {self.ring.words * 8}")
        ring_publish(&self.ring, &record[0])

    def heartbeat(self):
        """Writes the present time into the header."""
        self.segment.heartbeat()

    def close(self, bint unlink=False):
        """Ends the claim; hot code must have let go of handle()."""
        self.ring.slots = NULL
        self.segment.close(unlink)


cdef class RingReader:
    """A reader of a ring in any process. start is "newest" (what comes from now on) or "oldest" (of this
    writer's epoch).

    `lost` counts the records that were overwritten before this reader came to them; reading goes on by itself with
    newer ones. Once all is read, SegmentRetired says that the ring was removed or replaced. Symbol ids
    belong to the writer's epoch: read the symbol directory again when `segment.epoch` has changed.
    """

    def __init__(self, str name, str record="bookl1", str start="newest"):
        if start not in ("newest", "oldest"):
            raise ValueError(f"start was {start!r}: choose 'newest' or 'oldest'")
        self.segment = Segment.attach(name, "ring", record)
        self.unpack = record_class(record)
        if ring_reader_open(&self.reader, self.segment.header, start == "oldest") != 0:
            self.damaged()

    cdef nx_ring_reader* handle(self) noexcept nogil:
        return &self.reader

    cdef int next_record(self, void* out) noexcept nogil:
        """1 with a record in out, 0, or NX_RING_DAMAGED: a lap is counted and stepped over."""
        return ring_next(&self.reader, out)

    def damaged(self):
        raise SegmentDamaged(
            f"ring {self.segment.name!r} is damaged: at position {self.reader.position} stands what no writer of it stores; "
            "start its writer again, which makes a new one")

    @property
    def lost(self):
        """Records that this reader missed because the writer overtook it."""
        return self.reader.lost

    @property
    def position(self):
        """Position of the next record this reader takes."""
        return self.reader.position

    def read_bytes(self):
        """The next record's bytes, or None when there is nothing new. Raises SegmentDamaged, as all that read here."""
        cdef char[256] record
        self.segment.need_open()
        cdef int status = self.next_record(record)
        if status > 0:
            return record[:self.reader.words * 8]
        if status < 0:
            self.damaged()
        self.segment.need_current()
        return None

    def read(self):
        """The next record as a named tuple (BookL1Record, OrderEventRecord), or None when there is nothing new."""
        cdef bytes record = self.read_bytes()
        return None if record is None else self.unpack(record)

    def read_many(self, out not None):
        """Fills a writable contiguous buffer (a numpy array of core.types.dtype(), a bytearray) from its start.

        Returns the number of records.
        """
        cdef uint8_t[::1] target = memoryview(out).cast("B")
        cdef uint64_t size = self.reader.words * 8, room = target.shape[0] // size, count = 0
        cdef int status = 0
        self.segment.need_open()
        if room == 0:
            raise ValueError(f"buffer of {target.shape[0]} bytes holds no record of {size}")
        with nogil:
            while count < room:
                status = self.next_record(&target[count * size])
                if status <= 0:
                    break
                count += 1
        if count == 0 and status < 0:
            self.damaged()
        if count == 0:
            self.segment.need_current()
        return count

    def __iter__(self):
        return self

    def __next__(self):
        """The next record; the iteration ends when there is nothing new, and can be started again."""
        record = self.read()
        if record is None:
            raise StopIteration
        return record

    def close(self):
        self.reader.slots = NULL
        self.segment.close()
