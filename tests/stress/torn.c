/* Writes and reads a ring or a latest table at full speed and counts records whose words do not belong together.
 *
 *   torn write  ring|latest FILE            writes until it is ended
 *   torn read   ring|latest FILE READS      reads, prints "reads torn lost"; exit status 0 if none is torn
 *   torn read-unchecked …                   the same with readers that skip the check of the stamp: must find torn ones
 *   torn threads ring|latest FILE READS     writer and reader as two threads, for ThreadSanitizer
 *
 * Prints "ready" and waits for a line on standard input before it starts. Ends itself after LIMIT seconds.
 */
#include "nexus_fast.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIMIT = 300, SLOTS = 4, WORDS_MOST = 32 };

static void *base;
static uint32_t words;
static int is_ring, checked = 1;
static int stop;
static uint64_t wanted_reads, torn, last[SLOTS];
static uint32_t slot;       /* of the latest table, one after the other */

static void *map_segment(const char *path, int writable) {
    struct stat status;
    int file = open(path, writable ? O_RDWR : O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0) { perror(path); exit(2); }
    base = mmap(NULL, status.st_size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
    const nx_segment *segment = base;
    uint64_t fingerprint = segment->record_kind == NX_RECORD_BOOKL1 ? NX_FINGERPRINT_BOOKL1 : NX_FINGERPRINT_ORDER_EVENT;
    uint64_t size = segment->record_kind == NX_RECORD_BOOKL1 ? sizeof(nx_bookl1) : sizeof(nx_order_event);
    int wrong = nx_segment_check(base, status.st_size, is_ring ? NX_SEGMENT_RING : NX_SEGMENT_LATEST, fingerprint, size);
    if (wrong) { fprintf(stderr, "segment check: %d\n", wrong); exit(2); }
    words = segment->record_size / 8;
    return base;
}

static void fill(uint64_t *record, uint64_t value) {
    for (uint32_t i = 1; i < words; i++) record[i] = value;
}

static int agrees(const uint64_t *record) {
    uint64_t difference = 0;
    for (uint32_t i = 2; i < words; i++) difference |= record[i] ^ record[1];
    return difference == 0;
}

/* Each record holds one value, in all its words, that grows from record to record. */
static void *write_forever(void *unused) {
    uint64_t record[WORDS_MOST] = {0}, value = 0;
    nx_ring ring = {0};
    nx_latest latest = {0};
    if (is_ring) nx_ring_open(&ring, base);
    else nx_latest_open(&latest, base);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        fill(record, ++value);
        if (is_ring) nx_ring_publish(&ring, record);
        else nx_latest_write(&latest, value % SLOTS, record);
    }
    return unused;
}

static int read_ring_unchecked(nx_ring_reader *reader, uint64_t *out) {
    const nx_word *slot = reader->slots + (reader->position & reader->mask) * reader->words;
    if (nx_load_acquire_u64(slot) / 2 < reader->position + 1) return 0;
    nx_ring_take(slot, out, reader->words);
    reader->position++;
    return 1;
}

static int read_latest_unchecked(nx_latest *latest, uint64_t *out) {
    const nx_word *place = latest->slots + slot * NX_LATEST_WORDS;
    if ((nx_load_acquire_u64(place) & NX_LATEST_COUNT) == 0) return 0;
    for (int i = 1; i < NX_LATEST_WORDS; i++) out[i] = nx_load_relaxed_u64(place + i);
    return 1;
}

/* With slots of the latest table taken in turn, one that was not written yet is asked for again. */
static int read_one(nx_ring_reader *reader, nx_latest *latest, uint64_t *out) {
    if (is_ring) return checked ? nx_ring_read(reader, out) : read_ring_unchecked(reader, out);
    return checked ? nx_latest_read(latest, slot, out) : read_latest_unchecked(latest, out);
}

static void read_all(void) {
    uint64_t out[WORDS_MOST], reads = 0;
    nx_ring_reader reader = {0};
    nx_latest latest = {0};
    if (is_ring) nx_ring_reader_open(&reader, base, 1);
    else nx_latest_open(&latest, base);
    while (reads < wanted_reads) {
        if (read_one(&reader, &latest, out) != 1) continue;
        reads++;
        torn += !agrees(out) || out[1] < last[slot];
        last[slot] = out[1];
        slot = is_ring ? 0 : (slot + 1) % SLOTS;
    }
    printf("%llu %llu %llu\n", (unsigned long long)reads, (unsigned long long)torn, (unsigned long long)reader.lost);
}

int main(int count, char **values) {
    if (count < 4) { fputs("usage: see the head of torn.c\n", stderr); return 2; }
    char line[16];
    int writer = strcmp(values[1], "write") == 0, threads = strcmp(values[1], "threads") == 0;
    checked = strcmp(values[1], "read-unchecked") != 0;
    is_ring = strcmp(values[2], "ring") == 0;
    wanted_reads = count > 4 ? strtoull(values[4], NULL, 10) : 0;
    alarm(LIMIT);
    map_segment(values[3], writer || threads);
    puts("ready");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) return 2;
    if (writer) { write_forever(NULL); return 0; }
    pthread_t thread;
    if (threads) pthread_create(&thread, NULL, write_forever, NULL);
    read_all();
    if (threads) { __atomic_store_n(&stop, 1, __ATOMIC_RELAXED); pthread_join(thread, NULL); }
    return torn != 0;
}
