/* What a request template is made of, and the copy loop. Included by template.pyx alone. */
#ifndef NEXUS_FAST_TEMPLATE_FIELDS_H
#define NEXUS_FAST_TEMPLATE_FIELDS_H
#include <stdint.h>
#include <string.h>

enum { NX_COPY_SLACK = 32 };    /* nx_put reads and writes up to this much too far */

static const int64_t nx_first_time = 1000000000000;         /* milliseconds of 13 digits */
static const int64_t nx_time_limit = 10000000000000;
static const int64_t nx_number_limit = 1000000000000000000; /* first mantissa that is refused */

typedef struct {
    uint16_t length;            /* of the literal that comes first; the literals of a text lie one behind the other */
    uint8_t hole;               /* what comes after it, see Hole */
    uint8_t spare;
} nx_piece;

typedef struct {
    const nx_piece *pieces;
    const char *literals;       /* NX_COPY_SLACK readable bytes behind the last */
    int count;
    int bound;                  /* the longest that the text can get, slack and padding of the signature included */
} nx_text;

struct nx_template {
    uint32_t inner[8];          /* the midstate: the key and the constant head of what is signed (see sha256.pxd) */
    uint32_t outer[8];
    uint64_t absorbed;
    nx_text text;               /* the request */
    nx_text signed_text;        /* what is signed, from the midstate on; count 0: it is a part of the request */
    nx_text behind_id;          /* signed_text behind its first block, where that block has no hole but an engine's own client id */
    uint64_t serial;            /* no other template of this process has it, living or gone */
    uint64_t head_key;          /* of that block without the id: equal keys, equal blocks; 0: there is no such block */
    uint8_t head[64];           /* the block, zeros for the id */
    int head_id;                /* the id's place in it */
    int signed_from;            /* where that part starts in the request, counted from the midstate on */
    uint8_t has_price;
    uint8_t has_quantity;
    uint8_t has_request_id;     /* one that is not the client id itself */
    uint8_t signed_inside;      /* what is signed is a part of the request */
    uint8_t price_scale;
    uint8_t size_scale;
    uint8_t id_limit;
    uint8_t request_id_limit;   /* of prefix + client id; below id_limit where more stands behind the request id */
    char id_prefix;             /* request id = prefix + client id */
    char id_overflow;           /* request id = this + request number, where that would be over request_id_limit */
};

/* Blocks of 32 bytes; `from` and `to` have the slack. The barrier keeps compilers from calling memcpy instead. */
static inline char *nx_put(char *to, const char *from, unsigned length) {
    unsigned i = 0;
    do {
        memcpy(to + i, from + i, 32);
        i += 32;
        __asm__("" : "+r"(i));
    } while (i < length);
    return to + length;
}

/* Reads no byte too many; writes none either. For up to 36 bytes that somebody else owns, or between those of others.
   Straight from there to the text: a copy in between would be read in other words than it was written in, which makes the
   load wait. */
static inline char *nx_put_exact(char *to, const char *from, unsigned length) {
    if (length == 17) {                         /* the engine's own: no load across the border of what was stored at once */
        memcpy(to, from, 16);
        to[16] = from[16];
    } else if (length >= 16) {
        memcpy(to, from, 16);
        if (length > 32) memcpy(to + 16, from + 16, 16);
        memcpy(to + length - 16, from + length - 16, 16);
    } else if (length >= 8) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length >= 4) {
        memcpy(to, from, 4);
        memcpy(to + length - 4, from + length - 4, 4);
    } else {
        for (unsigned i = 0; i < length; i++) to[i] = from[i];
    }
    return to + length;
}
#endif
