"""Segments of shared memory: created and claimed by one writer, attached by any number of readers.

A segment is a file in segment_directory(), mode 0600. The claim is an flock on it, which the kernel drops when the
writer dies, however it dies; pid and start time in the header are for the message and for readers.
Everything here is cold.
"""

import errno
import fcntl
import os
import re
import stat

from libc.string cimport memset

from nexus_fast.core.atomics cimport load_acquire_u64, load_relaxed_u64, store_relaxed_u64, store_release_u64
from nexus_fast.core.clock cimport clock_realtime_ns
from nexus_fast.core.types import RECORD_KINDS, fingerprint, record_sizes
from nexus_fast.private import make_folder
from nexus_fast.shm.error import SegmentBusy, SegmentDamaged, SegmentError, SegmentMismatch, SegmentMissing, SegmentRetired

cdef extern from "sys/mman.h" nogil:
    void* mmap(void* address, size_t size, int protection, int flags, int fd, long offset)
    int munmap(void* address, size_t size)
    int mlock(const void* address, size_t size)
    void* MAP_FAILED
    int MAP_SHARED, MAP_POPULATE, PROT_READ, PROT_WRITE

KINDS = {"ring": NX_SEGMENT_RING, "latest": NX_SEGMENT_LATEST}
STATES = {0: "new", NX_SEGMENT_OPEN: "open", NX_SEGMENT_CLOSED: "closed", NX_SEGMENT_RETIRED: "retired"}
NAME = re.compile(r"[A-Za-z0-9_~%-][A-Za-z0-9._~%-]{0,199}")


def segment_directory():
    """The directory of the segments, made when it is not there: $NEXUS_FAST_SHM, else /dev/shm/nexus_fast-<uid>.

    Refuses one that belongs to somebody else or that others may write to.
    """
    directory = os.path.abspath(os.environ.get("NEXUS_FAST_SHM") or f"/dev/shm/nexus_fast-{os.getuid()}")
    make_folder(directory)
    found = os.lstat(directory)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise SegmentError(
            f"{directory} must be a directory of user {os.getuid()} that nobody else can write to, was mode "
            f"{stat.filemode(found.st_mode)} of user {found.st_uid}: remove it, or set NEXUS_FAST_SHM to another one")
    return directory


def segment_path(name):
    """The file of a segment. Raises ValueError for a name that is not a plain file name."""
    if not NAME.fullmatch(name):
        raise ValueError(f"segment name was {name!r}: use 1 to 200 characters of A-Z a-z 0-9 . _ ~ % -, no dot first")
    return os.path.join(segment_directory(), name)


