/* Simulated time for one process, by LD_PRELOAD: clocks stand still while the program computes, but for a little at each look,
 * and a wait for I/O that nothing ends jumps to its end at once. Everything in the process sees the same time: Python, C, uvloop.
 *
 * Loopback sockets deliver within send(2), so a wait that would find bytes finds them without waiting. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

#define LOOK_NS 200
#define START_REALTIME 1767225600000000000LL /* 2026-01-01 */
#define START_MONOTONIC 1000000000000LL

static int64_t elapsed_ns;
static int64_t stepped_ns; /* of the wall clock alone */

/* The machine stands still for so long. */
void simulated_pause(int64_t ns) { elapsed_ns += ns; }

/* Back to the beginning, for the next run of a process that makes several. */
void simulated_restart(void) { elapsed_ns = stepped_ns = 0; }

/* Seconds since the beginning; looking does not move it. */
double simulated_now(void) { return elapsed_ns / 1e9; }

/* The wall clock is set, as a time daemon does. */
void simulated_step(int64_t ns) { stepped_ns += ns; }

static void fill(struct timespec *out, int64_t ns) {
    out->tv_sec = ns / 1000000000;
    out->tv_nsec = ns % 1000000000;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
    int64_t now = elapsed_ns += LOOK_NS;
    if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
        fill(out, now);
    } else if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        fill(out, START_REALTIME + now + stepped_ns);
    } else {
        fill(out, START_MONOTONIC + now);
    }
    return 0;
}

static int (*real_epoll_pwait)(int, struct epoll_event *, int, int, const sigset_t *);

static int wait_for(int epoll, struct epoll_event *events, int most, int milliseconds, const sigset_t *mask) {
    int found, turn;
    if (!real_epoll_pwait) {
        real_epoll_pwait = dlsym(RTLD_NEXT, "epoll_pwait");
    }
    if (milliseconds < 0) {
        return real_epoll_pwait(epoll, events, most, milliseconds, mask);
    }
    for (turn = 0; turn < 2; turn++) {
        found = real_epoll_pwait(epoll, events, most, 0, mask);
        if (found || !milliseconds) {
            return found;
        }
        sched_yield();
    }
    elapsed_ns += (int64_t)milliseconds * 1000000;
    return 0;
}

int epoll_pwait(int epoll, struct epoll_event *events, int most, int milliseconds, const sigset_t *mask) {
    return wait_for(epoll, events, most, milliseconds, mask);
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int milliseconds) {
    return wait_for(epoll, events, most, milliseconds, NULL);
}
