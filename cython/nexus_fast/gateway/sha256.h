/* SHA-256 compression (FIPS 180-4) three times: SHA-NI, ARMv8 crypto extension, plain C. Included by sha256.pyx alone.
 *
 * state is H0..H7 as host words; data is `blocks` times 64 bytes. The fast forms are compiled with function target
 * attributes, so that no global -m flag makes the rest of the module need them; nx_sha256_best() asks the CPU once. */
#ifndef NEXUS_FAST_SHA256_H
#define NEXUS_FAST_SHA256_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef void (*nx_sha256_fn)(uint32_t state[8], const uint8_t *data, size_t blocks);
typedef void (*nx_hmac_fn)(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *tail, size_t blocks,
                           uint8_t digest[32]);

static const uint32_t nx_sha256_k[64] __attribute__((aligned(64))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static const uint32_t nx_sha256_start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* Little-endian machines, as everywhere in this package. */
static inline uint32_t nx_big32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

static inline void nx_put_big32(uint8_t *p, uint32_t v) {
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}

static inline void nx_put_big64(uint8_t *p, uint64_t v) {
    v = __builtin_bswap64(v);
    memcpy(p, &v, 8);
}

/* Pads the last `size` bytes of a message of `total` bytes in place; 72 bytes behind them are overwritten. -> blocks */
static inline size_t nx_sha256_pad(uint8_t *tail, size_t size, uint64_t total) {
    size_t blocks = (size + 8) / 64 + 1;
    memset(tail + size, 0, 72);
    tail[size] = 0x80;
    nx_put_big64(tail + blocks * 64 - 8, total * 8);
    return blocks;
}

static inline void nx_sha256_bytes(const uint32_t state[8], uint8_t out[32]) {
    for (int i = 0; i < 8; i++) nx_put_big32(out + 4 * i, state[i]);
}

/* ---- plain C ---- */

static inline uint32_t nx_rotr(uint32_t v, int n) { return v >> n | v << (32 - n); }

static void nx_sha256_portable(uint32_t state[8], const uint8_t *data, size_t blocks) {
    for (; blocks; blocks--, data += 64) {
        uint32_t w[64], v[8];
        for (int i = 0; i < 16; i++) w[i] = nx_big32(data + 4 * i);
        for (int i = 16; i < 64; i++) {
            uint32_t a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + w[i - 7] + (nx_rotr(a, 7) ^ nx_rotr(a, 18) ^ a >> 3)
                   + (nx_rotr(b, 17) ^ nx_rotr(b, 19) ^ b >> 10);
        }
        memcpy(v, state, 32);
        for (int i = 0; i < 64; i++) {
            uint32_t a = v[0], e = v[4];
            uint32_t t1 = v[7] + (nx_rotr(e, 6) ^ nx_rotr(e, 11) ^ nx_rotr(e, 25)) + ((e & v[5]) ^ (~e & v[6]))
                          + nx_sha256_k[i] + w[i];
            uint32_t t2 = (nx_rotr(a, 2) ^ nx_rotr(a, 13) ^ nx_rotr(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
            v[7] = v[6], v[6] = v[5], v[5] = e, v[4] = v[3] + t1;
            v[3] = v[2], v[2] = v[1], v[1] = a, v[0] = t1 + t2;
        }
        for (int i = 0; i < 8; i++) state[i] += v[i];
    }
}

/* The outer hash over the inner digest, both by one compression function. */
static inline void nx_hmac_with(nx_sha256_fn compress, const uint32_t inner[8], const uint32_t outer[8],
                                const uint8_t *tail, size_t blocks, uint8_t digest[32]) {
    uint32_t state[8];
    uint8_t block[32 + 72];
    memcpy(state, inner, 32);
    compress(state, tail, blocks);
    nx_sha256_bytes(state, block);
    memcpy(state, outer, 32);
    compress(state, block, nx_sha256_pad(block, 32, 64 + 32));
    nx_sha256_bytes(state, digest);
}

static void nx_hmac_portable(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *tail, size_t blocks,
                             uint8_t digest[32]) {
    nx_hmac_with(nx_sha256_portable, inner, outer, tail, blocks, digest);
}

/* ---- x86: SHA-NI, with SSSE3 and SSE4.1 for the byte and word shuffles ---- */
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <immintrin.h>

#define NX_SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))
#define NX_SHA_INLINE NX_SHA_TARGET __attribute__((always_inline)) static inline

/* The instructions keep the eight words as a,b,e,f and c,d,g,h. */
typedef struct { __m128i abef, cdgh; } nx_sha_state;

NX_SHA_INLINE nx_sha_state nx_sha_load(const uint32_t state[8]) {
    __m128i dcba = _mm_loadu_si128((const __m128i *)state), hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    return (nx_sha_state){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

/* -> a,b,c,d and e,f,g,h, lowest word first */
NX_SHA_INLINE void nx_sha_words(nx_sha_state s, __m128i out[2]) {
    __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b), dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
    out[0] = _mm_blend_epi16(feba, dchg, 0xf0);
    out[1] = _mm_alignr_epi8(dchg, feba, 8);
}

NX_SHA_INLINE __m128i nx_sha_big(__m128i words) {
    return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL));
}

/* One block, given as its sixteen words. */
NX_SHA_INLINE nx_sha_state nx_sha_block(nx_sha_state s, __m128i w[4]) {
    nx_sha_state before = s;
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        if (i >= 4) {
            __m128i last = w[(i + 3) & 3];
            __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]),
                                        _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
            w[i & 3] = _mm_sha256msg2_epu32(sum, last);
        }
        __m128i wk = _mm_add_epi32(w[i & 3], _mm_load_si128((const __m128i *)(nx_sha256_k + 4 * i)));
        s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, wk);
        s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(wk, 0x0e));
    }
    return (nx_sha_state){_mm_add_epi32(s.abef, before.abef), _mm_add_epi32(s.cdgh, before.cdgh)};
}

