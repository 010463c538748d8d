"""Waiting in uvloop's place, on a real loop with real sockets: what is hot is read, and nothing of uvloop's own is forgotten."""

import asyncio
import os
import signal
import socket
import sys
import threading
from types import SimpleNamespace

import pytest
from patience import WAIT_SECONDS
from waiting import Bench, until

from nexus_fast.engine.dispatch import Dispatcher


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


def fifty_reads(bench):
    """How many turns uvloop had meanwhile."""
    transport, far, _ = bench.connect()
    was_read = threading.Event()

    def send():
        for _ in range(50):
            far.send(b"x")
            was_read.wait(WAIT_SECONDS)
            was_read.clear()

    async def work():
        before = bench.waiter.turns
        done = bench.loop.create_future()

        def read():
            if transport.reads == 50:
                done.set_result(None)
            was_read.set()

        transport.action = read
        peer.start()
        await done
        return bench.waiter.turns - before

    peer = threading.Thread(target=send)
    turns = bench.run(work())
    peer.join()
    bench.close()
    assert transport.reads == 50
    return turns


def test_a_read_that_leaves_nothing_behind_needs_no_turn_of_uvloop():
    """Which may stay away for ten seconds here: a turn would be one that a read had asked for."""
    assert fifty_reads(Bench(turn_us=10_000_000)) <= 5


def test_after_callbacks_that_took_long_uvloop_has_its_turn():
    dispatcher = Dispatcher(1, print)
    dispatcher.keep_turns(SimpleNamespace(), 0.0)            # all of them take too long
    assert fifty_reads(Bench(turn_us=10_000_000, dispatcher=dispatcher)) >= 49


def test_timers_come_in_their_order(bench):
    """In the order in which they are due: one that is asked for later, with less to wait, comes before."""
    bench.connect()
    fired, due = [], {}

    async def work():
        for delay in (0.03, 0.01, 0.002, 0.02):
            due[delay] = bench.loop.call_later(delay, fired.append, delay).when()
        bench.loop.call_soon(fired.append, 0.0)
        await until(lambda: len(fired) == 5)

    bench.run(work())
    assert fired == [0.0, *sorted(due, key=due.get)]


def test_what_a_read_asks_of_uvloop_is_done(bench):
    """A callback, a timer, a descriptor to watch: uvloop learns of all three in its next turn, which must come by itself."""
    transport, far, _ = bench.connect()
    near, other = socket.socketpair()
    near.setblocking(False)
    bench.sockets += [near, other]
    done = []

    def ask():
        bench.loop.call_soon(done.append, "callback")
        bench.loop.call_later(0.01, lambda: (done.append("timer"), other.send(b"watched")))
        bench.loop.add_reader(near.fileno(), lambda: done.append(near.recv(10)))

    transport.action = ask
    bench.loop.call_later(0.02, far.send, b"x")
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
    watchdog = threading.Timer(WAIT_SECONDS, bench.loop.call_soon_threadsafe, (stop,))
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
        await until(lambda: fired and transport.reads > 100)
        transport.action = None

    bench.run(work())
    assert fired == [1]
