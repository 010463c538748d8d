"""Whether the first data has come."""

from types import SimpleNamespace

from nexus_fast.clock import LiveClock
from nexus_fast.readiness import DataReady


class Clock:
    now = 0

    def timestamp_ms(self):
        return self.now


def ready_of(*symbols, timeout=60):
    clock = Clock()
    return clock, DataReady(symbols, "test", clock, timeout)


def test_every_symbol_must_have_come():
    _, ready = ready_of("A", "B")
    ready.input(SimpleNamespace(symbol="A"))
    ready.arrived("A")
    assert not ready.ready and ready.missing == {"B"}
    ready.arrived("B")
    ready.arrived("unasked")
    assert ready.ready


def test_without_symbols_it_is_ready():
    assert ready_of()[1].ready and DataReady(["A"], permanently_ready=True).ready


def test_a_silent_symbol_holds_nothing_up_for_good():
    clock, ready = ready_of("A", timeout=60)
    clock.now = 59_999
    assert not ready.ready
    clock.now = 60_000
    assert ready.ready


def test_added_symbols_are_waited_for_and_known_ones_are_not():
    _, ready = ready_of("A")
    ready.arrived("A")
    ready.add_symbols("A")
    assert ready.ready
    ready.add_symbols(["A", "B"])
    assert not ready.ready
    ready.remove_symbols("B")
    assert ready.ready


def test_the_clock_is_the_machines():
    import time

    clock = LiveClock()
    assert abs(clock.timestamp() - time.time()) < 5 and abs(clock.timestamp_ms() - time.time() * 1000) < 5000
    assert abs(clock.timestamp_ns() - time.time_ns()) < 5e9 and abs(clock.utc_now().timestamp() - time.time()) < 5
    assert clock.utc_now().utcoffset().total_seconds() == 0
