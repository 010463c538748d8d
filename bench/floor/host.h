/* Clock, pinning and command-line options that both programs share. */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static inline int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline int64_t utc_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Everything is bounded and both programs are loud: one line on stderr, exit code 2. */
#define die(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(2))

static inline void pin_to(long cpu) {
    cpu_set_t set;
    if (cpu < 0) return;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set)) die("cannot run on cpu %ld: leave --cpu away or name one that exists", cpu);
    mlockall(MCL_CURRENT); /* best effort: a low RLIMIT_MEMLOCK refuses it */
}

/* The value of `--name value`, or the default. */
static inline const char *option(int argc, char **argv, const char *name, const char *otherwise) {
    for (int i = 1; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], name)) return argv[i + 1];
    return otherwise;
}

static inline long option_number(int argc, char **argv, const char *name, long otherwise) {
    const char *text = option(argc, argv, name, NULL);
    char *end;
    if (!text) return otherwise;
    long value = strtol(text, &end, 10);
    if (*end || end == text) die("%s takes a whole number, not \"%s\"", name, text);
    return value;
}

/* Refuses what is not in the list, so that a mistyped option never goes unnoticed. */
static inline void check_options(int argc, char **argv, const char *const *known) {
    for (int i = 1; i < argc; i += 2) {
        int found = 0;
        for (const char *const *k = known; *k; k++) found |= !strcmp(argv[i], *k);
        if (!found || i + 1 == argc) die("unknown option or value missing: %s", argv[i]);
    }
}

#endif
