"""A client's WebSocket frame (RFC 6455, section 5) of a text. Inline.

    char buffer[FRAME_ROOM + n + FRAME_SLACK];  payload = buffer + FRAME_ROOM
    size = ws_frame(text, n, next_mask(&state), payload, &start)        # start..start+size is what goes to the socket

The text is masked on its way to the payload, which may be the text itself; the header stands in front of it (6, 8 or 14 bytes). Up to
FRAME_SLACK bytes behind the text are read and as many behind the payload written.
"""

from libc.stdint cimport uint32_t, uint64_t

cdef extern from *:
    """
    #ifndef NEXUS_FAST_FRAME_H
    #define NEXUS_FAST_FRAME_H
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>

    enum { NX_FRAME_ROOM = 14, NX_FRAME_SLACK = 31 };

    typedef uint8_t nx_block16 __attribute__((vector_size(16)));

    /* The key's first byte masks the first byte: mask is used as it lies in memory, so byte order does not matter. */
    static inline void nx_mask(const char *text, size_t size, uint32_t mask, char *payload) {
        nx_block16 wide, one, two;
        uint32_t four[4] = {mask, mask, mask, mask};
        memcpy(&wide, four, 16);
        for (size_t i = 0; i < size; i += 32) {
            memcpy(&one, text + i, 16);
            memcpy(&two, text + i + 16, 16);
            one ^= wide;
            two ^= wide;
            memcpy(payload + i, &one, 16);
            memcpy(payload + i + 16, &two, 16);
        }
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

    static inline int nx_ws_frame(const char *text, ptrdiff_t size, uint32_t mask, char *payload, char **start) {
        *start = nx_frame_header(payload, (size_t)size, mask);
        nx_mask(text, (size_t)size, mask, payload);
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
        FRAME_SLACK "NX_FRAME_SLACK"

    int ws_frame "nx_ws_frame"(const char* text, Py_ssize_t size, uint32_t mask, char* payload, char** start) noexcept nogil
    uint32_t next_mask "nx_next_mask"(uint64_t* state) noexcept nogil

cdef uint64_t mask_seed() except 0      # seam: 64 bits from the system's generator, never 0
