"""What a template is made of: for template.pyx, which builds them, and canvas.pyx, which fills them. Nobody else looks inside, so
nobody else needs the header."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "nexus_fast/gateway/template.h" nogil:
    enum:
        NX_COPY_SLACK

    ctypedef struct nx_piece:
        uint16_t length
        uint8_t hole

    ctypedef struct nx_text:
        const nx_piece* pieces
        const char* literals
        int count
        int bound

    ctypedef struct nx_template_fields "nx_template":
        uint32_t inner[8]
        uint32_t outer[8]
        uint64_t absorbed
        nx_text text
        nx_text signed_text
        nx_text behind_id
        uint64_t serial
        uint64_t head_key
        uint8_t head[64]
        int head_id
        int signed_from
        uint8_t has_price
        uint8_t has_quantity
        uint8_t has_request_id
        uint8_t signed_inside
        uint8_t price_scale
        uint8_t size_scale
        uint8_t id_limit
        uint8_t request_id_limit
        char id_prefix
        char id_overflow

    const int64_t nx_first_time
    const int64_t nx_time_limit
    const int64_t nx_number_limit

    char* nx_put(char* to, const char* source, unsigned length) noexcept
    char* nx_put_exact(char* to, const char* source, unsigned length) noexcept


cdef enum:      # the members of Hole, for C
    END = 0
    PRICE = 1
    QUANTITY = 2
    CLIENT_ID = 3
    REQUEST_ID = 4
    TIMESTAMP = 5
    SIGNATURE = 6
    SIGNED_TO = 7

    LONGEST_ID = 36
