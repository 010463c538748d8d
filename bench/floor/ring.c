/* One way between two processes on two processors: the engine's ring, and under it the bare cache line.
 *
 *   line PATH CPU CPU N           a word thrown back and forth N times: ns one way
 *   one-way RING RING CPU CPU N   a ring and its echo: a record is published, read by the other process and published back
 *   throughput RING READERS N     one writer at full speed, READERS processes that read what they can
 *
 * Includes the header that the package generates from its own declarations, so that what runs is what the engine runs. */
#define _GNU_SOURCE
#include "nexus_fast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "samples.h"

enum { ROUNDS = 1000 }; /* before those that count */

static void *map(const char *path, size_t least) {
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    struct stat about;
    if (fd < 0 || fstat(fd, &about)) die("cannot open %s", path);
    if ((size_t)about.st_size < least && ftruncate(fd, (off_t)(about.st_size = (off_t)least))) die("cannot enlarge %s", path);
    void *base = mmap(NULL, (size_t)about.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (base == MAP_FAILED) die("cannot map %s", path);
    close(fd);
    return base;
}

static void wait_for(pid_t child) {
    int status;
    if (waitpid(child, &status, 0) != child || status) die("the other process failed");
}

static void report(samples *s) {
    printf("{");
    samples_write(stdout, "ns", s);
    printf("}\n");
}

/* ---- the floor: one word, one line ---- */

static void line(const char *path, long a, long b, long n) {
    uint64_t *word = map(path, 4096);
    samples s;
    *word = 0;
    pid_t child = fork();
    pin_to(child ? a : b);
    if (!child) { /* odd numbers are thrown to it, it throws even ones back */
        for (uint64_t i = 0; i < (uint64_t)(n + ROUNDS); i++) {
            while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != 2 * i + 1) {}
            __atomic_store_n(word, 2 * i + 2, __ATOMIC_RELEASE);
        }
        _exit(0);
    }
    samples_make(&s, (size_t)n);
    for (uint64_t i = 0; i < (uint64_t)(n + ROUNDS); i++) {
        int64_t begun = now_ns();
        __atomic_store_n(word, 2 * i + 1, __ATOMIC_RELEASE);
        while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != 2 * i + 2) {}
        if (i >= ROUNDS) samples_add(&s, (now_ns() - begun) / 2);
    }
    wait_for(child);
    report(&s);
}

/* ---- the ring, and one back ---- */

static void one_way(const char *there, const char *back, long a, long b, long n) {
    void *out_base = map(there, 0), *in_base = map(back, 0);
    nx_bookl1 record = {.symbol_id = 1}, got;
    nx_ring out, in;
    nx_ring_reader reader;
    samples s;
    nx_ring_open(&out, out_base);
    nx_ring_open(&in, in_base);
    nx_ring_reader_open(&reader, in_base, 0);
    nx_ring_reader echo;
    nx_ring_reader_open(&echo, out_base, 0);
    pid_t child = fork();
    pin_to(child ? a : b);
    if (!child) {
        for (long i = 0; i < n + ROUNDS; i++) {
            while (nx_ring_read(&echo, &got) != 1) {}
            nx_ring_publish(&in, &got);
        }
        _exit(0);
    }
    samples_make(&s, (size_t)n);
    for (long i = 0; i < n + ROUNDS; i++) {
        record.bid = i;
        int64_t begun = now_ns();
        nx_ring_publish(&out, &record);
        while (nx_ring_read(&reader, &got) != 1) {}
        if (i >= ROUNDS) samples_add(&s, (now_ns() - begun) / 2);
        if (got.bid != i) die("record %ld came back as %lld", i, (long long)got.bid);
    }
    wait_for(child);
    report(&s);
}

/* ---- as fast as it goes, with readers ---- */

typedef struct {
    uint64_t ready, stop, read[64], lost[64];
} shared;

static void follow(void *base, shared *common, int number) {
    nx_ring_reader reader;
    nx_bookl1 got;
    uint64_t count = 0;
    nx_ring_reader_open(&reader, base, 0);
    __atomic_fetch_add(&common->ready, 1, __ATOMIC_ACQ_REL);
    while (!__atomic_load_n(&common->stop, __ATOMIC_RELAXED)) count += nx_ring_read(&reader, &got) == 1;
    count += nx_ring_read(&reader, &got) == 1; /* one that got no processor until now hears what it has lost */
    common->read[number] = count, common->lost[number] = reader.lost;
    _exit(0);
}

static void throughput(const char *path, long readers, long n) {
    void *base = map(path, 0);
    shared *common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    nx_bookl1 record = {.symbol_id = 1};
    nx_ring ring;
    uint64_t read = 0, lost = 0;
    if (readers > 64) die("at most 64 readers");
    for (int i = 0; i < readers; i++)
        if (!fork()) follow(base, common, i);
    while (__atomic_load_n(&common->ready, __ATOMIC_ACQUIRE) < (uint64_t)readers) usleep(100);
    nx_ring_open(&ring, base);
    int64_t begun = now_ns();
    for (long i = 0; i < n; i++) {
        record.bid = i;
        nx_ring_publish(&ring, &record);
    }
    double seconds = (double)(now_ns() - begun) / 1e9;
    usleep(1000);
    __atomic_store_n(&common->stop, 1, __ATOMIC_RELAXED);
    while (wait(NULL) > 0) {}
    for (int i = 0; i < readers; i++) read += common->read[i], lost += common->lost[i];
    printf("{\"readers\": %ld, \"write_ns\": %.2f, \"writes_per_second\": %.0f, \"reads_per_second\": %.0f, \"lost\": %llu}\n",
           readers, seconds * 1e9 / (double)n, (double)n / seconds, (double)read / seconds, (unsigned long long)lost);
}

int main(int argc, char **argv) {
    if (argc == 6 && !strcmp(argv[1], "line")) line(argv[2], atol(argv[3]), atol(argv[4]), atol(argv[5]));
    else if (argc == 7 && !strcmp(argv[1], "one-way")) one_way(argv[2], argv[3], atol(argv[4]), atol(argv[5]), atol(argv[6]));
    else if (argc == 5 && !strcmp(argv[1], "throughput")) throughput(argv[2], atol(argv[3]), atol(argv[4]));
    else die("line PATH CPU CPU N, one-way RING RING CPU CPU N or throughput RING READERS N");
    return 0;
}
