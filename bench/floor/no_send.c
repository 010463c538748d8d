/* A library for LD_PRELOAD: send() to descriptor -5 takes everything and does nothing. For what is measured up to the bytes of
 * an order and not beyond. Keeps the last frame, so that a judge can read what would have left. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

enum { NOWHERE = -5, ROOM = 4096 };

char bench_last_sent[ROOM];
size_t bench_last_sent_size, bench_sent;
int bench_keep_sent; /* a judge sets it; a measurement leaves it */
int bench_mark_sent; /* whether the counter is read when the frame is handed over, with all that was to be done before done */
unsigned long long bench_sent_ticks;

#if defined(__x86_64__)
#include <x86intrin.h>
static unsigned long long counter(void) {
    _mm_lfence();
    return __rdtsc();
}
#else
static unsigned long long counter(void) {
    unsigned long long ticks;
    __asm__ __volatile__("isb; mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
}
#endif

ssize_t send(int fd, const void *data, size_t n, int flags) {
    static ssize_t (*next)(int, const void *, size_t, int);
    if (fd == NOWHERE) {
        if (bench_mark_sent) bench_sent_ticks = counter();
        bench_sent++;
        if (bench_keep_sent && n <= ROOM) memcpy(bench_last_sent, data, bench_last_sent_size = n);
        return (ssize_t)n;
    }
    if (!next) next = (ssize_t(*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
    return next(fd, data, n, flags);
}
