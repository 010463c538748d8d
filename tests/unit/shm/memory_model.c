/* The shared records under the C11 memory model, exhaustively: what a reader may see on any processor that keeps to it.
 *
 *   memory_model ring|newest|takeover|latest|journal      prints "paths outcomes"; exit status 1, and what was seen, for a wrong one
 *
 * Compiled with this installation's header, in which __atomic_* have become model_*: the operations, and their order, are those of
 * the code. The writer never reads what a reader stores, so it runs first and leaves, for every word, all the values that the word
 * ever had, each with the view that goes with it: which values of the other words whoever reads this one must then know. The
 * reader runs once for every choice among the values that its own view allows at each load. Views are those of the release, acquire
 * and relaxed part of C11 (as in the operational models of RC11): a store with release carries all that its thread knew, a relaxed one what
 * was known at the last release fence; a load with acquire takes that over at once, a relaxed one at the next acquire fence.
 * Nothing is assumed of a store that follows a release store to the same word (C++20).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t model_load(const uint64_t *address, int order);
static void model_store(uint64_t *address, uint64_t value, int order);
static void model_fence(int order);
#include "nexus_fast.h"

enum { MOST_PLACES = 160, MOST_VALUES = 24, MOST_CHOICES = 256, CAPACITY = 2, WORDS = NX_QUOTE_WORDS };
enum { DONE = 0, WRONG = -100 };

typedef struct { unsigned char at[MOST_PLACES]; } view;      /* per word: the index of the oldest value that may still be read */
typedef struct { uint64_t value; view known; } message;
typedef struct { const uint64_t *address; int count; message values[MOST_VALUES]; } place;

static place places[MOST_PLACES];
static int place_count, is_writing = 1;
static view current, pending, released;                     /* pending: read relaxed, in force after an acquire fence */
static int choices[MOST_CHOICES], options[MOST_CHOICES], depth, length;

static void join(view *into, const view *other) {
    for (int i = 0; i < place_count; i++)
        if (into->at[i] < other->at[i]) into->at[i] = other->at[i];
}

static void fail(const char *what) { fprintf(stderr, "the model's own limit: %s\n", what); exit(2); }

static int place_of(const uint64_t *address) {
    for (int i = 0; i < place_count; i++)
        if (places[i].address == address) return i;
    if (place_count == MOST_PLACES) fail("words");
    place *new = &places[place_count];
    new->address = address;
    new->count = 1;
    new->values[0].value = *address;
    return place_count++;
}

static int choose(int count) {
    if (depth == MOST_CHOICES) fail("choices");
    if (depth == length) choices[length++] = 0;
    options[depth] = count;
    return choices[depth++];
}

static int acquires(int order) { return order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST; }
static int releases(int order) { return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST; }

static uint64_t model_load(const uint64_t *address, int order) {
    int index = place_of(address);
    place *found = &places[index];
    if (is_writing) return found->count == 1 ? *address : found->values[found->count - 1].value;
    int oldest = current.at[index], taken = oldest;
    if (found->count - oldest > 1) taken += choose(found->count - oldest);
    current.at[index] = (unsigned char)taken;
    join(&pending, &found->values[taken].known);
    if (acquires(order)) join(&current, &found->values[taken].known);
    return found->values[taken].value;
}

static void model_store(uint64_t *address, uint64_t value, int order) {
    int index = place_of(address);
    place *found = &places[index];
    if (!is_writing) fail("a reader stored");
    if (found->count == MOST_VALUES) fail("values");
    current.at[index] = (unsigned char)found->count;
    message *new = &found->values[found->count++];
    new->value = value;
    new->known = releases(order) ? current : released;
    new->known.at[index] = current.at[index];
}

static void model_fence(int order) {
    if (releases(order)) released = current;
    if (acquires(order)) join(&current, &pending);
}

/* ---- what is written, and what may be read of it: record p has p + 1 in all its words */

static _Alignas(64) char image[NX_SEGMENT_HEADER + CAPACITY * 256];

static void publish(nx_ring *ring, int count) {
    uint64_t record[NX_EVENT_RECORD_WORDS];
    while (count--) {
        for (int i = 0; i < WORDS; i++) record[i] = ring->position + 1;
        nx_ring_publish(ring, record);
    }
}

static void make_ring(nx_ring *ring) {
    nx_segment *segment = (nx_segment *)image;
    segment->capacity = CAPACITY;
    segment->record_size = 8 * WORDS;
    if (nx_ring_open(ring, image) != 0) fail("an empty ring was refused");
}

static void write_ring(void) {
    nx_ring ring;
    make_ring(&ring);
    publish(&ring, 5);
}

