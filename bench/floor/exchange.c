/* A venue that does one thing: send a quote, wait for the order that answers it, say how long that took.
 *
 * One thread, one core, polling. t0 is the clock right before send() of the quote, t1 the clock right after the recv()
 * that completed the order's frame has returned. Everything else (signature, acknowledgement, events) comes after t1.
 *
 * One port takes every path: /ws, /stream (spot), /public, /market, /private (USD-M), /ws-api/v3, /ws-fapi/v1, and orders by
 * REST: POST /api/v3/order, /fapi/v1/order, on connections that stay. With --tls CERTIFICATE all of it is TLS.
 * Quotes go to the connection that subscribed to a bookTicker, orders may come on any ws-api connection, events go to
 * connections that subscribed to user data (/private, or userDataStream.subscribe on ws-api).
 *
 * Writes `PORT n` to stdout when it listens and `DONE` when the result, JSON, is in --out. Exit: 0 done, 2 could not,
 * 3 the run ended early. */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "answers.h"
#include "host.h"
#include "http.h"
#include "peers.h"
#include "samples.h"
#include "ticks.h"

enum { MEMBERS = 32 };
enum { NO_EVENTS, NEW_EVENT, FILL_EVENTS };
enum { GAP_AFTER_ORDER, FIXED_SCHEDULE };

static int pace, events, ready_without_orders;
static const char *symbol;
static hmac_key secret;
static int64_t gap, warm_gap, bound, total, warm_up, deadline, started, every;

static int64_t sent_at[SLOTS], intended_at[SLOTS], waiting[SLOTS]; /* by slot; waiting: k + 1, or 0 */
static int64_t next_tick, oldest, next_intended, losses_in_a_row;
static samples latency, from_intended;
/* The worst of the run: what it took, how much of that the quote was late already when it was sent, and when. */
static struct {
    int64_t took, late, at;
} worst[SAMPLES_WORST];
static struct {
    long orders, bad_signatures, refused, unmatched, lost, lost_warming, cancels;
} count;

/* ---- orders ---- */

static const char PLAIN[] = "{\"subscriptionId\":0,\"event\":", STREAM[] = "{\"stream\":\"bench\",\"data\":";

static void send_events(int family, const order_request *o) {
    char buffer[4096];
    for (connection *c = peers; c < peers + PEERS; c++) {
        size_t used = 0;
        if (c->kind == FREE || !c->user_stream || c->family != family) continue;
        for (int filled = 0; filled <= (events == FILL_EVENTS); filled++) {
            char *text = buffer + used + 4;
            int n = write_event(text, sizeof buffer - used - 4, family == USD_M, o, filled);
            if (c->combined && family == SPOT) { /* the same in a stream's envelope instead of a subscription's */
                memmove(text + sizeof STREAM - 1, text + sizeof PLAIN - 1, (size_t)n - sizeof PLAIN + 1);
                memcpy(text, STREAM, sizeof STREAM - 1);
                n -= (int)(sizeof PLAIN - sizeof STREAM);
            }
            uint8_t *frame = ws_server_header((uint8_t *)text, (size_t)n, WS_TEXT);
            memmove(buffer + used, frame, (size_t)((uint8_t *)text + n - frame));
            used += (size_t)((uint8_t *)text + n - frame);
        }
        send_all(c, buffer, used);
    }
}

static void keep_worst(int64_t took, int64_t late, int64_t at) {
    int least = 0;
    if (took <= worst[0].took) return;
    for (int i = 0; i < SAMPLES_WORST; i++) /* one incident, one line: what came within half a second of a worse one */
        if (worst[i].took && at - worst[i].at < 500000000) {
            if (took > worst[i].took) worst[i].took = took, worst[i].late = late, worst[i].at = at;
            return;
        }
    worst[0].took = took, worst[0].late = late, worst[0].at = at;
    for (int i = 1; i < SAMPLES_WORST; i++) /* the least of them stands first */
        if (worst[i].took < worst[least].took) least = i;
    int64_t t = worst[0].took, l = worst[0].late, a = worst[0].at;
    worst[0] = worst[least];
    worst[least].took = t, worst[least].late = l, worst[least].at = a;
}

static void record(int64_t k, int64_t slot, int64_t arrived) {
    waiting[slot] = 0;
    losses_in_a_row = 0;
    if (k >= warm_up) {
        samples_add(&latency, arrived - sent_at[slot]);
        samples_add(&from_intended, arrived - intended_at[slot]);
        keep_worst(arrived - intended_at[slot], sent_at[slot] - intended_at[slot], arrived - started);
    }
    if (pace == GAP_AFTER_ORDER) next_intended = arrived + gap;
}

