"""A waiter on a real loop with real sockets, and transports that read them when told to."""

import asyncio
import socket

import uvloop
from patience import WAIT_SECONDS

from nexus_fast.engine.hot_connection import HotConnection
from nexus_fast.engine.poller import Poller
from nexus_fast.engine.waiter import Waiter, what_is_lacking
from nexus_fast.feed.commands import CommandFeed


class Transport:
    """Reads its socket when told to, as aiofastnet's transports do."""

    def __init__(self, loop, sock):
        self.sock, self.received, self.reads, self.action = sock, [], 0, None
        sock.setblocking(False)
        loop.add_reader(sock.fileno(), self._read_ready)

    def _read_ready(self):
        self.reads += 1
        try:
            self.received.append(self.sock.recv(100))
        except BlockingIOError:
            return
        if self.action is not None:
            self.action()

    def get_extra_info(self, name):
        return self.sock


class Bench:
    def __init__(self, turn_us=200, **options):
        assert what_is_lacking() == ""
        self.loop = uvloop.new_event_loop()
        self.waiter = Waiter(self.loop)
        self.poller = Poller(self.loop, turn_us, waiter=self.waiter, **{"spins": False, **options})
        self.sockets = []

    def connect(self, urgent=True):
        """(transport, the peer's socket, connection)"""
        near, far = socket.socketpair()
        self.sockets += [near, far]
        transport = Transport(self.loop, near)
        feed = CommandFeed(lambda payload: None, lambda payload, error: None)
        connection = HotConnection(self.loop, transport, feed, urgent)
        self.poller.add(connection)
        return transport, far, connection

    def run(self, work):
        """The coroutine, with the poller waiting; it has an end even where a wait is not woken."""

        async def bounded():
            self.poller.start()
            return await asyncio.wait_for(work, WAIT_SECONDS)

        return self.loop.run_until_complete(bounded())

    def close(self):
        self.poller.stop()
        for sock in self.sockets:
            self.loop.remove_reader(sock.fileno())
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
        for sock in self.sockets:
            sock.close()


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)
