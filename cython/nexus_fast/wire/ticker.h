/* Binance's bookTicker with AVX2: all commas of the frame at once, then every field by itself. Included by binance.pyx alone.
 *
 * Going by the cursor, each field's place hangs on the end of the one before it: six loads and searches in a row. Here the
 * places come from one bit mask of the commas, and the fields are converted side by side, without a branch on what they are
 * like. The functions have a target attribute, so that no global -m flag makes the rest of the module need AVX2;
 * nx_ticker_runs_here() asks the CPU.
 *
 * Nothing is read outside of [data, data + size). */
#ifndef NEXUS_FAST_TICKER_H
#define NEXUS_FAST_TICKER_H

#if defined(__x86_64__)
#include <immintrin.h>

#define NX_TICKER_TARGET __attribute__((target("avx2,bmi,popcnt")))
#define NX_TICKER_INLINE NX_TICKER_TARGET __attribute__((always_inline)) static inline

static int nx_ticker_runs_here(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
}

enum { NX_COMMAS = 5, NX_LAST_COMMAS = 2 };     /* the most that 64 bytes of a quote may have; as many as count in the last */

/* By length: keeps the last `length` of sixteen bytes (from 16 - length on, read 16 - length bytes before the end). */
static const uint8_t nx_last_bytes[32] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

