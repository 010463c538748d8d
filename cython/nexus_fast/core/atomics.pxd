"""Acquire, release and relaxed access to words that another thread or process reads or writes.

The only place with bare atomics: everything shared goes through these names, so that each use can carry the name of its
sync point (docs/memory-model.md). Compiler builtins of the C11 memory model; x86-64 and aarch64.
"""

from libc.stdint cimport uint64_t

cdef extern from *:
    """
    /* nexus_fast atomics: begin */
    #ifndef NEXUS_FAST_ATOMICS_H
    #define NEXUS_FAST_ATOMICS_H
    #include <stdint.h>

    #if !defined(__x86_64__) && !defined(__aarch64__)
    #error "nexus_fast runs on x86-64 and aarch64: the shared records need 8-byte atomic words in little-endian order"
    #endif

    /* A word of a record whose fields have other types: without may_alias the compiler may move the stores to the
       fields behind the loads of the words. */
    typedef uint64_t __attribute__((may_alias)) nx_word;

    static inline uint64_t nx_load_acquire_u64(const nx_word *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
    static inline uint64_t nx_load_relaxed_u64(const nx_word *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
    static inline void nx_store_release_u64(nx_word *word, uint64_t value) {
        __atomic_store_n(word, value, __ATOMIC_RELEASE);
    }
    static inline void nx_store_relaxed_u64(nx_word *word, uint64_t value) {
        __atomic_store_n(word, value, __ATOMIC_RELAXED);
    }
    static inline void nx_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
    static inline void nx_fence_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }

    static inline void nx_cpu_relax(void) {
    #if defined(__x86_64__)
        __builtin_ia32_pause();
    #else
        __asm__ __volatile__("isb" ::: "memory");
    #endif
    }
    #endif
    /* nexus_fast atomics: end */
    """
    uint64_t load_acquire_u64 "nx_load_acquire_u64"(const uint64_t* word) noexcept nogil
    uint64_t load_relaxed_u64 "nx_load_relaxed_u64"(const uint64_t* word) noexcept nogil
    void store_release_u64 "nx_store_release_u64"(uint64_t* word, uint64_t value) noexcept nogil
    void store_relaxed_u64 "nx_store_relaxed_u64"(uint64_t* word, uint64_t value) noexcept nogil
    void fence_acquire "nx_fence_acquire"() noexcept nogil
    void fence_release "nx_fence_release"() noexcept nogil