static void refuse(connection *c, const char *id, long *counter, int code, const char *why, const ws_frame *f) {
    if (!(*counter)++) fprintf(stderr, "%s: %.*s\n", why, (int)f->length, (char *)f->payload);
    if (c->kind == HTTP) {
        char body[256];
        int n = snprintf(body, sizeof body, "{\"code\":%d,\"msg\":\"%s\"}", code, why);
        return send_http(c, 400, body, (size_t)n);
    }
    send_format(c, "{\"id\":%s,\"status\":400,\"error\":{\"code\":%d,\"msg\":\"%s\"}}", id, code, why);
}

static const char *what_is_wrong(const order_request *o, const json_member *timestamp) {
    if (!o->symbol || !o->side || !o->type || !o->price || !o->quantity || !o->client_id || !timestamp)
        return "Mandatory parameter was not sent, was empty/null, or malformed.";
    if (!json_is(o->symbol, symbol)) return "Invalid symbol.";
    if (!json_is(o->type, "MARKET") && !o->time_in_force) return "Mandatory parameter 'timeInForce' was not sent.";
    int64_t ms = strtoll(timestamp->text, NULL, 10);
    if (ms > 100000000000000LL) ms /= 1000; /* spot takes microseconds as well */
    if (ms > o->ms + 1000 || o->ms - ms > 5000) return "Timestamp for this request is outside of the recvWindow.";
    return NULL;
}

static void place_order(connection *c, const char *id, json_member *m, int n, int64_t arrived, const ws_frame *f) {
    static const char rates[] = ",\"rateLimits\":[{\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\",\"intervalNum\":10,"
                                "\"limit\":300,\"count\":1}]";
    static int64_t order_ids = 325078477;
    char ack[2048];
    const json_member none = {.text = "", .length = 0};
    int64_t slot = -1;
    orders = c;
    count.orders++;
    const json_member *price = json_find(m, n, "price");
    if (price) slot = slot_of_price(c->family, price->text, price->length);
    if (slot < 0 || !waiting[slot]) count.unmatched++;
    else record(waiting[slot] - 1, slot, arrived);
    if (c->kind == HTTP ? !query_is_signed(&secret, (char *)f->payload, f->length) : !signature_is_good(&secret, m, n))
        return refuse(c, id, &count.bad_signatures, -1022, "Signature for this request is not valid.", f);
    order_request o = {json_find(m, n, "symbol"), json_find(m, n, "side"), json_find(m, n, "type"),
                       json_find(m, n, "timeInForce"), json_find(m, n, "price"), json_find(m, n, "quantity"),
                       json_find(m, n, "newClientOrderId"), order_ids++, utc_ms()};
    const char *wrong = what_is_wrong(&o, json_find(m, n, "timestamp"));
    if (wrong) return refuse(c, id, &count.refused, -1102, wrong, f);
    if (!o.time_in_force) o.time_in_force = &none;
    int length = write_ack(ack + 4, sizeof ack - 4, c->family == USD_M, id, &o, c->rate_limits && c->kind != HTTP ? rates : "");
    if (c->kind == HTTP) { /* the result alone, without what a WebSocket request's answer has around it */
        char *body = strstr(ack + 4, "\"result\":") + 9;
        send_http(c, 200, body, (size_t)(ack + 4 + length - body - 1));
    } else {
        send_text(c, ack + 4, length, WS_TEXT);
    }
    if (events != NO_EVENTS) send_events(c->family, &o);
}

/* ---- requests ---- */

static void subscribe(connection *c, const ws_frame *f, const char *id) {
    if (memmem(f->payload, f->length, "bookTicker", 10)) c->quotes = 1;
    send_format(c, "{\"result\":null,\"id\":%s}", id);
}

