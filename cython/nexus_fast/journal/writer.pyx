"""The journal's files: made, mapped and touched ahead of the hot path, a few pages per cold turn.

    file 0: full, being unmapped     file 1: current, appended to     file 2: ahead, made ready by turn()

turn() belongs to the thread that appends. It works in pieces of a few dozen microseconds: sixteen pages by default.
"""

import os

from libc.string cimport memcpy, memset

from nexus_fast.core.clock cimport clock_monotonic_ns, clock_realtime_ns
from nexus_fast.core.types import fingerprint, record_sizes
from nexus_fast.journal.error import JournalError
from nexus_fast.journal.files import OUT_OF_ROOM, JournalDirectory

cdef extern from "unistd.h" nogil:
    ssize_t pwrite(int fd, const void* data, size_t size, long offset)
    int close_fd "close"(int fd)

cdef extern from "sys/mman.h" nogil:
    void* mmap(void* address, size_t size, int protection, int flags, int fd, long offset)
    int munmap(void* address, size_t size)
    int mlock(const void* address, size_t size)
    void* MAP_FAILED
    int MAP_SHARED, PROT_READ, PROT_WRITE

cdef int64_t RETRY_NS = 1_000_000_000
cdef uint64_t PAGE = 4096
cdef uint64_t WINDOW = 16       # pages ahead of the cursor that every turn touches again
cdef uint64_t EVERY_PAGE = <uint64_t>-1
cdef const char[65536] ZEROS


