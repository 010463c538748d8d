"""WebSocket frames from bytes to messages, against an encoder written from RFC 6455 (scenarios 24 to 28)."""

import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picows.picows import WSTransport

from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.frames import FrameReader

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(payload=b"", opcode=TEXT, final=True, reserved=0, masked=False, size=None, form=None):
    """One frame. size: a length that lies; form: 7, 16 or 64 bits of length, the shortest if left out."""
    length = len(payload) if size is None else size
    first = (0x80 if final else 0) | reserved << 4 | opcode
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    mask_bit = 0x80 if masked else 0
    if form == 7:
        head = bytes([first, mask_bit | length])
    elif form == 16:
        head = bytes([first, mask_bit | 126]) + struct.pack(">H", length)
    else:
        head = bytes([first, mask_bit | 127]) + struct.pack(">Q", length)
    if masked:
        key = os.urandom(4)
        return head + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))
    return head + payload


class Socket(WSTransport):
    """Writes down what the reader sends."""

    def __init__(self):
        self.calls = []

    def send_pong(self, message=None):
        self.calls.append(("pong", bytes(message or b"")))

    def send_close(self, close_code=None, close_message=None):
        self.calls.append(("close", int(close_code)))

    def disconnect(self, graceful=True):
        self.calls.append(("disconnect",))


class Bench:
    def __init__(self, **options):
        self.messages = []
        self.handler = CommandFeed(self.messages.append, lambda payload, error: self.errors.append((payload, error)))
        self.errors = []
        self.socket = Socket.__new__(Socket)
        Socket.__init__(self.socket)
        self.reader = FrameReader(self.socket, self.handler, None, **options)

    def feed(self, data):
        self.reader.feed(data)
        return self

    def closed_with(self):
        return [call[1] for call in self.socket.calls if call[0] == "close"]


PAYLOADS = [b"", b"a", b"x" * 125, b"y" * 126, b"z" * 127, b"m" * 65535, b"n" * 65536, b"o" * 200_000]


def test_every_length_in_every_form():
    for payload in PAYLOADS:
        for form in (7, 16, 64):
            if form == 7 and len(payload) > 125 or form == 16 and len(payload) > 65535:
                continue
            assert Bench().feed(frame(payload, form=form)).messages == [payload]


@pytest.mark.scenario(26)
def test_many_frames_in_one_read():
    assert Bench().feed(b"".join(map(frame, PAYLOADS))).messages == PAYLOADS


@pytest.mark.scenario(26)
def test_one_byte_a_read():
    bench = Bench()
    payloads = PAYLOADS[:5]
    for byte in b"".join(map(frame, payloads)):
        bench.feed(bytes([byte]))
    assert bench.messages == payloads
    assert bench.handler.bytes_received == sum(map(len, map(frame, payloads)))


@pytest.mark.scenario(26)
@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=6), st.lists(st.integers(1, 90_000), max_size=12))
def test_any_cuts_give_the_same_messages(sizes, cuts):
    payloads = [bytes([i % 251]) * size for i, size in enumerate(sizes)]
    stream = b"".join(map(frame, payloads))
    bench, at = Bench(), 0
    for cut in cuts:
        bench.feed(stream[at : at + cut])
        at += cut
    bench.feed(stream[at:])
    assert bench.messages == payloads
    assert bench.handler.messages == len(payloads)


def test_binary_frames_are_messages_too():
    assert Bench().feed(frame(b"\x00\xff", BINARY)).messages == [b"\x00\xff"]


@pytest.mark.scenario(25)
def test_fragments_with_a_ping_between():
    """Scenario 25: put together again; the pong goes out at once, with the ping's bytes."""
    bench = Bench()
    bench.feed(frame(b"one ", TEXT, final=False))
    bench.feed(frame(b"two ", CONTINUATION, final=False))
    bench.feed(frame(b"beat", PING))
    assert bench.messages == [] and bench.socket.calls == [("pong", b"beat")]
    bench.feed(frame(b"", CONTINUATION, final=False) + frame(b"three", CONTINUATION))
    assert bench.messages == [b"one two three"]
    assert bench.feed(frame(b"next")).messages[-1] == b"next"
    assert bench.closed_with() == []


