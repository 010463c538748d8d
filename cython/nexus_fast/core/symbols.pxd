"""The cells in which a venue's symbol text is looked up: open addressing, one cache line a cell, one probe as a rule.

A parser knows the symbol long before it has read the numbers behind it: it takes the hash and asks for the cell's line at once
(symbol_soon), so that the look-up behind the parser finds it in the nearest cache however many symbols there are.
"""

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

    static inline uint64_t nx_symbol_word(const char *p) {
        uint64_t word;
        memcpy(&word, p, 8);
        return word;
    }

    static inline uint64_t nx_symbol_hash(const char *text, uint32_t length) {
        uint64_t head = 0, tail = 0;
        if (length >= 8) {
            head = nx_symbol_word(text);
            tail = nx_symbol_word(text + length - 8);
        } else if (length >= 4) {
            uint32_t last;
            memcpy(&head, text, 4);
            memcpy(&last, text + length - 4, 4);
            tail = last;
        } else if (length) {
            head = (uint64_t)(uint8_t)text[0] | (uint64_t)(uint8_t)text[length / 2] << 8 | (uint64_t)(uint8_t)text[length - 1] << 16;
        }
        head = (head ^ (tail * 0x9E3779B97F4A7C15ull)) + length;
        head *= 0xFF51AFD7ED558CCDull;
        return head ^ (head >> 29);
    }

    static inline void nx_symbol_soon(const nx_symbols *table, uint64_t hash) {
        __builtin_prefetch(&table->cells[hash & table->mask], 1);
    }

    static inline int nx_symbol_is(const nx_symbol *cell, const char *text, uint32_t length) {
        uint32_t i;
        if (cell->length != length) return 0;
        if (length < 8) return memcmp(cell->name, text, length) == 0;
        for (i = 0; i + 8 < length; i += 8)
            if (nx_symbol_word(cell->name + i) != nx_symbol_word(text + i)) return 0;
        return nx_symbol_word(cell->name + length - 8) == nx_symbol_word(text + length - 8);
    }

    static inline nx_symbol *nx_symbol_find(const nx_symbols *table, const char *text, uint32_t length, uint64_t hash) {
        uint64_t at = hash & table->mask;
        if (length == 0 || length > sizeof(((nx_symbol *)0)->name)) return 0;
        for (;;) {
            nx_symbol *cell = &table->cells[at];
            if (nx_symbol_is(cell, text, length)) return cell;
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
    uint64_t symbol_hash "nx_symbol_hash"(const char* text, uint32_t length) noexcept nogil
    void symbol_soon "nx_symbol_soon"(const nx_symbols* table, uint64_t hash) noexcept nogil
    # hash: symbol_hash of the same text; NULL when it is not there.
    nx_symbol* symbol_find "nx_symbol_find"(const nx_symbols* table, const char* text, uint32_t length, uint64_t hash) noexcept nogil
