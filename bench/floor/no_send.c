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

ssize_t send(int fd, const void *data, size_t n, int flags) {
    static ssize_t (*next)(int, const void *, size_t, int);
    if (fd == NOWHERE) {
        bench_sent++;
        if (bench_keep_sent && n <= ROOM) memcpy(bench_last_sent, data, bench_last_sent_size = n);
        return (ssize_t)n;
    }
    if (!next) next = (ssize_t(*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
    return next(fd, data, n, flags);
}
