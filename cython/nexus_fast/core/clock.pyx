"""The clocks for Python, and the rate of the CPU's counter.

The rate is taken against CLOCK_MONOTONIC_RAW, which no NTP daemon slews: for two milliseconds at import, then over the
whole time since, each time somebody asks.
"""

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


def to_ns(int64_t ticks):
    """A span of ticks in nanoseconds, by the rate last measured."""
    return ticks_to_ns(ticks)
