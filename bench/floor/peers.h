/* The exchange's connections: accepting, handshakes, sending. What arrives on them is exchange.c's business. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"
#include "link.h"
#include "ticks.h"
#include "websocket.h"

enum { PEERS = 32, ROOM = 1 << 16 };
enum kind { FREE, HANDSHAKE, MARKET, API, USER, HTTP };

typedef struct {
    int fd, family, combined, quotes, user_stream, rate_limits;
    enum kind kind;
    void *tls;
    size_t have;
    uint8_t in[ROOM];
} connection;

static connection peers[PEERS];
static connection *market, *orders; /* where quotes go; where the last order came from */
static int listener;
static int64_t last_activity; /* when something last came that is not an answer to a quote */

static void drop(connection *c) {
    link_free(c->tls);
    close(c->fd);
    c->kind = FREE;
    if (c == market) market = NULL;
    if (c == orders) orders = NULL;
}

static void send_all(connection *c, const void *data, size_t n) {
    ssize_t sent = link_send(c->fd, c->tls, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != (ssize_t)n) drop(c); /* a peer that lets megabytes pile up is gone for this purpose */
}

/* `text` points into a buffer with 4 bytes of room before it. */
static void send_text(connection *c, char *text, int n, int opcode) {
    uint8_t *frame = ws_server_header((uint8_t *)text, (size_t)n, opcode);
    send_all(c, frame, (size_t)((uint8_t *)text + n - frame));
}

static void send_format(connection *c, const char *format, ...) {
    char buffer[2048];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(buffer + 4, sizeof buffer - 4, format, list);
    va_end(list);
    if (n < (int)sizeof buffer - 4) send_text(c, buffer + 4, n, WS_TEXT);
}

/* An HTTP response; the body must fit. */
static void send_http(connection *c, int status, const char *body, size_t n) {
    static char buffer[ROOM];
    int head = snprintf(buffer, sizeof buffer, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                        status, status == 200 ? "OK" : "Bad Request", n);
    if ((size_t)head + n > sizeof buffer) die("an answer of %zu bytes", n);
    memcpy(buffer + head, body, n);
    send_all(c, buffer, (size_t)head + n);
}

static int listen_on(long port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof address;
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void *)&address, size) || listen(listener, 16)) die("cannot listen on port %ld", port);
    getsockname(listener, (void *)&address, &size);
    return ntohs(address.sin_port);
}

static int starts(const char *path, const char *with) { return !strncmp(path, with, strlen(with)); }

static void take_path(connection *c, const char *path) {
    c->kind = MARKET;
    c->family = SPOT;
    if (starts(path, "/ws-api/") || starts(path, "/ws-fapi/")) c->kind = API;
    if (starts(path, "/ws-fapi/") || starts(path, "/public") || starts(path, "/market")) c->family = USD_M;
    if (starts(path, "/private")) c->family = USD_M, c->kind = USER, c->user_stream = 1;
    if (strstr(path, "streams=bench")) c->user_stream = 1; /* spot's older way, by listen key, which is "bench" */
    c->combined = strstr(path, "/stream") != NULL;
    c->quotes = c->kind == MARKET && strstr(path, "bookTicker");
    c->rate_limits = !strstr(path, "returnRateLimits=false");
}

static void take_handshake(connection *c) {
    char path[512] = "", accept[29], answer[256], *line;
    char *text = (char *)c->in, *end;
    text[c->have] = 0;
    if (!(end = strstr(text, "\r\n\r\n"))) return;
    line = strcasestr(text, "sec-websocket-key:");
    if (!line) { /* no WebSocket: a client that asks by REST */
        c->kind = HTTP;
        c->family = SPOT;
        return;
    }
    if (sscanf(text, "GET %511s", path) != 1 || strlen(line) < 18 + 24) return drop(c);
    line += 18;
    while (*line == ' ') line++;
    ws_accept_key(line, accept);
    take_path(c, path);
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
    size_t used = (size_t)(end + 4 - text);
    memmove(c->in, c->in + used, c->have - used);
    c->have -= used;
    send_all(c, answer, (size_t)n);
}

static void accept_one(void) {
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    last_activity = now_ns();
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (connection *c = peers; c < peers + PEERS; c++)
        if (c->kind == FREE) {
            memset(c, 0, offsetof(connection, in));
            c->fd = fd, c->kind = HANDSHAKE;
            c->tls = link_secure(fd, 1);
            return;
        }
    close(fd);
}

#endif
