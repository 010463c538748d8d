"""Percentiles of latencies, recorded in C and read in Python."""

from libc.string cimport memset

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


cdef int64_t middle_of(Py_ssize_t cell) noexcept nogil:
    """The middle of the values that share a cell."""
    cdef int64_t power, low
    if cell < 64:
        return cell
    power = cell // 64 + 5
    low = (<int64_t>1 << power) + (<int64_t>(cell % 64) << (power - 6))
    return low + (<int64_t>1 << (power - 6)) // 2


cdef class Histogram:
    """Values are whole numbers in whatever unit the caller records; `summary` divides them by `scale`."""

    def __cinit__(self):
        memset(&self.data, 0, sizeof(nx_histogram))

    def add(self, int64_t value):
        """Record one value; below zero counts as zero."""
        histogram_record(&self.data, value)

    def clear(self):
        memset(&self.data, 0, sizeof(nx_histogram))

    def __len__(self):
        return self.data.count

    def percentile(self, double share):
        """The value below or at which `share` (0 … 1) of the recorded ones lie; 0 when nothing was recorded."""
        cdef uint64_t wanted = <uint64_t>(share * self.data.count + 0.999999)
        cdef uint64_t seen = 0
        cdef Py_ssize_t cell
        if wanted < 1:
            wanted = 1
        for cell in range(NX_HISTOGRAM_CELLS):
            seen += self.data.cells[cell]
            if seen >= wanted:
                return min(middle_of(cell), self.data.maximum)
        return 0

    def summary(self, double scale=1.0, int digits=0):
        """{n, p50, p90, p99, p999, max}, each value divided by `scale` and rounded to `digits` places."""
        found = {name: self.percentile(share) / scale for name, share in PERCENTILES.items()}
        found["max"] = self.data.maximum / scale
        rounded = {name: round(value, digits) if digits else round(value) for name, value in found.items()}
        return {"n": self.data.count, **rounded}
