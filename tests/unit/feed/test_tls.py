"""A kept connection over TLS whose peer changes its keys in the middle of the stream: no frame is lost, in either direction.

The peer is `openssl s_server`: what it reads from its standard input it sends, and a line `K` is a KeyUpdate that asks for ours.
Its session tickets come behind the handshake, before the first frame.
"""

import asyncio
import base64
import fcntl
import hashlib
import os
import re
import shutil
import ssl
import struct
import termios

import pytest
import uvloop
from patience import WAIT_SECONDS
from proxy import self_signed

from nexus_fast.engine.poller import Poller
from nexus_fast.engine.waiter import Waiter, what_is_lacking
from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.connection import WebSocketConnection
from nexus_fast.gateway.channel import Channel

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command, which can change keys")
ROUNDS = 6


class Peer:
    """`said`: everything that it has written to its standard output, with what it has received."""

    async def start(self, certificate):
        self.said = b""
        command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_3", "-cert", certificate, "-key",
                   certificate.with_suffix(".key")]
        reading, self.input = os.pipe()
        self.process = await asyncio.create_subprocess_exec(*command, stdin=reading, stdout=asyncio.subprocess.PIPE,
                                                            stderr=asyncio.subprocess.STDOUT)
        os.close(reading)
        self.port = int((await self.hears(rb"ACCEPT 127\.0\.0\.1:(\d+)"))[1])

    async def hears(self, pattern):
        while not (found := re.search(pattern, self.said)):
            data = await self.process.stdout.read(65536)
            assert data, self.said.decode(errors="replace")
            self.said += data
        return found

    async def send(self, data):
        """By itself: two writes that it reads as one would be no command."""
        os.write(self.input, data)
        while struct.unpack("i", fcntl.ioctl(self.input, termios.FIONREAD, bytes(4)))[0]:
            await asyncio.sleep(0.001)

    async def upgrade(self):
        key = (await self.hears(rb"Sec-WebSocket-Key: *(\S+)\r\n(?:.+\r\n)*\r\n"))[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        await self.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")

    async def changes(self):
        """How often it has changed keys; it writes them down when it ends."""
        await self.send(b"Q\n")
        return (self.said + await self.process.stdout.read()).count(b"SSL_do_handshake -> 1")

    async def end(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        os.close(self.input)


def poller_of(loop, mode):
    if mode == "busy":
        return Poller(loop)
    if mode == "block" and not what_is_lacking():
        return Poller(loop, waiter=Waiter(loop, 50), spins=False)
    return None                          # the selector


@pytest.mark.scenario(70)
@pytest.mark.parametrize("mode", ["selector", "block", "busy"])
def test_keys_that_change_in_the_middle_of_the_stream(tmp_path, mode):
    """Between frames and inside of one; orders leave under the new keys, also when the channel took the line for plain."""
    _, certificate = self_signed(tmp_path)

    async def play():
        peer, heard, up = Peer(), [], asyncio.Event()
        await peer.start(certificate)

        async def url():
            return f"wss://127.0.0.1:{peer.port}/ws"

        loop = asyncio.get_running_loop()
        poller = poller_of(loop, mode)
        kept = WebSocketConnection("test", url, CommandFeed(heard.append, None), poller, urgent=False, on_up=lambda c: up.set(),
                                   on_down=lambda: None, ssl_context=ssl.create_default_context(cafile=certificate))
        if poller is not None:
            poller.start()
        kept.start()
        try:
            await peer.upgrade()
            await up.wait()
            channel = Channel(framed=False)
            channel.attach(kept.transport.underlying_transport, True)
            for number in range(ROUNDS):
                payload = b'{"number":%d}' % number
                frame = bytes((0x81, len(payload))) + payload
                await peer.send(frame[:5])
                await peer.send(b"K\n")
                await peer.send(frame[5:])
                await peer.send(b"K\n")
                while len(heard) <= number:
                    await asyncio.sleep(0.001)
                channel.send_later(b"order %d " % number * 100, 0, 0)
                await peer.hears(b"(order %d ){100}" % number)
            assert [bytes(payload) for payload in heard] == [b'{"number":%d}' % number for number in range(ROUNDS)]
            assert kept.connects == 1 and await peer.changes() == 2 * ROUNDS
        finally:
            await kept.stop()
            if poller is not None:
                poller.stop()
            await peer.end()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(play(), WAIT_SECONDS))
