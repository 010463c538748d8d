/* The floor: what a hand-written C program needs to turn a quote into a signed order on the wire. No Python, no library.
 *
 * Three connections, as the venue has them: market data, order entry (ws-api), user data. Each quote is parsed, answered
 * by a LIMIT order at its ask price, signed from precomputed key state, masked and sent. Acknowledgements and events are
 * read and counted. Orders by REST (--entry rest) go out as the engine's do, on a connection that stays. Modes: spin (non-blocking recv in a loop), epoll (epoll_wait over the three), recv (blocking recv on
 * market data; the others are drained after each order).
 *
 * Ends when the venue closes the market-data connection; writes its counts, JSON, to stdout. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"
#include "http.h"
#include "link.h"
#include "quote.h"
#include "sha256.h"
#include "websocket.h"

enum { SPOT, USD_M };
enum { ROOM = 1 << 16 };

typedef struct {
    int fd;
    void *tls;
    size_t have;
    uint8_t in[ROOM + 16];
} connection;

static connection market, orders, user;
static const char *symbol = "BTCUSDT";
static size_t symbol_length;
static int price_scale, size_scale, quick_ack, by_rest, secure;
static int64_t quantity; /* at size_scale */
static hmac_key key;
static struct {
    long quotes, orders, accepted, rejected, events, bad_frames;
} count;

/* ---- text ---- */

#define PUT(p, literal) (memcpy(p, literal, sizeof literal - 1), (p) + sizeof literal - 1)

static inline char *put(char *p, const char *text, size_t n) { return (char *)memcpy(p, text, n) + n; }

static inline char *put_digits(char *p, uint64_t v, int digits) {
    for (int i = digits - 1; i >= 0; i--, v /= 10) p[i] = (char)('0' + v % 10);
    return p + digits;
}

static inline char *put_decimal(char *p, int64_t mantissa, int scale) {
    uint64_t v = (uint64_t)mantissa, unit = 1;
    for (int i = 0; i < scale; i++) unit *= 10;
    int digits = 1;
    for (uint64_t whole = v / unit; whole >= 10; whole /= 10) digits++;
    p = put_digits(p, v / unit, digits);
    *p++ = '.';
    return put_digits(p, v % unit, scale);
}

/* ---- the order ---- */

/* Everything that stays the same from order to order was written once; what is signed and what is sent share the order
 * of the parameters, so that one pass copies both. */
static struct {
    char head[64 + 32]; /* of the signed text: what the key state has not absorbed of apiKey=…&newClientOrderId= */
    size_t head_length;
    char json_key[160]; /* ","method":"order.place","params":{"apiKey":"…","newClientOrderId":" */
    size_t json_key_length;
    char json_middle[96], signed_middle[96]; /* quantity, side, symbol, time in force, up to the timestamp */
    size_t json_middle_length, signed_middle_length;
} template;

static void make_template(const char *api_key, const char *secret) {
    char head[256], amount[32] = {0};
    put_decimal(amount, quantity, size_scale);
    int n = snprintf(head, sizeof head, "apiKey=%s&newClientOrderId=", api_key);
    if (strlen(api_key) > 64 || hmac_set(&key, secret)) die("--key and --secret: at most 64 characters");
    template.head_length = hmac_absorb(&key, head, (size_t)n);
    memcpy(template.head, head + n - template.head_length, template.head_length);
    template.json_key_length = (size_t)sprintf(
        template.json_key, "\",\"method\":\"order.place\",\"params\":{\"apiKey\":\"%s\",\"newClientOrderId\":\"", api_key);
    template.json_middle_length = (size_t)sprintf(
        template.json_middle, "\",\"quantity\":\"%s\",\"side\":\"BUY\",\"symbol\":\"%s\",\"timeInForce\":\"GTC\",\"timestamp\":",
        amount, symbol);
    template.signed_middle_length = (size_t)sprintf(
        template.signed_middle, "&quantity=%s&side=BUY&symbol=%s&timeInForce=GTC&timestamp=", amount, symbol);
}

static void put_client_id(char id[16]) {
    static uint64_t number;
    static const char digits[] = "0123456789abcdef";
    uint64_t v = ++number | 0xf100000000000000ULL;
    for (int i = 15; i >= 0; i--, v >>= 4) id[i] = digits[v & 15];
}

