"""The header that every shared segment begins with, and the mapping of it. docs/memory-model.md has the table.

The header is shared and holds no pointer; a handle (ring.pxd, latest.pxd) is private to one process and holds them.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from nexus_fast.core.atomics cimport load_acquire_u64

cdef extern from *:
    """
    /* nexus_fast segment: begin */
    #ifndef NEXUS_FAST_SEGMENT_H
    #define NEXUS_FAST_SEGMENT_H
    #include <stddef.h>
    #include <stdint.h>

    #define NX_SEGMENT_MAGIC UINT64_C(0x31474553584e)   /* the bytes "NXSEG1" and two zeros */
    #define NX_SEGMENT_LAYOUT 1
    #define NX_SEGMENT_HEADER 4096

    enum { NX_SEGMENT_RING = 1, NX_SEGMENT_LATEST = 2 };
    enum { NX_RECORD_BOOKL1 = 1, NX_RECORD_ORDER_EVENT = 2 };
    enum { NX_SEGMENT_OPEN = 1, NX_SEGMENT_CLOSED = 2, NX_SEGMENT_RETIRED = 3 };

    typedef struct nx_segment {
        /* Fixed from creation on. magic is stored last: a segment without it is not ready. */
        uint64_t magic;
        uint32_t layout_version;    /* NX_SEGMENT_LAYOUT: of this header and of the protocols */
        uint32_t kind;              /* NX_SEGMENT_RING or NX_SEGMENT_LATEST */
        uint32_t record_kind;       /* NX_RECORD_... */
        uint32_t record_size;       /* bytes: 128 or 256 */
        uint64_t capacity;          /* records; a power of two in a ring */
        uint64_t fingerprint;       /* hash of the record's field table */
        uint64_t data_offset;       /* bytes from here to record 0: 4096 */
        uint64_t total_size;        /* bytes, header included */
        int64_t created_ns;         /* CLOCK_REALTIME */
        uint64_t fixed_spare[8];
        /* Written when a writer claims or leaves. */
        uint64_t epoch;             /* grows by one with every claim */
        int64_t writer_pid;
        uint64_t writer_start;      /* the writer's start, clock ticks since boot: field 22 of /proc/<pid>/stat */
        uint64_t state;             /* NX_SEGMENT_OPEN, _CLOSED by its writer, _RETIRED: another one took the name */
        uint64_t epoch_start;       /* head at the claim: the first position of this epoch */
        uint64_t claim_spare[11];
        /* Written while the engine runs; each on lines of its own. */
        int64_t heartbeat_ns;       /* CLOCK_REALTIME */
        uint64_t heartbeat_spare[15];
        uint64_t head;              /* ring: records published since creation. SYNC POINT HEAD */
        uint64_t head_spare[15];
    } nx_segment;

    _Static_assert(offsetof(nx_segment, epoch) == 128, "layout of nx_segment");
    _Static_assert(offsetof(nx_segment, heartbeat_ns) == 256, "layout of nx_segment");
    _Static_assert(offsetof(nx_segment, head) == 384, "layout of nx_segment");
    _Static_assert(sizeof(nx_segment) == 512, "layout of nx_segment");

    #define NX_SEGMENT_EPOCHS (UINT64_C(1) << 24)   /* epochs that a stamp of the latest table has room for */

    /* Whether the numbers in a header are those of a segment of `size` bytes. No product here can be too large: the
       capacity is held against the room first. */
    static inline int nx_segment_fits(const nx_segment *segment, uint64_t size) {
        uint64_t room = size - NX_SEGMENT_HEADER, capacity = segment->capacity;
        if (segment->data_offset != NX_SEGMENT_HEADER || capacity == 0 || capacity > room / segment->record_size) return 0;
        if (segment->kind == NX_SEGMENT_RING && (capacity < 2 || (capacity & (capacity - 1)) != 0)) return 0;
        if (nx_load_relaxed_u64(&segment->epoch) >= NX_SEGMENT_EPOCHS) return 0;
        return segment->total_size == NX_SEGMENT_HEADER + capacity * segment->record_size;
    }

    /* What a reader asks before it touches a record: 0, or -1 not ready, -2 layout version, -3 kind of segment,
       -4 record layout, -5 size of the mapping, -6 numbers that contradict each other. record_size: bytes of the records that
       the caller has room for. Whoever got 0 takes a handle at once: it keeps the numbers that were found right. */
    static inline int nx_segment_check(const void *base, uint64_t mapped_size, uint32_t kind, uint64_t fingerprint,
                                       uint64_t record_size) {
        const nx_segment *segment = (const nx_segment *)base;
        if (mapped_size < NX_SEGMENT_HEADER) return -1;
        if (nx_load_acquire_u64(&segment->magic) != NX_SEGMENT_MAGIC) return -1;
        if (segment->layout_version != NX_SEGMENT_LAYOUT) return -2;
        if (segment->kind != kind) return -3;
        if (segment->fingerprint != fingerprint) return -4;
        if (segment->total_size > mapped_size) return -5;
        if (segment->record_size != record_size || segment->record_size % 128 != 0 || record_size == 0) return -6;
        return nx_segment_fits(segment, mapped_size) ? 0 : -6;
    }

    static inline void nx_segment_heartbeat(nx_segment *segment, int64_t now_ns) {
        nx_store_relaxed_u64((nx_word *)&segment->heartbeat_ns, (uint64_t)now_ns);
    }
    #endif
    /* nexus_fast segment: end */
    """
    ctypedef struct nx_segment:
        uint64_t magic
        uint32_t layout_version
        uint32_t kind
        uint32_t record_kind
        uint32_t record_size
        uint64_t capacity
        uint64_t fingerprint
        uint64_t data_offset
        uint64_t total_size
        int64_t created_ns
        uint64_t epoch
        int64_t writer_pid
        uint64_t writer_start
        uint64_t state
        uint64_t epoch_start
        int64_t heartbeat_ns
        uint64_t head

    uint64_t NX_SEGMENT_MAGIC
    enum:
        NX_SEGMENT_LAYOUT
        NX_SEGMENT_HEADER
        NX_SEGMENT_RING
        NX_SEGMENT_LATEST
        NX_SEGMENT_OPEN
        NX_SEGMENT_CLOSED
        NX_SEGMENT_RETIRED
    uint64_t NX_SEGMENT_EPOCHS
    int segment_check "nx_segment_check"(const void* base, uint64_t mapped_size, uint32_t kind,
                                         uint64_t fingerprint, uint64_t record_size) noexcept nogil
    void segment_heartbeat "nx_segment_heartbeat"(nx_segment* segment, int64_t now_ns) noexcept nogil


cdef class Segment:
    cdef nx_segment* header         # start of the mapping; NULL after close()
    cdef size_t size                # bytes mapped
    cdef int fd                     # holds the writer's flock; -1 after close()
    cdef readonly str name
    cdef readonly str path
    cdef readonly str record        # "bookl1" or "order_event"
    cdef readonly bint writable
    cdef readonly bint fresh        # this claim made the segment; False when it took over one that was there

    cdef void* records(self) noexcept nogil
    cdef int map(self, bint writable) except -1
    cdef int initialise(self, uint32_t kind, uint64_t capacity, uint64_t epoch) except -1
    cdef bint same_geometry(self, uint32_t kind, uint64_t capacity) except -1
    cdef int claim(self) except -1
    cdef int need_current(self) except -1
