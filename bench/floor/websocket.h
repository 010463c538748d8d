/* The little of RFC 6455 that the bench needs: SHA-1 and base64 for the handshake, frame headers, masking. */
#ifndef BENCH_WEBSOCKET_H
#define BENCH_WEBSOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { WS_TEXT = 1, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

static inline uint32_t sha1_rotate(uint32_t v, int n) { return v << n | v >> (32 - n); }

static void sha1_block(uint32_t h[5], const uint8_t *p) {
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 80; i++) w[i] = sha1_rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
        uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
        uint32_t next = sha1_rotate(a, 5) + f + e + k + w[i];
        e = d, d = c, c = sha1_rotate(b, 30), b = a, a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

static void base64(const uint8_t *in, size_t n, char *out) {
    static const char table[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < n ? in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);
        *out++ = table[v >> 18];
        *out++ = table[v >> 12 & 63];
        *out++ = i + 1 < n ? table[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? table[v & 63] : '=';
    }
    *out = 0;
}

/* Sec-WebSocket-Accept of a 24-character key: 28 characters and a zero. */
static void ws_accept_key(const char *key, char out[29]) {
    uint8_t message[128] = {0}, digest[20];
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    memcpy(message, key, 24);
    memcpy(message + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    message[60] = 0x80;
    message[126] = (60 * 8) >> 8, message[127] = (60 * 8) & 255;
    sha1_block(h, message);
    sha1_block(h, message + 64);
    for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
    base64(digest, 20, out);
}

typedef struct {
    int opcode;
    int final;
    uint8_t *payload;
    size_t length;
    size_t total; /* header and payload */
} ws_frame;

/* 1: a whole frame, unmasked in place; 0: more bytes are needed; -1: not a frame that the bench takes. */
static inline int ws_parse(uint8_t *data, size_t have, ws_frame *frame) {
    if (have < 2) return 0;
    size_t header = 2, length = data[1] & 127;
    int masked = data[1] >> 7;
    if (data[0] & 0x70 || length == 127) return -1;
    if (length == 126) {
        if (have < 4) return 0;
        length = (size_t)data[2] << 8 | data[3];
        header = 4;
    }
    size_t mask_at = header;
    if (masked) header += 4;
    if (have < header + length) return 0;
    frame->opcode = data[0] & 15;
    frame->final = data[0] >> 7;
    frame->payload = data + header;
    frame->length = length;
    frame->total = header + length;
    if (masked)
        for (size_t i = 0; i < length; i++) frame->payload[i] ^= data[mask_at + (i & 3)];
    return 1;
}

/* Writes the header of an unmasked frame that ends right before `payload`; returns where it starts (4 bytes suffice). */
static inline uint8_t *ws_server_header(uint8_t *payload, size_t length, int opcode) {
    uint8_t *at = payload - (length < 126 ? 2 : 4);
    at[0] = (uint8_t)(0x80 | opcode);
    if (length < 126) {
        at[1] = (uint8_t)length;
    } else {
        at[1] = 126, at[2] = (uint8_t)(length >> 8), at[3] = (uint8_t)length;
    }
    return at;
}

/* The same for a client: masks the payload in place, eight bytes at a time. 8 bytes of room are needed before it and 7
 * behind it. */
static inline uint8_t *ws_client_header(uint8_t *payload, size_t length, int opcode, uint32_t mask) {
    uint8_t *at = payload - (length < 126 ? 6 : 8);
    at[0] = (uint8_t)(0x80 | opcode);
    if (length < 126) {
        at[1] = (uint8_t)(0x80 | length);
    } else {
        at[1] = 0x80 | 126, at[2] = (uint8_t)(length >> 8), at[3] = (uint8_t)length;
    }
    memcpy(payload - 4, &mask, 4);
    uint64_t wide = (uint64_t)mask << 32 | mask;
    for (size_t i = 0; i < length; i += 8) {
        uint64_t v;
        memcpy(&v, payload + i, 8);
        v ^= wide;
        memcpy(payload + i, &v, 8);
    }
    return at;
}

#endif