static void take_text(connection *c, const ws_frame *f, int64_t arrived) {
    json_member m[MEMBERS], p[MEMBERS];
    char id[64] = "null";
    int n = json_object((const char *)f->payload, f->length, m, MEMBERS), k = 0;
    const json_member *method = json_find(m, n, "method"), *given = json_find(m, n, "id");
    const json_member *params = json_find(m, n, "params");
    if (n < 0 || !method) return refuse(c, id, &count.refused, -1000, "Not a request.", f);
    if (given) snprintf(id, sizeof id, given->kind == '"' ? "\"%.*s\"" : "%.*s", TEXT(given));
    if (c->kind != API) return subscribe(c, f, id);
    if (params && params->kind == '{') k = json_object(params->text, params->length, p, MEMBERS);
    if (json_is(method, "order.place")) return place_order(c, id, p, k > 0 ? k : 0, arrived, f);
    if (json_is(method, "order.cancel")) {
        count.cancels++; /* with fills there is never an order left to cancel; without, this bench keeps no book */
        return send_format(c, "{\"id\":%s,\"status\":400,\"error\":{\"code\":-2011,\"msg\":\"Unknown order sent.\"}}", id);
    }
    if (memmem(method->text, method->length, "userDataStream.subscribe", 24)) c->user_stream = 1;
    char answer[1024];
    int length = write_plain_answer(answer + 4, sizeof answer - 4, id, method, utc_ms());
    send_text(c, answer + 4, length, WS_TEXT);
}

static void take_frame(connection *c, const ws_frame *f, int64_t arrived) {
    char copy[4 + 128];
    size_t n = f->length < 125 ? f->length : 125;
    if (f->opcode == WS_TEXT && f->final) return take_text(c, f, arrived);
    if (f->opcode == WS_PONG) return;
    memcpy(copy + 4, f->payload, n);
    if (f->opcode == WS_PING) return send_text(c, copy + 4, (int)n, WS_PONG);
    if (f->opcode == WS_CLOSE) send_text(c, copy + 4, (int)n, WS_CLOSE);
    if (c->kind != FREE) drop(c); /* a close, or a fragment: nothing here sends one */
}

/* ---- REST ---- */

static int ends_with(const http_request *r, const char *what) {
    size_t n = strlen(what);
    return r->path_length >= n && !memcmp(r->path + r->path_length - n, what, n);
}

static void take_request(connection *c, const http_request *r, int is_post, int64_t arrived) {
    json_member m[MEMBERS];
    c->family = starts(r->path, "/fapi/") ? USD_M : SPOT;
    if (is_post && ends_with(r, "/order")) {
        const ws_frame f = {.payload = (uint8_t *)r->query, .length = r->query_length};
        int n = http_members(r->query, r->query_length, m, MEMBERS);
        return place_order(c, "null", m, n > 0 ? n : 0, arrived, &f);
    }
    char time[64];
    size_t size = (size_t)snprintf(time, sizeof time, "{\"serverTime\":%lld}", (long long)utc_ms());
    const char *body = ends_with(r, "/time") ? time : http_answer(r->path, r->path_length, &size);
    if (body) return send_http(c, 200, body, size);
    fprintf(stderr, "the bench has no answer for %.*s\n", (int)r->path_length, r->path);
    send_http(c, 400, "{\"code\":-1,\"msg\":\"the bench has none\"}", 38);
}

/* Every whole request in the buffer; returns the bytes that they took, or -1. */
static ssize_t take_requests(connection *c, int64_t arrived) {
    http_request r;
    size_t used = 0;
    int status = 0;
    while (c->kind == HTTP && used < c->have && (status = http_parse((char *)c->in + used, c->have - used, &r)) == 1) {
        take_request(c, &r, c->in[used] == 'P', arrived);
        used += r.total;
    }
    return status < 0 ? -1 : (ssize_t)used;
}

/* ---- what arrives ---- */

/* Takes what has come on one connection; t1 is taken here. */
static void service(connection *c) {
    ssize_t n = link_recv(c->fd, c->tls, c->in + c->have, ROOM - 1 - c->have, MSG_DONTWAIT);
    int64_t arrived = now_ns();
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) drop(c);
        return;
    }
    if (n == 0) return drop(c);
    c->have += (size_t)n;
    last_activity = arrived;
    c->in[c->have] = 0;
    if (c->kind == HTTP && c->in[0] == 'G' && strcasestr((char *)c->in, "sec-websocket-key:"))
        c->kind = HANDSHAKE; /* a client that keeps its connections asks on one of them for a WebSocket */
    if (c->kind == HANDSHAKE) take_handshake(c);
    ws_frame frame;
    size_t used = 0;
    int status = 0;
    if (c->kind == HTTP) {
        ssize_t taken = take_requests(c, arrived);
        used = taken < 0 ? 0 : (size_t)taken;
        status = taken < 0 ? -1 : 0;
    }
    while (c->kind > HANDSHAKE && c->kind < HTTP && (status = ws_parse(c->in + used, c->have - used, &frame)) == 1) {
        used += frame.total;
        take_frame(c, &frame, arrived);
    }
    if (status < 0 || (c->have == ROOM - 1 && !used)) return drop(c);
    if (c->kind == FREE) return;
    if (used) memmove(c->in, c->in + used, c->have -= used);
    if (link_pending(c->tls)) service(c);
}

