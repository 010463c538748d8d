"""The risk gate: integer compares on every order path, between the strategy and the journal. First the venue's own
filters (an order that it would refuse is not worth a round trip), then the trader's limits."""

from libc.stdint cimport int64_t, uint8_t

from nexus_fast.core.types cimport nx_bookl1

cdef extern from *:
    """
    #ifndef NEXUS_FAST_GATE_H
    #define NEXUS_FAST_GATE_H
    #include <stdint.h>

    /* Limits of one route. Prices and quantities are mantissas at the symbol's scales; notionals at the sum of both.
       A zero switches a rule off, NX_ANY_AGE the one of age. */
    #define NX_ANY_AGE INT64_MAX
    typedef struct nx_limits {
        int64_t tick, minimum_price, maximum_price;
        int64_t lot, minimum_quantity, maximum_quantity;
        int64_t market_lot, market_minimum_quantity, market_maximum_quantity;
        __int128 minimum_notional;
        __int128 risk_maximum_notional;
        int64_t risk_maximum_quantity;
        int64_t risk_distance_ppm;       /* millionths of the reference price */
        int64_t fresh_ns;                /* how long after it was read a quote still says what the market is */
    } nx_limits;

    static inline void limits_set_notional(__int128 *target, uint64_t high, uint64_t low) {
        *target = (__int128)(((unsigned __int128)high << 64) | low);
    }

    /* The price at which the order would trade now: the other side of the book; 0 without a usable one. */
    static inline int64_t gate_reference(const nx_limits *l, const nx_bookl1 *book, int is_sell, int64_t now_ns) {
        if (!book || (book->flags & (NX_FLAG_STALE | NX_FLAG_PASSED | (is_sell ? NX_FLAG_NO_BID : NX_FLAG_NO_ASK)))
            || now_ns - book->receive_time_ns > l->fresh_ns) return 0;
        return is_sell ? book->bid : book->ask;
    }

    static inline int gate_filters(const nx_limits *l, int is_market, int64_t price, int64_t quantity, int64_t reference) {
        int64_t lot = is_market ? l->market_lot : l->lot;
        int64_t least = is_market ? l->market_minimum_quantity : l->minimum_quantity;
        int64_t most = is_market ? l->market_maximum_quantity : l->maximum_quantity;
        if (quantity <= 0 || quantity < least) return 12;
        if (most && quantity > most) return 13;
        if (lot && quantity % lot) return 11;
        if (!is_market) {
            if (price <= 0) return 8;
            if (l->tick && (price - l->minimum_price) % l->tick) return 9;
            if (price < l->minimum_price || (l->maximum_price && price > l->maximum_price)) return 10;
            if ((__int128)price * quantity < l->minimum_notional) return 14;
        } else if (reference && (__int128)reference * quantity * 10 < l->minimum_notional * 9) {
            /* The venue measures a market order by an average price of its own: refuse only what is clearly below. */
            return 14;
        }
        return 0;
    }

    static inline int gate_risk(const nx_limits *l, int is_market, int64_t price, int64_t quantity, int64_t reference) {
        int64_t away;
        if (l->risk_maximum_quantity && quantity > l->risk_maximum_quantity) return 15;
        if (l->risk_maximum_notional) {
            int64_t at = is_market ? reference : price;
            if (!at) return 18;
            if ((__int128)at * quantity > l->risk_maximum_notional) return 16;
        }
        if (l->risk_distance_ppm && !is_market) {
            if (!reference) return 18;
            away = price > reference ? price - reference : reference - price;
            if ((__int128)away * 1000000 > (__int128)reference * l->risk_distance_ppm) return 17;
        }
        return 0;
    }

    static inline int gate_check(const nx_limits *l, const nx_bookl1 *book, int is_sell, int is_market, int64_t price,
                                 int64_t quantity, int reduces, int64_t now_ns) {
        int64_t reference = is_market || l->risk_distance_ppm ? gate_reference(l, book, is_sell, now_ns) : 0;
        int refused;
        if (reduces && l->minimum_notional) {          /* the venue lets a reduce-only order be smaller */
            nx_limits smaller = *l;
            smaller.minimum_notional = 0;
            refused = gate_filters(&smaller, is_market, price, quantity, reference);
        } else {
            refused = gate_filters(l, is_market, price, quantity, reference);
        }
        return refused ? refused : gate_risk(l, is_market, price, quantity, reference);
    }
    #endif
    """
    ctypedef struct nx_int128 "__int128":
        pass
    ctypedef struct nx_limits:
        int64_t tick
        int64_t minimum_price
        int64_t maximum_price
        int64_t lot
        int64_t minimum_quantity
        int64_t maximum_quantity
        int64_t market_lot
        int64_t market_minimum_quantity
        int64_t market_maximum_quantity
        nx_int128 minimum_notional
        nx_int128 risk_maximum_notional
        int64_t risk_maximum_quantity
        int64_t risk_distance_ppm
        int64_t fresh_ns
    const int64_t ANY_AGE "NX_ANY_AGE"
    void limits_set_notional(nx_int128* target, unsigned long long high, unsigned long long low) noexcept nogil
    # 0, or the nx_reason of the refusal. now_ns: CLOCK_REALTIME, as the book's receive_time_ns.
    int gate_check(const nx_limits* limits, const nx_bookl1* book, int is_sell, int is_market, int64_t price,
                   int64_t quantity, int reduces, int64_t now_ns) noexcept nogil
