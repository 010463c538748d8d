"""Python face of the frame writer, and the seed of its masks."""

import os


cdef uint64_t mask_seed() except 0:     # seam
    return int.from_bytes(os.urandom(8), "little") or 1


def frame(payload: bytes, mask: int) -> bytes:
    """The masked text frame of payload. mask: 32 bits, first key byte lowest on a little-endian machine."""
    cdef char* start = NULL
    cdef Py_ssize_t size = len(payload)
    buffer = bytearray(FRAME_ROOM) + payload + bytearray(FRAME_SLACK)
    cdef char[::1] view = buffer
    cdef char* base = &view[0]
    cdef int total = ws_frame(base + FRAME_ROOM, size, mask, base + FRAME_ROOM, &start)
    return bytes(buffer[start - base:start - base + total])


def masks(count: int, seed: int = 0) -> list:
    """The next `count` masks after seed; seed 0 takes a fresh one from the system."""
    cdef uint64_t state = seed if seed else mask_seed()
    return [next_mask(&state) for _ in range(count)]
