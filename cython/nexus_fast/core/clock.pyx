"""The clocks for Python, and the rate of the CPU's counter.

The rate is taken against CLOCK_MONOTONIC_RAW, which no NTP daemon slews: for two milliseconds at import, then over the
whole time since, each time somebody asks.
"""

from libc.stdint cimport int64_t, uint64_t

cdef int64_t IMPORT_SPAN_NS = 2_000_000

cdef int64_t anchor_ticks
cdef int64_t anchor_raw


cdef void read_pair(int64_t* ticks, int64_t* raw) noexcept nogil:
    """The two counters at one instant: the tightest of eight tries, so that an interrupt in between does not count."""
    cdef int64_t before, after, now, best = -1
    cdef int attempt
    ticks[0] = raw[0] = 0
    for attempt in range(8):
        before = clock_ticks()
        now = clock_raw_ns()
        after = clock_ticks()
        if best < 0 or after - before < best:
            best = after - before
            ticks[0] = before + (after - before) // 2
            raw[0] = now


cdef void measure() noexcept nogil:
    global NS_PER_TICK
    cdef int64_t ticks, raw
    read_pair(&ticks, &raw)
    if ticks > anchor_ticks:
        NS_PER_TICK = <double>(raw - anchor_raw) / <double>(ticks - anchor_ticks)


cdef void calibrate() noexcept nogil:
    read_pair(&anchor_ticks, &anchor_raw)
    while clock_raw_ns() - anchor_raw < IMPORT_SPAN_NS:
        pass
    measure()


calibrate()


# How far the counter is trusted to run on by itself, and how old it may get before a quiet moment is used.
cdef int64_t TRUSTED_NS = 20_000_000
cdef int64_t FRESH_NS = 1_000_000


def counter_is_clock():
    """Whether the kernel itself takes the time from the CPU's counter: only then it runs evenly and alike on every CPU."""
    try:
        with open("/sys/devices/system/clocksource/clocksource0/current_clocksource") as source:
            return source.read().strip() in ("tsc", "arch_sys_counter")
    except OSError:
        return False


cdef nx_wall of_tests
cdef bint COUNTER_IS_CLOCK = counter_is_clock()


def distrust_counter():
    """Every time is read from its clock from now on: for a process whose clocks are not the machine's. Before an engine is made."""
    global COUNTER_IS_CLOCK
    COUNTER_IS_CLOCK = False


# The rate gets better with the time since import, but not within a second.
cdef int64_t MEASURED_AGAIN_NS = 1_000_000_000
cdef int64_t measured_ticks


cdef void wall_set(nx_wall* wall) noexcept nogil:
    global measured_ticks
    cdef int64_t before = clock_ticks(), after
    if COUNTER_IS_CLOCK and <double>(before - measured_ticks) * NS_PER_TICK > MEASURED_AGAIN_NS:
        measure()
        measured_ticks = before = clock_ticks()
    wall.realtime_ns = clock_realtime_ns()
    after = clock_ticks()
    wall.monotonic_ns = clock_monotonic_ns()
    wall.ticks = before + (after - before) // 2
    wall.rate = <uint64_t>(NS_PER_TICK * 4294967296.0)
    wall.trusted = <uint64_t>(<double>TRUSTED_NS / NS_PER_TICK) if COUNTER_IS_CLOCK else 0
    wall.fresh = <uint64_t>(<double>FRESH_NS / NS_PER_TICK)


def ticks_per_ns():
    """Ticks of the CPU's counter in a nanosecond; measured over the time since import, so every call is better."""
    measure()
    return 1.0 / NS_PER_TICK


def ticks():
    """The CPU's counter now (rdtsc, cntvct_el0)."""
    return clock_ticks()


def realtime_ns():
    """CLOCK_REALTIME, nanoseconds since 1970."""
    return clock_realtime_ns()


def monotonic_ns():
    """CLOCK_MONOTONIC, nanoseconds since the machine's start."""
    return clock_monotonic_ns()


def wall_realtime(int64_t ticks_ago=0):
    """CLOCK_REALTIME so many ticks ago as the hot path tells it from the counter. For tests."""
    return wall_realtime_ns(&of_tests, clock_ticks() - ticks_ago)


def to_ns(int64_t ticks):
    """A span of ticks in nanoseconds, by the rate last measured."""
    return ticks_to_ns(ticks)