def process_start(pid):
    """Start of a process in clock ticks since boot (proc(5), stat, field 22); 0 when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return 0


cdef class Segment:
    """One mapped segment. Made by create() or attach(); close() unmaps it and, for the writer, ends the claim."""

    def __cinit__(self):
        self.fd = -1

    @staticmethod
    def create(str name, str kind, str record, uint64_t capacity, uint64_t epoch=0):
        """Claims the segment for writing; makes it, or takes over the one that a writer has left behind.

        kind is "ring" or "latest", record "bookl1" or "order_event", capacity counts records. A segment with another
        geometry, or with a damaged header, is retired and replaced; epoch: the last one used, for a new segment. Raises
        SegmentBusy while another writer lives.
        """
        cdef uint32_t number = KINDS[kind]
        check_capacity(kind, capacity)
        cdef Segment segment = Segment.__new__(Segment)
        segment.name, segment.path, segment.record = name, segment_path(name), record
        segment.writable = True
        while True:
            segment.fd = open_locked(segment.path, name)
            if segment.fd < 0:
                continue
            if os.fstat(segment.fd).st_size == 0:
                segment.initialise(number, capacity, epoch)
            segment.map(True)
            if segment.same_geometry(number, capacity):
                segment.claim()
                return segment
            epoch = known_epoch(segment.header)
            segment.retire()

    def renew(self):
        """Retires a claimed segment whose records contradict each other; an empty one of the next epoch takes its place."""
        self.need_open()
        kind = next(word for word, number in KINDS.items() if number == self.header.kind)
        capacity, epoch = self.header.capacity, self.header.epoch
        self.retire()
        return Segment.create(self.name, kind, self.record, capacity, epoch)

    @staticmethod
    def attach(str name, str kind, str record):
        """Maps a segment for reading. Raises SegmentMissing, SegmentMismatch when another version wrote it, or SegmentDamaged."""
        cdef Segment segment = Segment.__new__(Segment)
        segment.name, segment.path, segment.record = name, segment_path(name), record
        try:
            segment.fd = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise SegmentMissing(f"there is no segment {name!r} in {segment_directory()}: start its writer first, "
                                 "under this user and with the same NEXUS_FAST_SHM") from None
        segment.map(False)
        cdef int status = segment_check(segment.header, segment.size, KINDS[kind], fingerprint(record), record_sizes()[record])
        if status != 0:
            segment.close()
            raise (SegmentDamaged if status == -6 else SegmentMismatch)(mismatch_text(name, status, kind, record))
        return segment

    cdef void* records(self) noexcept nogil:
        return <char*>self.header + NX_SEGMENT_HEADER

    cdef int map(self, bint writable) except -1:
        found = os.fstat(self.fd)
        cdef size_t size = found.st_size
        cdef int protection = PROT_READ | PROT_WRITE if writable else PROT_READ
        # A segment's room was reserved when it was made. A file with holes would be filled by this, whatever its size.
        cdef bint reserved = found.st_blocks * 512 >= size
        if size < NX_SEGMENT_HEADER:
            if not writable:
                self.close()
                raise SegmentMismatch(mismatch_text(self.name, -1, "", ""))
            return 0
        cdef void* base = mmap(NULL, size, protection, MAP_SHARED | MAP_POPULATE if reserved else MAP_SHARED, self.fd, 0)
        if base == MAP_FAILED:
            if writable and not self.fresh:
                return 0
            raise SegmentError(f"segment {self.name!r}: {size} bytes could not be mapped")
        self.header = <nx_segment*>base
        self.size = size
        if writable and reserved:
            mlock(base, size)    # best effort: RLIMIT_MEMLOCK may be small, and memory in /dev/shm moves only to swap
        return 0

    cdef int initialise(self, uint32_t kind, uint64_t capacity, uint64_t epoch) except -1:
        """Gives a new file its size and header. Room is reserved: a full /dev/shm is an error here, no SIGBUS later."""
        cdef uint64_t record_size = record_sizes()[self.record]
        cdef uint64_t total = NX_SEGMENT_HEADER + capacity * record_size
        cdef nx_segment header
        memset(&header, 0, sizeof(header))
        header.layout_version, header.kind, header.record_kind = NX_SEGMENT_LAYOUT, kind, RECORD_KINDS[self.record]
        header.record_size, header.capacity, header.fingerprint = record_size, capacity, fingerprint(self.record)
        header.data_offset, header.total_size = NX_SEGMENT_HEADER, total
        header.created_ns, header.epoch = clock_realtime_ns(), epoch
        try:
            os.fchmod(self.fd, 0o600)       # whatever the umask took away
            os.posix_fallocate(self.fd, 0, total)
        except OSError as error:
            os.unlink(self.path)
            self.close()
            raise SegmentError(f"segment {self.name!r} needs {total} bytes in {segment_directory()}: {error.strerror}; "
                               "free some, or lower the capacity") from error
        os.pwrite(self.fd, (<char*>&header)[:sizeof(header)], 0)
        self.fresh = True
        return 0

    cdef bint same_geometry(self, uint32_t kind, uint64_t capacity) except -1:
        cdef nx_segment* header = self.header
        cdef uint64_t record_size = record_sizes()[self.record], mark = fingerprint(self.record)
        if header == NULL or self.fresh:
            return header != NULL
        return (segment_check(header, self.size, kind, mark, record_size) == 0 and header.capacity == capacity
                and header.total_size == self.size)

    cdef int claim(self) except -1:
        cdef nx_segment* header = self.header
        store_relaxed_u64(&header.epoch, header.epoch + 1)
        store_relaxed_u64(<uint64_t*>&header.writer_pid, os.getpid())
        store_relaxed_u64(&header.writer_start, process_start(os.getpid()))
        segment_heartbeat(header, clock_realtime_ns())
        store_release_u64(&header.state, NX_SEGMENT_OPEN)
        store_release_u64(&header.magic, NX_SEGMENT_MAGIC)
        return 0

    def retire(self):
        """Takes the name away from a segment of another geometry; its readers see state "retired"."""
        if self.header != NULL:
            store_release_u64(&self.header.state, NX_SEGMENT_RETIRED)
        os.unlink(self.path)
        self.close()

    def heartbeat(self):
        """Writes the present time into the header; hot code calls segment_heartbeat()."""
        self.need_open()
        segment_heartbeat(self.header, clock_realtime_ns())

    def need_open(self):
        if self.header == NULL:
            raise SegmentError(f"segment {self.name!r} is closed")

    cdef int need_current(self) except -1:
        """For readers that find nothing new: raises SegmentRetired when nothing will ever come."""
        if load_acquire_u64(&self.header.state) == NX_SEGMENT_RETIRED:
            raise SegmentRetired(f"segment {self.name!r} was removed or replaced by its writer: open it again")
        return 0

    def describe(self):
        """The header as a dictionary, with `writer_alive`: whether the process that claimed it still runs."""
        self.need_open()
        cdef nx_segment* header = self.header
        pid, start = header.writer_pid, header.writer_start
        return {"name": self.name, "path": self.path, "record": self.record, "record_size": header.record_size,
                "capacity": header.capacity, "epoch": load_relaxed_u64(&header.epoch),
                "epoch_start": load_relaxed_u64(&header.epoch_start), "head": load_acquire_u64(&header.head),
                "state": state_word(load_acquire_u64(&header.state)), "writer_pid": pid, "created_ns": header.created_ns,
                "heartbeat_ns": <int64_t>load_relaxed_u64(<uint64_t*>&header.heartbeat_ns),
                "writer_alive": start != 0 and process_start(pid) == start}

    @property
    def retired(self):
        """Whether its writer removed or replaced the segment; nothing will be written to it any more."""
        self.need_open()
        return load_acquire_u64(&self.header.state) == NX_SEGMENT_RETIRED

    @property
    def epoch(self):
        self.need_open()
        return load_relaxed_u64(&self.header.epoch)

    def close(self, bint unlink=False):
        """Unmaps the segment and ends the claim. With unlink, the writer removes the file, and its symbol directory.

        A second call does nothing.
        """
        if self.header != NULL:
            if self.writable and self.header.state == NX_SEGMENT_OPEN:
                store_release_u64(&self.header.state, NX_SEGMENT_RETIRED if unlink else NX_SEGMENT_CLOSED)
            munmap(self.header, self.size)
            self.header = NULL
        if self.fd >= 0:
            if unlink and self.writable and same_file(self.fd, self.path):
                from nexus_fast.shm.symbols import remove_symbols

                remove_symbols(self.name)
                os.unlink(self.path)
            os.close(self.fd)
            self.fd = -1

    def __dealloc__(self):
        if self.header != NULL:
            munmap(self.header, self.size)
        if self.fd >= 0:
            os.close(self.fd)


def check_capacity(kind, capacity):
    """Raises ValueError for a capacity that the protocol cannot serve."""
    if kind == "ring" and (capacity < 2 or capacity & (capacity - 1)):
        raise ValueError(f"capacity of a ring was {capacity}: it must be a power of two, at least 2")
    if not 1 <= capacity <= 1 << 32:
        raise ValueError(f"capacity of a segment was {capacity}: it must be between 1 and {1 << 32}")


def state_word(state):
    return STATES.get(state, f"unknown ({state})")


cdef uint64_t known_epoch(const nx_segment* header) except? 0:
    """The last epoch of a segment that is about to be replaced; 0 where its header cannot be believed."""
    if header == NULL or header.magic != NX_SEGMENT_MAGIC or header.epoch >= NX_SEGMENT_EPOCHS:
        return 0
    return header.epoch


def same_file(fd, path):
    """Whether the path still leads to the open file."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    here = os.fstat(fd)
    return (there.st_ino, there.st_dev) == (here.st_ino, here.st_dev)


