"""The venue's symbol text of one connection family to the engine's symbol id: open addressing, one probe as a rule."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef extern from *:
    """
    #ifndef NEXUS_FAST_SYMBOLS_H
    #define NEXUS_FAST_SYMBOLS_H
    #include <stdint.h>
    #include <string.h>
    typedef struct nx_symbol {
        char name[32];              /* zero-padded */
        uint32_t length;            /* 0: the cell is free */
        uint32_t symbol_id;
        uint8_t price_scale;
        uint8_t size_scale;
        uint8_t venue;
        uint8_t spare[5];
        uint64_t update_id;         /* of the newest quote, whichever connection brought it */
        int64_t matched_ns;         /* its time at the venue's matching engine; 0: the venue does not say */
    } nx_symbol;                    /* one cache line */
    typedef struct nx_symbols {
        nx_symbol *cells;
        uint64_t mask;
    } nx_symbols;

    static inline uint64_t symbol_hash(const char *text, uint32_t length) {
        uint64_t head = 0, tail = 0;
        uint32_t first = length < 8 ? length : 8;
        memcpy(&head, text, first);
        if (length > 8) memcpy(&tail, text + length - 8, 8);
        head = (head ^ (tail * 0x9E3779B97F4A7C15ull)) + length;
        head *= 0xFF51AFD7ED558CCDull;
        return head ^ (head >> 29);
    }

    static inline nx_symbol *symbol_find(const nx_symbols *table, const char *text, uint32_t length) {
        uint64_t at;
        if (length == 0 || length > sizeof(((nx_symbol *)0)->name)) return 0;
        at = symbol_hash(text, length) & table->mask;
        for (;;) {
            nx_symbol *cell = &table->cells[at];
            if (cell->length == length && memcmp(cell->name, text, length) == 0) return cell;
            if (cell->length == 0) return 0;
            at = (at + 1) & table->mask;
        }
    }
    #endif
    """
    ctypedef struct nx_symbol:
        char name[32]
        uint32_t length
        uint32_t symbol_id
        uint8_t price_scale
        uint8_t size_scale
        uint8_t venue
        uint64_t update_id
        int64_t matched_ns
    ctypedef struct nx_symbols:
        nx_symbol* cells
        uint64_t mask
    uint64_t symbol_hash(const char* text, uint32_t length) noexcept nogil
    nx_symbol* symbol_find(const nx_symbols* table, const char* text, uint32_t length) noexcept nogil


cdef class SymbolTable:
    cdef nx_symbols table
    cdef Py_ssize_t used

    cdef int allocate(self, Py_ssize_t capacity) except -1
    cdef int grow(self) except -1
    cdef nx_symbol* place(self, const char* name, uint32_t length) noexcept nogil

    cdef inline nx_symbol* find(self, const char* text, uint32_t length) noexcept nogil:
        return symbol_find(&self.table, text, length)
