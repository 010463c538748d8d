"""Waiting in uvloop's place, on a real loop with real sockets: what is hot is read, and nothing of uvloop's own is forgotten."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import uvloop

from nexus_fast.config import LoopConfig
from nexus_fast.engine import polling
from nexus_fast.engine.hot_connection import HotConnection
from nexus_fast.engine.poller import Poller
from nexus_fast.engine.waiter import Waiter, what_is_lacking
from nexus_fast.feed.commands import CommandFeed

PATIENCE = 5.0


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
    def __init__(self, **options):
        assert what_is_lacking() == ""
        self.loop = uvloop.new_event_loop()
        self.waiter = Waiter(self.loop)
        self.poller = Poller(self.loop, 200, waiter=self.waiter, **{"spins": False, **options})
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
            return await asyncio.wait_for(work, PATIENCE)

        return self.loop.run_until_complete(bounded())

    def close(self):
        self.poller.stop()
        for sock in self.sockets:
            self.loop.remove_reader(sock.fileno())
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
        for sock in self.sockets:
            sock.close()


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.close()


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_bytes_are_read_without_the_selector(bench):
    transport, far, connection = bench.connect()

    async def work():
        assert bench.poller.waiting and not bench.poller.spinning and connection.polled
        assert not bench.loop.remove_reader(transport.sock)
        await asyncio.sleep(0.02)
        assert transport.reads == 0
        far.send(b"hello")
        await until(lambda: transport.received)

    bench.run(work())
    assert transport.received == [b"hello"] and transport.reads == 1 and bench.waiter.waits == 1


def test_a_read_that_leaves_nothing_behind_needs_no_turn_of_uvloop(bench):
    transport, far, _ = bench.connect()
    peer = threading.Thread(target=lambda: [(far.send(b"x"), time.sleep(0.002)) for _ in range(50)])

    async def work():
        peer.start()
        before = bench.waiter.turns
        done = bench.loop.create_future()
        transport.action = lambda: sum(map(len, transport.received)) == 50 and done.set_result(None)
        await done
        return bench.waiter.turns - before

    turns = bench.run(work())
    peer.join()
    assert transport.reads > 10 and turns <= 5


def test_timers_come_in_their_order(bench):
    bench.connect()
    fired = []

    async def work():
        for delay in (0.03, 0.01, 0.0, 0.02, 0.0005):
            bench.loop.call_later(delay, fired.append, delay)
        await asyncio.sleep(0.05)

    bench.run(work())
    assert fired == [0.0, 0.0005, 0.01, 0.02, 0.03]


def test_what_a_read_asks_of_uvloop_is_done(bench):
    """A callback, a timer, a descriptor to watch: uvloop learns of all three in its next turn, which must come by itself."""
    transport, far, _ = bench.connect()
    near, other = socket.socketpair()
    near.setblocking(False)
    bench.sockets += [near, other]
    done = []

    def ask():
        bench.loop.call_soon(done.append, "callback")
        bench.loop.call_later(0.01, done.append, "timer")
        bench.loop.add_reader(near.fileno(), lambda: done.append(near.recv(10)))

    transport.action = ask
    bench.loop.call_later(0.02, far.send, b"x")
    bench.loop.call_later(0.06, other.send, b"watched")
    bench.run(until(lambda: len(done) == 3))
    assert done == ["callback", "timer", b"watched"]


@pytest.mark.parametrize("ask", ["timer", "reader"])
def test_a_read_that_asks_for_one_thing_alone(bench, ask):
    """Without another callback that would make a turn."""
    transport, far, _ = bench.connect()
    near, other = socket.socketpair()
    near.setblocking(False)
    bench.sockets += [near, other]
    other.send(b"there already")

    def stop():
        bench.loop.remove_reader(near.fileno())
        bench.loop.stop()

    action = {"timer": lambda: bench.loop.call_later(0.01, stop), "reader": lambda: bench.loop.add_reader(near.fileno(), stop)}
    transport.action = action[ask]
    bench.poller.start()
    peer = threading.Timer(0.03, far.send, (b"x",))
    watchdog = threading.Timer(PATIENCE, bench.loop.call_soon_threadsafe, (stop,))
    peer.start()
    watchdog.start()
    bench.loop.run_forever()
    assert watchdog.is_alive()
    watchdog.cancel()
    peer.join()
    watchdog.join()


def test_another_thread_wakes_it(bench):
    bench.connect()

    async def work():
        event = asyncio.Event()
        threading.Timer(0.02, bench.loop.call_soon_threadsafe, (event.set,)).start()
        await event.wait()
        return await bench.loop.run_in_executor(None, os.getpid)

    assert bench.run(work()) == os.getpid()


def test_signals_come_through(bench):
    bench.connect()

    async def work():
        event = asyncio.Event()
        bench.loop.add_signal_handler(signal.SIGUSR2, event.set)
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR2)).start()
        await event.wait()
        bench.loop.remove_signal_handler(signal.SIGUSR2)

    bench.run(work())


def test_child_processes_come_to_their_end(bench):
    bench.connect()

    async def work():
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print(6 * 7); raise SystemExit(3)", stdout=asyncio.subprocess.PIPE
        )
        said, _ = await child.communicate()
        return said, child.returncode

    assert bench.run(work()) == (b"42\n", 3)


def test_streams_of_uvloop_go_on(bench):
    bench.connect()

    async def work():
        async def echo(reader, writer):
            writer.write(await reader.readexactly(200_000))
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(bytes(200_000))
        found = await reader.read(-1)
        writer.close()
        server.close()
        return len(found)

    assert bench.run(work()) == 200_000


def test_a_peer_that_never_stops_keeps_nobody_from_his_turn(bench):
    transport, far, _ = bench.connect()
    transport.action = lambda: far.send(b"again")
    fired = []

    async def work():
        far.send(b"first")
        bench.loop.call_later(0.02, fired.append, 1)
        await asyncio.sleep(0.04)
        transport.action = None

    bench.run(work())
    assert fired == [1] and transport.reads > 100


def test_market_data_is_read_first(bench):
    order = []
    patient, patient_far, _ = bench.connect(urgent=False)
    urgent, urgent_far, _ = bench.connect()
    patient.action = lambda: order.append("patient")
    urgent.action = lambda: order.append("urgent")

    async def work():
        patient_far.send(b"x")
        urgent_far.send(b"x")
        await until(lambda: len(order) == 2)

    bench.run(work())
    assert order == ["urgent", "patient"]


def test_private_messages_wait_until_nothing_is_ready(bench):
    transport, far, _ = bench.connect()
    done = []
    private = CommandFeed(lambda payload: done.append((payload, transport.reads)), print, bench.poller.deferred)

    def bring():
        for number in range(3):
            private.feed(b"%d" % number)
        if transport.reads < 5:
            far.send(b"next")
        transport.action = None if transport.reads == 5 else transport.action

    transport.action = bring
    far.send(b"first")
    bench.run(until(lambda: len(done) == 15))
    assert [payload for payload, _ in done] == [b"0", b"1", b"2"] * 5
    assert {reads for _, reads in done} == {5}


def test_a_read_that_raises_stops_nothing(bench):
    transport, far, _ = bench.connect()

    def fail():
        raise OSError("reset")

    async def work():
        transport.action = fail
        far.send(b"one")
        await until(lambda: transport.received)
        transport.action = None
        far.send(b"two")
        await until(lambda: len(transport.received) == 2)

    bench.run(work())


def test_what_ends_a_loop_ends_it_from_a_read_too(bench):
    transport, far, _ = bench.connect()

    def interrupt():
        raise KeyboardInterrupt

    transport.action = interrupt
    bench.poller.start()
    far.send(b"x")
    with pytest.raises(KeyboardInterrupt):
        bench.loop.run_forever()


def test_it_sleeps_when_there_is_nothing_to_do(bench):
    """A turn for each timer, a little processor time: counted, as a wait that ends at once would make thousands of turns."""
    bench.connect()

    async def work():
        await asyncio.sleep(0.05)
        before, used = bench.waiter.turns, resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
        for _ in range(5):
            await asyncio.sleep(0.05)
        return bench.waiter.turns - before, resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - used

    turns, sleeps = bench.run(work())
    assert turns <= 30 and sleeps >= 5


def test_connections_come_and_go_while_it_waits(bench):
    bench.poller.start()
    assert not bench.poller.waiting
    first, first_far, going = bench.connect()
    assert bench.poller.waiting and going.polled

    async def work():
        second, second_far, _ = bench.connect()
        second_far.send(b"x")
        await until(lambda: second.received)
        bench.poller.remove(going)
        first_far.send(b"x")
        await asyncio.sleep(0.01)
        return first.reads

    assert bench.run(work()) == 0


def test_a_closed_descriptor_whose_number_is_in_use_again(bench):
    first, _, gone = bench.connect()

    async def work():
        bench.sockets.remove(first.sock)
        number = first.sock.fileno()
        first.sock.close()
        second, far, connection = bench.connect()
        assert connection.descriptor == number
        bench.poller.remove(gone)
        far.send(b"x")
        await until(lambda: second.received)

    bench.run(work())


def test_stopped_it_leaves_everything_to_the_selector(bench):
    transport, far, connection = bench.connect()

    async def work():
        bench.poller.stop()
        assert not connection.polled and bench.waiter.turns == 0
        far.send(b"x")
        await until(lambda: transport.received)

    bench.run(work())
    bench.run(asyncio.sleep(0.01))           # and started again
    assert bench.poller.waiting and connection.polled


def test_stopped_from_inside_a_read(bench):
    transport, far, _ = bench.connect()
    transport.action = bench.poller.stop

    async def work():
        far.send(b"x")
        await until(lambda: transport.received)
        transport.action = None
        far.send(b"y")
        await until(lambda: len(transport.received) == 2)

    bench.run(work())
    assert bench.waiter.waits == 1


def test_a_waiter_that_was_left_behind_does_no_harm():
    made = Bench()
    made.connect()
    made.poller.start()
    made.loop.run_until_complete(asyncio.sleep(0.001))
    del made.poller, made.waiter
    made.loop.run_until_complete(asyncio.sleep(0.001))


def test_adaptive_rests_in_it_and_spins_from_the_first_bytes_on():
    bench = Bench(spins=True, idle_ms=100.0)
    transport, far, connection = bench.connect()

    async def work():
        assert bench.poller.spinning
        await until(lambda: bench.poller.waiting)
        assert not bench.poller.spinning and connection.polled
        far.send(b"x")
        await until(lambda: transport.received)
        assert bench.poller.spinning and not bench.poller.waiting and bench.waiter.waits == 1
        await until(lambda: bench.poller.waiting)

    bench.run(work())
    bench.close()


class Log:
    def __init__(self):
        self.errors = []

    def error(self, text):
        self.errors.append(text)


@pytest.mark.parametrize("mode, kind", [("block", type(None)), ("adaptive", Poller), ("busy", Poller)])
def test_without_what_it_needs_the_selector_waits(monkeypatch, mode, kind):
    monkeypatch.setattr(polling, "what_is_lacking", lambda: "no uv_backend_fd in uvloop's module")
    log = Log()
    loop = uvloop.new_event_loop()
    assert isinstance(polling.make_poller(loop, LoopConfig(mode=mode), log), kind)
    loop.close()
    assert [("uv_backend_fd" in text and "selector" in text) for text in log.errors] == [True] * (mode != "busy")


def test_another_loop_than_uvloops_is_found_out():
    """Before anything of libuv is touched: in a process of its own, where uvloop's module may lack what is looked for."""
    code = (
        "import uvloop.loop, nexus_fast.engine.waiter as w\n"
        "real = uvloop.loop.__file__\n"
        "uvloop.loop.__file__ = '/nowhere.so'\n"
        "assert w.what_is_lacking() == \"no access to uvloop's loop\", w.what_is_lacking()\n"
        "uvloop.loop.__file__ = w.__file__\n"
        "assert w.what_is_lacking() == \"no uv_version in uvloop's module\", w.what_is_lacking()\n"
        "uvloop.loop.__file__ = real\n"
        "assert w.what_is_lacking() == ''\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
