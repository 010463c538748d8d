/* Latencies as they are measured, and what is written of them at the end. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MOST = 1 << 22, SAMPLES_BUCKETS = 64 * 128, SAMPLES_WORST = 32 };

typedef struct {
    int64_t *values; /* ns; touched beforehand, so that recording never faults */
    size_t n, room;
    uint64_t *counts; /* instead of the values where there would be too many: one for each bucket */
    int64_t least, most;
} samples;

static void samples_make(samples *s, size_t room) {
    memset(s, 0, sizeof *s);
    s->room = room, s->least = INT64_MAX;
    if (room > SAMPLES_MOST) {
        s->counts = calloc(SAMPLES_BUCKETS, sizeof *s->counts);
        if (!s->counts) abort();
        memset(s->counts, 0, SAMPLES_BUCKETS * sizeof *s->counts);
        return;
    }
    s->values = malloc((room + 1) * sizeof *s->values);
    if (!s->values) abort();
    memset(s->values, 0, (room + 1) * sizeof *s->values);
}

/* Which bucket v is in, ascending; its lower edge is samples_edge. */
static inline size_t samples_number(int64_t v) {
    if (v < 256) return v < 0 ? 0 : (size_t)v;
    int shift = 63 - __builtin_clzll((unsigned long long)v) - 7;
    return (size_t)shift * 128 + (size_t)(v >> shift);
}

static inline int64_t samples_edge(size_t number) {
    size_t shift = number < 256 ? 0 : number / 128 - 1;
    return (int64_t)(number - shift * 128) << shift;
}

static inline void samples_add(samples *s, int64_t ns) {
    if (s->counts) {
        s->counts[samples_number(ns)]++, s->n++;
        if (ns < s->least) s->least = ns;
        if (ns > s->most) s->most = ns;
        return;
    }
    if (s->n < s->room) s->values[s->n++] = ns;
}

static int samples_order(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The smallest value that at least `permille` of a thousand are not above (nearest rank); of counts, its bucket's edge. */
static long long samples_percentile(const samples *s, size_t permille) {
    size_t rank = (s->n * permille + 999) / 1000, seen = 0;
    if (!s->counts) return s->n ? s->values[rank ? rank - 1 : 0] : 0;
    for (size_t i = 0; i < SAMPLES_BUCKETS; i++)
        if ((seen += s->counts[i]) >= rank && seen) return samples_edge(i);
    return 0;
}

/* Lower edge of the bucket of v: exact below 256 ns, within 1/128 above. bench/histogram.py reads these. */
static int64_t samples_bucket(int64_t v) {
    if (v < 256) return v < 0 ? 0 : v;
    int shift = 63 - __builtin_clzll((unsigned long long)v) - 7;
    return v >> shift << shift;
}

static void samples_write(FILE *out, const char *name, samples *s) {
    if (!s->counts) {
        qsort(s->values, s->n, sizeof *s->values, samples_order);
        s->least = s->n ? s->values[0] : 0, s->most = s->n ? s->values[s->n - 1] : 0;
    }
    fprintf(out, "\"%s\": {\"n\": %zu, \"min\": %lld, \"p50\": %lld, \"p90\": %lld, \"p99\": %lld, \"p999\": %lld, \"max\": %lld,\n",
            name, s->n, s->n ? (long long)s->least : 0, samples_percentile(s, 500), samples_percentile(s, 900),
            samples_percentile(s, 990), samples_percentile(s, 999), (long long)s->most);
    fprintf(out, " \"histogram\": [");
    const char *between = "";
    for (size_t i = 0; s->counts && i < SAMPLES_BUCKETS; i++)
        if (s->counts[i]) {
            fprintf(out, "%s[%lld, %llu]", between, (long long)samples_edge(i), (unsigned long long)s->counts[i]);
            between = ", ";
        }
    for (size_t i = 0; !s->counts && i < s->n;) {
        int64_t edge = samples_bucket(s->values[i]);
        size_t from = i;
        while (i < s->n && samples_bucket(s->values[i]) == edge) i++;
        fprintf(out, "%s[%lld, %zu]", from ? ", " : "", (long long)edge, i - from);
    }
    fprintf(out, "]}");
}

#endif