def open_locked(path, name):
    """A descriptor that holds the writer's lock; -1 when the file was replaced in between and one must try again."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        text = busy_text(fd, name) if error.errno == errno.EWOULDBLOCK else f"segment {name!r}: {error.strerror}"
        os.close(fd)
        raise SegmentBusy(text) from None
    if same_file(fd, path):
        return fd
    os.close(fd)
    return -1


cdef str busy_text(int fd, str name):
    cdef nx_segment header
    cdef bytes raw = os.pread(fd, sizeof(nx_segment), 0)
    memset(&header, 0, sizeof(header))
    if len(raw) == sizeof(nx_segment):
        header = (<nx_segment*><char*>raw)[0]
    if header.writer_pid == 0 or process_start(header.writer_pid) != header.writer_start:
        holder = "a process that is claiming it, or a child of the one that did"
    else:
        holder = f"process {header.writer_pid} (epoch {header.epoch})"
    return (f"segment {name!r} is being written by {holder}: stop that one first, "
            "or give this program another strategy_id or user_id")


def mismatch_text(name, status, kind, record):
    reasons = {-1: "is not ready: its writer has not finished making it",
               -2: "has another layout version", -3: f"is no {kind}",
               -4: f"has another record than {record!r} of this version",
               -5: "is shorter than its header says",
               -6: "is damaged: the numbers in its header contradict each other"}
    remedy = ("start its writer again, which makes a new one" if status == -6
              else "start writer and reader from the same version of nexus_fast")
    return f"segment {name!r} {reasons[status]}; {remedy}"
