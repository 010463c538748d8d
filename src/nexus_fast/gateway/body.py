"""The body of a REST answer, unpacked while it comes in and never larger than a limit."""

import zlib
from typing import Any

from nexus_fast.error import UnusableAnswer

# The largest answers are lists of instruments, some 20 MB.
LONGEST_BODY = 64 * 1024 * 1024
GZIP = 16 + zlib.MAX_WBITS


async def read_body(answer: Any, what: str) -> bytes:
    """Of an aiohttp answer whose session leaves bodies packed. Raises UnusableAnswer, which names `what`, for a body of more
    than LONGEST_BODY bytes, for one that cannot be unpacked, and for one that ends in its middle."""
    packing = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("gzip", "x-gzip", "identity", ""):
        raise UnusableAnswer(f"{what}: the answer is packed in a way that was not asked for: {packing[:40]!r}")
    unpacker = zlib.decompressobj(GZIP) if packing.endswith("gzip") else None
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk if unpacker is None else _unpack(unpacker, chunk, what, LONGEST_BODY + 1 - len(body))
        if len(body) > LONGEST_BODY:
            raise UnusableAnswer(f"{what}: the answer is larger than {LONGEST_BODY} bytes")
    if unpacker is not None and body and not unpacker.eof:
        raise UnusableAnswer(f"{what}: the answer ends in its middle")
    return bytes(body)


def _unpack(unpacker: Any, chunk: bytes, what: str, room: int) -> bytes:
    """What does not fit into `room` stays in the unpacker: the caller sees that the limit is passed."""
    try:
        return unpacker.decompress(chunk, room)
    except zlib.error as error:
        raise UnusableAnswer(f"{what}: the answer cannot be unpacked: {error}") from None
