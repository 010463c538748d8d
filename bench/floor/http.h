/* The little of HTTP/1.1 that order entry by REST needs, and the answers that a client asks for at its start. */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "sha256.h"

typedef struct {
    char *path, *query; /* query: what is signed, from the URL or, where that has none, the body */
    size_t path_length, query_length, total;
} http_request;

/* The value of Content-Length, 0 where there is none. `end` is where the head ends. */
static inline size_t http_length(const char *head, const char *end) {
    for (const char *line = head; line && line < end; line = memchr(line, '\n', (size_t)(end - line)), line += line ? 1 : 0)
        if (!strncasecmp(line, "content-length:", 15)) return (size_t)strtoul(line + 15, NULL, 10);
    return 0;
}

/* 1: a whole request; 0: more bytes are needed; -1: not HTTP. data[have] must be writable. */
static int http_parse(char *data, size_t have, http_request *r) {
    data[have] = 0;
    char *end = strstr(data, "\r\n\r\n"), *path = strchr(data, ' '), *stop;
    if (!end) return 0;
    if (!path || path > end || !(stop = strchr(path + 1, ' ')) || stop > end) return -1;
    size_t body = http_length(data, end);
    r->total = (size_t)(end + 4 - data) + body;
    if (have < r->total) return 0;
    char *mark = memchr(path, '?', (size_t)(stop - path));
    r->path = path + 1, r->path_length = (size_t)((mark ? mark : stop) - path - 1);
    r->query = mark ? mark + 1 : end + 4, r->query_length = mark ? (size_t)(stop - mark - 1) : body;
    return 1;
}

/* name=value&… taken apart as a JSON object's members are; -1 for more than `most`. */
static int http_members(const char *p, size_t length, json_member *out, int most) {
    int n = 0;
    for (const char *end = p + length; p < end; n++) {
        const char *stop = memchr(p, '&', (size_t)(end - p)), *equals = memchr(p, '=', (size_t)(end - p));
        if (!stop) stop = end;
        if (n == most || !equals || equals > stop) return -1;
        out[n] = (json_member){p, equals + 1, (size_t)(equals - p), (size_t)(stop - equals - 1), '"'};
        p = stop + 1;
    }
    return n;
}

/* The venue's rule for REST: everything before &signature=, as it was sent. */
static int query_is_signed(const hmac_key *key, const char *query, size_t length) {
    static uint8_t payload[4096 + 72];
    char expected[64];
    const char *mark = memmem(query, length, "&signature=", 11);
    if (!mark || (size_t)(query + length - mark) < 11 + 64 || mark - query > 4096) return 0;
    memcpy(payload, query, (size_t)(mark - query));
    hmac_sign(key, payload, (size_t)(mark - query), expected);
    return !strncasecmp(mark + 11, expected, 64);
}

/* ---- what is asked for at the start: a file of lines "path<TAB>body" ---- */

static char *http_answers;

static void http_load(const char *path) {
    FILE *in = fopen(path, "r");
    if (!in) die("cannot read %s", path);
    http_answers = calloc(1, 1 << 22);
    if (!http_answers || fread(http_answers, 1, (1 << 22) - 1, in) == (1 << 22) - 1) die("%s: more than 4 MiB", path);
    fclose(in);
}

/* The body that goes with a path, NULL where there is none. */
static const char *http_answer(const char *path, size_t length, size_t *size) {
    for (const char *line = http_answers; line && *line; line = strchr(line, '\n'), line += line ? 1 : 0)
        if (!strncmp(line, path, length) && line[length] == '\t') {
            *size = strcspn(line + length + 1, "\n");
            return line + length + 1;
        }
    return NULL;
}

#endif
