"""Memory that the hot path reads everywhere: zeroed, beginning at a cache line, and in huge pages where it is large.

With small pages the books, cells, routes and slots of thousands of symbols are more pages than the processor remembers the
addresses of, and each of them costs a walk through the page tables, which is longer still in a virtual machine. The kernel gives
huge pages to those who ask (THP "madvise" or "always"); without them everything works as before.
"""

cdef extern from *:
    """
    #ifndef NEXUS_FAST_MEMORY_H
    #define NEXUS_FAST_MEMORY_H
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>

    #define NX_HUGE_PAGE ((size_t)2 << 20)
    #define NX_HUGE_FROM ((size_t)256 << 10)    /* what is smaller does not deserve one */

    static inline size_t nx_memory_round(size_t size, size_t unit) { return (size + unit - 1) & ~(unit - 1); }

    static inline void *nx_memory_huge(size_t size) {
        size_t whole = nx_memory_round(size, NX_HUGE_PAGE);
        char *map = (char *)mmap(NULL, whole + NX_HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char *start;
        if (map == (char *)MAP_FAILED) return NULL;
        start = (char *)nx_memory_round((size_t)map, NX_HUGE_PAGE);
        if (start != map) munmap(map, (size_t)(start - map));
        if (start + whole != map + whole + NX_HUGE_PAGE) munmap(start + whole, (size_t)(map + NX_HUGE_PAGE - start));
    #ifdef MADV_HUGEPAGE
        madvise(start, whole, MADV_HUGEPAGE);
    #endif
        return start;
    }

    /* NULL when there is none. */
    static inline void *nx_memory_take(size_t size) {
        void *start;
        if (size >= NX_HUGE_FROM) return nx_memory_huge(size);
        size = nx_memory_round(size ? size : 1, 64);
        start = aligned_alloc(64, size);
        if (start) memset(start, 0, size);
        return start;
    }

    /* size: as it was taken. */
    static inline void nx_memory_give_back(void *start, size_t size) {
        if (start && size >= NX_HUGE_FROM) munmap(start, nx_memory_round(size, NX_HUGE_PAGE));
        else free(start);
    }
    #endif
    """
    void* memory_take "nx_memory_take"(size_t size) noexcept nogil
    void memory_give_back "nx_memory_give_back"(void* start, size_t size) noexcept nogil
