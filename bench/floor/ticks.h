/* What the exchange sends and how an order finds its tick again: every price within SLOTS ticks is different, so the
 * price of an order names the tick that it answers. */
#ifndef BENCH_TICKS_H
#define BENCH_TICKS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SPOT, USD_M };
enum { SLOTS = 1024, STEP = 4, FIRST_ID = 400900217 };

static const int price_scale[2] = {2, 1};        /* of BTCUSDT: tick 0.01 and 0.10 */
static const int64_t price_base[2] = {9700000, 970000};

/* 389 is odd, so that this is a permutation of 0 … SLOTS-1: neighbours in time are far apart in price. */
static inline int64_t tick_slot(int64_t k) { return (k * 389) & (SLOTS - 1); }
static inline int64_t tick_bid(int family, int64_t k) { return price_base[family] + STEP * tick_slot(k); }

/* The slot of an order's price (bid or ask of a tick), or -1. `text` is what stood in the request. */
static inline int64_t slot_of_price(int family, const char *text, size_t length) {
    int64_t mantissa = 0, scale = -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' && scale < 0) { scale = 0; continue; }
        if (text[i] < '0' || text[i] > '9' || mantissa > INT64_MAX / 16) return -1;
        if (scale == price_scale[family]) {
            if (text[i] != '0') return -1;
            continue;
        }
        mantissa = mantissa * 10 + text[i] - '0';
        if (scale >= 0) scale++;
    }
    for (int64_t s = scale < 0 ? 0 : scale; s < price_scale[family]; s++) mantissa *= 10;
    int64_t offset = mantissa - price_base[family];
    return offset < 0 || offset >= STEP * SLOTS || offset % STEP > 1 ? -1 : offset / STEP;
}

/* Writes the payload of tick k; sizes and update id change with every tick as prices do. */
static inline int tick_payload(char *out, size_t room, int family, int combined, const char *symbol, int64_t k, int64_t ms) {
    char lower[32] = {0}, head[64] = "";
    for (int i = 0; symbol[i] && i < 31; i++) lower[i] = (char)(symbol[i] | 32);
    if (combined) snprintf(head, sizeof head, "{\"stream\":\"%s@bookTicker\",\"data\":", lower);
    long long bid = tick_bid(family, k), ask = bid + 1, id = FIRST_ID + k, size = 1 + (k * 7919) % 89999;
    const char *tail = combined ? "}" : "";
    if (family == SPOT)
        return snprintf(out, room,
                        "%s{\"u\":%lld,\"s\":\"%s\",\"b\":\"%lld.%02lld000000\",\"B\":\"%lld.%05lld000\","
                        "\"a\":\"%lld.%02lld000000\",\"A\":\"%lld.%05lld000\"}%s",
                        head, id, symbol, bid / 100, bid % 100, size / 10000, size % 100000, ask / 100, ask % 100,
                        size / 20000, 99999 - size, tail);
    return snprintf(out, room,
                    "%s{\"e\":\"bookTicker\",\"u\":%lld,\"s\":\"%s\",\"ps\":\"%s\",\"b\":\"%lld.%lld0\",\"B\":\"%lld.%03lld\","
                    "\"a\":\"%lld.%lld0\",\"A\":\"%lld.%03lld\",\"T\":%lld,\"E\":%lld,\"st\":1}%s",
                    head, id, symbol, symbol, bid / 10, bid % 10, size / 1000, size % 1000, ask / 10, ask % 10,
                    size / 2000, 999 - size % 1000, (long long)ms, (long long)ms, tail);
}

#endif