NX_SHA_INLINE nx_sha_state nx_sha_blocks(nx_sha_state s, const uint8_t *data, size_t blocks) {
    for (; blocks; blocks--, data += 64) {
        __m128i w[4];
        for (int i = 0; i < 4; i++) w[i] = nx_sha_big(_mm_loadu_si128((const __m128i *)(data + 16 * i)));
        s = nx_sha_block(s, w);
    }
    return s;
}

NX_SHA_TARGET static void nx_sha256_native(uint32_t state[8], const uint8_t *data, size_t blocks) {
    __m128i words[2];
    nx_sha_words(nx_sha_blocks(nx_sha_load(state), data, blocks), words);
    memcpy(state, words, 32);
}

/* Inner and outer hash without leaving the registers: a digest that goes through memory byte by byte costs 20 ns. */
NX_SHA_TARGET static void nx_hmac_native(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *tail,
                                         size_t blocks, uint8_t digest[32]) {
    __m128i w[4];
    nx_sha_words(nx_sha_blocks(nx_sha_load(inner), tail, blocks), w);
    w[2] = _mm_set_epi32(0, 0, 0, (int)0x80000000u);
    w[3] = _mm_set_epi32(8 * (64 + 32), 0, 0, 0);
    nx_sha_words(nx_sha_block(nx_sha_load(outer), w), w);
    _mm_storeu_si128((__m128i *)digest, nx_sha_big(w[0]));
    _mm_storeu_si128((__m128i *)(digest + 16), nx_sha_big(w[1]));
}

static int nx_sha256_has_native(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 9) || !(c & 1u << 19)) return 0;      /* SSSE3, SSE4.1 */
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29) != 0;                    /* SHA */
}

static const char *nx_sha256_native_name(void) { return "sha-ni"; }

/* ---- aarch64: the SHA2 part of the crypto extension ---- */
#elif defined(__aarch64__) && defined(__linux__)
#include <arm_neon.h>
#include <sys/auxv.h>

#if defined(__clang__)
__attribute__((target("sha2")))
#else
__attribute__((target("+crypto")))
#endif
static void nx_sha256_native(uint32_t state[8], const uint8_t *data, size_t blocks) {
    uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
    for (; blocks; blocks--, data += 64) {
        uint32x4_t abcd_before = abcd, efgh_before = efgh, w[4];
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            if (i < 4)
                w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data + 16 * i)));
            else
                w[i & 3] = vsha256su1q_u32(vsha256su0q_u32(w[i & 3], w[(i + 1) & 3]), w[(i + 2) & 3], w[(i + 3) & 3]);
            uint32x4_t wk = vaddq_u32(w[i & 3], vld1q_u32(nx_sha256_k + 4 * i)), before = abcd;
            abcd = vsha256hq_u32(abcd, efgh, wk);
            efgh = vsha256h2q_u32(efgh, before, wk);
        }
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }
    vst1q_u32(state, abcd);
    vst1q_u32(state + 4, efgh);
}

static void nx_hmac_native(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *tail, size_t blocks,
                           uint8_t digest[32]) {
    nx_hmac_with(nx_sha256_native, inner, outer, tail, blocks, digest);
}

static int nx_sha256_has_native(void) { return (getauxval(AT_HWCAP) & 1ul << 6) != 0; }       /* HWCAP_SHA2 */

static const char *nx_sha256_native_name(void) { return "armv8"; }

#else
static void nx_sha256_native(uint32_t state[8], const uint8_t *data, size_t blocks) {
    nx_sha256_portable(state, data, blocks);
}

static void nx_hmac_native(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *tail, size_t blocks,
                           uint8_t digest[32]) {
    nx_hmac_with(nx_sha256_native, inner, outer, tail, blocks, digest);
}

static int nx_sha256_has_native(void) { return 0; }

static const char *nx_sha256_native_name(void) { return "none"; }
#endif

/* 32 bytes as 64 lower-case hex digits; a plain loop that compilers make vectors of. */
static inline void nx_hex32(const uint8_t in[32], char out[64]) {
    for (int i = 0; i < 32; i++) {
        uint8_t high = in[i] >> 4, low = in[i] & 15;
        out[2 * i] = (char)(high + '0' + (high > 9 ? 'a' - '0' - 10 : 0));
        out[2 * i + 1] = (char)(low + '0' + (low > 9 ? 'a' - '0' - 10 : 0));
    }
}
#endif
