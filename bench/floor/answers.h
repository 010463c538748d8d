/* What the exchange says to a request: acknowledgements, events, refusals, in the venue's own form. */
#ifndef BENCH_ANSWERS_H
#define BENCH_ANSWERS_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "sha256.h"

#define TEXT(m) (int)(m)->length, (m)->text

/* An order as it was asked for; every pointer goes into the request. */
typedef struct {
    const json_member *symbol, *side, *type, *time_in_force, *price, *quantity, *client_id;
    int64_t order_id, ms;
} order_request;

static int by_key(const void *a, const void *b) {
    const json_member *x = a, *y = b;
    size_t n = x->key_length < y->key_length ? x->key_length : y->key_length;
    int order = memcmp(x->key, y->key, n);
    return order ? order : (x->key_length > y->key_length) - (x->key_length < y->key_length);
}

/* The venue's rule: every parameter but the signature, sorted by name, joined k=v&k=v, exactly as sent. Sorts members. */
static int signature_is_good(const hmac_key *key, json_member *members, int n) {
    static uint8_t payload[4096 + 72];
    size_t length = 0;
    const json_member *given = NULL;
    char expected[64];
    qsort(members, (size_t)n, sizeof *members, by_key);
    for (int i = 0; i < n; i++) {
        json_member *m = &members[i];
        if (m->key_length == 9 && !memcmp(m->key, "signature", 9)) {
            given = m;
            continue;
        }
        if (length + m->key_length + m->length + 2 > 4096) return 0;
        if (length) payload[length++] = '&';
        memcpy(payload + length, m->key, m->key_length);
        length += m->key_length;
        payload[length++] = '=';
        memcpy(payload + length, m->text, m->length);
        length += m->length;
    }
    if (!given || given->length != 64) return 0;
    hmac_sign(key, payload, length, expected);
    return !strncasecmp(given->text, expected, 64);
}

/* The acknowledgement: spot's ACK form, or the futures form, which says more. */
static int write_ack(char *out, size_t room, int futures, const char *id, const order_request *o, const char *rates) {
    if (!futures)
        return snprintf(out, room,
                        "{\"id\":%s,\"status\":200,\"result\":{\"symbol\":\"%.*s\",\"orderId\":%lld,\"orderListId\":-1,"
                        "\"clientOrderId\":\"%.*s\",\"transactTime\":%lld}%s}",
                        id, TEXT(o->symbol), (long long)o->order_id, TEXT(o->client_id), (long long)o->ms, rates);
    return snprintf(out, room,
                    "{\"id\":%s,\"status\":200,\"result\":{\"orderId\":%lld,\"symbol\":\"%.*s\",\"status\":\"NEW\","
                    "\"clientOrderId\":\"%.*s\",\"price\":\"%.*s\",\"origQty\":\"%.*s\",\"executedQty\":\"0.000\","
                    "\"cumQty\":\"0.000\",\"timeInForce\":\"%.*s\",\"type\":\"%.*s\",\"reduceOnly\":false,"
                    "\"closePosition\":false,\"side\":\"%.*s\",\"positionSide\":\"BOTH\",\"stopPrice\":\"0.00\","
                    "\"workingType\":\"CONTRACT_PRICE\",\"priceProtect\":false,\"origType\":\"%.*s\",\"priceMatch\":\"NONE\","
                    "\"selfTradePreventionMode\":\"NONE\",\"goodTillDate\":0,\"updateTime\":%lld}%s}",
                    id, (long long)o->order_id, TEXT(o->symbol), TEXT(o->client_id), TEXT(o->price), TEXT(o->quantity),
                    TEXT(o->time_in_force), TEXT(o->type), TEXT(o->side), TEXT(o->type), (long long)o->ms, rates);
}

