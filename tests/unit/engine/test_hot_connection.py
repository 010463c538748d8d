"""The poller's own read of a plain socket: what comes arrives, and what is no data ends the connection as the transport would."""

import asyncio
import errno
import socket
import struct

import aiofastnet
import pytest
import uvloop
from patience import WAIT_SECONDS

from nexus_fast.engine.hot_connection import HotConnection
from nexus_fast.engine.poller import Poller
from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.frames import FrameReader


class Lost(asyncio.Protocol):
    """What the frame reader tells of the connection's end."""

    def __init__(self):
        self.error = asyncio.get_running_loop().create_future()

    def connection_lost(self, error):
        self.error.set_result(error)


class Bench:
    """A poller over real connections; what has come stands in `received`."""

    def __init__(self):
        self.loop, self.received, self.told = asyncio.get_running_loop(), [], []
        self.poller = Poller(self.loop, 50)
        self.loop.set_exception_handler(lambda loop, context: self.told.append(context))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.poller.start()

    async def connect(self, urgent=True, on_message=None, on_error=None):
        """(transport, the peer's socket, the future of its end)"""
        lost = Lost()
        handler = CommandFeed(on_message or self.received.append, on_error or (lambda payload, error: self.told.append(error)))
        transport, _ = await aiofastnet.create_connection(
            self.loop, lambda: FrameReader(None, handler, lost), *self.listener.getsockname())
        peer, _ = self.listener.accept()
        connection = HotConnection(self.loop, transport, handler, urgent)
        assert connection.plain is transport                    # or all of this would be the transport's own reading
        self.poller.add(connection)
        return transport, peer, lost.error

    async def until(self, wanted):
        async with asyncio.timeout(WAIT_SECONDS):
            while not wanted():
                await asyncio.sleep(0.001)


def on_a_bench(scene):
    async def run():
        bench = Bench()
        try:
            await scene(bench)
        finally:
            bench.poller.stop()
            bench.listener.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def frame(text: bytes) -> bytes:
    return bytes([0x81, len(text)]) + text


@pytest.mark.parametrize("urgent", [True, False])
def test_what_comes_is_read_whole_and_in_order(urgent):
    async def scene(bench):
        _, peer, _ = await bench.connect(urgent)
        wanted = [b"number %d" % i for i in range(30_000)]      # more than the reader's buffer holds
        sending = bench.loop.run_in_executor(None, peer.sendall, b"".join(map(frame, wanted)))
        await bench.until(lambda: len(bench.received) == len(wanted))
        await sending
        assert bench.received == wanted and not bench.told
        peer.close()

    on_a_bench(scene)


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_each_of_few_and_of_many_is_read(count):
    """Beyond two the kernel is asked which can be read."""
    async def scene(bench):
        peers = [(await bench.connect(urgent))[1] for urgent in (True, False) for _ in range(count)]
        for i, peer in enumerate(peers):
            peer.sendall(frame(b"%d" % i))
        await bench.until(lambda: len(bench.received) == len(peers))
        assert sorted(map(int, bench.received)) == list(range(len(peers)))
        for peer in peers:
            peer.close()

    on_a_bench(scene)


def test_the_end_of_the_stream_ends_the_connection():
    async def scene(bench):
        transport, peer, lost = await bench.connect()
        peer.sendall(frame(b"last"))
        peer.close()
        assert await asyncio.wait_for(lost, WAIT_SECONDS) is None
        assert bench.received == [b"last"] and transport.is_closing()

    on_a_bench(scene)


def test_a_reset_ends_the_connection_with_its_error():
    async def scene(bench):
        transport, peer, lost = await bench.connect()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        error = await asyncio.wait_for(lost, WAIT_SECONDS)
        assert isinstance(error, ConnectionResetError) and error.errno == errno.ECONNRESET
        assert transport.is_closing()

    on_a_bench(scene)


def test_a_paused_transport_is_left_alone_until_it_goes_on():
    async def scene(bench):
        transport, peer, _ = await bench.connect()
        transport.pause_reading()
        peer.sendall(frame(b"later"))
        await asyncio.sleep(0.05)
        assert not bench.received
        transport.resume_reading()
        await bench.until(lambda: bench.received == [b"later"])
        peer.close()

    on_a_bench(scene)


def test_after_an_abort_nothing_is_delivered():
    async def scene(bench):
        transport, peer, lost = await bench.connect()
        transport.abort()
        peer.sendall(frame(b"too late"))
        await asyncio.wait_for(lost, WAIT_SECONDS)
        assert not bench.received
        peer.close()

    on_a_bench(scene)


def test_a_protocol_that_raises_loses_its_connection_alone():
    """FrameReader itself never does: this one's handler reports an error that cannot be reported."""
    async def scene(bench):
        def fail(payload):
            raise ValueError(payload)

        def fail_too(payload, error):
            raise LookupError("nobody to tell")

        _, peer, lost = await bench.connect(on_message=fail, on_error=fail_too)
        _, other, _ = await bench.connect()
        peer.sendall(frame(b"first"))
        assert isinstance(await asyncio.wait_for(lost, WAIT_SECONDS), LookupError)
        assert bench.told and isinstance(bench.told[0]["exception"], LookupError)
        other.sendall(frame(b"second"))
        await bench.until(lambda: bench.received == [b"second"])
        peer.close()
        other.close()

    on_a_bench(scene)