/* Fills the order that buys at `price`; the frame starts at the returned address and is *length long. */
static uint8_t *build_order(int64_t price, size_t *length) {
    static uint8_t frame[16 + 1024];
    static uint8_t payload[512 + 72];
    static uint32_t mask = 0x9e3779b9;
    char id[16], ask[24], time[13], *p = (char *)frame + 16, *s = (char *)payload;
    put_client_id(id);
    size_t ask_length = (size_t)(put_decimal(ask, price, price_scale) - ask);
    put_digits(time, (uint64_t)utc_ms(), 13);

    s = put(s, template.head, template.head_length);
    s = put(s, id, 16);
    s = PUT(s, "&newOrderRespType=ACK&price=");
    s = put(s, ask, ask_length);
    s = put(s, template.signed_middle, template.signed_middle_length);
    s = put(s, time, 13);
    s = PUT(s, "&type=LIMIT");

    p = PUT(p, "{\"id\":\"");
    p = put(p, id, 16);
    p = put(p, template.json_key, template.json_key_length);
    p = put(p, id, 16);
    p = PUT(p, "\",\"newOrderRespType\":\"ACK\",\"price\":\"");
    p = put(p, ask, ask_length);
    p = put(p, template.json_middle, template.json_middle_length);
    p = put(p, time, 13);
    p = PUT(p, ",\"type\":\"LIMIT\",\"signature\":\"");
    hmac_sign(&key, payload, (size_t)(s - (char *)payload), p);
    p = PUT(p + 64, "\"}}");

    mask ^= mask << 13, mask ^= mask >> 17, mask ^= mask << 5;
    uint8_t *start = ws_client_header(frame + 16, (size_t)(p - (char *)frame - 16), WS_TEXT, mask);
    *length = (size_t)((uint8_t *)p - start);
    return start;
}

/* The same order by REST: what never changes stands first, and its whole blocks are in the key state already. */
static struct {
    char text[512]; /* POST … newClientOrderId= */
    size_t length, signed_from;
    char middle[64], tail[256]; /* &quantity=…&price= and what follows the signature */
    size_t middle_length, tail_length;
} rest;

static void make_rest_template(const char *api_key, const char *secret, int usd_m, long port) {
    char amount[32] = {0};
    put_decimal(amount, quantity, size_scale);
    int path = sprintf(rest.text, "POST %s?", usd_m ? "/fapi/v1/order" : "/api/v3/order");
    int n = sprintf(rest.text + path, "symbol=%s&recvWindow=1000&side=BUY&type=LIMIT&newOrderRespType=ACK&timeInForce=GTC"
                    "&newClientOrderId=", symbol);
    if (hmac_set(&key, secret)) die("--secret: at most 64 characters");
    rest.length = (size_t)(path + n);
    rest.signed_from = rest.length - hmac_absorb(&key, rest.text + path, (size_t)n);
    rest.middle_length = (size_t)sprintf(rest.middle, "&quantity=%s&price=", amount);
    rest.tail_length = (size_t)snprintf(rest.tail, sizeof rest.tail,
        " HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\nX-MBX-APIKEY: %s\r\nUser-Agent: floor\r\nContent-Length: 0\r\n"
        "Connection: keep-alive\r\n\r\n", port, api_key);
}

static uint8_t *build_rest_order(int64_t price, size_t *length) {
    static char request[1024 + 72];
    char id[16], signature[64], *p;
    put_client_id(id);
    p = put(request, rest.text, rest.length);
    p = put(p, id, 16);
    p = put(p, rest.middle, rest.middle_length);
    p = put_decimal(p, price, price_scale);
    p = PUT(p, "&timestamp=");
    p = put_digits(p, (uint64_t)utc_ms(), 13);
    hmac_sign(&key, (uint8_t *)request + rest.signed_from, (size_t)(p - request) - rest.signed_from, signature);
    p = PUT(p, "&signature=");
    p = put(p, signature, 64);
    p = put(p, rest.tail, rest.tail_length);
    *length = (size_t)(p - request);
    return (uint8_t *)request;
}

/* ---- what arrives ---- */

static void reply(connection *c, const ws_frame *f) {
    uint8_t copy[8 + 128 + 8], *at;
    size_t n = f->length < 125 ? f->length : 125;
    memcpy(copy + 8, f->payload, n);
    at = ws_client_header(copy + 8, n, f->opcode == WS_PING ? WS_PONG : WS_CLOSE, 0x5bd1e995);
    link_send(c->fd, c->tls, at, (size_t)(copy + 8 + n - at), MSG_NOSIGNAL);
}

static inline void take_quote(const ws_frame *f) {
    quote q;
    size_t n;
    if (!quote_parse((char *)f->payload, (char *)f->payload + f->length, price_scale, size_scale, &q) ||
        q.symbol_length != symbol_length || memcmp(q.symbol, symbol, symbol_length)) {
        count.bad_frames++;
        return;
    }
    uint8_t *frame = by_rest ? build_rest_order(q.ask, &n) : build_order(q.ask, &n);
    if (link_send(orders.fd, orders.tls, frame, n, MSG_NOSIGNAL) != (ssize_t)n) die("the order connection does not take an order");
    count.quotes++;
    count.orders++;
}