/* One event of the user's stream: the order is new (filled = 0) or wholly filled at its own price (filled = 1). */
static int write_event(char *out, size_t room, int futures, const order_request *o, int filled) {
    const char *execution = filled ? "TRADE" : "NEW", *status = filled ? "FILLED" : "NEW";
    json_member zero = {.text = "0.000", .length = 5};
    const json_member *done = filled ? o->quantity : &zero, *last = filled ? o->price : &zero;
    long long trade = filled ? (long long)o->order_id + 500000 : futures ? 0 : -1, ms = o->ms;
    if (!futures)
        return snprintf(out, room,
                        "{\"subscriptionId\":0,\"event\":{\"e\":\"executionReport\",\"E\":%lld,\"s\":\"%.*s\",\"c\":\"%.*s\","
                        "\"S\":\"%.*s\",\"o\":\"%.*s\",\"f\":\"%.*s\",\"q\":\"%.*s\",\"p\":\"%.*s\",\"P\":\"0.00000000\","
                        "\"F\":\"0.00000000\",\"g\":-1,\"C\":\"\",\"x\":\"%s\",\"X\":\"%s\",\"r\":\"NONE\",\"i\":%lld,"
                        "\"l\":\"%.*s\",\"z\":\"%.*s\",\"L\":\"%.*s\",\"n\":\"0\",\"N\":null,\"T\":%lld,\"t\":%lld,\"I\":%lld,"
                        "\"w\":%s,\"m\":false,\"M\":false,\"O\":%lld,\"Z\":\"0.00000000\",\"Y\":\"0.00000000\","
                        "\"Q\":\"0.00000000\",\"W\":%lld,\"V\":\"NONE\"}}",
                        ms, TEXT(o->symbol), TEXT(o->client_id), TEXT(o->side), TEXT(o->type), TEXT(o->time_in_force),
                        TEXT(o->quantity), TEXT(o->price), execution, status, (long long)o->order_id, TEXT(done), TEXT(done),
                        TEXT(last), ms, trade, 2 * (long long)o->order_id + filled, filled ? "false" : "true", ms, ms);
    return snprintf(out, room,
                    "{\"e\":\"ORDER_TRADE_UPDATE\",\"E\":%lld,\"T\":%lld,\"o\":{\"s\":\"%.*s\",\"c\":\"%.*s\",\"S\":\"%.*s\","
                    "\"o\":\"%.*s\",\"f\":\"%.*s\",\"q\":\"%.*s\",\"p\":\"%.*s\",\"ap\":\"%.*s\",\"sp\":\"0\",\"x\":\"%s\","
                    "\"X\":\"%s\",\"i\":%lld,\"l\":\"%.*s\",\"z\":\"%.*s\",\"L\":\"%.*s\",\"N\":\"USDT\",\"n\":\"0\","
                    "\"T\":%lld,\"t\":%lld,\"b\":\"0\",\"a\":\"0\",\"m\":false,\"R\":false,\"wt\":\"CONTRACT_PRICE\","
                    "\"ot\":\"%.*s\",\"ps\":\"BOTH\",\"cp\":false,\"pP\":false,\"si\":0,\"ss\":0,\"rp\":\"0\","
                    "\"V\":\"NONE\",\"pm\":\"NONE\",\"gtd\":0,\"er\":\"0\"}}",
                    ms, ms, TEXT(o->symbol), TEXT(o->client_id), TEXT(o->side), TEXT(o->type), TEXT(o->time_in_force),
                    TEXT(o->quantity), TEXT(o->price), TEXT(last), execution, status, (long long)o->order_id, TEXT(done),
                    TEXT(done), TEXT(last), ms, trade, TEXT(o->type));
}

/* Everything but orders, and a signed one's answer is the same as an unsigned one's: the bench judges orders only. */
static int write_plain_answer(char *out, size_t room, const char *id, const json_member *method, int64_t ms) {
    char result[512];
    long long time = ms;
    if (json_is(method, "userDataStream.subscribe.signature") || json_is(method, "userDataStream.subscribe"))
        snprintf(result, sizeof result, "{\"subscriptionId\":0}");
    else if (json_is(method, "userDataStream.start") || json_is(method, "userDataStream.ping"))
        snprintf(result, sizeof result, "{\"listenKey\":\"bench\"}");
    else if (json_is(method, "time"))
        snprintf(result, sizeof result, "{\"serverTime\":%lld}", time);
    else if (json_is(method, "session.logon") || json_is(method, "session.status"))
        snprintf(result, sizeof result,
                 "{\"apiKey\":\"bench\",\"authorizedSince\":%lld,\"connectedSince\":%lld,\"returnRateLimits\":false,"
                 "\"serverTime\":%lld,\"userDataStream\":false}", time, time, time);
    else
        snprintf(result, sizeof result, "{}");
    return snprintf(out, room, "{\"id\":%s,\"status\":200,\"result\":%s}", id, result);
}

#endif
