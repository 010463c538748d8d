"""How many orders a venue takes per time, counted here so that the venue need not refuse one.

Two kinds of windows: fixed ones, which begin anew at multiples of their length by the venue's clock (Binance), and sliding ones,
the last so many seconds at any moment (Bybit, OKX). A sliding one remembers when its last orders left: the order that would be
one too many is the one before which the oldest of them is still inside.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

cdef extern from * nogil:
    """
    #ifndef NEXUS_FAST_BUDGET_H
    #define NEXUS_FAST_BUDGET_H
    #include <stdint.h>

    typedef struct nx_budget {
        int64_t length_ns;       /* 0 for a sliding window without a limit */
        int64_t started_ns;      /* fixed: when the window under way began */
        int64_t *times;          /* sliding: when the last orders left, a ring */
        uint32_t mask;           /* cells of the ring - 1 */
        uint32_t used;           /* fixed: orders in the window under way; sliding: orders ever, modulo 2^32 */
        uint32_t most[2];        /* of all orders; [1]: of those that reduce a position, for which a part is kept */
        uint32_t sliding;
    } nx_budget;

    /* Whether one more fits, and it is counted. A clock that went back makes a difference negative, which as an unsigned number
       is longer than any window. */
    static inline int budget_take(nx_budget *b, int64_t now_ns, int reduces) {
        if (b->sliding) {
            if ((uint64_t)(now_ns - b->times[(b->used - b->most[reduces]) & b->mask]) < (uint64_t)b->length_ns) return 0;
            b->times[b->used & b->mask] = now_ns;
        } else {
            if ((uint64_t)(now_ns - b->started_ns) >= (uint64_t)b->length_ns) {
                b->started_ns = now_ns - now_ns % b->length_ns;
                b->used = 0;
            }
            if (b->used >= b->most[reduces]) return 0;
        }
        b->used++;
        return 1;
    }

    static inline void budget_give_back(nx_budget *b) {
        b->used--;
        if (b->sliding) b->times[b->used & b->mask] = INT64_MIN / 2;
    }

    /* From all of a list, which ends with NULL, or from none. */
    static inline int budgets_take(nx_budget *const *budgets, int64_t now_ns, int reduces) {
        nx_budget *const *next = budgets;
        for (; *next; next++)
            if (__builtin_expect(!budget_take(*next, now_ns, reduces), 0)) {
                while (next != budgets) budget_give_back(*--next);
                return 0;
            }
        return 1;
    }

    static inline void budgets_give_back(nx_budget *const *budgets) {
        for (; *budgets; budgets++) budget_give_back(*budgets);
    }
    #endif
    """
    ctypedef struct nx_budget:
        int64_t length_ns
        int64_t started_ns
        int64_t* times
        uint32_t mask
        uint32_t used
        uint32_t most[2]
        uint32_t sliding
    # reduces: 0 or 1.
    bint budget_take(nx_budget* budget, int64_t now_ns, int reduces) noexcept
    bint budgets_take(nx_budget** budgets, int64_t now_ns, int reduces) noexcept
    void budgets_give_back(nx_budget** budgets) noexcept

cdef enum:
    BUDGETS = 3             # of one kind of request


cdef class Budget:
    cdef nx_budget row
    cdef readonly int64_t limit
    cdef double share
    cdef double reserve
    cdef readonly double seconds

    cdef int make_ring(self, int64_t cells) except -1
