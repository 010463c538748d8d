"""Loops over frames in C for bench/micro/test_wire.py: nanoseconds per frame without a Python call in between."""

from libc.stdlib cimport calloc, free

from nexus_fast.core.scan cimport number_to_double
from nexus_fast.wire.quote cimport NX_PARSE_QUOTE, nx_parse_function, nx_quote
from nexus_fast.wire.registry cimport nx_parser, parser_row

from nexus_fast.wire.registry import parser_id


cdef class Frames:
    """Frames side by side in memory, as they lie in a receive buffer, and a parser to run over them."""
    cdef bytes blob
    cdef Py_ssize_t* offsets
    cdef Py_ssize_t count
    cdef const nx_parser* parser

    def __cinit__(self, list frames, str venue, str market):
        cdef Py_ssize_t i
        venue_number, market_number = parser_id(venue, market)
        self.parser = parser_row(venue_number, market_number)
        self.blob = b"".join(frames)
        self.count = len(frames)
        self.offsets = <Py_ssize_t*>calloc(self.count + 1, sizeof(Py_ssize_t))
        if self.offsets == NULL:
            raise MemoryError()
        for i in range(self.count):
            self.offsets[i + 1] = self.offsets[i] + <Py_ssize_t>len(frames[i])

    def __dealloc__(self):
        free(self.offsets)

    def run(self, Py_ssize_t rounds, str path="parse"):
        """Parses all frames `rounds` times by "parse", "fast" or "general"; how many were quotes in all."""
        cdef const char* data = self.blob
        cdef nx_parse_function parse = self.parser.parse
        cdef Py_ssize_t i, done, quotes = 0
        cdef nx_quote quote
        quote.symbols = NULL
        if path == "fast":
            parse = self.parser.fast
        elif path == "general":
            parse = self.parser.general
        with nogil:
            for done in range(rounds):
                for i in range(self.count):
                    quotes += parse(data + self.offsets[i], self.offsets[i + 1] - self.offsets[i], &quote) == NX_PARSE_QUOTE
        return quotes

    def __len__(self):
        return self.count
