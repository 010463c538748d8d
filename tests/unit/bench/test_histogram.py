"""Percentiles from histograms against numpy's on the raw values."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.histogram import bucket, histogram_of, median, merge, percentile

VALUES = st.lists(st.integers(0, 2**40), min_size=1, max_size=400)
SHARES = [0.0, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0]


@given(VALUES, st.sampled_from(SHARES))
def test_percentile_is_the_bucket_of_the_nearest_rank(values, share):
    exact = int(numpy.percentile(values, share * 100, method="inverted_cdf"))
    assert percentile(histogram_of(values), share) == bucket(exact)


@given(VALUES)
def test_edges_are_within_a_128th_below(values):
    for value in values:
        assert bucket(value) <= value
        assert value - bucket(value) <= value / 128
        assert bucket(bucket(value)) == bucket(value)


@given(VALUES, VALUES)
def test_merging_is_the_same_as_measuring_together(first, second):
    assert merge([histogram_of(first), histogram_of(second)]) == histogram_of(first + second)


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=50))
def test_median(values):
    assert median(values) == pytest.approx(float(numpy.median(values)))


def test_nothing_measured():
    assert percentile([], 0.5) == 0
    with pytest.raises(ValueError):
        median([])
