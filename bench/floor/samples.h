/* Latencies as they are measured, and what is written of them at the end. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t *values; /* ns; touched beforehand, so that recording never faults */
    size_t n, room;
} samples;

static void samples_make(samples *s, size_t room) {
    s->values = malloc((room + 1) * sizeof *s->values);
    if (!s->values) abort();
    memset(s->values, 0, (room + 1) * sizeof *s->values);
    s->n = 0, s->room = room;
}

static inline void samples_add(samples *s, int64_t ns) {
    if (s->n < s->room) s->values[s->n++] = ns;
}

static int samples_order(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The smallest value that at least `permille` of a thousand are not above (nearest rank). */
static long long samples_percentile(const samples *s, size_t permille) {
    size_t rank = (s->n * permille + 999) / 1000;
    return s->n ? s->values[rank ? rank - 1 : 0] : 0;
}

/* Lower edge of the bucket of v: exact below 256 ns, within 1/128 above. bench/histogram.py reads these. */
static int64_t samples_bucket(int64_t v) {
    if (v < 256) return v < 0 ? 0 : v;
    int shift = 63 - __builtin_clzll((unsigned long long)v) - 7;
    return v >> shift << shift;
}

static void samples_write(FILE *out, const char *name, samples *s) {
    qsort(s->values, s->n, sizeof *s->values, samples_order);
    fprintf(out, "\"%s\": {\"n\": %zu, \"min\": %lld, \"p50\": %lld, \"p90\": %lld, \"p99\": %lld, \"p999\": %lld, \"max\": %lld,\n",
            name, s->n, s->n ? (long long)s->values[0] : 0, samples_percentile(s, 500), samples_percentile(s, 900),
            samples_percentile(s, 990), samples_percentile(s, 999), s->n ? (long long)s->values[s->n - 1] : 0);
    fprintf(out, " \"histogram\": [");
    for (size_t i = 0; i < s->n;) {
        int64_t edge = samples_bucket(s->values[i]);
        size_t from = i;
        while (i < s->n && samples_bucket(s->values[i]) == edge) i++;
        fprintf(out, "%s[%lld, %zu]", from ? ", " : "", (long long)edge, i - from);
    }
    fprintf(out, "]}");
}

#endif
