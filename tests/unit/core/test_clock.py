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


def test_the_wall_clock_of_the_counter_is_the_systems():
    for _ in range(2000):
        before = time.time_ns()
        told = clock.wall_realtime()
        assert before - 2000 <= told <= time.time_ns() + 2000


def test_a_counter_that_ran_on_for_too_long_is_not_trusted():
    clock.wall_realtime()
    time.sleep(0.03)  # longer than TRUSTED_NS: the clocks are read again
    before = time.time_ns()
    assert before - 2000 <= clock.wall_realtime() <= time.time_ns() + 2000


def test_a_counter_that_went_back_is_not_trusted():
    """As after a snapshot that is resumed on another machine."""
    clock.wall_realtime()
    before = time.time_ns()
    assert before <= clock.wall_realtime(ticks_ago=10**12) <= time.time_ns()