static inline void take_answer(const ws_frame *f) {
    if (memmem(f->payload, f->length, "\"status\":200", 12)) count.accepted++;
    else count.rejected++;
}

static inline void take(connection *c, const ws_frame *f) {
    if (f->opcode == WS_PING || f->opcode == WS_CLOSE) reply(c, f);
    else if (c == &market) take_quote(f);
    else if (c == &orders) take_answer(f);
    else count.events++;
}

/* Every whole response in the buffer. */
static inline void take_responses(connection *c) {
    size_t used = 0, total;
    for (char *end; c->have - used > 12; used += total) {
        char *text = (char *)c->in + used;
        c->in[c->have] = 0;
        if (!(end = strstr(text, "\r\n\r\n"))) break;
        total = (size_t)(end + 4 - text) + http_length(text, end);
        if (c->have - used < total) break;
        if (!memcmp(text + 9, "200", 3)) count.accepted++;
        else count.rejected++;
    }
    if (c->have -= used) memmove(c->in, c->in + used, c->have);
}

/* Every whole frame in the buffer. */
static inline void take_frames(connection *c) {
    ws_frame f;
    size_t used = 0;
    int status;
    while ((status = ws_parse(c->in + used, c->have - used, &f)) == 1) {
        used += f.total;
        take(c, &f);
    }
    if (status < 0) die("not a frame");
    if (c->have -= used) memmove(c->in, c->in + used, c->have);
}

/* Reads what is there; 1 when there was something, 0 when not, -1 when the venue has closed. */
static inline int service(connection *c, int flags) {
    ssize_t n = link_recv(c->fd, c->tls, c->in + c->have, ROOM - c->have, flags);
    if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0) return -1;
    c->have += (size_t)n;
    if (by_rest && c == &orders) take_responses(c);
    else take_frames(c);
    if (c == &market && !quick_ack) { /* the kernel turns it on again by itself */
        int zero = 0;
        setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &zero, sizeof zero);
    }
    return 1;
}

/* ---- connecting ---- */

static void expect_handshake(connection *c, const char *path) {
    char *end;
    while (c->have < ROOM) {
        ssize_t n = link_recv(c->fd, c->tls, c->in + c->have, ROOM - c->have, 0);
        if (n <= 0) die("no answer to the handshake of %s", path);
        c->have += (size_t)n;
        c->in[c->have] = 0;
        if ((end = strstr((char *)c->in, "\r\n\r\n"))) {
            if (!strstr((char *)c->in, " 101 ") || !strstr((char *)c->in, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
                die("the handshake of %s was refused: %s", path, (char *)c->in);
            c->have -= (size_t)(end + 4 - (char *)c->in);
            memmove(c->in, end + 4, c->have);
            return;
        }
    }
}

static void open_socket(connection *c, long port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {10, 0};
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (void *)&address, sizeof address)) die("nobody listens on port %ld", port);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    c->tls = link_secure(c->fd, 0);
}

/* The key and its answer are those of RFC 6455, 1.3. */
static void open_connection(connection *c, long port, const char *path) {
    struct timeval none = {0, 0};
    char request[512];
    open_socket(c, port);
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", path, port);
    link_send(c->fd, c->tls, request, (size_t)n, MSG_NOSIGNAL);
    expect_handshake(c, path);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
}

static void request(connection *c, const char *text) {
    uint8_t buffer[8 + 1024 + 8];
    size_t n = strlen(text);
    memcpy(buffer + 8, text, n);
    uint8_t *at = ws_client_header(buffer + 8, n, WS_TEXT, 0x2545f491);
    link_send(c->fd, c->tls, at, (size_t)(buffer + 8 + n - at), MSG_NOSIGNAL);
    ws_frame answer = {0};
    while (ws_parse(c->in, c->have, &answer) == 0) {
        ssize_t got = link_recv(c->fd, c->tls, c->in + c->have, ROOM - c->have, 0);
        if (got <= 0) die("no answer to %s", text);
        c->have += (size_t)got;
    }
    if (c->have -= answer.total) memmove(c->in, c->in + answer.total, c->have);
}

static void subscribe_user_data(const char *api_key, const char *secret) {
    hmac_key plain;
    char text[512], hex[64];
    uint8_t payload[256 + 72];
    long long ms = utc_ms();
    hmac_set(&plain, secret);
    int n = snprintf((char *)payload, 256, "apiKey=%s&timestamp=%lld", api_key, ms);
    hmac_sign(&plain, payload, (size_t)n, hex);
    snprintf(text, sizeof text,
             "{\"id\":\"u\",\"method\":\"userDataStream.subscribe.signature\",\"params\":{\"apiKey\":\"%s\","
             "\"timestamp\":%lld,\"signature\":\"%.64s\"}}", api_key, ms, hex);
    request(&user, text);
}