def test_pings_and_pongs_are_no_data():
    bench = Bench().feed(frame(b"", PING) + frame(b"x" * 125, PING) + frame(b"late", PONG))
    assert bench.messages == [] and bench.handler.messages == 0
    assert bench.socket.calls == [("pong", b""), ("pong", b"x" * 125)]
    assert bench.handler.last_control_ns > 0 and bench.handler.last_message_ns == 0


def test_a_close_is_answered_and_ends_it():
    bench = Bench().feed(frame(b"last") + frame(struct.pack(">H", 1001) + b"bye", CLOSE) + frame(b"never"))
    assert bench.messages == [b"last"]
    assert bench.socket.calls == [("close", 1000), ("disconnect",)]
    assert bench.feed(frame(b"nor this")).messages == [b"last"]


@pytest.mark.parametrize("content", [b"", b"\x03"])
def test_a_close_without_a_code(content):
    assert Bench().feed(frame(content, CLOSE)).closed_with() == [1000]


HOSTILE = {
    "masked": (frame(b"payload", masked=True), 1002),
    "first reserved bit (compressed)": (frame(b"payload", reserved=4), 1002),
    "second reserved bit": (frame(b"payload", reserved=2), 1002),
    "third reserved bit": (frame(b"payload", reserved=1), 1002),
    "reserved bit in a ping": (frame(b"", PING, reserved=4), 1002),
    "opcode 3": (frame(b"payload", 3), 1002),
    "opcode 7": (frame(b"payload", 7), 1002),
    "opcode 11": (frame(b"payload", 11), 1002),
    "opcode 15": (frame(b"payload", 15), 1002),
    "fragmented ping": (frame(b"", PING, final=False), 1002),
    "long ping": (frame(b"x" * 126, PING), 1002),
    "continuation of nothing": (frame(b"x", CONTINUATION), 1002),
    "text inside a fragmented message": (frame(b"x", TEXT, final=False) + frame(b"y", TEXT), 1002),
    "more than 4 GiB": (frame(size=2**40, form=64), 1009),
    "the largest there is": (frame(size=2**64 - 1, form=64), 1009),
    "more than is allowed": (frame(size=17 * 1024 * 1024, form=64), 1009),
    "just below 4 GiB": (frame(size=2**32 - 1, form=64), 1009),
}


@pytest.mark.scenario(27, 28, 29)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_peer_that_breaks_the_protocol_is_closed(name):
    """Scenarios 27 and 28: what came before is delivered, the frame is not, nothing after it is, and nothing large is
    allocated."""
    data, code = HOSTILE[name]
    bench = Bench().feed(frame(b"before") + data + frame(b"after"))
    assert bench.messages == [b"before"]
    assert bench.closed_with() == [code]
    assert bench.socket.calls[-1] == ("disconnect",)
    assert bench.feed(frame(b"later")).messages == [b"before"]


@pytest.mark.scenario(27)
def test_fragments_that_are_too_much_together():
    bench = Bench(maximum_frame=1000)
    bench.feed(frame(b"x" * 900, TEXT, final=False) + frame(b"y" * 101, CONTINUATION))
    assert bench.messages == [] and bench.closed_with() == [1009]


@pytest.mark.scenario(24)
def test_half_a_frame_is_no_message():
    """Scenario 24: cut in the middle, nothing is delivered."""
    bench = Bench().feed(frame(b"whole") + frame(b"x" * 500)[:300])
    assert bench.messages == [b"whole"] and bench.socket.calls == []


def test_a_handler_that_fails_gets_the_next_message():
    bench = Bench()
    def fail(payload):
        bench.messages.append(payload)
        raise ValueError("in the handler")

    handler = CommandFeed(fail, lambda payload, error: bench.errors.append(str(error)))
    reader = FrameReader(bench.socket, handler, None)
    reader.feed(frame(b"one") + frame(b"two"))
    assert bench.messages == [b"one", b"two"] and bench.errors == ["in the handler"] * 2
