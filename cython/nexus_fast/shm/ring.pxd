"""The broadcast ring: one writer, any number of readers in any process. The writer waits for nobody; a reader that is
too slow is lapped, and told how many records it lost. Records are 128 or 256 bytes; their first word is the
slot's stamp.

    stamp of position p (0, 1, 2, …), which lives in slot p & mask:   2p + 1 while it is written, 2p + 2 when it stands

SYNC POINTS PUBLISH, OVERWRITE and HEAD are explained in docs/memory-model.md.
"""

from libc.stdint cimport uint64_t

from nexus_fast.core.atomics cimport load_acquire_u64
from nexus_fast.shm.segment cimport Segment, nx_segment

cdef extern from *:
    """
    /* nexus_fast ring: begin */
    #ifndef NEXUS_FAST_RING_H
    #define NEXUS_FAST_RING_H

    /* Writer's handle, private to its process. */
    typedef struct nx_ring {
        nx_word *slots;
        nx_segment *segment;
        uint64_t mask;          /* capacity - 1 */
        uint64_t words;         /* of a record: 16 or 32 */
        uint64_t position;      /* of the next record */
    } nx_ring;

    /* Reader's handle, private to its process. */
    typedef struct nx_ring_reader {
        const nx_word *slots;
        const nx_segment *segment;
        uint64_t mask;
        uint64_t words;
        uint64_t position;      /* of the next record to read */
        uint64_t lost;          /* records that were overwritten before this reader came to them */
    } nx_ring_reader;

    #define NX_RING_DAMAGED -2
    #define NX_RING_LAPS 1000       /* after so many in one call, a reader says "nothing new": it is slower than the writer */
    #define NX_RING_POSITIONS (UINT64_C(1) << 62)
    #define NX_QUOTE_WORDS 16
    #define NX_EVENT_RECORD_WORDS 32

    /* The stamp that stands where `position` will be written: of the record a whole ring before it, 0 where there was none. */
    static inline uint64_t nx_ring_before(uint64_t position, uint64_t capacity) {
        return position < capacity ? 0 : 2 * (position - capacity) + 2;
    }

    /* Whether a stamp says "not yet" to a reader that waits for `position`: the old record, or the new one half written. */
    static inline int nx_ring_is_waited_for(uint64_t stamp, uint64_t position, uint64_t capacity) {
        return stamp == nx_ring_before(position, capacity) || stamp == 2 * position + 1;
    }

    /* base: a mapped segment that nx_segment_check has passed, and no other writer has. 0, or NX_RING_DAMAGED when head and
       stamps do not belong together: whoever follows them would read rubbish, or wait for ever. */
    static inline int nx_ring_open(nx_ring *ring, void *base) {
        nx_segment *segment = (nx_segment *)base;
        uint64_t head = nx_load_acquire_u64(&segment->head), capacity = segment->capacity, stamp;
        ring->segment = segment;
        ring->slots = (nx_word *)((char *)base + NX_SEGMENT_HEADER);
        ring->mask = capacity - 1;
        ring->words = segment->record_size / 8;
        ring->position = head;
        if (head >= NX_RING_POSITIONS) return NX_RING_DAMAGED;
        for (uint64_t p = head + 1; p < head + capacity; p++)
            if (nx_load_relaxed_u64(ring->slots + (p & ring->mask) * ring->words) != nx_ring_before(p, capacity)) return NX_RING_DAMAGED;
        stamp = nx_load_acquire_u64(ring->slots + (head & ring->mask) * ring->words);
        if (stamp == 2 * head + 2)      /* a writer died between its last two stores: one record more than head says */
            nx_store_release_u64(&segment->head, ++ring->position);
        else if (!nx_ring_is_waited_for(stamp, head, capacity)) return NX_RING_DAMAGED;
        nx_fence_release();             /* what the last writer stored stands before the first stamp of this one */
        return 0;
    }

    static inline void nx_ring_put(nx_word *slot, const nx_word *record, uint64_t words, uint64_t position) {
        nx_store_relaxed_u64(slot, 2 * position + 1);
        nx_fence_release();                                     /* SYNC POINT OVERWRITE */
        for (uint64_t i = 1; i < words; i++) nx_store_relaxed_u64(slot + i, record[i]);
        nx_store_release_u64(slot, 2 * position + 2);           /* SYNC POINT PUBLISH */
    }

    /* Copies the record into the ring. Word 0 of the caller's record is not read. */
    static inline void nx_ring_publish(nx_ring *ring, const void *record) {
        uint64_t position = ring->position;
        nx_word *slot = ring->slots + (position & ring->mask) * ring->words;
        if (ring->words == NX_QUOTE_WORDS) nx_ring_put(slot, (const nx_word *)record, NX_QUOTE_WORDS, position);
        else nx_ring_put(slot, (const nx_word *)record, NX_EVENT_RECORD_WORDS, position);
        ring->position = position + 1;
        nx_store_release_u64(&ring->segment->head, position + 1);   /* SYNC POINT HEAD */
        /* The next slot's lines come over while the engine waits for the next tick. */
        slot = ring->slots + ((position + 1) & ring->mask) * ring->words;
        for (uint64_t line = 0; line < ring->words; line += 8) __builtin_prefetch(slot + line, 1, 3);
    }

    /* base: a mapped segment that nx_segment_check has passed. from_oldest 0: begin with the next record that is published;
       1: with the oldest of this epoch that stands. 0, or NX_RING_DAMAGED when the record before the head does not stand. */
    static inline int nx_ring_reader_open(nx_ring_reader *reader, const void *base, int from_oldest) {
        const nx_segment *segment = (const nx_segment *)base;
        uint64_t first = nx_load_acquire_u64(&segment->epoch_start), capacity = segment->capacity, stamp;
        uint64_t head = nx_load_acquire_u64(&segment->head);    /* SYNC POINT HEAD */
        reader->segment = segment;
        reader->slots = (const nx_word *)((const char *)base + NX_SEGMENT_HEADER);
        reader->mask = capacity - 1;
        reader->words = segment->record_size / 8;
        reader->lost = 0;
        reader->position = head;
        if (head >= NX_RING_POSITIONS || first > head) return NX_RING_DAMAGED;
        if (head - first > capacity) first = head - capacity;
        if (from_oldest) reader->position = first;
        if (head == 0) return 0;
        stamp = nx_load_relaxed_u64(reader->slots + ((head - 1) & reader->mask) * reader->words);
        return stamp < 2 * head || ((stamp - 1) / 2 - (head - 1)) & reader->mask ? NX_RING_DAMAGED : 0;
    }

    /* Moves on to the oldest record that stands, and an eighth of the ring further, to stay ahead of the writer. The stamp
       was stored by a writer whose head was at most one record behind it, so a stamp that is further ahead, or that belongs
       to another slot, is none of a writer's. What is left grows the position: no slot can hold a reader for ever. */
    static inline int nx_ring_lapped(nx_ring_reader *reader, const nx_word *slot) {
        uint64_t stamp = nx_load_acquire_u64(slot), at = (stamp - 1) / 2;  /* SYNC POINT OVERWRITE */
        uint64_t head = nx_load_acquire_u64(&reader->segment->head), capacity = reader->mask + 1, next;
        if (head >= NX_RING_POSITIONS || at > head + 1) return NX_RING_DAMAGED;
        if (at <= reader->position || ((at - reader->position) & reader->mask) != 0) return NX_RING_DAMAGED;
        if (head < stamp / 2) head = stamp / 2;     /* the stamp may be seen before the head that was stored earlier */
        next = head - capacity + 1 + capacity / 8;
        reader->lost += next - reader->position;
        reader->position = next;
        return -1;
    }

    static inline void nx_ring_take(const nx_word *slot, nx_word *out, uint64_t words) {
        for (uint64_t i = 1; i < words; i++) out[i] = nx_load_relaxed_u64(slot + i);
    }

    /* 1: the next record is in out, its word 0 the stamp; 0: nothing new; -1: lapped, `lost` has grown and the next
       call goes on with a newer record; NX_RING_DAMAGED: a stamp or the head is none that a writer stores. After anything but
       1, out may hold rubbish. */
    static inline int nx_ring_read(nx_ring_reader *reader, void *out) {
        uint64_t wanted = 2 * reader->position + 2, stamp;
        const nx_word *slot = reader->slots + (reader->position & reader->mask) * reader->words;
        stamp = nx_load_acquire_u64(slot);                      /* SYNC POINT PUBLISH */
        if (stamp < wanted) return nx_ring_is_waited_for(stamp, reader->position, reader->mask + 1) ? 0 : NX_RING_DAMAGED;
        if (stamp > wanted) return nx_ring_lapped(reader, slot);
        if (reader->words == NX_QUOTE_WORDS) nx_ring_take(slot, (nx_word *)out, NX_QUOTE_WORDS);
        else nx_ring_take(slot, (nx_word *)out, NX_EVENT_RECORD_WORDS);
        nx_fence_acquire();                                     /* SYNC POINT OVERWRITE */
        if (nx_load_relaxed_u64(slot) != wanted) return nx_ring_lapped(reader, slot);
        *(nx_word *)out = wanted;
        reader->position++;
        return 1;
    }

    /* nx_ring_read that steps over the laps: 1, 0 or NX_RING_DAMAGED. */
    static inline int nx_ring_next(nx_ring_reader *reader, void *out) {
        for (int laps = 0; laps < NX_RING_LAPS; laps++) {
            int status = nx_ring_read(reader, out);
            if (status != -1) return status;
        }
        return 0;
    }
    #endif
    /* nexus_fast ring: end */
    """
    ctypedef struct nx_ring:
        uint64_t* slots
        nx_segment* segment
        uint64_t mask
        uint64_t words
        uint64_t position

    ctypedef struct nx_ring_reader:
        const uint64_t* slots
        const nx_segment* segment
        uint64_t mask
        uint64_t words
        uint64_t position
        uint64_t lost

    enum:
        NX_RING_DAMAGED
    int ring_open "nx_ring_open"(nx_ring* ring, void* base) noexcept nogil
    void ring_publish "nx_ring_publish"(nx_ring* ring, const void* record) noexcept nogil
    int ring_reader_open "nx_ring_reader_open"(nx_ring_reader* reader, const void* base,
                                               bint from_oldest) noexcept nogil
    int ring_read "nx_ring_read"(nx_ring_reader* reader, void* out) noexcept nogil
    int ring_next "nx_ring_next"(nx_ring_reader* reader, void* out) noexcept nogil


cdef class RingWriter:
    cdef nx_ring ring                   # slots is NULL after close()
    cdef readonly Segment segment       # keeps the mapping alive

    cdef nx_ring* handle(self) noexcept nogil


cdef class RingReader:
    cdef nx_ring_reader reader          # slots is NULL after close()
    cdef readonly Segment segment
    cdef object unpack                  #: Callable[[bytes], tuple]

    cdef nx_ring_reader* handle(self) noexcept nogil
    cdef int next_record(self, void* out) noexcept nogil