cdef class MappedFile:
    """One journal file in memory."""

    def __cinit__(self):
        self.fd = -1

    def __init__(self, str path, uint64_t index, bytes header, uint64_t capacity):
        self.path, self.index = path, index
        self.size = NX_JOURNAL_HEADER + capacity * sizeof(nx_order_event)
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        cdef void* base
        try:
            os.fchmod(self.fd, 0o600)       # whatever the umask took away
            os.posix_fallocate(self.fd, 0, self.size)
            os.pwrite(self.fd, header.ljust(NX_JOURNAL_HEADER, b"\0"), 0)
            base = mmap(NULL, self.size, PROT_READ | PROT_WRITE, MAP_SHARED, self.fd, 0)
            if base == MAP_FAILED:
                raise JournalError(f"{path}: {self.size} bytes could not be mapped")
            self.base = <char*>base
            self.ready = NX_JOURNAL_HEADER
        except BaseException:
            os.unlink(path)
            raise

    cdef uint64_t* records(self) noexcept nogil:
        return <uint64_t*>(self.base + NX_JOURNAL_HEADER)

    cdef uint64_t* end(self) noexcept nogil:
        return <uint64_t*>(self.base + self.size)

    cdef bint prepare(self, uint64_t pages) noexcept nogil:
        """Makes the next pages ready. True when the whole file is."""
        cdef uint64_t piece
        while pages > 0 and self.ready < self.size:
            piece = min(pages, min(sizeof(ZEROS), self.size - self.ready) // PAGE)
            self.prepare_piece(piece * PAGE)
            pages -= piece
        if self.ready == self.size and self.fd >= 0:
            close_fd(self.fd)
            self.fd = -1
        return self.ready == self.size

    cdef void prepare_piece(self, size_t piece) noexcept nogil:
        """Writes zeros, locks (best effort) and touches. The zeros give the file its pages at a third of what first
        faults in a fresh file cost, and without read-ahead; should they fail, the faults do it."""
        cdef char* start = self.base + self.ready
        pwrite(self.fd, &ZEROS[0], piece, self.ready)
        mlock(start, piece)
        journal_touch(start, start + piece, piece // PAGE)
        self.ready += piece

    cdef bint release(self, uint64_t pages) noexcept nogil:
        """Unmaps pages from the end of the mapping. True when nothing is left."""
        cdef size_t kept = 0
        if self.base != NULL:
            if pages < self.size and self.size > pages * PAGE:
                kept = (self.size - pages * PAGE) & ~(PAGE - 1)
            munmap(self.base + kept, self.size - kept)
            self.size = kept
            if kept == 0:
                self.base = NULL
        return self.base == NULL

    def __dealloc__(self):
        self.release(EVERY_PAGE)
        if self.fd >= 0:
            close_fd(self.fd)


cdef class JournalWriter:
    """Appends order events to the journal in a directory, which belongs to this process until close() or its death.

    identity (strategy id and user id, say) must be the one that the directory was first opened with. `epoch` grows with
    every opening and never repeats, even when old files were deleted. Raises JournalBusy while another process has the
    directory, JournalError when the first file cannot be made. Hot code takes handle() and calls journal_append().
    """

    def __init__(self, directory, str identity, uint64_t records_per_segment=65536):
        if not 16 <= records_per_segment <= 1 << 24 or records_per_segment % 16:
            raise ValueError(f"records_per_segment was {records_per_segment}: use a multiple of 16 up to {1 << 24}")
        memset(&self.journal, 0, sizeof(self.journal))
        self.capacity, self.left = records_per_segment, []
        self.directory = JournalDirectory(directory, identity)
        try:
            self.current = self.new_file(0)
            self.current.prepare(EVERY_PAGE)
            self.journal.cursor, self.journal.end = self.current.records(), self.current.end()
            self.turn(EVERY_PAGE)
        except OSError as error:
            self.directory.close()
            raise JournalError(
                f"the journal in {directory} needs {2 * self.capacity * sizeof(nx_order_event)} bytes for its first two "
                f"files: {error.strerror}; free some, or lower records_per_segment") from error
        except BaseException:
            self.directory.close()
            raise

    cdef nx_journal* handle(self) noexcept nogil:
        return &self.journal

    cdef MappedFile new_file(self, uint64_t index):
        cdef nx_journal_header header
        cdef bytes identity = self.directory.identity.encode()[:255]
        memset(&header, 0, sizeof(header))
        header.magic, header.layout_version = NX_JOURNAL_MAGIC, NX_JOURNAL_LAYOUT
        header.record_size, header.fingerprint = record_sizes()["order_event"], fingerprint("order_event")
        header.epoch, header.index, header.capacity = self.directory.epoch, index, self.capacity
        header.first_sequence = index * self.capacity + 1
        header.identity_hash = self.directory.identity_hash
        header.created_ns, header.writer_pid = clock_realtime_ns(), os.getpid()
        memcpy(header.identity, <const char*>identity, len(identity))
        path = self.directory.file_path(index)
        return MappedFile(path, index, (<char*>&header)[:sizeof(header)], self.capacity)

    cdef int begin_next(self) except -1:
        """Makes the file after the current one. A full disk is a state here and no exception: appends go on."""
        if clock_monotonic_ns() < self.retry_ns:
            return 0
        try:
            self.ahead = self.new_file(self.current.index + 1)
            self.trouble = None
        except OSError as error:
            self.retry_ns = clock_monotonic_ns() + RETRY_NS
            self.trouble = "no_space" if error.errno in OUT_OF_ROOM else f"{error.strerror}: {error.filename}"
        return 0

    cpdef int turn(self, uint64_t pages=16) except -1:
        """Upkeep, often and never between tick and order: makes the next file ready, touches the pages ahead of the
        cursor again, unmaps full files; `pages` bounds the work. Cheap when there is nothing to do."""
        if self.journal.cursor == NULL:
            raise JournalError("the journal is closed")
        if self.journal.switches != self.switches_seen:
            self.switches_seen = self.journal.switches
            self.left.append(self.current)
            self.current, self.ahead = self.ahead, None
        elif self.left:
            if (<MappedFile>self.left[0]).release(4 * pages if pages < EVERY_PAGE // 4 else EVERY_PAGE):
                del self.left[0]
        elif self.journal.next == NULL and self.ahead is None:
            self.begin_next()
        if self.journal.next == NULL and self.ahead is not None and self.ahead.prepare(pages):
            self.journal.next_end = self.ahead.end()
            self.journal.next = self.ahead.records()
        journal_touch(<char*>self.journal.cursor, <char*>self.journal.end, WINDOW)
        if self.journal.next != NULL and self.journal.end - self.journal.cursor < 512 * <int64_t>WINDOW:
            journal_touch(<char*>self.journal.next, <char*>self.journal.next_end, WINDOW)
        return 0

    def append(self, const unsigned char[::1] event not None):
        """Appends one record, given as its 256 bytes. Returns False when there is no room. For tests and tools."""
        cdef nx_order_event copy
        if self.journal.cursor == NULL:
            raise JournalError("the journal is closed")
        if event.shape[0] != sizeof(copy):
            raise ValueError(f"event was {event.shape[0]} bytes, a record has {sizeof(copy)}")
        memcpy(&copy, &event[0], sizeof(copy))
        return journal_append(&self.journal, &copy) == 0

    @property
    def epoch(self):
        """Number of this opening of the directory."""
        return self.directory.epoch

    def state(self):
        """What the journal is able to do: `state` is "ok", "no_next" (the file ahead is not ready yet), "no_space",
        another reason as the system words it, "full" (the last append found no room) or "closed"; and its counters."""
        full = self.journal.cursor == self.journal.end and self.journal.next == NULL
        if self.journal.cursor == NULL:
            word = "closed"
        elif full and self.journal.refused:
            word = "full"
        else:
            word = self.trouble or ("no_next" if self.journal.next == NULL else "ok")
        room = (self.journal.end - self.journal.cursor) // 32
        return {"state": word, "trouble": self.trouble, "epoch": self.directory.epoch,
                "appended": self.journal.sequence, "refused": self.journal.refused, "room": room + (self.capacity if self.journal.next != NULL else 0),
                "file": self.current.path if self.current is not None else None, "files": self.journal.switches + 1}

    def close(self):
        """Cuts the last file to what was written, removes the one ahead and gives the directory free."""
        if self.journal.cursor == NULL:
            return
        if self.journal.switches != self.switches_seen:
            self.turn(EVERY_PAGE)
        used = <char*>self.journal.cursor - self.current.base
        self.journal.cursor = self.journal.end = self.journal.next = self.journal.next_end = NULL
        if self.ahead is not None:
            os.unlink(self.ahead.path)
        if used == NX_JOURNAL_HEADER:
            os.unlink(self.current.path)
        else:
            os.truncate(self.current.path, used)
        self.current = self.ahead = None
        self.left.clear()
        self.directory.close()


def checksum(const unsigned char[::1] event not None):
    """The checksum of a record's 256 bytes; what stands in `sequence` and `checksum` does not count."""
    if event.shape[0] != sizeof(nx_order_event):
        raise ValueError(f"event was {event.shape[0]} bytes, a record has {sizeof(nx_order_event)}")
    return event_checksum(&event[0])


def whole_runs(const unsigned char[::1] content not None, uint64_t first_sequence, Py_ssize_t capacity):
    """[(position, count)] of the records of a journal file, header and all, that are whole and in their places; those that follow
    each other are one entry."""
    cdef const nx_order_event* record
    cdef Py_ssize_t position, start = -1
    cdef Py_ssize_t room = (content.shape[0] - NX_JOURNAL_HEADER) // <Py_ssize_t>sizeof(nx_order_event)
    found = []
    for position in range(max(0, min(room, capacity))):
        record = record_at(content, position)
        if record.sequence == first_sequence + position and record.checksum == event_checksum(record):
            if start < 0:
                start = position
        elif start >= 0:
            found.append((start, position - start))
            start = -1
    if start >= 0:
        found.append((start, max(0, min(room, capacity)) - start))
    return found


def first_number(const unsigned char[::1] content not None):
    """The number of a journal file's first record, from the file's own records: what most of those say that are whole; 0 when
    none is."""
    cdef const nx_order_event* record
    cdef Py_ssize_t position
    cdef dict votes = {}
    for position in range((content.shape[0] - NX_JOURNAL_HEADER) // <Py_ssize_t>sizeof(nx_order_event)):
        record = record_at(content, position)
        if record.sequence > <uint64_t>position and record.checksum == event_checksum(record):
            number = record.sequence - position
            votes[number] = votes.get(number, 0) + 1
    return max(votes, key=votes.get, default=0)


cdef inline const nx_order_event* record_at(const unsigned char[::1] content, Py_ssize_t position) noexcept:
    return <const nx_order_event*>&content[NX_JOURNAL_HEADER + position * <Py_ssize_t>sizeof(nx_order_event)]