/* The second writer is another process: of the first one's fences nothing holds for it. */
static void write_takeover(void) {
    nx_ring ring;
    make_ring(&ring);
    publish(&ring, 3);
    memset(&released, 0, sizeof released);
    if (nx_ring_open(&ring, image) != 0) fail("a good ring was refused");
    nx_store_release_u64(&ring.segment->epoch_start, ring.position);
    publish(&ring, 1);
}

static int read_ring_from(int oldest, int reads) {
    nx_ring_reader reader;
    uint64_t out[NX_EVENT_RECORD_WORDS];
    int seen = 0;
    if (nx_ring_reader_open(&reader, image, oldest) != 0) return WRONG;
    while (reads--) {
        uint64_t at = reader.position;
        int status = nx_ring_read(&reader, out);
        if (status == 1)
            for (int i = 1; i < WORDS; i++)
                if (out[i] != at + 1) return WRONG;
        if (status == NX_RING_DAMAGED || (status == -1 && reader.position <= at)) return WRONG;
        seen |= 1 << (status + 1);
    }
    return seen;
}

static int read_oldest(void) { return read_ring_from(1, 2); }
static int read_newest(void) { return read_ring_from(0, 1); }

static void write_latest(void) {
    uint64_t quote[NX_LATEST_WORDS], value = 0;
    nx_latest latest;
    ((nx_segment *)image)->capacity = 1;
    nx_latest_open(&latest, image);
    for (uint64_t epoch = 1; epoch <= 2; epoch++) {
        nx_latest_reset(&latest, epoch);
        for (int round = 0; round < 2; round++) {
            value++;
            for (int i = 0; i < NX_LATEST_WORDS; i++) quote[i] = value;
            nx_latest_write(&latest, 0, quote);
        }
    }
}

static int read_latest(void) {
    uint64_t out[NX_LATEST_WORDS], last = 0;
    nx_latest latest;
    int seen = 0;
    nx_latest_open(&latest, image);
    for (int round = 0; round < 2; round++) {
        int found = nx_latest_read(&latest, 0, out);
        seen |= 1 << found;
        if (!found) continue;
        for (int i = 1; i < NX_LATEST_WORDS; i++)
            if (out[i] != out[1]) return WRONG;
        if (out[1] < last || out[1] == 0) return WRONG;
        last = out[1];
    }
    return seen;
}

static uint64_t file[2][NX_EVENT_WORDS];

static void write_journal(void) {
    nx_journal journal = {0};
    uint64_t event[NX_EVENT_WORDS];
    journal.cursor = file[0];
    journal.end = file[0] + 2 * NX_EVENT_WORDS;
    for (uint64_t n = 1; n <= 2; n++) {
        for (int i = 0; i < NX_EVENT_WORDS; i++) event[i] = 1000 * n + i;
        if (nx_journal_append(&journal, (const nx_order_event *)event) != 0) fail("no room");
    }
}

static int read_journal(void) {
    int seen = 0;
    for (uint64_t n = 1; n <= 2; n++) {
        if (nx_load_acquire_u64(file[n - 1]) != n) continue;
        seen |= 1 << n;
        for (int i = 1; i < NX_EVENT_WORDS; i++) {
            uint64_t word = nx_load_relaxed_u64(file[n - 1] + i), wanted = 1000 * n + i;
            if (i == NX_CHECKSUM_WORD ? (uint32_t)word != (uint32_t)wanted || word >> 32 == 0 : word != wanted) return WRONG;
        }
    }
    return seen;
}

/* ---- every choice in turn */

static int next_path(void) {
    while (length > 0 && choices[length - 1] + 1 == options[length - 1]) length--;
    if (length > 0) choices[length - 1]++;
    return length > 0;
}

static const struct { const char *name; void (*write)(void); int (*read)(void); } SCENES[] = {
    {"ring", write_ring, read_oldest}, {"newest", write_ring, read_newest}, {"takeover", write_takeover, read_oldest},
    {"latest", write_latest, read_latest}, {"journal", write_journal, read_journal},
};

int main(int count, char **values) {
    unsigned long paths = 0, outcomes = 0;
    for (size_t i = 0; i < sizeof SCENES / sizeof SCENES[0]; i++) {
        if (count != 2 || strcmp(values[1], SCENES[i].name) != 0) continue;
        SCENES[i].write();
        is_writing = 0;
        do {
            memset(&current, 0, sizeof current);
            memset(&pending, 0, sizeof pending);
            depth = 0;
            int seen = SCENES[i].read();
            length = depth;
            paths++;
            if (seen == WRONG) { printf("after %lu paths: a record that was never written, or a good ring taken for a damaged one\n", paths); return 1; }
            outcomes |= 1UL << seen;
        } while (next_path());
        printf("%lu %lu\n", paths, outcomes);
        return 0;
    }
    return 2;
}
