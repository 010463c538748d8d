/* The floor's parser: a bookTicker frame to scaled integers, driven by keys, in any order, wrapped or not. */
#ifndef BENCH_QUOTE_H
#define BENCH_QUOTE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    int64_t bid, ask;           /* at the symbol's price scale */
    int64_t bid_size, ask_size; /* at its size scale */
    uint64_t update_id;
    const char *symbol;
    size_t symbol_length;
    unsigned seen; /* one bit per field: b B a A u s */
} quote;

enum { SEEN_ALL = 63 };

/* Decimal text up to its closing quote; digits behind the scale must be zero. Returns the quote, or NULL. */
static inline const char *quote_decimal(const char *p, int scale, int64_t *out) {
    uint64_t v = 0;
    const char *start = p;
    for (; *p >= '0' && *p <= '9'; p++) v = v * 10 + (uint64_t)(*p - '0');
    if (*p == '.') {
        p++;
        for (; scale && *p >= '0' && *p <= '9'; p++, scale--) v = v * 10 + (uint64_t)(*p - '0');
        while (*p == '0') p++;
    }
    for (; scale; scale--) v *= 10;
    if (*p != '"' || p - start > 20) return NULL;
    *out = (int64_t)v;
    return p;
}

static inline const char *quote_number(const char *p, uint64_t *out) {
    uint64_t v = 0;
    for (; *p >= '0' && *p <= '9'; p++) v = v * 10 + (uint64_t)(*p - '0');
    *out = v;
    return p;
}

/* Behind a value nobody asked for: text without its quotes, a literal, or into a nested object. */
static inline const char *quote_skip(const char *p, const char *end) {
    if (*p == '{') return p;
    if (*p == '"') {
        for (p++; p < end && *p != '"'; p++) p += *p == '\\';
        return p + 1;
    }
    while (p < end && *p != ',' && *p != '}') p++;
    return p;
}

/* 1 when all six fields were there. Reads past the end of text that
 * breaks off inside a number, up to the next byte that is no digit: the receive buffer has room for that. */
static inline int quote_parse(const char *p, const char *end, int price_scale, int size_scale, quote *q) {
    q->seen = 0;
    while (p < end) {
        if (*p != '"') {
            p++; /* { , } and space */
            continue;
        }
        const char *key = p + 1, *close = memchr(key, '"', (size_t)(end - key));
        if (!close || close + 2 >= end || close[1] != ':') return 0;
        p = close + 2;
        if (close != key + 1) {
            p = quote_skip(p, end);
            continue;
        }
        switch (*key) {
        case 'b': q->seen |= 1, p = quote_decimal(p + 1, price_scale, &q->bid); break;
        case 'B': q->seen |= 2, p = quote_decimal(p + 1, size_scale, &q->bid_size); break;
        case 'a': q->seen |= 4, p = quote_decimal(p + 1, price_scale, &q->ask); break;
        case 'A': q->seen |= 8, p = quote_decimal(p + 1, size_scale, &q->ask_size); break;
        case 'u': q->seen |= 16, p = quote_number(p, &q->update_id) - 1; break;
        case 's':
            q->seen |= 32, q->symbol = p + 1;
            p = memchr(p + 1, '"', (size_t)(end - p - 1));
            if (p) q->symbol_length = (size_t)(p - q->symbol);
            break;
        default: p = quote_skip(p, end) - 1;
        }
        if (!p) return 0;
        p++;
    }
    return q->seen == SEEN_ALL;
}

#endif
