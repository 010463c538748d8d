"""HMAC-SHA256 with everything that is known beforehand already hashed.

    key ──▶ hmac_key ──▶ hmac_absorb(constant head, whole blocks) ──▶ hmac_finish(new bytes) ──▶ 64 hex digits
            once a key    once a template                              once an order

A nx_hmac is plain data: copy it to branch off after a head. hmac_finish changes nothing in it.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

ctypedef struct nx_hmac:
    uint32_t inner[8]           # state after the key's inner block and the absorbed head
    uint32_t outer[8]           # state after the key's outer block
    uint64_t absorbed           # bytes behind `inner`, the key's block among them: a multiple of 64

cdef enum:
    HMAC_ROOM = 72              # bytes behind the message that hmac_finish overwrites with padding

cdef void hmac_key(nx_hmac* hmac, const uint8_t* key, size_t size) noexcept nogil
cdef void hmac_absorb(nx_hmac* hmac, const uint8_t* head, size_t blocks) noexcept nogil
# The same in steps, so that other work can be done while the blocks before the last are hashed.
cdef size_t hmac_pad(uint8_t* tail, size_t size, uint64_t absorbed) noexcept nogil                 # -> blocks
cdef void hmac_blocks(uint32_t* inner, const uint8_t* data, size_t blocks) noexcept nogil
cdef void hmac_close(const uint32_t* inner, const uint32_t* outer, const uint8_t* data, size_t blocks,
                     char* hexadecimal) noexcept nogil
cdef void hmac_finish(const nx_hmac* hmac, uint8_t* tail, size_t size, char* hexadecimal) noexcept nogil
