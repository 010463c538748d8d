"""Client frames against a decoder written from RFC 6455 alone, and against picows' own."""

import asyncio
import base64

import picows
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.gateway.frame import frame, masks

SIZES = [0, 1, 7, 8, 9, 125, 126, 127, 440, 65535, 65536, 70001]


def decode(data: bytes):
    """(fin, opcode, masked, mask, payload, rest) of the first frame; RFC 6455, section 5.2."""
    first, second = data[0], data[1]
    size, at = second & 0x7F, 2
    if size == 126:
        size, at = int.from_bytes(data[2:4], "big"), 4
        assert size >= 126, "the shortest form of the length must be used"
    elif size == 127:
        size, at = int.from_bytes(data[2:10], "big"), 10
        assert size >= 65536, "the shortest form of the length must be used"
    mask = data[at : at + 4]
    body = data[at + 4 : at + 4 + size]
    payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(body))
    return first >> 7, first & 0x7F, second >> 7, mask, payload, data[at + 4 + size :]


@pytest.mark.parametrize("size", SIZES)
def test_length_forms(size):
    payload = bytes(i % 251 for i in range(size))
    sent = frame(payload, 0x11223344)
    assert decode(sent) == (1, 1, 1, (0x11223344).to_bytes(4, "little"), payload, b"")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=700), st.integers(1, 2**32 - 1))
def test_any_payload_comes_back(payload, mask):
    assert decode(frame(payload, mask))[4:] == (payload, b"")


@pytest.mark.parametrize("size", SIZES)
def test_the_body_is_what_the_mask_makes_of_it(size):
    payload = bytes(size)
    mask = b"\x01\x02\x03\x04"
    sent = frame(payload, int.from_bytes(mask, "little"))
    assert sent[len(sent) - size :] == (mask * (size // 4 + 1))[:size]


def test_masks_differ_and_are_never_zero():
    drawn = masks(10_000)
    assert 0 not in drawn
    assert len(set(drawn)) > 9_990
    assert masks(10) != masks(10), "each connection has a seed of its own"
    assert masks(10, seed=5) == masks(10, seed=5)


def test_every_bit_of_the_masks_moves():
    drawn = masks(10_000, seed=12345)
    for bit in range(32):
        ones = sum(mask >> bit & 1 for mask in drawn)
        assert 4_700 < ones < 5_300, bit


class Collector(picows.WSListener):
    """Server side: keeps what picows' own parser makes of our frames."""

    def __init__(self, expected, received, done):
        self.expected, self.received, self.done = expected, received, done

    def on_ws_frame(self, transport, received_frame):
        self.received.append((received_frame.msg_type, bool(received_frame.fin), received_frame.get_payload_as_bytes()))
        if len(self.received) == self.expected and not self.done.done():
            self.done.set_result(None)

    def on_ws_disconnected(self, transport):
        if not self.done.done():
            self.done.set_exception(ConnectionError("picows closed the connection"))


async def through_picows(payloads):
    received, done = [], asyncio.get_running_loop().create_future()
    server = await picows.ws_create_server(lambda _: Collector(len(payloads), received, done), "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        key = base64.b64encode(bytes(16)).decode()
        upgrade = f"Host: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
        writer.write(f"GET / HTTP/1.1\r\n{upgrade}\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        for payload, mask in zip(payloads, masks(len(payloads)), strict=True):
            writer.write(frame(payload, mask))
        await done
        writer.close()
    finally:
        server.close()
    return received


def test_picows_reads_our_frames():
    payloads = [bytes(33 + i % 90 for i in range(size)) for size in SIZES]
    received = asyncio.run(asyncio.wait_for(through_picows(payloads), 20))
    assert received == [(picows.WSMsgType.TEXT, True, payload) for payload in payloads]
