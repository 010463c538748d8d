"""A channel with a connection whose other end is the test's."""

import asyncio
import socket

import aiofastnet


class Wire:
    """`Wire(channel)` attaches it."""

    def __init__(self, channel):
        ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)
        self._loop = asyncio.new_event_loop()
        connecting = aiofastnet.create_connection(self._loop, asyncio.Protocol, sock=ours)
        self._transport, _ = self._loop.run_until_complete(connecting)
        channel.attach(self._transport, True)

    def sent(self):
        """The bytes since the last call."""
        try:
            return self._theirs.recv(1 << 20)
        except BlockingIOError:
            return b""

    def close(self):
        self._transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
        self._theirs.close()
