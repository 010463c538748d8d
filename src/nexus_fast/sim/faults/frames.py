"""WebSocket frames as a server must not send them, or need not. RFC 6455."""

import struct
import zlib

from nexus_fast.sim.faults.hostile import SPOILED, spoil

CONTINUATION, TEXT, PING = 0, 1, 9
FINAL, COMPRESSED, RESERVED, MASKED = 0x80, 0x40, 0x20, 0x80
OVERSIZED_BYTES = 1 << 40


def frame(payload: bytes, opcode: int = TEXT, *, final: bool = True, reserved: int = 0, key: bytes = b"",
          length: int | None = None) -> bytes:
    """One frame. key: four bytes that mask it. length: what the head says, when it lies."""
    size = len(payload) if length is None else length
    first = opcode | reserved | (FINAL if final else 0)
    mask = MASKED if key else 0
    if size < 126:
        head = bytes([first, mask | size])
    elif size < 65536:
        head = bytes([first, mask | 126]) + struct.pack(">H", size)
    else:
        head = bytes([first, mask | 127]) + struct.pack(">Q", size)
    if key:
        payload = bytes(byte ^ key[i & 3] for i, byte in enumerate(payload))
    return head + key + payload


def fragments(payload: bytes, parts: int, pings: bool) -> bytes:
    """The same message in several frames, with pings between them when asked for."""
    size = max(1, -(-len(payload) // parts))
    pieces = [payload[at : at + size] for at in range(0, max(1, len(payload)), size)]
    out = bytearray()
    for number, piece in enumerate(pieces):
        if number and pings:
            out += frame(b"between %d" % number, PING)
        out += frame(piece, CONTINUATION if number else TEXT, final=number == len(pieces) - 1)
    return bytes(out)


def wrong(what: str, payload: bytes) -> bytes:
    """A frame that breaks a rule; `what` is a word of the kind "wrong"."""
    if what in SPOILED:
        return frame(spoil(what, payload))
    if what == "malformed":
        return frame(b"{" + payload.replace(b":", b"=", 1) + b"]")
    if what == "truncated":
        return frame(payload[: len(payload) // 2])
    if what == "masked":
        return frame(payload, key=b"\x11\x22\x33\x44")
    if what == "reserved":
        return frame(payload, reserved=RESERVED)
    if what == "opcode":
        return frame(payload, 3)
    if what == "utf8":
        half = len(payload) // 2
        return frame(payload[:half] + b"\xff\xfe\xed\xa0\x80" + payload[half:])
    if what == "oversized":
        return frame(payload, length=OVERSIZED_BYTES)
    if what == "deflate":
        squeezed = zlib.compressobj(wbits=-15)
        body = squeezed.compress(payload) + squeezed.flush(zlib.Z_SYNC_FLUSH)
        return frame(body[:-4], reserved=COMPRESSED)
    raise ValueError(f"no such wrong frame: {what}")
