"""Decimal text to integers: the cursor helpers of the wire parsers, and exact conversion between scales.

A number is exact here or refused: mantissa * 10**-decimals, the mantissa an int64, at most 18 decimals. Zeros at the end carry
no value: they are kept while there is room, and never make a number too long. Nothing goes through a double;
`number_to_double` gives the correctly rounded double beside the exact value. Numbers of orders (scan_decimal) have at most 18
digits, so that sums of them fit too.

The helpers step eight bytes at a time and are told where the bytes end: a load that would cross the end is taken
from the last eight bytes of the frame and shifted, so nothing is ever read outside [frame, end) as long as the frame is
at least eight bytes long. Bytes past the end come out as zero, which is neither a digit nor a quote.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t

cdef extern from *:
    """
    #ifndef NEXUS_FAST_SCAN_H
    #define NEXUS_FAST_SCAN_H
    #include <math.h>
    #include <stdint.h>
    #include <string.h>
    #if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error "nexus_fast reads eight bytes at a time on little-endian machines only"
    #endif

    typedef struct nx_number {
        int64_t mantissa;       /* value = mantissa * 10**-decimals */
        int32_t decimals;       /* digits after the point as written, less the zeros that had no room; 0 to 18 */
        int32_t text_length;
        const char* text;       /* into the frame; NULL for a side that is not there */
    } nx_number;

    #define NX_EACH(byte) (0x0101010101010101ULL * (uint64_t)(byte))

    static const int64_t nx_powers[19] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
        1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
        1000000000000000000};

    static inline uint64_t nx_load8(const char* p, const char* end) {
        uint64_t word = 0;
        ptrdiff_t left = end - p;
        if (__builtin_expect(left >= 8, 1)) { memcpy(&word, p, 8); return word; }
        if (left <= 0) return 0;
        memcpy(&word, end - 8, 8);
        return word >> (8 * (8 - left));
    }

    static inline uint64_t nx_load(const char* p, const char* end, int roomy) {
        uint64_t word;
        if (!roomy) return nx_load8(p, end);
        memcpy(&word, p, 8);
        return word;
    }

    /* word ^ NX_EACH('0') in, a high bit per byte that is no digit out. Exact up to and including the second such byte
       when the first is ASCII: only bytes above 0x89 carry into their neighbour. */
    static inline uint64_t nx_not_digits(uint64_t word) {
        return ((word + NX_EACH(0x76)) | word) & NX_EACH(0x80);
    }

    /* Eight times the number of bytes before the first mark of a mask that is not zero. */
    static inline uint64_t nx_bits_before(uint64_t mask) { return (uint64_t)__builtin_ctzll(mask) & 0x38; }

    static inline unsigned nx_byte(uint64_t word, uint64_t bits) { return (unsigned)(word >> bits) & 0xFF; }

    /* The number that eight digits say, word ^ NX_EACH('0') in: three multiplications. */
    static inline uint64_t nx_eight_digits(uint64_t word) {
        word = word * 10 + (word >> 8);
        return (((word & 0x000000FF000000FFULL) * 0x000F424000000064ULL)
              + (((word >> 16) & 0x000000FF000000FFULL) * 0x0000271000000001ULL)) >> 32;
    }

    /* The same for the digits in the low `bits` (8 to 64) of the word: those above are shifted out, zeros in front. */
    static inline uint64_t nx_digits(uint64_t word, uint64_t bits) { return nx_eight_digits(word << (-bits & 63)); }

    /* A high bit for the first byte that is below '#' (a quote among them), above 0x7f, or a backslash. */
    static inline uint64_t nx_not_plain(uint64_t word) {
        uint64_t slash = word ^ NX_EACH('\\\\');
        return ((word - NX_EACH('#')) | word | ((slash - NX_EACH(1)) & ~slash)) & NX_EACH(0x80);
    }

    /* Milliseconds since 1970, as nanoseconds. They have 13 digits from 2001 to 2286: the first five and the last eight, no
       search for the end. int64 nanoseconds end in 2262. The byte behind the digits, or NULL; that it is no further
       digit is for the caller to see. */
    static inline const char* nx_read_time(const char* p, const char* end, int64_t* out_ns) {
        uint64_t first, last, milliseconds;
        if (__builtin_expect(end - p < 13, 0)) return NULL;
        memcpy(&first, p, 8);
        memcpy(&last, p + 5, 8);
        first ^= NX_EACH('0');
        last ^= NX_EACH('0');
        if (__builtin_expect((nx_not_digits(first) | nx_not_digits(last)) || !(first & 0xFF), 0)) return NULL;
        milliseconds = nx_eight_digits(first << 24) * 100000000 + nx_eight_digits(last);
        if (__builtin_expect(milliseconds > INT64_MAX / 1000000, 0)) return NULL;
        *out_ns = (int64_t)milliseconds * 1000000;
        return p + 13;
    }

    /* From inside a string to its closing quote; NULL where it is not closed or has unusual characters. */
    static inline const char* nx_read_plain(const char* p, const char* end) {
        uint64_t stop, word;
        for (;; p += 8) {
            word = nx_load8(p, end);
            stop = nx_not_plain(word);
            if (stop) break;
        }
        stop = nx_bits_before(stop);
        return nx_byte(word, stop) == '"' ? p + (stop >> 3) : NULL;
    }

    static inline __attribute__((always_inline)) const char* nx_unsigned_steps(
            const char* p, const char* end, uint64_t* out, int roomy) {
        uint64_t word = nx_load(p, end, roomy) ^ NX_EACH('0'), stop = nx_not_digits(word), bits;
        if (__builtin_expect(!(word & 0xFF), 0)) return NULL;
        if (stop) {
            bits = nx_bits_before(stop);
            if (__builtin_expect(!bits, 0)) return NULL;
            *out = nx_digits(word, bits);
            return p + (bits >> 3);
        }
        *out = nx_eight_digits(word);
        word = nx_load(p + 8, end, roomy) ^ NX_EACH('0');
        stop = nx_not_digits(word);
        bits = stop ? nx_bits_before(stop) : 64;
        if (bits) *out = *out * (uint64_t)nx_powers[bits >> 3] + nx_digits(word, bits);
        return p + 8 + (bits >> 3);
    }

    static __attribute__((noinline)) const char* nx_unsigned_at_end(const char* p, const char* end, uint64_t* out) {
        return nx_unsigned_steps(p, end, out, 0);
    }

    /* 1 to 16 digits without a leading zero; the first byte after them, or NULL. Just 0 is left to the general path. */
    static inline const char* nx_read_unsigned(const char* p, const char* end, uint64_t* out) {
        return __builtin_expect(end - p >= 16, 1) ? nx_unsigned_steps(p, end, out, 1) : nx_unsigned_at_end(p, end, out);
    }

    /* Both stops of the text, point and quote, are found in two words at once, so that the next field's address hangs on
       one load and not on three. `roomy`, known to the compiler, says that 24 bytes can be read whatever the text is. */
    static inline __attribute__((always_inline)) const char* nx_decimal_steps(
            const char* p, const char* end, nx_number* out, int roomy) {
        uint64_t word = nx_load(p, end, roomy) ^ NX_EACH('0'), stop = nx_not_digits(word), next, point, length, fraction;
        if (__builtin_expect(!stop, 0)) return p;
        point = nx_bits_before(stop);
        if (__builtin_expect(!point, 0)) return NULL;
        out->text = p;
        if (nx_byte(word, point) != ('.' ^ '0')) {
            if (nx_byte(word, point) != ('"' ^ '0')) return NULL;
            out->mantissa = (int64_t)nx_digits(word, point);
            out->decimals = 0;
            out->text_length = (int32_t)(point >> 3);
            return p + (point >> 3);
        }
        stop &= stop - 1;
        if (stop) {
            length = nx_bits_before(stop);
            if (__builtin_expect(nx_byte(word, length) != ('"' ^ '0'), 0)) return NULL;
        } else {
            next = nx_load(p + 8, end, roomy) ^ NX_EACH('0');
            stop = nx_not_digits(next);
            if (__builtin_expect(!stop, 0)) return p;
            length = nx_bits_before(stop);
            if (__builtin_expect(nx_byte(next, length) != ('"' ^ '0'), 0)) return NULL;
            length += 64;
        }
        fraction = length - point - 8;
        if (__builtin_expect(fraction - 1 > 63, 0)) return p;
        next = nx_load(p + (point >> 3) + 1, end, roomy) ^ NX_EACH('0');
        out->mantissa = (int64_t)(nx_digits(word, point) * (uint64_t)nx_powers[fraction >> 3] + nx_digits(next, fraction));
        out->decimals = (int32_t)(fraction >> 3);
        out->text_length = (int32_t)(length >> 3);
        return p + (length >> 3);
    }

    static __attribute__((noinline)) const char* nx_decimal_at_end(const char* p, const char* end, nx_number* out) {
        return nx_decimal_steps(p, end, out, 0);
    }

    /* Decimal text of up to 7 digits, a point and up to 8 digits, closed by a quote: the quote, NULL for text that is no
       such number, p itself for text that the two words do not decide (longer, or a point with nothing behind it). */
    static inline const char* nx_read_decimal(const char* p, const char* end, nx_number* out) {
        return __builtin_expect(end - p >= 24, 1) ? nx_decimal_steps(p, end, out, 1) : nx_decimal_at_end(p, end, out);
    }

    /* -1, 0, 1. Mantissas have 63 bits and 10**18 has 60, so the products fit 128. */
    static inline int nx_compare(const nx_number* a, const nx_number* b) {
        __int128 x = a->mantissa, y = b->mantissa;
        if (a->decimals == b->decimals) return (a->mantissa > b->mantissa) - (a->mantissa < b->mantissa);
        if (a->decimals < b->decimals) x *= nx_powers[b->decimals - a->decimals];
        else y *= nx_powers[a->decimals - b->decimals];
        return (x > y) - (x < y);
    }

    /* magnitude / 10**decimals to nearest, ties to even, for a magnitude that is no exact double. The quotient has at
       least 57 bits (2**53 * 2**64 / 10**18); what the division leaves over becomes its lowest bit. */
    static double nx_divide_wide(uint64_t magnitude, int decimals) {
        unsigned __int128 whole = (unsigned __int128)magnitude << 64, divisor = (uint64_t)nx_powers[decimals];
        unsigned __int128 quotient = whole / divisor;
        int sticky = quotient * divisor != whole, shift = 0;
        while (quotient >> 64) {
            sticky |= (int)(quotient & 1);
            quotient >>= 1;
            shift++;
        }
        return ldexp((double)((uint64_t)quotient | (uint64_t)sticky), shift - 64);
    }

    static inline double nx_number_to_double(int64_t mantissa, int decimals) {
        uint64_t magnitude = mantissa < 0 ? 0 - (uint64_t)mantissa : (uint64_t)mantissa;
        double value;
        if (__builtin_expect(magnitude < (1ULL << 53), 1)) return (double)mantissa / (double)nx_powers[decimals];
        value = nx_divide_wide(magnitude, decimals);
        return mantissa < 0 ? -value : value;
    }
    #endif
    """
    ctypedef struct nx_number:
        int64_t mantissa
        int32_t decimals
        int32_t text_length
        const char* text

    const int64_t[19] nx_powers
    const char* nx_read_plain(const char* p, const char* end) noexcept nogil
    const char* nx_read_unsigned(const char* p, const char* end, uint64_t* out) noexcept nogil
    const char* nx_read_time(const char* p, const char* end, int64_t* out_ns) noexcept nogil
    const char* nx_read_decimal(const char* p, const char* end, nx_number* out) noexcept nogil
    int nx_compare(const nx_number* a, const nx_number* b) noexcept nogil
    double nx_number_to_double(int64_t mantissa, int decimals) noexcept nogil
    bint nx_multiply_overflows "__builtin_mul_overflow"(int64_t a, int64_t b, int64_t* out) noexcept nogil

from libc.string cimport memcmp, strlen

cdef enum nx_scan:
    NX_SCAN_OK = 0
    NX_SCAN_MALFORMED = -1      # not the text of a number
    NX_SCAN_RANGE = -2          # no int64 with at most 18 decimals is this number
    NX_SCAN_INEXACT = -3        # does not fit the wanted scale without rounding

cdef int scan_number(const char* text, Py_ssize_t length, nx_number* out) noexcept nogil
cdef int scan_decimal(const char* text, Py_ssize_t length, int scale, int64_t* out) noexcept nogil


cdef inline int rescale(int64_t mantissa, int decimals, int scale, int64_t* out) noexcept nogil:
    """mantissa * 10**-decimals as a mantissa of `scale`. Both 0 to 18. NX_SCAN_OK, _RANGE or _INEXACT."""
    cdef int64_t divisor
    if <unsigned int>decimals > 18 or <unsigned int>scale > 18:
        return NX_SCAN_RANGE
    if scale >= decimals:
        return NX_SCAN_RANGE if nx_multiply_overflows(mantissa, nx_powers[scale - decimals], out) else NX_SCAN_OK
    divisor = nx_powers[decimals - scale]
    out[0] = mantissa // divisor
    return NX_SCAN_OK if out[0] * divisor == mantissa else NX_SCAN_INEXACT


cdef inline double number_to_double(const nx_number* number) noexcept nogil:
    """The double nearest to the number; what float(text) gives."""
    return nx_number_to_double(number.mantissa, number.decimals)


cdef inline bint starts(const char* p, const char* end, const char* literal) noexcept nogil:
    cdef Py_ssize_t length = <Py_ssize_t>strlen(literal)        # known to the compiler, like the comparison's steps
    return end - p >= length and memcmp(p, literal, length) == 0


cdef inline const char* after(const char* p, const char* end, const char* literal) noexcept nogil:
    """Behind the literal that must stand at p, or NULL; NULL also where p is NULL, so that steps can be chained."""
    return p + strlen(literal) if p != NULL and starts(p, end, literal) else NULL


cdef inline const char* read_plain(const char* p, const char* end) noexcept nogil:
    """From inside a string to its closing quote; NULL where it is not closed or has unusual characters."""
    return nx_read_plain(p, end) if p != NULL else NULL


cdef inline const char* read_unsigned(const char* p, const char* end, uint64_t* out) noexcept nogil:
    """1 to 16 digits without a leading zero; the first byte after them, or NULL."""
    return nx_read_unsigned(p, end, out) if p != NULL else NULL


cdef inline const char* read_time(const char* p, const char* end, int64_t* out_ns) noexcept nogil:
    """13 digits of milliseconds, as nanoseconds; the first byte after them, which must be looked at, or NULL."""
    return nx_read_time(p, end, out_ns) if p != NULL else NULL


cdef inline const char* read_decimal(const char* p, const char* end, nx_number* out) noexcept nogil:
    """Decimal text inside a string: up to its closing quote, or NULL where it is not digits with at most one point."""
    cdef const char* quote
    if p == NULL:
        return NULL
    quote = nx_read_decimal(p, end, out)
    return quote if quote != p else read_long_decimal(p, end, out)


cdef const char* read_long_decimal(const char* p, const char* end, nx_number* out) noexcept nogil
