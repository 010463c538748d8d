/* Counts heap allocations between the recv() that brings a quote and the send() that carries the order.
 *
 * A library for LD_PRELOAD: it stands before libc's allocator and before recv and send, so the program under test
 * needs no change and cannot know. Every malloc, calloc, realloc, memalign and mmap of the process counts, on any
 * thread. What is served from free lists inside Python, Cython or the program is not an allocation here;
 * PYTHONMALLOC=malloc makes every Python object that is not from a free list one.
 *
 * BENCH_MALLOC_OUT: the file that the result goes to when the process ends. BENCH_MALLOC_SKIP: orders before that. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

enum { STACKS = 8, DEPTH = 24 };

uint64_t bench_allocations;              /* since the process began; others may read it */
static uint64_t at_quote, quotes;        /* the count when the last quote came */
static uint64_t orders, skipped, skip;   /* orders that count, and those before */
static uint64_t between, worst;          /* allocations between quote and order: sum, and the most for one order */
static uint64_t first_total, last_total; /* the count at the first and at the last order that counts */
static int armed;                        /* a quote has come, its order has not gone */
static void *stacks[STACKS][DEPTH];
static int stack_depth[STACKS], stack_count;
static __thread int inside;

static void count(void) {
    __atomic_fetch_add(&bench_allocations, 1, __ATOMIC_RELAXED);
    if (!armed || skipped < skip || stack_count == STACKS || inside) return;
    inside = 1; /* backtrace may allocate */
    stack_depth[stack_count] = backtrace(stacks[stack_count], DEPTH);
    stack_count++;
    inside = 0;
}

void *malloc(size_t n) { return count(), __libc_malloc(n); }
void *calloc(size_t n, size_t each) { return count(), __libc_calloc(n, each); }
void *realloc(void *p, size_t n) { return count(), __libc_realloc(p, n); }
void *memalign(size_t align, size_t n) { return count(), __libc_memalign(align, n); }
void *aligned_alloc(size_t align, size_t n) { return count(), __libc_memalign(align, n); }

int posix_memalign(void **out, size_t align, size_t n) {
    count();
    *out = __libc_memalign(align, n);
    return *out ? 0 : 12; /* ENOMEM */
}

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset) {
    static void *(*next)(void *, size_t, int, int, int, off_t);
    if (!next) next = real("mmap");
    count();
    return next(at, n, protection, flags, fd, offset);
}

/* A quote is what has a best bid's and a best ask's size; no acknowledgement and no event has both. */
ssize_t recv(int fd, void *data, size_t room, int flags) {
    static ssize_t (*next)(int, void *, size_t, int);
    if (!next) next = real("recv");
    ssize_t n = next(fd, data, room, flags);
    if (n > 0 && memmem(data, (size_t)n, "\"B\":\"", 5) && memmem(data, (size_t)n, "\"A\":\"", 5)) {
        quotes++;
        at_quote = bench_allocations;
        armed = 1;
    }
    return n;
}

static void take_order(void) {
    uint64_t now = bench_allocations, mine = now - at_quote;
    armed = 0;
    if (skipped < skip) {
        skipped++;
        return;
    }
    if (!orders++) first_total = now;
    last_total = now;
    between += mine;
    if (mine > worst) worst = mine;
}

ssize_t send(int fd, const void *data, size_t n, int flags) {
    static ssize_t (*next)(int, const void *, size_t, int);
    if (!next) next = real("send");
    if (armed) take_order();
    return next(fd, data, n, flags);
}

__attribute__((constructor)) static void prepare(void) {
    void *some[4];
    const char *text = getenv("BENCH_MALLOC_SKIP");
    skip = text ? strtoull(text, NULL, 10) : 0;
    backtrace(some, 4); /* loads what it needs now, not while counting */
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("BENCH_MALLOC_OUT");
    FILE *out = path && quotes ? fopen(path, "w") : NULL;
    if (!out) return;
    fprintf(out, "{\"quotes\": %llu, \"orders\": %llu, \"between\": %llu, \"worst\": %llu, \"process\": %llu, \"stacks\": [",
            (unsigned long long)quotes, (unsigned long long)orders, (unsigned long long)between, (unsigned long long)worst,
            (unsigned long long)(last_total - first_total));
    for (int i = 0; i < stack_count; i++) {
        char **names = backtrace_symbols(stacks[i], stack_depth[i]);
        fprintf(out, "%s[", i ? ", " : "");
        for (int k = 2; k < stack_depth[i]; k++) fprintf(out, "%s\"%s\"", k > 2 ? ", " : "", names[k]);
        fprintf(out, "]");
    }
    fprintf(out, "]}\n");
    fclose(out);
}
