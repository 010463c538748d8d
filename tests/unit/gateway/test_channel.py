"""An order connection whose kernel buffer is full: what has to wait keeps its place."""

import asyncio
import socket

import aiofastnet
import pytest

from nexus_fast.gateway.channel import Channel

LARGEST = 8192                   # that fits into a channel


class Line:
    """A channel, and the venue's end of its connection. Nothing is written by the loop unless the test awaits."""

    async def open(self):
        ours, self.venue = socket.socketpair()            # has room again as soon as it is read, unlike TCP
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.venue.setblocking(False)
        loop = asyncio.get_running_loop()
        self.transport, _ = await aiofastnet.create_connection(loop, asyncio.Protocol, sock=ours)
        self.channel = Channel(framed=False)
        self.channel.attach(self.transport, True)
        self.expected, self.received = b"", b""
        return self

    def order(self, size=4096):
        """Every part of it says which order it is of."""
        request = b"%8d" % self.channel.sent * (size // 8)
        self.channel.send_later(request, 0, 0)
        self.expected += request

    def ping(self):
        self.transport.write(b"a ping")
        self.expected += b"a ping"

    def fill(self):
        """Orders until the kernel takes no more."""
        while not self.transport.get_write_buffer_size():
            self.order()

    def read(self):
        """What has arrived at the venue, all of it."""
        try:
            while data := self.venue.recv(1 << 20):
                self.received += data
        except BlockingIOError:
            pass

    async def read_all(self):
        while len(self.received) < len(self.expected):
            await asyncio.sleep(0)
            self.read()

    def close(self):
        self.transport.abort()
        self.venue.close()


@pytest.fixture
def played():
    """Runs a coroutine function of a line."""

    def play(script):
        async def run():
            line = await Line().open()
            try:
                await asyncio.wait_for(script(line), 20)
            finally:
                line.close()

        asyncio.run(run())

    return play


@pytest.mark.scenario(57)
def test_the_rest_of_a_partly_written_order_follows(played):
    async def script(line):
        for size in range(LARGEST, 4096, -8):
            line.order(size)
            if 0 < line.transport.get_write_buffer_size() < size:
                break
            await line.read_all()
        else:
            pytest.fail("the kernel takes orders whole or not at all")
        line.order()
        await line.read_all()
        assert line.received == line.expected

    played(script)


@pytest.mark.scenario(57)
def test_nothing_overtakes_what_waits(played):
    """The venue reads on, and the kernel has room again before the loop has had a turn: the next order and a ping wait all the
    same."""

    async def script(line):
        line.fill()
        for _ in range(3):
            line.read()                  # the kernel's, not what waits here
            line.order()
            line.ping()
        assert line.channel.ready and line.transport.get_write_buffer_size()
        await line.read_all()
        assert line.received == line.expected

    played(script)


@pytest.mark.scenario(57)
def test_an_order_behind_a_ping_that_waits(played):
    """What another writer could not get rid of comes first, too."""

    async def script(line):
        while not line.transport.get_write_buffer_size():
            line.ping()
        line.read()
        line.order()
        await line.read_all()
        assert line.received == line.expected

    played(script)
