"""Where a template is filled, and stays: the next request of the same template writes its holes alone.

    canvas_begin(template, request, ahead, canvas) ──▶ canvas_end(canvas) ──▶ canvas.text, canvas.size

Begin hashes all but the last block of what is signed: what is done between the two costs next to nothing on a processor that
waits for the hash.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from nexus_fast.gateway.request cimport REQUEST_CAPACITY, SIGNED_CAPACITY, nx_order_request, nx_template

# The block of a signature that depends on the order's id alone, hashed after the order before: prepare it with canvas_ahead.
ctypedef struct nx_ahead:
    uint64_t key                # head_key of the template that it was made for; 0: nothing is prepared
    uint64_t number             # of the order whose id is in it
    uint32_t inner[8]

cdef enum:
    HOLES = 8                   # members of Hole
    PLACES = 12                 # holes of a text that are remembered; one with more of them is written whole every time

ctypedef struct nx_values:
    const char* at[HOLES]
    unsigned length[HOLES]
    char price[48]              # each with the room that the writers of core/fixed ask for
    char quantity[48]
    char timestamp[48]
    char request_id[64]
    char signature[80]

ctypedef struct nx_place:
    uint16_t at                 # offset in the text
    uint8_t hole

ctypedef struct nx_places:
    int count                   # over PLACES: there are more than are remembered
    nx_place at[PLACES]

ctypedef struct nx_canvas:
    uint64_t kept               # serial of the template whose text stands here, whole but for its holes' values; 0: none
    const nx_template* template # of the request under way
    int64_t price               # what `values` say
    int64_t quantity
    int64_t timestamp_ms
    nx_values values
    uint32_t inner[8]           # the hash up to the last block of what is signed
    const uint8_t* last         # that block, padded; NULL: nothing is signed apart from the request
    char* signature             # its place in the text
    uint64_t blocks             # of the tail
    int size                    # bytes of the text
    nx_places text_places
    nx_places tail_places
    char tail[SIGNED_CAPACITY]  # what is signed, from the template's midstate on, padded
    char text[REQUEST_CAPACITY]

cdef enum:
    CANVASES = 64               # of an order entry

# The one of CANVASES that is this template's; NULL has one too.
cdef nx_canvas* canvas_of(nx_canvas* canvases, const nx_template* template) noexcept nogil
# 0 or a nx_fill_status. ahead: of this request's client id, or NULL.
cdef int canvas_begin(const nx_template* template, const nx_order_request* request, const nx_ahead* ahead,
                      nx_canvas* canvas) noexcept nogil
# The text's length.
cdef int canvas_end(nx_canvas* canvas) noexcept nogil
# Whether there is something to prepare for this kind of request: it is signed, and its first block ends with the id.
cdef bint canvas_has_head(const nx_template* template) noexcept nogil
# client_id: OWN_ID_LENGTH bytes, the one that order `number` will have. Of a template with a head.
cdef void canvas_ahead(const nx_template* template, const char* client_id, uint64_t number, nx_ahead* ahead) noexcept nogil
