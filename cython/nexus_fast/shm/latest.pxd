"""The latest table: one slot per symbol id, for readers that want the last quote and not all of them.

    stamp of a slot: (writer's epoch << 40) + 2 * quotes written in this epoch; odd while one is being written

The epoch in the stamp keeps two writers' quotes apart: a slot that this epoch has not written counts as empty.
SYNC POINTS PUBLISH and OVERWRITE as in the ring (docs/memory-model.md).
"""

from libc.stdint cimport uint32_t, uint64_t

from nexus_fast.core.atomics cimport load_acquire_u64
from nexus_fast.core.types cimport nx_bookl1
from nexus_fast.shm.segment cimport Segment, nx_segment

cdef extern from *:
    """
    /* nexus_fast latest: begin */
    #ifndef NEXUS_FAST_LATEST_H
    #define NEXUS_FAST_LATEST_H

    #define NX_LATEST_WORDS 16
    #define NX_LATEST_COUNT ((UINT64_C(1) << 40) - 1)
    #define NX_LATEST_ATTEMPTS 1000

    /* Handle of a writer or a reader, private to its process. */
    typedef struct nx_latest {
        nx_word *slots;
        uint64_t capacity;
    } nx_latest;

    /* base: a mapped segment that nx_segment_check has passed. */
    static inline void nx_latest_open(nx_latest *latest, void *base) {
        nx_segment *segment = (nx_segment *)base;
        latest->slots = (nx_word *)((char *)base + NX_SEGMENT_HEADER);
        latest->capacity = segment->capacity;
    }

    /* A new writer empties the table. The stamps grow by it, so no reader takes an old quote for a new one. */
    static inline void nx_latest_reset(nx_latest *latest, uint64_t epoch) {
        for (uint64_t i = 0; i < latest->capacity; i++)
            nx_store_release_u64(latest->slots + i * NX_LATEST_WORDS, epoch << 40);
    }

    /* slot < capacity is the caller's to ensure: the engine hands out the ids. Word 0 of quote is not read. */
    static inline void nx_latest_write(nx_latest *latest, uint32_t slot, const void *quote) {
        nx_word *words = latest->slots + (uint64_t)slot * NX_LATEST_WORDS;
        const nx_word *source = (const nx_word *)quote;
        uint64_t odd = nx_load_relaxed_u64(words) | 1;
        nx_store_relaxed_u64(words, odd);
        nx_fence_release();                                     /* SYNC POINT OVERWRITE */
        for (int i = 1; i < NX_LATEST_WORDS; i++) nx_store_relaxed_u64(words + i, source[i]);
        nx_store_release_u64(words, odd + 1);                   /* SYNC POINT PUBLISH */
    }

    /* 1: the quote is in out, its word 0 the stamp; 0: never written in this epoch, or no such slot. Tries again
       while the slot is being written, 1000 times at most: a writer that died in the middle leaves it so, and that
       counts as 0. */
    static inline int nx_latest_read(nx_latest *latest, uint32_t slot, void *out) {
        if (slot >= latest->capacity) return 0;
        const nx_word *words = latest->slots + (uint64_t)slot * NX_LATEST_WORDS;
        nx_word *target = (nx_word *)out;
        for (int attempt = 0; attempt < NX_LATEST_ATTEMPTS; attempt++) {
            uint64_t stamp = nx_load_acquire_u64(words);        /* SYNC POINT PUBLISH */
            if ((stamp & NX_LATEST_COUNT) == 0) return 0;
            if ((stamp & 1) == 0) {
                for (int i = 1; i < NX_LATEST_WORDS; i++) target[i] = nx_load_relaxed_u64(words + i);
                nx_fence_acquire();                             /* SYNC POINT OVERWRITE */
                if (nx_load_relaxed_u64(words) == stamp) {
                    target[0] = stamp;
                    return 1;
                }
            }
            nx_cpu_relax();
        }
        return 0;
    }
    #endif
    /* nexus_fast latest: end */
    """
    ctypedef struct nx_latest:
        uint64_t* slots
        uint64_t capacity

    void latest_open "nx_latest_open"(nx_latest* latest, void* base) noexcept nogil
    void latest_reset "nx_latest_reset"(nx_latest* latest, uint64_t epoch) noexcept nogil
    void latest_write "nx_latest_write"(nx_latest* latest, uint32_t slot, const nx_bookl1* quote) noexcept nogil
    int latest_read "nx_latest_read"(nx_latest* latest, uint32_t slot, nx_bookl1* out) noexcept nogil


cdef class LatestTable:
    cdef nx_latest table                # slots is NULL after close()
    cdef readonly Segment segment       # keeps the mapping alive
    cdef object unpack                  #: Callable[[bytes], BookL1Record]

    cdef nx_latest* handle(self) noexcept nogil
