"""Mutates recorded frames and runs the parsers over them, each input in a malloc block of exactly its size.

Built together with the parsers under AddressSanitizer and UBSan (see sanitized.py): a read one byte outside the block ends
the process with a report. Everything is drawn from the seed, so a finding can be run again.
"""

from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memmove

from nexus_fast.core.scan cimport nx_number
from nexus_fast.wire.quote cimport NX_PARSE_QUOTE, NX_PARSE_UNUSUAL, nx_parse_function, nx_quote
from nexus_fast.wire.registry cimport nx_parser, parser_row

from nexus_fast.wire.registry import parser_id

cdef enum:
    ROOM = 4096         # no mutant is longer

cdef extern from *:
    """
    static const char nx_spice[] = "\\"\\\\{}[]:,.0123456789eE+-nulltruefalse \\t\\r\\n\\x00\\x1f\\x7f\\x80\\xc3\\xed\\xf4\\xff/u";
    """
    const char* SPICE "nx_spice"
    int SPICES "((int)sizeof(nx_spice) - 1)"


cdef int over_reading_parser(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    """Wrong on purpose: looks at the byte behind the frame."""
    return NX_PARSE_UNUSUAL if data[size] == c'}' else 0


cdef int overflowing_parser(const char* data, Py_ssize_t size, nx_quote* out) noexcept nogil:
    """Wrong on purpose: a signed sum that leaves int."""
    cdef int sum = 0x7FFFFFFF
    sum = sum + <int>(size > 0)
    return sum & 1


cdef bint same_number(const nx_number* a, const nx_number* b) noexcept nogil:
    return a.mantissa == b.mantissa and a.decimals == b.decimals and a.text == b.text and a.text_length == b.text_length


cdef bint same_quote(const nx_quote* a, const nx_quote* b) noexcept nogil:
    return (a.symbol_length == b.symbol_length and memcmp(a.symbol, b.symbol, a.symbol_length) == 0
            and a.flags == b.flags and a.update_id == b.update_id and a.venue_time_ns == b.venue_time_ns
            and a.event_time_ns == b.event_time_ns and same_number(&a.bid, &b.bid) and same_number(&a.ask, &b.ask)
            and same_number(&a.bid_size, &b.bid_size) and same_number(&a.ask_size, &b.ask_size))


cdef class WireFuzzer:
    cdef list frames
    cdef const nx_parser* parser
    cdef nx_parse_function faulty
    cdef uint64_t state
    cdef char[ROOM] work
    cdef Py_ssize_t size

    def __init__(self, list frames, str venue, str market, uint64_t seed, str fault=None):
        venue_number, market_number = parser_id(venue, market)
        self.frames = [frame for frame in frames if len(frame) < ROOM]
        self.parser = parser_row(venue_number, market_number)
        self.state = seed * 2 + 1
        if fault == "over_read":
            self.faulty = over_reading_parser
        elif fault == "overflow":
            self.faulty = overflowing_parser

    cdef uint64_t draw(self, uint64_t below) noexcept:
        """xorshift64*: 0 to below - 1."""
        self.state ^= self.state >> 12
        self.state ^= self.state << 25
        self.state ^= self.state >> 27
        return (self.state * <uint64_t>2685821657736338717 >> 11) % below

    cdef void cut(self, Py_ssize_t start, Py_ssize_t length) noexcept:
        memmove(self.work + start, self.work + start + length, self.size - start - length)
        self.size -= length

    cdef void insert(self, Py_ssize_t at, const char* what, Py_ssize_t length) noexcept:
        if self.size + length > ROOM:
            return
        memmove(self.work + at + length, self.work + at, self.size - at)
        memcpy(self.work + at, what, length)
        self.size += length

    cdef void splice(self):
        """A piece of another frame, or of this one again."""
        cdef bytes other = self.frames[self.draw(len(self.frames))]
        cdef Py_ssize_t start = self.draw(len(other))
        self.insert(self.draw(self.size + 1), <const char*>other + start, 1 + self.draw(min(len(other) - start, 40)))

    cdef void mutate_once(self):
        cdef uint64_t kind = self.draw(8)
        cdef Py_ssize_t at
        if self.size == 0:
            return
        at = self.draw(self.size)
        if kind == 0:
            self.work[at] = <char>(self.work[at] ^ (1 << self.draw(8)))
        elif kind <= 2:
            self.work[at] = SPICE[self.draw(SPICES)]
        elif kind == 3:
            self.insert(at, SPICE + self.draw(SPICES), 1)
        elif kind == 4:
            self.cut(at, 1 + self.draw(min(self.size - at, 12)))
        elif kind == 5:
            self.size = at
        elif kind == 6:
            self.splice()
        else:
            self.insert(at, b"00000000000000000000", 1 + self.draw(20))

    cdef void next_mutant(self):
        cdef bytes frame = self.frames[self.draw(len(self.frames))]
        cdef uint64_t steps = self.draw(5)
        self.size = len(frame)
        memcpy(self.work, <const char*>frame, self.size)
        while steps:
            self.mutate_once()
            steps -= 1

    cdef int try_once(self) except -100:
        """The parser's status. Raises where its two halves differ, and for a symbol outside of frame and storage."""
        cdef nx_quote fast, general
        cdef int status, fast_status
        cdef char* block = <char*>malloc(self.size)
        memcpy(block, self.work, self.size)
        fast.symbols = general.symbols = NULL
        try:
            if self.faulty != NULL:
                return self.faulty(block, self.size, &fast)
            status = self.parser.general(block, self.size, &general)
            fast_status = self.parser.fast(block, self.size, &fast)
            if fast_status != NX_PARSE_UNUSUAL and fast_status != status:
                raise AssertionError(f"fast {fast_status}, general {status}: {self.work[:self.size]!r}")
            if fast_status == NX_PARSE_QUOTE and not same_quote(&fast, &general):
                raise AssertionError(f"fast and general quotes differ: {self.work[:self.size]!r}")
            if self.parser.parse(block, self.size, &fast) != status:
                raise AssertionError(f"parse does not give what its halves give: {self.work[:self.size]!r}")
            return status
        finally:
            free(block)

    def run(self, Py_ssize_t iterations):
        """How many mutants got which status."""
        cdef dict counts = {}
        cdef Py_ssize_t i
        for i in range(iterations):
            self.next_mutant()
            status = self.try_once()
            counts[status] = counts.get(status, 0) + 1
        return counts

    def sample(self, Py_ssize_t count):
        """Mutants and their statuses, for a judge outside."""
        cdef list found = []
        for _ in range(count):
            self.next_mutant()
            found.append((self.work[:self.size], self.try_once()))
        return found
