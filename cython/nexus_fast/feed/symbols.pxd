"""The venue's symbol text of one connection family to the engine's symbol id (core/symbols.pxd has the cells)."""

from libc.stdint cimport uint32_t

from nexus_fast.core.symbols cimport nx_symbol, nx_symbols, symbol_find, symbol_hash


cdef class SymbolTable:
    cdef nx_symbols table
    cdef Py_ssize_t used

    cdef int allocate(self, Py_ssize_t capacity) except -1
    cdef int grow(self) except -1
    cdef nx_symbol* place(self, const char* name, uint32_t length) noexcept nogil

    cdef inline nx_symbol* find(self, const char* text, uint32_t length) noexcept nogil:
        return symbol_find(&self.table, text, length, symbol_hash(text, length))
