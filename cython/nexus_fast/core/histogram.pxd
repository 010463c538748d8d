"""A fixed-size log-linear histogram of non-negative integers: 64 steps to every power of two, so a value is known to
1.6 %. Recording is an index and an increment; nothing is allocated after construction."""

from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    #ifndef NEXUS_FAST_HISTOGRAM_H
    #define NEXUS_FAST_HISTOGRAM_H
    #include <stdint.h>
    #define NX_HISTOGRAM_CELLS 2560   /* 64 below 64, then 64 for each of the powers 2^6 … 2^44 */
    typedef struct nx_histogram {
        uint64_t count;
        int64_t maximum;
        uint64_t cells[NX_HISTOGRAM_CELLS];
    } nx_histogram;

    static inline void histogram_record(nx_histogram *histogram, int64_t value) {
        int64_t v = value < 0 ? 0 : value;
        uint64_t cell;
        if (v < 64) {
            cell = (uint64_t)v;
        } else {
            int power = 63 - __builtin_clzll((unsigned long long)v);
            if (power > 44) power = 44;
            cell = (uint64_t)(power - 5) * 64 + ((uint64_t)v >> (power - 6) & 63);
        }
        histogram->cells[cell]++;
        histogram->count++;
        if (v > histogram->maximum) histogram->maximum = v;
    }
    #endif
    """
    enum:
        NX_HISTOGRAM_CELLS
    ctypedef struct nx_histogram:
        uint64_t count
        int64_t maximum
        uint64_t cells[2560]
    void histogram_record(nx_histogram* histogram, int64_t value) noexcept nogil


cdef class Histogram:
    cdef nx_histogram data
    cdef inline void record(self, int64_t value) noexcept nogil:
        histogram_record(&self.data, value)