/* By length, read from `length` on: moves the first `length` of sixteen bytes to the end, zeros in front. */
static const uint8_t nx_to_the_right[32] = {
    128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* By the point's place, 16 for none: those before it move over it. */
static const uint8_t nx_close_gap[17][16] __attribute__((aligned(16))) = {
    {128, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {128, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {128, 0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {128, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {128, 0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {128, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {128, 0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {128, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15},
    {128, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15}, {128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15},
    {128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15}, {128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15},
    {128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15}, {128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15},
    {128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15}, {128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

/* A literal of one to eight characters as the word that a load gives, put together by the compiler: one that went through
   memory would make the load wait for its pieces. */
#define NX_CHARACTER(text, i) \
    ((i) < sizeof(text) - 1 ? (uint64_t)(uint8_t)(text)[(i) < sizeof(text) ? (i) : 0] << 8 * (i) : 0)
#define NX_LITERAL(text) \
    (NX_CHARACTER(text, 0) | NX_CHARACTER(text, 1) | NX_CHARACTER(text, 2) | NX_CHARACTER(text, 3) \
     | NX_CHARACTER(text, 4) | NX_CHARACTER(text, 5) | NX_CHARACTER(text, 6) | NX_CHARACTER(text, 7))

/* Not 0 unless the literal stands at p, where eight bytes are read. */
#define NX_DIFFERS(p, text) ((nx_word8(p) ^ NX_LITERAL(text)) << (64 - 8 * (sizeof(text) - 1)))

static inline uint64_t nx_word8(const char* p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

NX_TICKER_INLINE uint64_t nx_commas_of(const char* p) {
    const __m256i comma = _mm256_set1_epi8(',');
    uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i*)p), comma));
    uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i*)(p + 32)), comma));
    return (uint64_t)high << 32 | low;
}

/* The places of the first `most` commas; how many there are. Places beyond those are written as well. */
NX_TICKER_INLINE unsigned nx_places(uint64_t mask, unsigned base, unsigned* at, int most) {
    unsigned count = (unsigned)_mm_popcnt_u64(mask);
#pragma GCC unroll 5
    for (int i = 0; i < most; i++) {
        at[i] = base + (unsigned)_tzcnt_u64(mask);
        mask = _blsr_u64(mask);
    }
    return count;
}

/* Sixteen digits, values 0 to 9, of each of two numbers -> the sums of eight: a high, a low, b high, b low. */
NX_TICKER_INLINE __m128i nx_eights(__m128i a, __m128i b) {
    const __m128i tens = _mm_set1_epi16(10 + (1 << 8)), hundreds = _mm_set1_epi32(100 + (1 << 16));
    a = _mm_madd_epi16(_mm_maddubs_epi16(a, tens), hundreds);
    b = _mm_madd_epi16(_mm_maddubs_epi16(b, tens), hundreds);
    return _mm_madd_epi16(_mm_packus_epi32(a, b), _mm_set1_epi32(10000 + (1 << 16)));
}

NX_TICKER_INLINE uint64_t nx_sixteen(uint64_t eights) { return (uint32_t)eights * UINT64_C(100000000) + (eights >> 32); }

/* The sixteen digits of the decimal text [p, quote), 1 to 16 characters. What is no digit stays above 9; not 0 for a
   point that comes first or last. All but the mantissa goes to out. */
NX_TICKER_INLINE unsigned nx_decimal_digits(const char* p, const char* quote, nx_number* out, __m128i* digits) {
    unsigned length = (unsigned)(quote - p), point;
    __m128i text = _mm_sub_epi8(_mm_loadu_si128((const __m128i*)(quote - 16)), _mm_set1_epi8('0'));
    text = _mm_and_si128(text, _mm_loadu_si128((const __m128i*)(nx_last_bytes + length)));
    point = _tzcnt_u32((unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8('.' - '0'))) | 0x10000);
    *digits = _mm_shuffle_epi8(text, _mm_load_si128((const __m128i*)nx_close_gap[point]));
    out->decimals = (int32_t)(15 - point + (point >> 4));
    out->text_length = (int32_t)length;
    out->text = p;
    return (point == 16 - length) | (point == 15);
}

/* Two texts at a time. */
NX_TICKER_INLINE unsigned nx_decimal_pair(const char* p, const char* quote, nx_number* out, const char* p2, const char* quote2,
                                          nx_number* out2, __m128i* largest) {
    __m128i digits, digits2, eights;
    unsigned wrong = nx_decimal_digits(p, quote, out, &digits) | nx_decimal_digits(p2, quote2, out2, &digits2);
    *largest = _mm_max_epu8(*largest, _mm_max_epu8(digits, digits2));
    eights = nx_eights(digits, digits2);
    out->mantissa = (int64_t)nx_sixteen((uint64_t)_mm_cvtsi128_si64(eights));
    out2->mantissa = (int64_t)nx_sixteen((uint64_t)_mm_extract_epi64(eights, 1));
    return wrong;
}

/* 1 to 16 digits from p on, sixteen bytes readable. */
NX_TICKER_INLINE uint64_t nx_whole_number(const char* p, unsigned length, __m128i* largest) {
    __m128i digits = _mm_sub_epi8(_mm_loadu_si128((const __m128i*)p), _mm_set1_epi8('0'));
    digits = _mm_shuffle_epi8(digits, _mm_loadu_si128((const __m128i*)(nx_to_the_right + length)));
    *largest = _mm_max_epu8(*largest, digits);
    return nx_sixteen((uint64_t)_mm_cvtsi128_si64(nx_eights(digits, digits)));
}

/* Not 0 where one of the first `length` (0 to 16) of sixteen bytes is none of the plain characters of nx_read_plain. */
NX_TICKER_INLINE unsigned nx_unplain(const char* p, unsigned length) {
    __m128i text = _mm_loadu_si128((const __m128i*)p);
    __m128i below = _mm_cmpgt_epi8(_mm_set1_epi8('#'), text);       /* signed: above 0x7f as well */
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(below, _mm_cmpeq_epi8(text, _mm_set1_epi8('\\')))) & ((1u << length) - 1);
}

/* From the comma before s to behind the quote that closes A: at[0] before s, then before ps where it comes, b, B, a, A and,
   `next` known to the compiler, one more behind A. `left`: how many commas there are from at[0] on. */
NX_TICKER_INLINE const char* nx_ticker_fields(const char* data, const char* end, const char* number, const char* comma,
                                              const unsigned* at, unsigned left, int futures, nx_quote* out) {
    const char *symbol = data + at[0] + 6, *bid, *bid_size, *ask, *ask_size, *quote;
    unsigned lengths[6], wrong, together;
    __m128i largest = _mm_setzero_si128();
    uint64_t differs;
    if (__builtin_expect(left < 5 || symbol + 16 > end, 0)) return NULL;
    differs = NX_DIFFERS(data + at[0], ",\"s\":\"");
    lengths[0] = (unsigned)(data + at[1] - 1 - symbol);
    wrong = lengths[0] - 1 > 15;
    at++;
    left--;
    if (data[at[0] + 2] == 'p') {
        const char* pair = data + at[0] + 7;
        lengths[1] = (unsigned)(data + at[1] - 1 - pair);
        if (__builtin_expect(left < 5 || lengths[1] > 16 || pair + 16 > end || nx_unplain(pair, lengths[1] & 31), 0)) return NULL;
        differs |= NX_DIFFERS(data + at[0] - 1, "\",\"ps\":\"");
        at++;
        left--;
    }
    if (__builtin_expect(left < 4 + (unsigned)futures || at[3] + 9 > (unsigned)(end - data) || at[0] < 20, 0)) return NULL;
    bid = data + at[0] + 6, bid_size = data + at[1] + 6, ask = data + at[2] + 6, ask_size = data + at[3] + 6;
    quote = futures ? data + at[4] - 1 : end - 2;
    differs |= NX_DIFFERS(bid - 7, "\",\"b\":\"") | NX_DIFFERS(bid_size - 7, "\",\"B\":\"")
             | NX_DIFFERS(ask - 7, "\",\"a\":\"") | NX_DIFFERS(ask_size - 7, "\",\"A\":\"");
    lengths[1] = (unsigned)(comma - number);
    lengths[2] = (unsigned)(bid_size - 7 - bid);
    lengths[3] = (unsigned)(ask - 7 - bid_size);
    lengths[4] = (unsigned)(ask_size - 7 - ask);
    lengths[5] = (unsigned)(quote - ask_size);
    together = (lengths[1] - 1) | (lengths[2] - 1) | (lengths[3] - 1) | (lengths[4] - 1) | (lengths[5] - 1);
    wrong |= together > 15;
    if (__builtin_expect(wrong || differs || *quote != '"' || *number == '0' || nx_unplain(symbol, lengths[0]), 0)) return NULL;
    nx_quote_symbol(out, symbol, lengths[0]);
    out->update_id = nx_whole_number(number, lengths[1], &largest);
    wrong = nx_decimal_pair(bid, bid_size - 7, &out->bid, bid_size, ask - 7, &out->bid_size, &largest)
          | nx_decimal_pair(ask, ask_size - 7, &out->ask, ask_size, quote, &out->ask_size, &largest);
    wrong |= (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(largest, _mm_set1_epi8(9))) | (unsigned)_mm_movemask_epi8(largest);
    return __builtin_expect(wrong, 0) ? NULL : quote + 1;
}

/* Symbol, update id and the four numbers of a raw bookTicker of at least 64 bytes; behind the quote that closes A, or NULL
   where another must look: what is unusual, and texts of more than 16 characters. */
NX_TICKER_TARGET static const char* nx_ticker_sides(const char* data, const char* end, nx_quote* out) {
    unsigned at[2 * NX_COMMAS + NX_LAST_COMMAS], count, size = (unsigned)(end - data), second, more;
    if (__builtin_expect((size_t)(end - data) - 65 > 4096, 0)) return NULL;
    second = size < 128 ? size - 64 : 64;
    count = nx_places(nx_commas_of(data), 0, at, NX_COMMAS);
    if (__builtin_expect(count > NX_COMMAS, 0)) return NULL;
    more = nx_places(nx_commas_of(data + second) >> (64 - second), 64, at + count, NX_COMMAS);
    count += more;
    if (__builtin_expect(more > NX_COMMAS || count < 5 || at[0] + 24 > size, 0)) return NULL;
    if (!NX_DIFFERS(data, "{\"u\":") && data[at[0] + 2] != 'e')
        return nx_ticker_fields(data, end, data + 5, data + at[0], at, count, 0, out);
    if (size <= 128) return NULL;
    second = size < 192 ? size - 64 : 128;
    more = nx_places(nx_commas_of(data + second) >> (128 - second), 128, at + count, NX_LAST_COMMAS);
    count += more < NX_LAST_COMMAS ? more : NX_LAST_COMMAS;
    if (!NX_DIFFERS(data, "{\"u\":")) {
        if (nx_word8(data + at[0]) != NX_LITERAL(",\"e\":\"bo") || NX_DIFFERS(data + at[0] + 8, "okTicker")
            || data[at[0] + 16] != '"' || at[1] != at[0] + 17) return NULL;
        return nx_ticker_fields(data, end, data + 5, data + at[0], at + 1, count - 1, 1, out);
    }
    if (nx_word8(data) != NX_LITERAL("{\"e\":\"bo") || nx_word8(data + 8) != NX_LITERAL("okTicker")
        || NX_DIFFERS(data + 16, "\",\"u\":")) return NULL;
    return nx_ticker_fields(data, end, data + 22, data + at[1], at + 1, count - 1, 1, out);
}

/* ,"T":…,"E":… with 13 digits of milliseconds each, as nx_read_time; the byte behind them, or NULL. */
NX_TICKER_TARGET static const char* nx_ticker_times(const char* p, const char* end, nx_quote* out) {
    const __m128i thirteen = _mm_loadu_si128((const __m128i*)(nx_last_bytes + 13)), zero = _mm_set1_epi8('0');
    __m128i matched, event, eights;
    uint64_t matched_ms, event_ms;
    if (__builtin_expect(end - p < 37, 0)) return NULL;
    matched = _mm_and_si128(_mm_sub_epi8(_mm_loadu_si128((const __m128i*)(p + 2)), zero), thirteen);
    event = _mm_and_si128(_mm_sub_epi8(_mm_loadu_si128((const __m128i*)(p + 20)), zero), thirteen);
    eights = _mm_max_epu8(matched, event);
    if (__builtin_expect(NX_DIFFERS(p, ",\"T\":") | NX_DIFFERS(p + 18, ",\"E\":")
                         | (uint64_t)_mm_movemask_epi8(_mm_or_si128(eights, _mm_cmpgt_epi8(eights, _mm_set1_epi8(9))))
                         | (p[5] == '0') | (p[23] == '0'), 0)) return NULL;
    eights = nx_eights(matched, event);
    matched_ms = nx_sixteen((uint64_t)_mm_cvtsi128_si64(eights));
    event_ms = nx_sixteen((uint64_t)_mm_extract_epi64(eights, 1));
    if (__builtin_expect(matched_ms > INT64_MAX / 1000000 || event_ms > INT64_MAX / 1000000, 0)) return NULL;
    out->venue_time_ns = (int64_t)matched_ms * 1000000;
    out->event_time_ns = (int64_t)event_ms * 1000000;
    return p + 36;
}

#else
static int nx_ticker_runs_here(void) { return 0; }

static const char* nx_ticker_times(const char* p, const char* end, nx_quote* out) {
    (void)p, (void)end, (void)out;
    return NULL;
}

static const char* nx_ticker_sides(const char* data, const char* end, nx_quote* out) {
    (void)data, (void)end, (void)out;
    return NULL;
}
#endif
#endif
