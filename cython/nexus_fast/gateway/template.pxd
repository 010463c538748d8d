"""From an order to the text of its request: literal pieces with holes, and a signature over what is written.

    TemplateSet            all requests of one symbol on one account by one entry, built by a venue module when it is cold
      .place(…)  ──▶ nx_template* ──▶ template_fill(template, request, out, capacity) ──▶ length of the text, or a status
      .cancel()
      .modify(side)

A TemplateSet owns its templates: keep it alive as long as a pointer from it is in use. They never change once built.

The client id goes into the text as it is. The engine's own ids are letters and digits; one that a user gave must have
passed `client_id_valid` before it comes here.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef extern from *:
    """
    #ifndef NEXUS_FAST_TEMPLATE_H
    #define NEXUS_FAST_TEMPLATE_H
    typedef struct nx_template nx_template;         /* the fields are the affair of template.pyx */
    #endif
    """
    ctypedef struct nx_template:
        pass

ctypedef struct nx_order_request:
    int64_t price               # mantissa, scale of the set; ignored for market orders
    int64_t quantity            # mantissa, scale of the set; ignored for cancels
    int64_t timestamp_ms        # the venue's clock as we estimate it, 13 digits
    uint64_t request_number     # the request id of a cancel whose "c" + client id would be too long becomes "#c" + this
    const char* client_id       # not zero-terminated
    uint8_t client_id_length    # 1..36
    uint8_t side                # nx_side; side, type and time_in_force chose the template and are not read again
    uint8_t type
    uint8_t time_in_force
    uint8_t flags

cdef enum:
    REQUEST_CAPACITY = 1024     # `capacity` that is enough for every template; `out` has as many bytes

cdef enum nx_fill_status:
    NX_FILL_NO_ROOM = -1        # capacity is below template_bound()
    NX_FILL_BAD_CLIENT_ID = -2  # no client id, or one of over id_limit bytes
    NX_FILL_BAD_NUMBER = -3     # a price or quantity that the request needs is not positive or has over 18 digits
    NX_FILL_BAD_TIME = -4       # timestamp_ms has not 13 digits
    NX_FILL_NO_TEMPLATE = -5    # the template is NULL: the venue has no such request

# The block of a signature that depends on the order's id alone, hashed after the order before: prepare it with template_ahead.
ctypedef struct nx_ahead:
    uint64_t key                # head_key of the template that it was made for; 0: nothing is prepared
    uint64_t number             # of the order whose id is in it
    uint32_t inner[8]

cdef enum:      # the members of Hole, for C
    HOLES = 8
    OWN_ID_LENGTH = 17          # of the client ids that the engine makes (order/table.pxd)
    SIGNED_CAPACITY = 1024

ctypedef struct nx_values:
    const char* at[8]
    unsigned length[8]
    char price[48]              # each with the room that the writers of core/fixed ask for
    char quantity[48]
    char timestamp[48]
    char request_id[64]
    char signature[80]

# A request between template_begin and template_end.
ctypedef struct nx_filling:
    const nx_template* template
    uint32_t inner[8]           # the hash up to the last block
    const uint8_t* last         # that block, padded; NULL: nothing is signed apart from the request
    char* signature             # its place in the request
    nx_values values
    char tail[1024]

# template_fill in two steps. The first hashes all but the last block of what is signed: what is done between them costs next
# to nothing on a processor that waits for the hash. ahead: of this request's client id, or NULL. 0 or a nx_fill_status.
cdef int template_begin(const nx_template* template, const nx_order_request* request, const nx_ahead* ahead,
                        nx_filling* filling, int capacity) noexcept nogil
cdef int template_end(nx_filling* filling, char* out) noexcept nogil
# Whether there is something to prepare for this kind of request: it is signed, and its first block ends with the id.
cdef bint template_has_head(const nx_template* template) noexcept nogil
cdef void template_ahead(const nx_template* template, const char* client_id, uint64_t number, nx_ahead* ahead) noexcept nogil
cdef int template_fill(const nx_template* template, const nx_order_request* request, char* out,
                       int capacity) noexcept nogil
cdef int template_bound(const nx_template* template) noexcept nogil

cdef inline bint client_id_valid(const char* text, int length) noexcept nogil:
    """1 to 36 of [A-Za-z0-9_-]: legal on every venue's entry that takes 36, and the same bytes in JSON and in a URL."""
    cdef int i
    if length < 1 or length > 36:
        return False
    for i in range(length):
        if not (48 <= text[i] <= 57 or 65 <= text[i] <= 90 or 97 <= text[i] <= 122 or text[i] == 45 or text[i] == 95):
            return False
    return True

cdef class TemplateSet:
    cdef nx_template* _place[2][3][3][2]    # side, type, time in force (0 for what is no LIMIT), reduce only
    cdef nx_template* _cancel
    cdef nx_template* _modify[2]            # side
    cdef list _owned                        # frees the templates with the set
    cdef object _secret_state               # the key's two states, or None: requests are not signed
    cdef readonly int price_scale
    cdef readonly int size_scale
    cdef readonly int id_limit              # longest client id and request id, bytes
    cdef readonly int request_id_limit      # longest prefix + client id; less where more stands behind it
    cdef readonly bytes id_overflow         # what stands before request_number when the client id makes it too long

    cdef nx_template* place(self, uint8_t side, uint8_t type, uint8_t time_in_force, bint reduce_only) noexcept nogil
    cdef nx_template* cancel(self) noexcept nogil
    cdef nx_template* modify(self, uint8_t side) noexcept nogil
    cdef nx_template* _build(self, text, payload, prefix) except NULL
