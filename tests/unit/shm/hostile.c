/* Segments that no writer makes, read and taken over with the generated header, for the address and undefined-behaviour sanitizers.
 *
 *   hostile ring|latest CASES SEED      prints "cases refused damaged read"; a sanitizer, or the alarm, ends it otherwise
 *
 * Each case is a good segment, in memory of exactly its size, of which some words of header and stamps were changed: a bit turned
 * over, or a value from the edges.
 */
#include "nexus_fast.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CAPACITY = 4, SIZE = NX_SEGMENT_HEADER + CAPACITY * sizeof(nx_bookl1), LIMIT_SECONDS = 100, MOST_READS = 64 };

static uint64_t state;
static long refused, damaged, read_well;
static const uint64_t EDGES[] = {0, 1, 2, 3, 8, 127, 129, 4096, SIZE, UINT64_C(1) << 24, UINT64_C(1) << 31, UINT64_C(1) << 32, UINT64_C(1) << 40,
    UINT64_C(1) << 57, UINT64_C(1) << 61, (UINT64_C(1) << 62) - 1, UINT64_C(1) << 62, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};
static const uint32_t FIELDS[] = {0, 8, 12, 16, 20, 24, 32, 40, 48, 56, 128, 136, 144, 152, 160, 256, 384};

static uint64_t chance(uint64_t below) {
    state ^= state << 13; state ^= state >> 7; state ^= state << 17;
    return (state >> 11) % below;
}

static void make(char *image, int is_ring) {
    nx_segment *segment = (nx_segment *)image;
    memset(image, 0, SIZE);
    segment->layout_version = NX_SEGMENT_LAYOUT;
    segment->kind = is_ring ? NX_SEGMENT_RING : NX_SEGMENT_LATEST;
    segment->record_kind = NX_RECORD_BOOKL1;
    segment->record_size = sizeof(nx_bookl1);
    segment->capacity = CAPACITY;
    segment->fingerprint = NX_FINGERPRINT_BOOKL1;
    segment->data_offset = NX_SEGMENT_HEADER;
    segment->total_size = SIZE;
    segment->epoch = 1;
    segment->state = NX_SEGMENT_OPEN;
    segment->magic = NX_SEGMENT_MAGIC;
}

static void fill(char *image, int is_ring, uint64_t records) {
    nx_bookl1 quote = {0};
    nx_ring ring;
    nx_latest latest;
    if (is_ring && nx_ring_open(&ring, image) != 0) exit(3);
    if (!is_ring) { nx_latest_open(&latest, image); nx_latest_reset(&latest, 1); }
    for (uint64_t i = 0; i < records; i++) {
        quote.bid = (int64_t)i;
        if (is_ring) nx_ring_publish(&ring, &quote);
        else nx_latest_write(&latest, i % CAPACITY, &quote);
    }
}

static void spoil(char *image) {
    uint32_t place = chance(2) ? FIELDS[chance(sizeof FIELDS / sizeof FIELDS[0])]
                               : NX_SEGMENT_HEADER + (uint32_t)(chance(CAPACITY) * sizeof(nx_bookl1));
    uint64_t value, width = place == 12 || place == 20 ? 4 : 8;
    memcpy(&value, image + place, width);
    if (chance(2)) value ^= UINT64_C(1) << chance(8 * width);
    else value = EDGES[chance(sizeof EDGES / sizeof EDGES[0])] + chance(3) - 1;
    memcpy(image + place, &value, width);
}

static void read_ring(char *image) {
    nx_bookl1 quote;
    nx_ring_reader reader;
    int status = nx_ring_reader_open(&reader, image, (int)chance(2));
    for (int i = 0; status >= 0 && i < MOST_READS; i++) {
        status = nx_ring_next(&reader, &quote);
        read_well += status == 1;
        /* One that neither was published nor is borne out by the head. */
        if (status == 1 && reader.position > 3 * CAPACITY && reader.position > ((nx_segment *)image)->head + 1) exit(6);
        if (status == 0) break;
    }
    damaged += status < 0;
}

/* What a writer takes over, its readers can follow, record by record. */
static void take_over(char *image) {
    nx_bookl1 quote = {0};
    nx_ring ring;
    nx_ring_reader reader;
    if (nx_ring_open(&ring, image) != 0) return;
    ring.segment->epoch_start = ring.position;
    if (nx_ring_reader_open(&reader, image, 0) != 0) exit(4);
    for (int64_t i = 0; i < 3 * CAPACITY; i++) {
        quote.bid = i;
        nx_ring_publish(&ring, &quote);
        if (nx_ring_next(&reader, &quote) != 1 || quote.bid != i) exit(5);
    }
}

static void read_latest(char *image) {
    nx_bookl1 quote;
    nx_latest latest;
    nx_latest_open(&latest, image);
    for (uint32_t slot = 0; slot < CAPACITY + 2; slot++) read_well += nx_latest_read(&latest, slot, &quote);
    read_well += nx_latest_read(&latest, UINT32_MAX, &quote);
}

static void run(int is_ring) {
    uint64_t size = chance(8) ? SIZE : chance(SIZE);
    char *image = malloc(SIZE), *cut = malloc(size ? size : 1);
    make(image, is_ring);
    fill(image, is_ring, chance(3 * CAPACITY));
    for (uint64_t i = chance(4); i > 0; i--) spoil(image);
    memcpy(cut, image, size);
    if (nx_segment_check(cut, size, is_ring ? NX_SEGMENT_RING : NX_SEGMENT_LATEST, NX_FINGERPRINT_BOOKL1, sizeof(nx_bookl1)) != 0) refused++;
    else if (is_ring) { read_ring(cut); take_over(cut); }
    else read_latest(cut);
    free(image);
    free(cut);
}

int main(int count, char **values) {
    if (count != 4) return 2;
    alarm(LIMIT_SECONDS);
    state = strtoull(values[3], NULL, 10) | 1;
    long cases = atol(values[2]);
    for (long i = 0; i < cases; i++) run(strcmp(values[1], "ring") == 0);
    printf("%ld %ld %ld %ld\n", cases, refused, damaged, read_well);
    return 0;
}