static void service_all(void) {
    accept_one();
    for (connection *c = peers; c < peers + PEERS; c++)
        if (c->kind != FREE) service(c);
}

static void service_orders(void) {
    if (orders) return service(orders);
    for (connection *c = peers; c < peers + PEERS; c++)
        if (c->kind == API || c->kind == HTTP) service(c);
}

/* ---- the run ---- */

static char tick_frame[1024];
static int tick_length;

/* The frame is ready before its time comes: only the send is between t0 and the wire. */
static void prepare_tick(void) {
    tick_length = tick_payload(tick_frame + 4, sizeof tick_frame - 4, market->family, market->combined, symbol, next_tick,
                               utc_ms());
}

static void send_tick(void) {
    int64_t slot = tick_slot(next_tick);
    uint8_t *frame = ws_server_header((uint8_t *)tick_frame + 4, (size_t)tick_length, WS_TEXT);
    size_t n = (size_t)((uint8_t *)tick_frame + 4 + tick_length - frame);
    waiting[slot] = (FIRST_ID + next_tick) % every ? 0 : next_tick + 1; /* which ticks are answered, their update ids say */
    intended_at[slot] = next_intended;
    sent_at[slot] = now_ns();
    send_all(market, frame, n);
    next_tick++;
    if (pace == FIXED_SCHEDULE) next_intended += next_tick < warm_up ? warm_gap : gap;
    if (pace == FIXED_SCHEDULE && next_tick == warm_up) next_intended = now_ns() + 200000000; /* the warm-up's are through */
    if (market && next_tick < total) prepare_tick();
}

/* Moves `oldest` over ticks that are answered, and over those that waited for too long: they are lost. */
static void forget_old(int64_t now) {
    for (; oldest < next_tick; oldest++) {
        int64_t slot = tick_slot(oldest);
        if (waiting[slot] != oldest + 1) continue;
        if (now - sent_at[slot] < bound) return;
        waiting[slot] = 0;
        *(oldest < warm_up ? &count.lost_warming : &count.lost) += 1;
        losses_in_a_row++;
        if (pace == GAP_AFTER_ORDER) next_intended = now + gap;
    }
}

static int is_ready(int64_t settle) {
    int api = 0;
    market = NULL;
    for (connection *c = peers; c < peers + PEERS; c++) {
        api |= c->kind == API || c->kind == HTTP;
        if (c->kind == MARKET && c->quotes) market = c;
    }
    return market && (api || ready_without_orders) && now_ns() - last_activity > settle;
}

/* Returns why the run ended; "" when all ticks are through. */
static const char *run(void) {
    for (int64_t spins = 0;; spins++) {
        int64_t now = now_ns();
        if (now > deadline) return "out of time";
        if (!market) return "the market-data connection was closed by the client";
        if (pace == GAP_AFTER_ORDER || spins % 64 == 0) forget_old(now);
        if (losses_in_a_row >= 10) return "ten ticks in a row got no order";
        if (oldest == total) return "";
        int64_t outstanding = next_tick - oldest, most = pace == GAP_AFTER_ORDER ? 1 : SLOTS - 1;
        if (next_tick < total && outstanding < most && now >= next_intended) send_tick();
        else if (outstanding && spins % 256) service_orders();
        else if (outstanding || next_intended - now > 3000) service_all();
    }
}

/* How often somebody else was given this core: a run with many is a run of somebody else's. */
static long taken_away(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw;
}

static void write_result(const char *path, const char *ended, long switches) {
    FILE *out = fopen(path, "w");
    if (!out) die("cannot write %s", path);
    fprintf(out, "{\"ended\": \"%s\", \"family\": \"%s\", \"pace\": \"%s\", \"gap_ns\": %lld, \"sent\": %lld,\n", ended,
            market && market->family == USD_M ? "usd_m" : "spot", pace == FIXED_SCHEDULE ? "schedule" : "after",
            (long long)gap, (long long)next_tick);
    fprintf(out, "\"orders\": %ld, \"bad_signatures\": %ld, \"refused\": %ld, \"unmatched\": %ld, \"lost\": %ld, "
            "\"lost_warming\": %ld, \"cancels\": %ld, \"involuntary_switches\": %ld,\n",
            count.orders, count.bad_signatures, count.refused, count.unmatched, count.lost, count.lost_warming, count.cancels, switches);
    samples_write(out, "latency", &latency);
    fprintf(out, ",\n");
    samples_write(out, "from_intended", &from_intended);
    fprintf(out, ",\n\"started_ns\": %lld, \"worst\": [", (long long)started); /* CLOCK_MONOTONIC; the worst are counted from it */
    for (int i = 0, any = 0; i < SAMPLES_WORST; i++)
        if (worst[i].took)
            fprintf(out, "%s[%lld, %lld, %lld]", any++ ? ", " : "", (long long)worst[i].took, (long long)worst[i].late,
                    (long long)worst[i].at);
    fprintf(out, "]}\n");
    fclose(out);
}

