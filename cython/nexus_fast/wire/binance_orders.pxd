"""The two private messages that come with every order and say nothing that needs Python: the plain yes to order.place, and the
NEW event of an order that the engine knows is accepted. Everything else is left to the general decoder.

Read is only the exact form in which the venue writes them; a message of any other form is not recognised, never misread.
"""

from libc.stdint cimport uint32_t

ctypedef struct nx_order_message:
    const char* client_id           # into the message: what the answer says of the order, not what it was asked for
    uint32_t client_id_length
    const char* venue_id            # digits, into the message; of an answer only
    uint32_t venue_id_length

# 1: {"id":"<client id>","status":200,"result":{…"orderId":N…}} with the same client id inside, of an order that is new; 0: something
# else.
cdef int parse_accepted(const char* data, Py_ssize_t size, nx_order_message* out) noexcept nogil
# 1: {…"orderId":N…,"clientOrderId":"…"…} of an order that is new, what a REST connection answers with 200; 0: something else.
cdef int parse_accepted_body(const char* data, Py_ssize_t size, nx_order_message* out) noexcept nogil
# 1: an executionReport or ORDER_TRADE_UPDATE with "x":"NEW","X":"NEW"; 0: something else.
cdef int parse_new(const char* data, Py_ssize_t size, nx_order_message* out) noexcept nogil
