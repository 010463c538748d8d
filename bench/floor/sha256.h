/* SHA-256 and HMAC-SHA256 for the bench: FIPS 180-4 and RFC 2104, nothing but libc.
 *
 * An HMAC key is two compression states (after the inner and the outer pad). Whatever of the message never changes can
 * be absorbed once as well, in whole blocks, so that signing costs the changing tail and one outer block. */
#ifndef BENCH_SHA256_H
#define BENCH_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const uint32_t sha256_initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t sha256_constants[64] __attribute__((aligned(64))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t sha256_load(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void sha256_store(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

#if defined(__SHA__) && defined(__SSE4_1__)
#include <immintrin.h>

/* The SHA extensions keep the state as (ABEF, CDGH) and do two rounds per instruction. */
static void sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);        /* CDAB */
    __m128i cdgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B); /* EFGH */
    __m128i abef = _mm_alignr_epi8(low, cdgh, 8);
    cdgh = _mm_blend_epi16(cdgh, low, 0xF0);
    for (; blocks; blocks--, data += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), swap);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            __m128i now = w[i & 3];
            __m128i sum = _mm_add_epi32(now, _mm_load_si128((const __m128i *)(sha256_constants + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
            if (i < 12) { /* w[i + 4] takes the place of w[i] */
                __m128i last = w[(i + 3) & 3];
                __m128i next = _mm_sha256msg1_epu32(now, w[(i + 1) & 3]);
                next = _mm_add_epi32(next, _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
                w[i & 3] = _mm_sha256msg2_epu32(next, last);
            }
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static inline const char *sha256_backend(void) { return "sha-ni"; }
#else

static inline uint32_t sha256_rotate(uint32_t v, int n) { return v >> n | v << (32 - n); }

static void sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks) {
    for (; blocks; blocks--, data += 64) {
        uint32_t w[64], s[8];
        for (int i = 0; i < 16; i++) w[i] = sha256_load(data + 4 * i);
        for (int i = 16; i < 64; i++) {
            uint32_t a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + w[i - 7] + (sha256_rotate(a, 7) ^ sha256_rotate(a, 18) ^ a >> 3) +
                   (sha256_rotate(b, 17) ^ sha256_rotate(b, 19) ^ b >> 10);
        }
        memcpy(s, state, sizeof s);
        for (int i = 0; i < 64; i++) {
            uint32_t e = s[4], a = s[0];
            uint32_t one = s[7] + (sha256_rotate(e, 6) ^ sha256_rotate(e, 11) ^ sha256_rotate(e, 25)) +
                           ((e & s[5]) ^ (~e & s[6])) + sha256_constants[i] + w[i];
            uint32_t two = (sha256_rotate(a, 2) ^ sha256_rotate(a, 13) ^ sha256_rotate(a, 22)) +
                           ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof *s);
            s[4] += one;
            s[0] = one + two;
        }
        for (int i = 0; i < 8; i++) state[i] += s[i];
    }
}

static inline const char *sha256_backend(void) { return "portable"; }
#endif

/* Finishes a message of which `absorbed` bytes (a multiple of 64) are in `state` already. `tail` must have room for 72
 * bytes of padding behind its n bytes; it is padded in place. */
static inline void sha256_finish(uint32_t state[8], uint64_t absorbed, uint8_t *tail, size_t n, uint8_t out[32]) {
    size_t blocks = (n + 9 + 63) / 64;
    memset(tail + n, 0, blocks * 64 - n);
    tail[n] = 0x80;
    uint64_t bits = (absorbed + n) * 8;
    sha256_store(tail + blocks * 64 - 8, (uint32_t)(bits >> 32));
    sha256_store(tail + blocks * 64 - 4, (uint32_t)bits);
    sha256_blocks(state, tail, blocks);
    for (int i = 0; i < 8; i++) sha256_store(out + 4 * i, state[i]);
}

typedef struct {
    uint32_t inner[8], outer[8];
    uint64_t absorbed; /* bytes in `inner`: the pad and what hmac_absorb has added */
} hmac_key;

/* Takes secrets of up to 64 bytes (the venue's are 64); returns -1 for a longer one. */
static inline int hmac_set(hmac_key *key, const char *secret) {
    size_t n = strlen(secret);
    uint8_t inner[64], outer[64];
    if (n > 64) return -1;
    memset(inner, 0x36, 64);
    memset(outer, 0x5c, 64);
    for (size_t i = 0; i < n; i++) {
        inner[i] ^= (uint8_t)secret[i];
        outer[i] ^= (uint8_t)secret[i];
    }
    memcpy(key->inner, sha256_initial, 32);
    memcpy(key->outer, sha256_initial, 32);
    sha256_blocks(key->inner, inner, 1);
    sha256_blocks(key->outer, outer, 1);
    key->absorbed = 64;
    return 0;
}

/* Absorbs the whole blocks of a constant head; returns how many of its bytes are still to be sent with each message. */
static inline size_t hmac_absorb(hmac_key *key, const char *head, size_t n) {
    size_t blocks = n / 64;
    sha256_blocks(key->inner, (const uint8_t *)head, blocks);
    key->absorbed += blocks * 64;
    return n - blocks * 64;
}

/* Signs; writes 64 hexadecimal digits. The same demand on `tail` as in sha256_finish. */
static inline void hmac_sign(const hmac_key *key, uint8_t *tail, size_t n, char hex[64]) {
    uint32_t state[8];
    uint8_t block[32 + 72];
    memcpy(state, key->inner, sizeof state);
    sha256_finish(state, key->absorbed, tail, n, block);
    memcpy(state, key->outer, sizeof state);
    sha256_finish(state, 64, block, 32, block);
    for (int i = 0; i < 32; i++) {
        uint8_t high = block[i] >> 4, low = block[i] & 15; /* arithmetic, not a table: this loop becomes vectors */
        hex[2 * i] = (char)(high + '0' + (high > 9) * 39);
        hex[2 * i + 1] = (char)(low + '0' + (low > 9) * 39);
    }
}

#endif
