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

static inline uint32_t nx_big32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void nx_put_big32(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 24), p[1] = (uint8_t)(v >> 16), p[2] = (uint8_t)(v >> 8), p[3] = (uint8_t)v;
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

/* ---- x86: SHA-NI, with SSSE3 and SSE4.1 for the byte and word shuffles ---- */
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <immintrin.h>

__attribute__((target("sha,sse4.1,ssse3")))
static void nx_sha256_native(uint32_t state[8], const uint8_t *data, size_t blocks) {
    const __m128i big = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i dcba = _mm_loadu_si128((const __m128i *)state), hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; blocks; blocks--, data += 64) {
        __m128i abef_before = abef, cdgh_before = cdgh, w[4];
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            if (i < 4) {
                w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), big);
            } else {
                __m128i last = w[(i + 3) & 3];
                __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]),
                                            _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
                w[i & 3] = _mm_sha256msg2_epu32(sum, last);
            }
            __m128i wk = _mm_add_epi32(w[i & 3], _mm_load_si128((const __m128i *)(nx_sha256_k + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
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

static int nx_sha256_has_native(void) { return (getauxval(AT_HWCAP) & 1ul << 6) != 0; }       /* HWCAP_SHA2 */

static const char *nx_sha256_native_name(void) { return "armv8"; }

#else
static void nx_sha256_native(uint32_t state[8], const uint8_t *data, size_t blocks) {
    nx_sha256_portable(state, data, blocks);
}

static int nx_sha256_has_native(void) { return 0; }

static const char *nx_sha256_native_name(void) { return "none"; }
#endif

/* ---- around it ---- */

/* Pads the last `size` bytes of a message of `total` bytes in place; 72 bytes behind them are overwritten. -> blocks */
static inline size_t nx_sha256_pad(uint8_t *tail, size_t size, uint64_t total) {
    size_t blocks = (size + 8) / 64 + 1;
    uint64_t bits = total * 8;
    memset(tail + size, 0, 72);
    tail[size] = 0x80;
    nx_put_big32(tail + blocks * 64 - 8, (uint32_t)(bits >> 32));
    nx_put_big32(tail + blocks * 64 - 4, (uint32_t)bits);
    return blocks;
}

static inline void nx_sha256_bytes(const uint32_t state[8], uint8_t out[32]) {
    for (int i = 0; i < 8; i++) nx_put_big32(out + 4 * i, state[i]);
}

/* 32 bytes as 64 lower-case hex digits; a plain loop that compilers make vectors of. */
static inline void nx_hex32(const uint8_t in[32], char out[64]) {
    for (int i = 0; i < 32; i++) {
        uint8_t high = in[i] >> 4, low = in[i] & 15;
        out[2 * i] = (char)(high + '0' + (high > 9 ? 'a' - '0' - 10 : 0));
        out[2 * i + 1] = (char)(low + '0' + (low > 9 ? 'a' - '0' - 10 : 0));
    }
}
#endif