static int connections(void) {
    int n = 0;
    for (connection *c = peers; c < peers + PEERS; c++) n += c->kind != FREE;
    return n;
}

/* Says DONE and serves on for `linger` ns, so that a client can be told to end in its own way; then closes. */
static void say_goodbye(int64_t linger) {
    puts("DONE");
    fflush(stdout);
    for (int64_t until = now_ns() + linger; now_ns() < until && connections(); usleep(500)) service_all();
    char close_frame[4 + 2] = {0, 0, 0, 0, 1000 >> 8, (char)(1000 & 255)};
    for (connection *c = peers; c < peers + PEERS; c++)
        if (c->kind == HTTP) drop(c);
        else if (c->kind > HANDSHAKE) send_text(c, close_frame + 4, 2, WS_CLOSE);
    for (int64_t until = now_ns() + 300000000; now_ns() < until && connections(); usleep(500)) service_all();
}

static int named(const char *value, const char *const *names) {
    for (int i = 0; names[i]; i++)
        if (!strcmp(value, names[i])) return i;
    die("\"%s\" is none of the values that this option takes; the first is \"%s\"", value, names[0]);
}

int main(int argc, char **argv) {
    static const char *const known[] = {"--port", "--cpu", "--gap-ns", "--ticks", "--warm-up", "--out", "--secret",
                                        "--symbol", "--events", "--pace", "--bound-ms", "--seconds", "--settle-ms", "--connect-seconds",
                                        "--linger-ms", "--tls", "--answers", "--ready", "--warm-gap-ns", "--every", NULL};
    static const char *const event_names[] = {"none", "new", "fill", NULL};
    static const char *const pace_names[] = {"after", "schedule", NULL};
    check_options(argc, argv, known);
    symbol = option(argc, argv, "--symbol", "BTCUSDT");
    gap = option_number(argc, argv, "--gap-ns", 20000);
    every = option_number(argc, argv, "--every", 1);
    warm_gap = option_number(argc, argv, "--warm-gap-ns", gap);
    warm_up = option_number(argc, argv, "--warm-up", 1000);
    total = warm_up + option_number(argc, argv, "--ticks", 10000);
    bound = option_number(argc, argv, "--bound-ms", 1000) * 1000000;
    events = named(option(argc, argv, "--events", "fill"), event_names);
    pace = named(option(argc, argv, "--pace", "after"), pace_names);
    const char *out = option(argc, argv, "--out", "/dev/stdout"), *ended = "no client in time";
    long switches = 0;
    int64_t settle = option_number(argc, argv, "--settle-ms", 300) * 1000000;
    if (hmac_set(&secret, option(argc, argv, "--secret", "sim"))) die("--secret: at most 64 characters");
    samples_make(&latency, (size_t)(total - warm_up));
    samples_make(&from_intended, (size_t)(total - warm_up));
    ready_without_orders = !strcmp(option(argc, argv, "--ready", "orders"), "market"); /* some open that connection with an order */
    const char *tls = option(argc, argv, "--tls", NULL), *answers = option(argc, argv, "--answers", NULL);
    if (tls) link_serve(tls, tls);
    if (answers) http_load(answers);
    printf("PORT %d\n", listen_on(option_number(argc, argv, "--port", 0)));
    fflush(stdout);
    pin_to(option_number(argc, argv, "--cpu", -1));
    deadline = now_ns() + option_number(argc, argv, "--connect-seconds", 30) * 1000000000LL;
    while (!is_ready(settle) && now_ns() < deadline) {
        service_all();
        usleep(500);
    }
    if (market && now_ns() < deadline) {
        deadline = now_ns() + option_number(argc, argv, "--seconds", 60) * 1000000000LL;
        prepare_tick();
        started = now_ns();
        next_intended = started + gap;
        switches = -taken_away();
        ended = run();
        switches += taken_away();
    }
    write_result(out, ended, switches);
    say_goodbye(option_number(argc, argv, "--linger-ms", 0) * 1000000);
    return *ended ? 3 : 0;
}
