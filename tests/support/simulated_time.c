/* Simulated time for one process, by LD_PRELOAD: clocks stand still while the program computes, but for a little at each look,
 * and a wait for I/O that nothing ends jumps to its end at once. Everything in the process sees the same time: Python, C, uvloop.
 *
 * Loopback sockets deliver within send(2), unless the machine is busy: then the kernel delivers a little later, in a thread of its own.
 * So the process keeps to one processor, and before time jumps, packets are sent to oneself and waited for: the kernel delivers a
 * processor's packets in their order, and what was sent before them has arrived. Connections are under Reno's congestion control,
 * which has no timers of its own: BBR spreads what is sent over real time. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

#define ROUNDS 3 /* a connection takes as many packets, each of which answers the one before */
#define PATIENCE_MS 1000
#define PROCESSOR "NEXUS_SIMULATED_PROCESSOR" /* which of those that the process may use, from 0 on */

static int to_oneself = -1;

/* The n-th of the allowed processors, counted round and round. */
static void keep_to_one_processor(void) {
    cpu_set_t allowed, one;
    const char *wanted = getenv(PROCESSOR);
    int left, processor = -1;
    if (sched_getaffinity(0, sizeof(allowed), &allowed)) return;
    left = (wanted ? atoi(wanted) : 0) % CPU_COUNT(&allowed);
    while (left >= 0) {
        left -= CPU_ISSET(++processor, &allowed);
    }
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    sched_setaffinity(0, sizeof(one), &one);
}

int socket(int domain, int type, int protocol) {
    static int (*real_socket)(int, int, int);
    int made;
    if (!real_socket) {
        real_socket = dlsym(RTLD_NEXT, "socket");
    }
    made = real_socket(domain, type, protocol);
    if (made >= 0) {
        setsockopt(made, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    }
    return made;
}

static void open_to_oneself(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made >= 0 && !bind(made, (struct sockaddr *)&address, size) && !getsockname(made, (struct sockaddr *)&address, &size) &&
        !connect(made, (struct sockaddr *)&address, size)) {
        to_oneself = made;
    }
}

/* Until what this processor was given to deliver has been delivered. */
static void wait_for_deliveries(void) {
    char byte = 0;
    int round;
    if (to_oneself < 0) {
        keep_to_one_processor();
        open_to_oneself();
    }
    for (round = 0; round < ROUNDS && send(to_oneself, &byte, 1, 0) == 1; round++) {
        struct pollfd wanted = {.fd = to_oneself, .events = POLLIN};
        poll(&wanted, 1, PATIENCE_MS);
        recv(to_oneself, &byte, 1, 0);
    }
}

static int (*real_epoll_pwait)(int, struct epoll_event *, int, int, const sigset_t *);

static int wait_for(int epoll, struct epoll_event *events, int most, int milliseconds, const sigset_t *mask) {
    int found;
    if (!real_epoll_pwait) {
        real_epoll_pwait = dlsym(RTLD_NEXT, "epoll_pwait");
    }
    if (milliseconds < 0) {
        return real_epoll_pwait(epoll, events, most, milliseconds, mask);
    }
    found = real_epoll_pwait(epoll, events, most, 0, mask);
    if (found || !milliseconds) {
        return found;
    }
    wait_for_deliveries();
    found = real_epoll_pwait(epoll, events, most, 0, mask);
    if (!found) {
        elapsed_ns += (int64_t)milliseconds * 1000000;
    }
    return found;
}

int epoll_pwait(int epoll, struct epoll_event *events, int most, int milliseconds, const sigset_t *mask) {
    return wait_for(epoll, events, most, milliseconds, mask);
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int milliseconds) {
    return wait_for(epoll, events, most, milliseconds, NULL);
}
