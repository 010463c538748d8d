"""A poller on a loop and transports that only take notes."""

from nexus_fast.engine.hot_connection import HotConnection
from nexus_fast.engine.poller import Poller
from nexus_fast.feed.commands import CommandFeed


class Loop:
    """call_soon runs when the test says; readers are remembered."""

    def __init__(self):
        self.ready, self.readers, self.removed = [], {}, []

    def call_soon(self, callback):
        self.ready.append(callback)

    def add_reader(self, descriptor, callback):
        self.readers[descriptor] = callback

    def remove_reader(self, descriptor):
        self.removed.append(descriptor)
        return self.readers.pop(descriptor, None) is not None

    def turn(self):
        """One turn of the loop; how many callbacks ran."""
        callbacks, self.ready = self.ready, []
        for callback in callbacks:
            callback()
        return len(callbacks)

    def turns(self, count=20):
        """Of a single one a machine that is busy may leave next to nothing."""
        for _ in range(count):
            self.turn()


class Transport:
    def __init__(self, loop, descriptor):
        self.descriptor, self.reads, self.action = descriptor, 0, None
        loop.add_reader(descriptor, self._read_ready)

    def _read_ready(self):
        self.reads += 1
        if self.action is not None:
            self.action()

    def get_extra_info(self, name):
        assert name == "socket"
        return self

    def fileno(self):
        return self.descriptor


class Bench:
    def __init__(self, **options):
        self.loop = Loop()
        self.poller = Poller(self.loop, options.pop("spin_us", 200), **options)
        self.made = []

    def connect(self, descriptor, urgent=True):
        transport = Transport(self.loop, descriptor)
        handler = CommandFeed(lambda payload: None, lambda payload, error: None)
        connection = HotConnection(self.loop, transport, handler, urgent)
        self.made.append((transport, handler, connection))
        self.poller.add(connection)
        return transport, handler, connection

    def rest_after(self, turns=10_000):
        """Turns until the poller leaves the sockets to the selector."""
        for turn in range(turns):
            if not self.poller.spinning:
                return turn
            self.loop.turn()
        raise AssertionError("the poller did not rest")
