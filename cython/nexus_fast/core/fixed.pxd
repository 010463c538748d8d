"""Scaled integers as plain decimal text, for the wire. Inline; the caller's module needs no include path.

`fixed_write` writes value = mantissa * 10**-scale (scale 0..18) without exponent and without trailing zeros after the
point, so one number has one text whatever its scale: 6, 0.001, 61800.2. At most 21 bytes, 22 with a minus; `out` has
FIXED_ROOM bytes, all of which may be overwritten (copies run in whole words). Returns the length of the text.

`uint_write_fixed` writes the last `width` (1..20) decimal digits, zero-padded: timestamps and counters.
`uint_write` writes as many digits as the number has and returns how many; `out` has FIXED_ROOM bytes.
"""

from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    #ifndef NEXUS_FAST_FIXED_H
    #define NEXUS_FAST_FIXED_H
    #include <stdint.h>
    #include <string.h>

    enum { NX_FIXED_ROOM = 48 };

    static const char nx_digit_pairs[201] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";

    /* Writes the digits of value so that the last one stands at end[-1]; returns the first. */
    static inline char *nx_digits_before(uint64_t value, char *end) {
        while (value >= 100) {
            end -= 2;
            memcpy(end, nx_digit_pairs + 2 * (value % 100), 2);
            value /= 100;
        }
        if (value >= 10) {
            end -= 2;
            memcpy(end, nx_digit_pairs + 2 * value, 2);
        } else {
            *--end = (char)('0' + value);
        }
        return end;
    }

    static inline int nx_uint_write(uint64_t value, char *out) {
        char digits[NX_FIXED_ROOM];
        char *first = nx_digits_before(value, digits + 24);
        memcpy(out, first, 24);
        return (int)(digits + 24 - first);
    }

    static inline void nx_uint_write_fixed(uint64_t value, int width, char *out) {
        for (; width >= 2; width -= 2) {
            memcpy(out + width - 2, nx_digit_pairs + 2 * (value % 100), 2);
            value /= 100;
        }
        if (width) *out = (char)('0' + value % 10);
    }

    static inline int nx_fixed_write(int64_t mantissa, int scale, char *out) {
        char digits[NX_FIXED_ROOM + 24];            /* room to copy 24 bytes from any digit */
        int minus = mantissa < 0;
        uint64_t value = minus ? 0 - (uint64_t)mantissa : (uint64_t)mantissa;
        char *end = digits + 24, *first = nx_digits_before(value, end);
        *out = '-';
        out += minus;
        while (scale > 0 && end[-1] == '0' && end - first > 1) { end--; scale--; }
        int count = (int)(end - first), whole = count - scale;
        if (value == 0) {
            *out = '0';
            return 1;
        }
        if (scale == 0) {
            memcpy(out, first, 24);
            return minus + count;
        }
        if (whole > 0) {
            memcpy(out, first, 24);
            out[whole] = '.';
            memcpy(out + whole + 1, first + whole, 24);
            return minus + count + 1;
        }
        memcpy(out, "0.0000000000000000000000", 24);
        memcpy(out + 2 - whole, first, 24);
        return minus + 2 + scale;
    }
    #endif
    """
    enum:
        FIXED_ROOM "NX_FIXED_ROOM"

    int fixed_write "nx_fixed_write"(int64_t mantissa, int scale, char* out) noexcept nogil
    int uint_write "nx_uint_write"(uint64_t value, char* out) noexcept nogil
    void uint_write_fixed "nx_uint_write_fixed"(uint64_t value, int width, char* out) noexcept nogil
