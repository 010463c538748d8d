"""Scaled integers as plain decimal text, for the wire. Inline; the caller's module needs no include path.

`fixed_write` writes value = mantissa * 10**-scale (scale 0..18) without exponent and without trailing zeros after the
point, so one number has one text whatever its scale: 6, 0.001, 61800.2. Returns its length: at most 21, 22 with a minus.
`uint_write_fixed` writes the last `width` (1..20) decimal digits, zero-padded: timestamps and counters.
`uint_write` writes as many digits as the number has and returns how many.

`out` has FIXED_ROOM bytes, all of which may be overwritten: copies run in whole words, which are little-endian, as on
every machine that the package runs on.
"""

from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    #ifndef NEXUS_FAST_FIXED_H
    #define NEXUS_FAST_FIXED_H
    #include <stdint.h>
    #include <string.h>

    enum { NX_FIXED_ROOM = 48 };

    /* The eight digits of value < 10**8 as bytes 0..9, most significant first in memory (little-endian words). Halved
       three times, all fields of a word at once; the multipliers are reciprocals, exact in the range of a field. */
    static inline uint64_t nx_eight_digits(uint32_t value) {
        uint64_t v = value / 10000 | (uint64_t)(value % 10000) << 32;
        __asm__("" : "+r"(v));                      /* two of these side by side are slower as a vector */
        uint64_t hundreds = v * 10486 >> 20 & 0x0000007f0000007f;
        v = hundreds | (v - 100 * hundreds) << 16;
        uint64_t tens = v * 103 >> 10 & 0x000f000f000f000f;
        return tens | (v - 10 * tens) << 8;
    }

    static const uint64_t nx_ascii_zeros = 0x3030303030303030;

    static inline void nx_put_word(char *out, uint64_t word) { memcpy(out, &word, 8); }

    /* All digits of value as text in digits[0..24), zero-padded. */
    static inline void nx_all_digits(uint64_t value, char digits[24]) {
        uint64_t low = value % 100000000, rest = value / 100000000;
        nx_put_word(digits, nx_eight_digits((uint32_t)(rest / 100000000)) | nx_ascii_zeros);
        nx_put_word(digits + 8, nx_eight_digits((uint32_t)(rest % 100000000)) | nx_ascii_zeros);
        nx_put_word(digits + 16, nx_eight_digits((uint32_t)low) | nx_ascii_zeros);
    }

    typedef unsigned __int128 nx_text16;            /* sixteen characters, the first in the lowest byte */

    static inline nx_text16 nx_pair(uint64_t first, uint64_t second) { return (nx_text16)second << 64 | first; }

    /* Not behind 8 * 16: for shifts by 0 to 16 characters. */
    static inline nx_text16 nx_drop(nx_text16 text, int characters) { return characters < 16 ? text >> 8 * characters : 0; }

    static inline int nx_uint_write(uint64_t value, char *out) {
        char digits[NX_FIXED_ROOM];                 /* 24 of them, and room to copy 24 bytes from any digit */
        int first = 0;
        nx_all_digits(value, digits);
        while (first < 23 && digits[first] == '0') first++;
        memcpy(out, digits + first, 24);
        return 24 - first;
    }

    static inline void nx_uint_write_fixed(uint64_t value, int width, char *out) {
        char digits[NX_FIXED_ROOM];
        if (width <= 8) {
            nx_put_word(out, (nx_eight_digits((uint32_t)(value % 100000000)) | nx_ascii_zeros) >> 8 * (8 - width));
            return;
        }
        if (width <= 16) {                          /* as a timestamp: no detour through memory */
            uint64_t high = nx_eight_digits((uint32_t)(value / 100000000 % 100000000)) | nx_ascii_zeros;
            uint64_t low = nx_eight_digits((uint32_t)(value % 100000000)) | nx_ascii_zeros;
            nx_text16 text = nx_drop(nx_pair(high, low), 16 - width);
            memcpy(out, &text, 16);
            return;
        }
        nx_all_digits(value, digits);
        memcpy(out, digits + 24 - width, 24);
    }

    static inline int nx_lead(uint64_t first, uint64_t second) {
        return first ? __builtin_ctzll(first) >> 3 : 8 + (__builtin_ctzll(second) >> 3);
    }

    static inline int nx_trail(uint64_t first, uint64_t second) {
        return second ? __builtin_clzll(second) >> 3 : 8 + (__builtin_clzll(first) >> 3);
    }

    /* 0 < value < 10**8, as most sizes and prices: the same in one word, and the point's in two. */
    static inline int nx_fixed_write_word(uint32_t value, int scale, char *out) {
        uint64_t word = nx_eight_digits(value), head;
        int zeros = __builtin_clzll(word) >> 3, cut = zeros < scale ? zeros : scale, lead = __builtin_ctzll(word) >> 3;
        int count = 8 - lead - cut, whole;
        nx_text16 text;
        word = (word | nx_ascii_zeros) >> 8 * lead;
        scale -= cut;
        whole = count - scale;
        if (whole <= 0) {
            memcpy(out, "0.0000000000000000000000", 24);
            nx_put_word(out + 2 - whole, word);
            return 2 + scale;
        }
        head = scale ? (UINT64_C(1) << 8 * whole) - 1 : UINT64_MAX;
        text = nx_pair((word & head) | (scale ? (uint64_t)'.' << 8 * whole | (word & ~head) << 8 : 0), word >> 56);
        memcpy(out, &text, 16);
        return count + (scale != 0);
    }

    /* 0 < value < 10**15: the text is made in registers and stored at once, point and all, so
       that who reads it next in words as wide need not wait. */
    static inline int nx_fixed_write_short(uint64_t value, int scale, char *out) {
        uint64_t first = nx_eight_digits((uint32_t)(value / 100000000)), second = nx_eight_digits((uint32_t)(value % 100000000));
        int zeros = nx_trail(first, second), cut = zeros < scale ? zeros : scale, lead = nx_lead(first, second);
        int count = 16 - lead - cut, whole;
        nx_text16 text = nx_drop(nx_pair(first | nx_ascii_zeros, second | nx_ascii_zeros), lead), head;
        scale -= cut;
        whole = count - scale;
        if (whole <= 0) {
            memcpy(out, "0.0000000000000000000000", 24);
            memcpy(out + 2 - whole, &text, 16);
            return 2 + scale;
        }
        if (scale == 0) {
            memcpy(out, &text, 16);
            return count;
        }
        head = ((nx_text16)1 << 8 * whole) - 1;
        text = (text & head) | (nx_text16)'.' << 8 * whole | (text & ~head) << 8;
        memcpy(out, &text, 16);
        return count + 1;
    }

    static inline int nx_fixed_write_long(uint64_t value, int scale, char *out) {
        char digits[NX_FIXED_ROOM];
        int first = 0, past = 24, whole;
        nx_all_digits(value, digits);
        while (digits[first] == '0') first++;
        while (scale > 0 && digits[past - 1] == '0') { past--; scale--; }
        whole = past - first - scale;
        if (whole <= 0) {
            memcpy(out, "0.0000000000000000000000", 24);
            memcpy(out + 2 - whole, digits + first, 24);
            return 2 + scale;
        }
        memcpy(out, digits + first, 24);
        if (scale == 0) return whole;
        out[whole] = '.';
        memcpy(out + whole + 1, digits + first + whole, 24);
        return whole + 1 + scale;
    }

    static inline int nx_fixed_write(int64_t mantissa, int scale, char *out) {
        int minus = mantissa < 0;
        uint64_t value = minus ? 0 - (uint64_t)mantissa : (uint64_t)mantissa;
        out[0] = '-';
        out += minus;
        if (value - 1 < 99999999) return minus + nx_fixed_write_word((uint32_t)value, scale, out);
        if (value - 1 < 999999999999999) return minus + nx_fixed_write_short(value, scale, out);
        if (value) return minus + nx_fixed_write_long(value, scale, out);
        out[0] = '0';
        return 1;
    }
    #endif
    """
    enum:
        FIXED_ROOM "NX_FIXED_ROOM"

    int fixed_write "nx_fixed_write"(int64_t mantissa, int scale, char* out) noexcept nogil
    int uint_write "nx_uint_write"(uint64_t value, char* out) noexcept nogil
    void uint_write_fixed "nx_uint_write_fixed"(uint64_t value, int width, char* out) noexcept nogil
