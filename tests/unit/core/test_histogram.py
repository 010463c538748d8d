"""Percentiles of the histogram against those of the sorted values."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.core.histogram import Histogram

SHARES = (0.5, 0.9, 0.99, 0.999)


def filled(values):
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 200), st.integers(0, 10**6), st.integers(0, 10**12)), min_size=1, max_size=400))
def test_within_a_bin_of_the_sorted_values(values):
    histogram, ordered = filled(values), sorted(values)
    assert len(histogram) == len(values)
    for share in SHARES:
        exact = ordered[max(0, math.ceil(share * len(ordered)) - 1)]
        assert exact * 0.96 - 1 <= histogram.percentile(share) <= exact * 1.04 + 1
    assert histogram.summary()["max"] == ordered[-1] and histogram.summary()["n"] == len(values)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=100))
def test_percentiles_never_fall(values):
    found = filled(values).summary()
    assert found["p50"] <= found["p90"] <= found["p99"] <= found["p999"] <= found["max"]


def test_an_empty_one():
    assert set(Histogram().summary().values()) == {0}


def test_scale_and_clear():
    histogram = filled([1000] * 10)
    assert histogram.summary(scale=2.0)["max"] == 500
    histogram.clear()
    assert len(histogram) == 0


@pytest.mark.parametrize("value", [-5, 2**62])
def test_values_out_of_the_ordinary_are_counted(value):
    assert len(filled([value])) == 1
