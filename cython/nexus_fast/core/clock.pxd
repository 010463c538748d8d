"""The clocks of the hot path. Times are nanoseconds but for ticks, which are the CPU's own counter: for measuring."""

from libc.stdint cimport int64_t, uint64_t

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

    /* The wall clock as the counter goes on from where both were last read together: a multiplication, where clock_gettime
       reads the counter once more and waits for it. */
    typedef struct nx_wall {
        int64_t ticks;              /* counter, CLOCK_REALTIME and CLOCK_MONOTONIC at one instant */
        int64_t realtime_ns;
        int64_t monotonic_ns;
        uint64_t rate;              /* nanoseconds a tick, times 2**32 */
        uint64_t trusted;           /* ticks for which it goes on by itself; 0 where the counter is no clock */
        uint64_t fresh;             /* ticks after which it is worth a quiet moment to read the clocks again */
    } nx_wall;

    static inline int nx_wall_runs(const nx_wall *wall, int64_t ticks) { return (uint64_t)(ticks - wall->ticks) < wall->trusted; }

    static inline int64_t nx_wall_since(const nx_wall *wall, int64_t ticks) {
        return (int64_t)((uint64_t)(ticks - wall->ticks) * wall->rate >> 32);
    }
    #endif
    """
    int64_t clock_ticks "nx_clock_ticks"() noexcept nogil
    int64_t clock_realtime_ns "nx_clock_realtime_ns"() noexcept nogil
    int64_t clock_monotonic_ns "nx_clock_monotonic_ns"() noexcept nogil
    int64_t clock_raw_ns "nx_clock_raw_ns"() noexcept nogil

    ctypedef struct nx_wall:
        int64_t ticks
        int64_t realtime_ns
        int64_t monotonic_ns
        uint64_t rate
        uint64_t trusted
        uint64_t fresh
    bint wall_runs "nx_wall_runs"(const nx_wall* wall, int64_t ticks) noexcept nogil
    int64_t wall_since "nx_wall_since"(const nx_wall* wall, int64_t ticks) noexcept nogil

cdef double NS_PER_TICK    # set when the module is imported, refined by ticks_per_ns()


cdef inline int64_t ticks_to_ns(int64_t ticks) noexcept nogil:
    return <int64_t>(<double>ticks * NS_PER_TICK)


# One per thread that reads ticks: wall_set before the first use.
cdef void wall_set(nx_wall* wall) noexcept nogil


cdef inline int64_t wall_realtime_ns(nx_wall* wall, int64_t ticks) noexcept nogil:
    """CLOCK_REALTIME at `ticks`, which have been read a moment ago."""
    if not wall_runs(wall, ticks):
        wall_set(wall)
        return wall.realtime_ns
    return wall.realtime_ns + wall_since(wall, ticks)


cdef inline int64_t wall_monotonic_ns(nx_wall* wall, int64_t ticks) noexcept nogil:
    if not wall_runs(wall, ticks):
        wall_set(wall)
        return wall.monotonic_ns
    return wall.monotonic_ns + wall_since(wall, ticks)


cdef inline void wall_refresh(nx_wall* wall, int64_t ticks) noexcept nogil:
    """For a quiet moment: reads the clocks again when that was long ago."""
    if <uint64_t>(ticks - wall.ticks) > wall.fresh:
        wall_set(wall)
