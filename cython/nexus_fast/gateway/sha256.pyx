"""SHA-256 and HMAC over precomputed states; see sha256.pxd for the three steps and sha256.h for the arithmetic."""

from libc.string cimport memcpy, memset

cdef extern from "nexus_fast/gateway/sha256.h" nogil:
    ctypedef void (*nx_sha256_fn)(uint32_t* state, const uint8_t* data, size_t blocks) noexcept nogil

    ctypedef void (*nx_hmac_fn)(const uint32_t* inner, const uint32_t* outer, const uint8_t* tail, size_t blocks,
                                uint8_t* digest) noexcept nogil

    const uint32_t nx_sha256_start[8]
    void nx_sha256_portable(uint32_t* state, const uint8_t* data, size_t blocks) noexcept
    void nx_sha256_native(uint32_t* state, const uint8_t* data, size_t blocks) noexcept
    void nx_hmac_portable(const uint32_t* inner, const uint32_t* outer, const uint8_t* tail, size_t blocks,
                          uint8_t* digest) noexcept
    void nx_hmac_native(const uint32_t* inner, const uint32_t* outer, const uint8_t* tail, size_t blocks,
                        uint8_t* digest) noexcept
    int nx_sha256_has_native() noexcept
    const char* nx_sha256_native_name() noexcept
    size_t nx_sha256_pad(uint8_t* tail, size_t size, uint64_t total) noexcept
    void nx_sha256_bytes(const uint32_t* state, uint8_t* out) noexcept
    void nx_hex32(const uint8_t* digest, char* out) noexcept

cdef nx_sha256_fn compress = nx_sha256_portable
cdef nx_hmac_fn finish = nx_hmac_portable


cdef void hmac_key(nx_hmac* hmac, const uint8_t* key, size_t size) noexcept nogil:
    """RFC 2104: the states after (key ^ 0x36…) and (key ^ 0x5c…). A key of over 64 bytes is hashed first."""
    cdef uint8_t block[64]
    cdef size_t i
    memset(block, 0, 64)
    if size > 64:
        write_digest(key, size, block)
    else:
        memcpy(block, key, size)
    memcpy(hmac.inner, nx_sha256_start, 32)
    memcpy(hmac.outer, nx_sha256_start, 32)
    for i in range(64):
        block[i] ^= 0x36
    compress(hmac.inner, block, 1)
    for i in range(64):
        block[i] ^= 0x36 ^ 0x5c
    compress(hmac.outer, block, 1)
    memset(block, 0, 64)
    hmac.absorbed = 64


cdef void hmac_absorb(nx_hmac* hmac, const uint8_t* head, size_t blocks) noexcept nogil:
    compress(hmac.inner, head, blocks)
    hmac.absorbed += blocks * 64


cdef void hmac_finish(const nx_hmac* hmac, uint8_t* tail, size_t size, char* hexadecimal) noexcept nogil:
    """Signature of (absorbed head + tail) as 64 hex digits, no terminator. Pads the tail in place, see HMAC_ROOM."""
    hmac_close(hmac.inner, hmac.outer, tail, hmac_pad(tail, size, hmac.absorbed), hexadecimal)


cdef size_t hmac_pad(uint8_t* tail, size_t size, uint64_t absorbed) noexcept nogil:
    """Pads what is left of the message behind `absorbed` bytes; the number of its blocks."""
    return nx_sha256_pad(tail, size, absorbed + size)


cdef void hmac_blocks(uint32_t* inner, const uint8_t* data, size_t blocks) noexcept nogil:
    compress(inner, data, blocks)


cdef void hmac_close(const uint32_t* inner, const uint32_t* outer, const uint8_t* data, size_t blocks,
                     char* hexadecimal) noexcept nogil:
    """The last blocks, padded, and the outer hash; 64 hex digits, no byte more."""
    cdef uint8_t digest[32]
    finish(inner, outer, data, blocks, digest)
    nx_hex32(digest, hexadecimal)


cdef void write_digest(const uint8_t* data, size_t size, uint8_t* out) noexcept nogil:
    cdef uint32_t state[8]
    cdef uint8_t tail[64 + HMAC_ROOM]
    cdef size_t whole = size / 64
    memcpy(state, nx_sha256_start, 32)
    compress(state, data, whole)
    memcpy(tail, data + whole * 64, size - whole * 64)
    compress(state, tail, nx_sha256_pad(tail, size - whole * 64, size))
    nx_sha256_bytes(state, out)


def sha256(data: bytes) -> bytes:
    """The 32-byte digest of data."""
    cdef uint8_t out[32]
    write_digest(data, len(data), out)
    return out[:32]


def hmac_hex(key: bytes, data: bytes, head: int = 0) -> str:
    """HMAC-SHA256 as 64 hex digits, the whole blocks among the first `head` bytes absorbed beforehand."""
    cdef nx_hmac hmac
    cdef char text[64]
    cdef size_t blocks = min(max(head, 0), len(data)) // 64
    cdef const uint8_t* start = data
    hmac_key(&hmac, key, len(key))
    hmac_absorb(&hmac, start, blocks)
    scratch = bytearray(data[blocks * 64:]) + bytes(HMAC_ROOM)
    cdef unsigned char[::1] view = scratch
    hmac_finish(&hmac, &view[0], len(data) - blocks * 64, text)
    return text[:64].decode("ascii")


def implementations() -> list:
    """What this CPU can run, best first: "sha-ni" or "armv8", then "portable"."""
    native = [nx_sha256_native_name().decode("ascii")] if nx_sha256_has_native() else []
    return native + ["portable"]


def use_implementation(name: str) -> None:
    """Chooses the compression for the whole process; for tests and measurements, the best is chosen at import."""
    global compress, finish
    if name not in implementations():
        raise ValueError(f"SHA-256 implementation {name!r} does not run here; one of {implementations()}")
    compress = nx_sha256_portable if name == "portable" else nx_sha256_native
    finish = nx_hmac_portable if name == "portable" else nx_hmac_native


use_implementation(implementations()[0])
