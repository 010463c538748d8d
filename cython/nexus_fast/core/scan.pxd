"""Decimal text to integers: the cursor helpers of the wire parsers, and exact conversion between scales.

A number is exact here or refused: mantissa * 10**-decimals with at most 18 digits and at most 18 decimals. Nothing goes
through a double; `number_to_double` gives the correctly rounded double beside the exact value.

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
        int32_t decimals;       /* digits after the point as written, trailing zeros kept; 0 to 18 */
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

    /* word ^ NX_EACH('0') in, a high bit per byte that is no digit out. Exact up to and including the second such byte
       when the first is ASCII: only bytes above 0x89 carry into their neighbour. */
    static inline uint64_t nx_not_digits(uint64_t word) {
        return ((word + NX_EACH(0x76)) | word) & NX_EACH(0x80);
    }

    /* A high bit for the first quote, backslash, control character or byte above 0x7f; later bits may be noise. */
    static inline uint64_t nx_not_plain(uint64_t word) {
        uint64_t quote = word ^ NX_EACH('"'), slash = word ^ NX_EACH('\\\\');
        uint64_t hit = ((quote - NX_EACH(1)) & ~quote) | ((slash - NX_EACH(1)) & ~slash)
                     | ((word - NX_EACH(0x20)) & ~word) | word;
        return hit & NX_EACH(0x80);
    }

    static inline int nx_first_byte(uint64_t mask) { return __builtin_ctzll(mask) >> 3; }

    /* The number that `count` digits (1 to 8) at the low end of word ^ NX_EACH('0') say: three multiplications. */
    static inline uint64_t nx_digits(uint64_t word, int count) {
        word <<= 64 - 8 * count;
        word = word * 10 + (word >> 8);
        return (((word & 0x000000FF000000FFULL) * 0x000F424000000064ULL)
              + (((word >> 16) & 0x000000FF000000FFULL) * 0x0000271000000001ULL)) >> 32;
    }

    /* -1, 0, 1. Both mantissas below 10**18 and both decimals at most 18, so the products fit 128 bits. */
    static inline int nx_compare(const nx_number* a, const nx_number* b) {
        __int128 x = a->mantissa, y = b->mantissa;
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
    uint64_t NX_EACH(int byte) nogil
    uint64_t nx_load8(const char* p, const char* end) noexcept nogil
    uint64_t nx_not_digits(uint64_t word) noexcept nogil
    uint64_t nx_not_plain(uint64_t word) noexcept nogil
    int nx_first_byte(uint64_t mask) noexcept nogil
    uint64_t nx_digits(uint64_t word, int count) noexcept nogil
    int nx_compare(const nx_number* a, const nx_number* b) noexcept nogil
    double nx_number_to_double(int64_t mantissa, int decimals) noexcept nogil
    bint nx_multiply_overflows "__builtin_mul_overflow"(int64_t a, int64_t b, int64_t* out) noexcept nogil

from libc.string cimport memcmp

cdef enum nx_scan:
    NX_SCAN_OK = 0
    NX_SCAN_MALFORMED = -1      # not the text of a number
    NX_SCAN_RANGE = -2          # more than 18 digits, or more than 18 decimals
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


cdef inline bint starts(const char* p, const char* end, const char* literal, Py_ssize_t length) noexcept nogil:
    return end - p >= length and memcmp(p, literal, length) == 0


cdef inline const char* read_plain(const char* p, const char* end) noexcept nogil:
    """From inside a string to its closing quote; NULL where the string is unterminated or not plain ASCII text."""
    cdef uint64_t hit
    while True:
        hit = nx_not_plain(nx_load8(p, end))
        if hit:
            p += nx_first_byte(hit)
            return p if p < end and p[0] == c'"' else NULL
        p += 8


cdef inline const char* read_unsigned(const char* p, const char* end, uint64_t* out) noexcept nogil:
    """1 to 16 digits without a leading zero; the first byte after them, or NULL."""
    cdef uint64_t word = nx_load8(p, end) ^ NX_EACH(0x30)
    cdef uint64_t stop = nx_not_digits(word)
    cdef int count
    if not word & 0xFF:
        return NULL                     # 0, or a leading zero: not the usual form
    if stop:
        count = nx_first_byte(stop)
        if count == 0:
            return NULL
        out[0] = nx_digits(word, count)
        return p + count
    out[0] = nx_digits(word, 8)
    p += 8
    word = nx_load8(p, end) ^ NX_EACH(0x30)
    stop = nx_not_digits(word)
    count = nx_first_byte(stop) if stop else 8
    if count:
        out[0] = out[0] * nx_powers[count] + nx_digits(word, count)
    return p + count


cdef const char* read_long_decimal(const char* p, const char* end, nx_number* out) noexcept nogil


cdef inline const char* read_decimal(const char* p, const char* end, nx_number* out) noexcept nogil:
    """Decimal text inside a string: up to its closing quote, or NULL where it is not digits with at most one point."""
    cdef uint64_t word = nx_load8(p, end) ^ NX_EACH(0x30)
    cdef uint64_t stop = nx_not_digits(word)
    cdef uint64_t fraction_stop
    cdef int point, length, fraction
    if not stop:
        return read_long_decimal(p, end, out)
    point = nx_first_byte(stop)
    if point == 0 or p + point >= end:
        return NULL
    out.text = p
    if p[point] == c'"':
        out.mantissa = nx_digits(word, point)
        out.decimals = 0
        out.text_length = point
        return p + point
    if p[point] != c'.':
        return NULL
    stop &= stop - 1
    if stop:
        length = nx_first_byte(stop)
    else:
        fraction_stop = nx_not_digits(nx_load8(p + 8, end) ^ NX_EACH(0x30))
        if not fraction_stop:
            return read_long_decimal(p, end, out)
        length = 8 + nx_first_byte(fraction_stop)
    fraction = length - point - 1
    if fraction < 1 or p + length >= end or p[length] != c'"':
        return NULL
    if fraction > 8:
        return read_long_decimal(p, end, out)
    out.mantissa = (nx_digits(word, point) * nx_powers[fraction]
                    + nx_digits(nx_load8(p + point + 1, end) ^ NX_EACH(0x30), fraction))
    out.decimals = fraction
    out.text_length = length
    return p + length
