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

    /* base: a mapped segment that nx_segment_check has passed. */
    static inline void nx_ring_open(nx_ring *ring, void *base) {
        nx_segment *segment = (nx_segment *)base;
        ring->segment = segment;
        ring->slots = (nx_word *)((char *)base + segment->data_offset);
        ring->mask = segment->capacity - 1;
        ring->words = segment->record_size / 8;
        ring->position = segment->head;
        /* A writer that died between its last two stores has published one record more than head says. */
        if (nx_load_acquire_u64(ring->slots + (ring->position & ring->mask) * ring->words) == 2 * ring->position + 2)
            nx_store_release_u64(&segment->head, ++ring->position);
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
        if (ring->words == 16) nx_ring_put(slot, (const nx_word *)record, 16, position);
        else nx_ring_put(slot, (const nx_word *)record, 32, position);
        ring->position = position + 1;
        nx_store_release_u64(&ring->segment->head, position + 1);   /* SYNC POINT HEAD */
        /* The next slot's lines come over while the engine waits for the next tick. */
        slot = ring->slots + ((position + 1) & ring->mask) * ring->words;
        for (uint64_t line = 0; line < ring->words; line += 8) __builtin_prefetch(slot + line, 1, 3);
    }

    /* from_oldest 0: begin with the next record that is published; 1: with the oldest of this epoch that stands. */
    static inline void nx_ring_reader_open(nx_ring_reader *reader, const void *base, int from_oldest) {
        const nx_segment *segment = (const nx_segment *)base;
        uint64_t head = nx_load_acquire_u64(&segment->head), first = nx_load_relaxed_u64(&segment->epoch_start);
        reader->segment = segment;
        reader->slots = (const nx_word *)((const char *)base + segment->data_offset);
        reader->mask = segment->capacity - 1;
        reader->words = segment->record_size / 8;
        reader->lost = 0;
        if (head - first > segment->capacity) first = head - segment->capacity;
        reader->position = from_oldest ? first : head;
    }

    /* Moves on to the oldest record that stands, and an eighth of the ring further, to stay ahead of the writer. */
    static inline int nx_ring_lapped(nx_ring_reader *reader, uint64_t stamp) {
        uint64_t head = nx_load_acquire_u64(&reader->segment->head), capacity = reader->mask + 1, next;
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
       call goes on with a newer record. After anything but 1, out may hold rubbish. */
    static inline int nx_ring_read(nx_ring_reader *reader, void *out) {
        uint64_t wanted = 2 * reader->position + 2, stamp;
        const nx_word *slot = reader->slots + (reader->position & reader->mask) * reader->words;
        stamp = nx_load_acquire_u64(slot);                      /* SYNC POINT PUBLISH */
        if (stamp < wanted) return 0;
        if (stamp > wanted) return nx_ring_lapped(reader, stamp);
        if (reader->words == 16) nx_ring_take(slot, (nx_word *)out, 16);
        else nx_ring_take(slot, (nx_word *)out, 32);
        nx_fence_acquire();                                     /* SYNC POINT OVERWRITE */
        stamp = nx_load_relaxed_u64(slot);
        if (stamp != wanted) return nx_ring_lapped(reader, stamp);
        *(nx_word *)out = stamp;
        reader->position++;
        return 1;
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

    void ring_open "nx_ring_open"(nx_ring* ring, void* base) noexcept nogil
    void ring_publish "nx_ring_publish"(nx_ring* ring, const void* record) noexcept nogil
    void ring_reader_open "nx_ring_reader_open"(nx_ring_reader* reader, const void* base,
                                                bint from_oldest) noexcept nogil
    int ring_read "nx_ring_read"(nx_ring_reader* reader, void* out) noexcept nogil


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