static void open_all(long port, int family, const char *api_key, const char *secret) {
    const char *api = family == SPOT ? "/ws-api/v3?returnRateLimits=false" : "/ws-fapi/v1?returnRateLimits=false";
    if (by_rest) open_socket(&orders, port);
    else open_connection(&orders, port, api);
    open_connection(&user, port, family == SPOT ? api : "/private/ws/bench");
    if (family == SPOT) subscribe_user_data(api_key, secret);
    open_connection(&market, port, family == SPOT ? "/ws" : "/public/ws");
    request(&market, "{\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@bookTicker\"],\"id\":1}");
    if (secure) { /* SSL_read knows no MSG_DONTWAIT */
        connection *all[] = {&market, &orders, &user};
        for (int i = 0; i < 3; i++) fcntl(all[i]->fd, F_SETFL, O_NONBLOCK);
    }
    take_frames(&market); /* the first quotes may have come with the answer */
}

/* ---- the three ways to wait ---- */

static void spin(int64_t until) {
    for (unsigned turn = 0;; turn++) {
        int got = service(&market, MSG_DONTWAIT);
        if (got < 0) return;
        if (!got && turn % 8 == 0) {
            service(&orders, MSG_DONTWAIT);
            service(&user, MSG_DONTWAIT);
        }
        if (turn % 4096 == 0 && now_ns() > until) return;
    }
}

/* With TLS the socket may be empty and the record not. */
static int service_whole(connection *c) {
    int got = service(c, MSG_DONTWAIT);
    while (got > 0 && link_pending(c->tls)) got = service(c, MSG_DONTWAIT);
    return got;
}

static void wait_epoll(int64_t until) {
    connection *all[] = {&market, &orders, &user};
    struct epoll_event event, ready[3];
    int queue = epoll_create1(0);
    for (int i = 0; i < 3; i++) {
        event = (struct epoll_event){.events = EPOLLIN, .data.ptr = all[i]};
        epoll_ctl(queue, EPOLL_CTL_ADD, all[i]->fd, &event);
    }
    while (now_ns() < until) {
        int n = epoll_wait(queue, ready, 3, 1000);
        for (int i = 0; i < n; i++)
            if (service_whole(ready[i].data.ptr) < 0 && ready[i].data.ptr == &market) return;
    }
}

static void wait_recv(int64_t until) {
    struct timeval second = {1, 0};
    setsockopt(market.fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    while (now_ns() < until && service(&market, 0) >= 0) {
        service(&orders, MSG_DONTWAIT);
        service(&user, MSG_DONTWAIT);
    }
}

int main(int argc, char **argv) {
    static const char *const known[] = {"--port", "--cpu", "--family", "--mode", "--key", "--secret", "--quick-ack",
                                        "--seconds", "--entry", "--tls", NULL};
    check_options(argc, argv, known);
    const char *mode = option(argc, argv, "--mode", "spin"), *family = option(argc, argv, "--family", "spot");
    const char *api_key = option(argc, argv, "--key", "sim"), *secret = option(argc, argv, "--secret", "sim");
    int usd_m = !strcmp(family, "usd_m") ? USD_M : SPOT;
    quick_ack = (int)option_number(argc, argv, "--quick-ack", 0);
    price_scale = usd_m ? 1 : 2, size_scale = usd_m ? 3 : 5, quantity = usd_m ? 1 : 100;
    symbol_length = strlen(symbol);
    by_rest = !strcmp(option(argc, argv, "--entry", "ws"), "rest");
    secure = (int)option_number(argc, argv, "--tls", 0);
    if (by_rest) make_rest_template(api_key, secret, usd_m, option_number(argc, argv, "--port", 0));
    else make_template(api_key, secret);
    if (secure) link_connect();
    if (secure && !strcmp(mode, "recv")) die("--mode recv knows no TLS: spin or epoll");
    open_all(option_number(argc, argv, "--port", 0), usd_m, api_key, secret);
    pin_to(option_number(argc, argv, "--cpu", -1));
    int64_t until = now_ns() + option_number(argc, argv, "--seconds", 120) * 1000000000LL;
    if (!strcmp(mode, "spin")) spin(until);
    else if (!strcmp(mode, "epoll")) wait_epoll(until);
    else if (!strcmp(mode, "recv")) wait_recv(until);
    else die("--mode %s: spin, epoll or recv", mode);
    printf("{\"quotes\": %ld, \"orders\": %ld, \"accepted\": %ld, \"rejected\": %ld, \"events\": %ld, \"bad_frames\": %ld, "
           "\"sha256\": \"%s\"}\n", count.quotes, count.orders, count.accepted, count.rejected, count.events,
           count.bad_frames, sha256_backend());
    return 0;
}
