/* Loops over the functions of the generated header, for test_shm.py: each does its operation `count` times and
   returns a number that depends on it. */
#include "nexus_fast.h"
#include <string.h>

static nx_bookl1 quote;
static nx_order_event event;

/* What a caller does just before: wide and narrow stores into the event. */
static void fill_event(uint64_t value) {
    event.number = value;
    event.time_ns = event.price = event.quantity = event.order_number = (int64_t)value;
    event.symbol_id = (uint32_t)value;
    event.kind = event.state = (uint8_t)value;
    __asm__ __volatile__("" ::: "memory");
}

uint64_t publish(void *base, uint64_t count) {
    nx_ring ring;
    nx_ring_open(&ring, base);
    for (uint64_t i = 0; i < count; i++) {
        quote.bid = (int64_t)i;
        nx_ring_publish(&ring, &quote);
    }
    return ring.position;
}

uint64_t publish_events(void *base, uint64_t count) {
    nx_ring ring;
    nx_ring_open(&ring, base);
    for (uint64_t i = 0; i < count; i++) {
        fill_event(i);
        nx_ring_publish(&ring, &event);
    }
    return ring.position;
}

uint64_t write_latest(void *base, uint64_t count) {
    nx_latest latest;
    nx_latest_open(&latest, base);
    for (uint64_t i = 0; i < count; i++) {
        quote.bid = (int64_t)i;
        nx_latest_write(&latest, i & 15, &quote);
    }
    return count;
}

uint64_t read_latest(void *base, uint64_t count) {
    nx_latest latest;
    nx_bookl1 out;
    uint64_t sum = 0;
    nx_latest_open(&latest, base);
    for (uint64_t i = 0; i < count; i++) sum += nx_latest_read(&latest, i & 15, &out) ? (uint64_t)out.bid : 0;
    return sum;
}

/* Reads what stands in the ring, again and again. */
uint64_t read_ring(void *base, uint64_t count) {
    nx_ring_reader reader;
    nx_bookl1 out;
    uint64_t sum = 0;
    nx_ring_reader_open(&reader, base, 1);
    uint64_t first = reader.position;
    for (uint64_t i = 0; i < count; i++) {
        if (nx_ring_read(&reader, &out) == 1) sum += (uint64_t)out.bid;
        else reader.position = first;
    }
    return sum;
}

/* Follows a ring until *stop: the reader that pulls at the writer. */
uint64_t follow(void *base, int *stop) {
    nx_ring_reader reader;
    nx_bookl1 out;
    uint64_t reads = 0;
    nx_ring_reader_open(&reader, base, 0);
    while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) reads += nx_ring_read(&reader, &out) == 1;
    return reads;
}

/* Appends to records of the caller's memory, from its start again when it is full. */
uint64_t append(void *records, uint64_t room, uint64_t count) {
    nx_journal journal;
    memset(&journal, 0, sizeof journal);
    for (uint64_t i = 0; i < count; i++) {
        if (i % room == 0) {
            journal.cursor = (nx_word *)records;
            journal.end = journal.cursor + room * NX_EVENT_WORDS;
        }
        fill_event(i);
        nx_journal_append(&journal, &event);
    }
    return journal.sequence;
}

uint64_t checksum(uint64_t count) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        fill_event(sum);
        sum += nx_event_checksum(&event);
    }
    return sum;
}
