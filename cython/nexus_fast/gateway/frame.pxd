"""A client's WebSocket frame (RFC 6455, section 5) around a payload that already stands in its buffer. Inline.

    char buffer[FRAME_ROOM + n];  payload = buffer + FRAME_ROOM
    size = ws_frame(payload, n, next_mask(&state), &start)        # start..start+size is what goes to the socket

Header in front of the payload (6, 8 or 14 bytes, so FRAME_ROOM bytes are the caller's), payload masked in place.
"""

from libc.stdint cimport uint32_t, uint64_t

cdef extern from *:
    """
    #ifndef NEXUS_FAST_FRAME_H
    #define NEXUS_FAST_FRAME_H
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>

    enum { NX_FRAME_ROOM = 14 };

    typedef uint8_t nx_block16 __attribute__((vector_size(16)));

    /* The key's first byte masks the first byte: mask is used as it lies in memory, so byte order does not matter. */
    static inline void nx_mask_in_place(char *data, size_t size, uint32_t mask) {
        nx_block16 wide, block;
        size_t i = 0;
        char key[4];
        uint32_t four[4] = {mask, mask, mask, mask};
        memcpy(key, &mask, 4);
        memcpy(&wide, four, 16);
        for (; i + 16 <= size; i += 16) {
            memcpy(&block, data + i, 16);
            block ^= wide;
            memcpy(data + i, &block, 16);
        }
        for (; i < size; i++) data[i] ^= key[i & 3];
    }

    static inline char *nx_frame_header(char *payload, size_t size, uint32_t mask) {
        unsigned char *p = (unsigned char *)payload - 4;
        memcpy(p, &mask, 4);
        if (size < 126) {
            *--p = (unsigned char)(0x80 | size);
        } else if (size < 65536) {
            *--p = (unsigned char)size;
            *--p = (unsigned char)(size >> 8);
            *--p = 0x80 | 126;
        } else {
            for (int i = 0; i < 8; i++) *--p = (unsigned char)((uint64_t)size >> 8 * i);
            *--p = 0x80 | 127;
        }
        *--p = 0x80 | 0x01;                     /* FIN, text */
        return (char *)p;
    }

    static inline int nx_ws_frame(char *payload, ptrdiff_t size, uint32_t mask, char **start) {
        *start = nx_frame_header(payload, (size_t)size, mask);
        nx_mask_in_place(payload, (size_t)size, mask);
        return (int)(payload + size - *start);
    }

    /* xorshift64*, upper half; seed it with mask_seed(). A zero mask would send plain text, so it is never given. */
    static inline uint32_t nx_next_mask(uint64_t *state) {
        uint64_t x = *state ? *state : 0x9e3779b97f4a7c15ull;
        uint32_t mask;
        do {
            x ^= x >> 12;
            x ^= x << 25;
            x ^= x >> 27;
            mask = (uint32_t)(x * 0x2545f4914f6cdd1dull >> 32);
        } while (mask == 0);
        *state = x;
        return mask;
    }
    #endif
    """
    enum:
        FRAME_ROOM "NX_FRAME_ROOM"

    int ws_frame "nx_ws_frame"(char* payload, Py_ssize_t size, uint32_t mask, char** start) noexcept nogil
    uint32_t next_mask "nx_next_mask"(uint64_t* state) noexcept nogil

cdef uint64_t mask_seed() except 0      # seam: 64 bits from the system's generator, never 0
