"""The poller on a loop and transports that only take notes."""

import asyncio
import socket
from types import SimpleNamespace

import pytest
from patience import WAIT_SECONDS
from polled import Bench

from nexus_fast.engine.dead_end import DeadEnd
from nexus_fast.engine.dispatch import Dispatcher
from nexus_fast.engine.hot_connection import HotConnection
from nexus_fast.engine.poller import Poller
from nexus_fast.feed.commands import CommandFeed


def test_nothing_happens_before_it_is_started():
    bench = Bench()
    transport, _, _ = bench.connect(5)
    assert bench.loop.turn() == 0 and transport.reads == 0 and 5 in bench.loop.readers


def test_busy_takes_the_sockets_and_reads_until_it_is_stopped():
    bench = Bench()
    transport, _, connection = bench.connect(5)
    bench.poller.start()
    assert connection.polled and 5 not in bench.loop.readers
    for turn in range(1, 6):
        before = transport.reads
        assert bench.loop.turn() == 1 and transport.reads > before and bench.poller.turns == turn
    bench.poller.stop()
    assert not connection.polled and 5 in bench.loop.readers
    before = transport.reads
    assert bench.loop.turn() == 1 and transport.reads == before and bench.loop.ready == []


def test_busy_waits_for_the_first_connection():
    bench = Bench()
    bench.poller.start()
    assert not bench.poller.spinning and bench.loop.ready == []
    transport, _, _ = bench.connect(5)
    assert bench.poller.spinning
    bench.loop.turn()
    assert transport.reads > 0


def test_market_data_is_read_more_often_than_the_rest():
    bench = Bench(spin_us=2000)
    urgent, _, _ = bench.connect(5)
    patient, _, _ = bench.connect(6, urgent=False)
    bench.poller.start()
    bench.loop.turns()
    assert 0 < patient.reads < urgent.reads
    assert abs(urgent.reads / patient.reads - 8) < 3


def test_of_many_connections_only_those_are_read_that_have_something():
    bench, pairs = Bench(), [socket.socketpair() for _ in range(6)]
    transports = [bench.connect(near.fileno(), urgent=number < 3)[0] for number, (near, _) in enumerate(pairs)]
    bench.poller.start()
    bench.loop.turns()
    before = [transport.reads for transport in transports]
    for number in (1, 4):
        pairs[number][1].send(b"a")
    bench.loop.turns()
    assert [t.reads > b for t, b in zip(transports, before, strict=True)] == [False, True, False, False, True, False]
    for ends in pairs:
        for end in ends:
            end.close()


def test_a_connection_that_goes_while_it_is_read():
    bench = Bench()
    first, _, going = bench.connect(5)
    second, _, _ = bench.connect(6)
    first.action = lambda: bench.poller.remove(going)
    bench.poller.start()
    bench.loop.turns()
    assert first.reads == 1 and second.reads > 1
    bench.poller.remove(going)                   # again: harmless
    bench.poller.stop()
    assert 5 not in bench.loop.readers and 6 in bench.loop.readers


def test_a_connection_that_comes_while_another_is_read():
    bench = Bench()
    first, _, _ = bench.connect(5)
    first.action = lambda: first.reads == 1 and bench.connect(6)
    bench.poller.start()
    bench.loop.turns()
    assert bench.made[1][0].reads > 0 and bench.made[1][2].polled and 6 not in bench.loop.readers


def test_stopping_from_inside_a_read():
    bench = Bench()
    transport, _, _ = bench.connect(5)
    transport.action = bench.poller.stop
    bench.poller.start()
    bench.loop.turn()
    assert transport.reads <= 4 and not bench.poller.spinning and 5 in bench.loop.readers
    assert bench.loop.ready == []


def test_a_read_that_raises_does_not_stop_the_poller():
    bench = Bench()
    transport, _, _ = bench.connect(5)

    def fail():
        raise OSError("reset")

    transport.action = fail
    bench.poller.start()
    for _ in range(3):
        assert bench.loop.turn() == 1
    assert transport.reads == 3 and bench.poller.spinning


def test_adaptive_rests_when_nothing_comes_and_wakes_with_the_first_bytes():
    bench = Bench(idle_ms=2.0)
    transport, handler, connection = bench.connect(5)
    bench.poller.start()
    bench.rest_after()
    assert not connection.polled and bench.loop.turn() == 0
    reads = transport.reads
    bench.loop.readers[5]()                      # the selector: bytes have come
    assert transport.reads == reads + 1 and bench.poller.spinning and connection.polled and 5 not in bench.loop.readers
    handler.messages += 1
    assert bench.loop.turn() == 1 and transport.reads > reads + 1
    bench.rest_after()


def test_adaptive_stays_awake_while_messages_come():
    bench = Bench(idle_ms=1.0, spin_us=300)
    transport, handler, _ = bench.connect(5)

    def message():
        handler.messages += 1

    transport.action = message
    bench.poller.start()
    for _ in range(30):
        assert bench.loop.turn() == 1
    assert bench.poller.spinning


def test_pings_do_not_keep_it_awake():
    bench = Bench(idle_ms=1.0)
    transport, handler, _ = bench.connect(5)

    def ping():
        handler.last_control_ns += 1

    transport.action = ping
    bench.poller.start()
    bench.rest_after()


def test_a_connection_that_comes_while_it_rests_wakes_it():
    bench = Bench(idle_ms=1.0)
    bench.connect(5)
    bench.poller.start()
    bench.rest_after()
    transport, _, connection = bench.connect(6)
    assert bench.poller.spinning and connection.polled and bench.made[0][2].polled
    bench.loop.turn()
    assert transport.reads > 0


