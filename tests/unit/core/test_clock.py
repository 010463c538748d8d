"""The clocks against Python's own."""

import time

import pytest

from nexus_fast.core import clock


def test_clocks_lie_between_two_looks_at_pythons():
    for ours, theirs in ((clock.realtime_ns, time.time_ns), (clock.monotonic_ns, time.monotonic_ns)):
        before = theirs()
        assert before <= ours() <= theirs()


def test_rate_of_the_counter_agrees_with_the_raw_clock():
    started, first = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW), clock.ticks()
    time.sleep(0.05)
    last, ended = clock.ticks(), time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
    assert (last - first) / (ended - started) == pytest.approx(clock.ticks_per_ns(), rel=0.01)


def test_a_span_of_ticks_becomes_nanoseconds():
    rate = clock.ticks_per_ns()
    assert clock.to_ns(round(rate * 1_000_000_000)) == pytest.approx(1_000_000_000, rel=1e-6)
    assert clock.to_ns(0) == 0
