"""From an order to the text of its request: literal pieces with holes, and a signature over what is written.

    TemplateSet            all requests of one symbol on one account by one entry, built by a venue module when it is cold
      .place(…)  ──▶ nx_template* ──▶ a canvas (canvas.pxd), which is filled
      .cancel()
      .modify(side)

A TemplateSet owns its templates: keep it alive as long as a pointer from it is in use. They never change once built.

The client id goes into the text as it is. The engine's own ids are letters and digits; one that a user gave must have
passed `client_id_valid` before it comes here.
"""

from libc.stdint cimport uint8_t

from nexus_fast.gateway.request cimport nx_template

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
