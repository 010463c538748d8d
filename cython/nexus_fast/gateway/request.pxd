"""What a request is made of, for those who build its templates and those who fill them."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef extern from *:
    """
    #ifndef NEXUS_FAST_TEMPLATE_H
    #define NEXUS_FAST_TEMPLATE_H
    typedef struct nx_template nx_template;         /* its fields: fields.pxd */
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
    REQUEST_CAPACITY = 1024     # of the longest text, with what may be overwritten behind it

cdef enum nx_fill_status:
    NX_FILL_BAD_CLIENT_ID = -2  # no client id, or one of over id_limit bytes
    NX_FILL_BAD_NUMBER = -3     # a price or quantity that the request needs is not positive or has over 18 digits
    NX_FILL_BAD_TIME = -4       # timestamp_ms has not 13 digits
    NX_FILL_NO_TEMPLATE = -5    # the template is NULL: the venue has no such request

cdef enum:
    OWN_ID_LENGTH = 17          # of the client ids that the engine makes (order/table.pxd)
    MOST_ID_LENGTH = 36
    SIGNED_CAPACITY = 1024
