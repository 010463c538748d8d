"""The clocks of the hot path. Times are nanoseconds but for ticks, which are the CPU's own counter: for measuring."""

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #ifndef NEXUS_FAST_CLOCK_H
    #define NEXUS_FAST_CLOCK_H
    #include <stdint.h>
    #include <time.h>

    static inline int64_t nx_clock_ticks(void) {
    #if defined(__x86_64__)
        return (int64_t)__builtin_ia32_rdtsc();
    #else
        int64_t ticks;
        __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
    #endif
    }

    static inline int64_t nx_clock_read(clockid_t clock) {
        struct timespec time;
        clock_gettime(clock, &time);
        return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    }
    static inline int64_t nx_clock_realtime_ns(void) { return nx_clock_read(CLOCK_REALTIME); }
    static inline int64_t nx_clock_monotonic_ns(void) { return nx_clock_read(CLOCK_MONOTONIC); }
    static inline int64_t nx_clock_raw_ns(void) { return nx_clock_read(CLOCK_MONOTONIC_RAW); }
    #endif
    """
    int64_t clock_ticks "nx_clock_ticks"() noexcept nogil
    int64_t clock_realtime_ns "nx_clock_realtime_ns"() noexcept nogil
    int64_t clock_monotonic_ns "nx_clock_monotonic_ns"() noexcept nogil
    int64_t clock_raw_ns "nx_clock_raw_ns"() noexcept nogil

cdef double NS_PER_TICK    # set when the module is imported, refined by ticks_per_ns()


cdef inline int64_t ticks_to_ns(int64_t ticks) noexcept nogil:
    return <int64_t>(<double>ticks * NS_PER_TICK)
