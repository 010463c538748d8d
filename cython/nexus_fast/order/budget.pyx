from libc.stdlib cimport free, malloc

import math

# More than this many in one sliding window are not counted: no venue's limit is that high.
MOST_COUNTED = 65_536
# Before any window.
NEVER = -(1 << 62)


cdef class Budget:
    """One window of a venue's limit. share: how much of the limit is ours; reserve: how much of that is kept for orders that
    reduce a position. The pointer that routes hold stays the same when the limit changes."""

    def __init__(self, int64_t limit, double seconds, bint sliding, double share=1.0, double reserve=0.0):
        self.row.length_ns = round(seconds * 1e9)
        self.row.sliding = sliding
        self.share, self.reserve = share, reserve
        self.seconds = seconds
        self.set_limit(limit)

    def __dealloc__(self):
        free(self.row.times)

    def set_limit(self, int64_t limit):
        """The venue's limit is another than thought: what was counted in a sliding window is forgotten when it has to grow."""
        if limit == self.limit:
            return
        self.limit = limit
        cdef int64_t ours = max(1, int(limit * self.share))
        if self.row.sliding:
            self.row.length_ns = 0 if ours > MOST_COUNTED else round(self.seconds * 1e9)
            ours = min(ours, MOST_COUNTED)
            if self.row.times == NULL or ours > self.row.mask + 1:
                self.make_ring(1 << (ours - 1).bit_length())
        ours = min(ours, 0xFFFFFFFF)
        self.row.most[0] = max(1, ours - math.ceil(ours * self.reserve))
        self.row.most[1] = ours

    cdef int make_ring(self, int64_t cells) except -1:
        cdef int64_t* times = <int64_t*>malloc(cells * sizeof(int64_t))
        cdef int64_t i
        if times == NULL:
            raise MemoryError(f"no memory for a window of {cells} orders")
        for i in range(cells):
            times[i] = NEVER
        free(self.row.times)
        self.row.times, self.row.mask, self.row.used = times, cells - 1, 0
        return 0

    def used(self, int64_t now_ns):
        """Orders in the window at this time of the venue's clock."""
        cdef int64_t i
        if self.row.sliding:
            return sum(now_ns - self.row.times[i] < self.row.length_ns for i in range(self.row.mask + 1))
        return self.row.used if 0 <= now_ns - self.row.started_ns < self.row.length_ns else 0

    def take(self, int64_t now_ns, bint reduces=False):
        """Whether one more order fits; it is counted."""
        return budget_take(&self.row, now_ns, reduces)

    def heard(self, int64_t count, int64_t asked_ns, int64_t now_ns):
        """Fixed windows: the venue says how many it has counted, ours and those of others. Asked in one window and answered in
        the next, it says nothing of this one."""
        if asked_ns // self.row.length_ns == now_ns // self.row.length_ns:
            self.row.used = min(max(self.used(now_ns), count), 0xFFFFFFFF)
            self.row.started_ns = now_ns - now_ns % self.row.length_ns

    def give_back(self, int64_t count):
        """Fixed windows: the venue counts these no longer."""
        self.row.used -= min(count, <int64_t>self.row.used)