def test_resting_with_a_connection_whose_socket_is_gone():
    """The selector refuses its descriptor: the others go back to it all the same."""
    bench = Bench(idle_ms=1.0)
    bench.connect(5)
    bench.connect(6)
    add = bench.loop.add_reader

    def refuse(descriptor, callback):
        if descriptor == 5:
            raise OSError(9, "Bad file descriptor")
        add(descriptor, callback)

    bench.loop.add_reader = refuse
    bench.poller.start()
    bench.rest_after()
    assert 6 in bench.loop.readers
    bench.poller.wake()
    bench.poller.stop()
    assert 6 in bench.loop.readers


def test_no_connection_left_lets_it_rest():
    bench = Bench()
    _, _, connection = bench.connect(5)
    bench.poller.start()
    bench.poller.remove(connection)
    for _ in range(3):
        bench.loop.turn()
    bench.poller.stop()


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop])
def test_on_a_real_loop_timers_run_between_the_spins(make_loop):
    loop = make_loop()
    try:
        poller = Poller(loop, 50)
        import socket

        near, far = socket.socketpair()
        near.setblocking(False)
        received, fired = [], []

        class Real:
            def _read_ready(self):
                try:
                    received.append(near.recv(100))
                except BlockingIOError:
                    pass

            def get_extra_info(self, name):
                return near

        handler = CommandFeed(lambda payload: None, lambda payload, error: None)
        real = Real()
        loop.add_reader(near.fileno(), real._read_ready)
        poller.add(HotConnection(loop, real, handler, True))
        poller.start()
        loop.call_later(0.02, far.send, b"hello")
        loop.call_later(0.05, fired.append, 1)

        def look():
            loop.stop() if received and fired else loop.call_later(0.01, look)

        look()
        loop.call_later(WAIT_SECONDS, loop.stop)
        loop.run_forever()
        poller.stop()
        assert received == [b"hello"] and fired == [1]
        near.close()
        far.close()
    finally:
        loop.close()


def test_quiet_spins_walk_through_the_kernel():
    bench = Bench(warm=True, spin_us=1000)
    transport, handler, _ = bench.connect(5)
    assert bench.poller.dead_end is None
    bench.poller.start()
    end = bench.poller.dead_end
    for _ in range(20):
        bench.loop.turn()
    assert 1 < end.walks < 1 + transport.reads / 16
    bench.poller.stop()
    walked = end.walks
    end.walk_once()                              # closed: nothing happens
    assert bench.poller.dead_end is None and end.walks == walked


@pytest.mark.parametrize("options", [{"warm": False}, {"warm": True}])
def test_without_warmth_or_a_connection_nothing_is_walked(options, monkeypatch, caplog):
    import socket

    def refuse(*arguments, **more):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "create_server", refuse)
    bench = Bench(**options)
    transport, _, _ = bench.connect(5)
    bench.poller.start()
    assert bench.loop.turn() == 1 and transport.reads and bench.poller.dead_end is None
    assert ("Too many open files" in caplog.text) == options["warm"]
    bench.poller.stop()


def test_a_dead_end_brings_its_bytes_back():
    end = DeadEnd()
    for _ in range(1000):
        end.walk_once()
    assert end.walks == 1000
    end.close()


def test_what_stood_in_the_way_is_counted():
    bench = Bench(warm=True, spin_us=500)
    bench.connect(5)
    private = CommandFeed(lambda payload: None, print, bench.poller.deferred)
    assert {name: summary["n"] for name, summary in bench.poller.pauses().items()} == {
        "uvloop_turns": 0, "news": 0, "private_messages": 0, "walks": 0}
    bench.poller.start()
    for _ in range(10):
        private.feed(b"{}")
        bench.loop.turn()
    found = bench.poller.pauses()
    assert found["uvloop_turns"]["n"] == 9 and found["private_messages"]["n"] == 10
    assert found["walks"]["n"] == bench.poller.dead_end.walks > 0
    bench.poller.stop()


def test_news_is_told_within_the_spin_that_it_came_in():
    bench, told = Bench(spin_us=500), []
    transport, _, _ = bench.connect(5)
    bench.poller.on_news = lambda: told.append(transport.reads)
    assert not bench.poller.take_news()                      # nobody spins: it is the caller's affair
    bench.poller.start()
    transport.action = lambda: transport.reads == 3 and bench.poller.take_news()
    bench.loop.turn()
    transport.action = None
    assert len(told) == 1 and 3 <= told[0] < transport.reads
    bench.loop.turns()
    assert len(told) == 1 and bench.poller.pauses()["news"]["n"] == 1


def test_after_callbacks_that_took_long_the_loop_has_its_turn_before_the_news():
    dispatcher = Dispatcher(1, print)
    dispatcher.keep_turns(SimpleNamespace(), 0.0)            # all of them take too long
    bench, told = Bench(spin_us=1, dispatcher=dispatcher), []
    transport, handler, _ = bench.connect(5)
    transport.action = lambda: setattr(handler, "messages", handler.messages + 1)
    bench.poller.on_news = lambda: told.append(bench.poller.turns)
    bench.poller.start()
    bench.poller.take_news()
    bench.loop.turns(3)
    assert told == [2]
    bench.poller.stop()


@pytest.mark.parametrize("end", ["stop", "rest"])
def test_news_is_not_left_behind(end):
    bench, told = Bench(), []
    bench.connect(5)
    bench.poller.on_news = lambda: told.append(bench.poller.spinning)
    bench.poller.start()
    assert bench.poller.take_news() and told == []           # from a timer, between two spins
    getattr(bench.poller, end)()
    assert told == [False]
    bench.loop.turns()
    assert told == [False]
