"""What a waiting poller reads first, how it goes on and how it ends; and where it cannot wait at all."""

import asyncio
import resource
import subprocess
import sys

import pytest
import uvloop
from waiting import Bench, until

from nexus_fast.config import LoopConfig
from nexus_fast.engine import polling
from nexus_fast.engine.poller import Poller
from nexus_fast.feed.commands import CommandFeed


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
