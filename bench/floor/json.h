/* A JSON object taken apart into its members, one level deep, without copies. Escapes inside strings are not undone:
 * no request of the bench has any. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stddef.h>
#include <string.h>

typedef struct {
    const char *key, *text; /* text of a string: without its quotes */
    size_t key_length, length;
    char kind; /* first character of the value: " { [ or of a literal */
} json_member;

static inline const char *json_space(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
    return p;
}

/* Behind the closing quote of the string whose first character (behind the quote) is p; NULL when it never closes. */
static inline const char *json_string(const char *p, const char *end) {
    for (; p < end; p++) {
        if (*p == '\\') p++;
        else if (*p == '"') return p + 1;
    }
    return NULL;
}

static const char *json_value(const char *p, const char *end) {
    if (p == end) return NULL;
    if (*p == '"') return json_string(p + 1, end);
    if (*p != '{' && *p != '[') {
        while (p < end && !strchr(",}] \t\r\n", *p)) p++;
        return p;
    }
    for (int depth = 0; p < end;) {
        if (*p == '"') {
            if (!(p = json_string(p + 1, end))) return NULL;
            continue;
        }
        if (*p == '{' || *p == '[') depth++;
        if ((*p == '}' || *p == ']') && !--depth) return p + 1;
        p++;
    }
    return NULL;
}

/* The number of members, or -1 for text that is not an object or has more than `most` members. */
static int json_object(const char *p, size_t length, json_member *out, int most) {
    const char *end = p + length;
    int n = 0;
    p = json_space(p, end);
    if (p == end || *p++ != '{') return -1;
    p = json_space(p, end);
    if (p < end && *p == '}') return 0;
    for (;; p++) {
        const char *stop;
        p = json_space(p, end);
        if (n == most || p == end || *p != '"' || !(stop = json_string(p + 1, end))) return -1;
        json_member *m = &out[n++];
        m->key = p + 1, m->key_length = (size_t)(stop - p - 2);
        p = json_space(stop, end);
        if (p == end || *p++ != ':') return -1;
        p = json_space(p, end);
        if (!(stop = json_value(p, end))) return -1;
        int quoted = *p == '"';
        m->kind = *p, m->text = p + quoted, m->length = (size_t)(stop - p) - 2 * (size_t)quoted;
        p = json_space(stop, end);
        if (p == end) return -1;
        if (*p == '}') return n;
        if (*p != ',') return -1;
    }
}

static inline const json_member *json_find(const json_member *members, int n, const char *key) {
    size_t length = strlen(key);
    for (int i = 0; i < n; i++)
        if (members[i].key_length == length && !memcmp(members[i].key, key, length)) return &members[i];
    return NULL;
}

static inline int json_is(const json_member *m, const char *text) {
    return m && m->length == strlen(text) && !memcmp(m->text, text, m->length);
}

#endif
