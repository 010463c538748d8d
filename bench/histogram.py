"""Percentiles, of one run and of several put together.

A histogram is a list of [lower edge, count], ascending, as the C exchange writes it: exact below 256 ns, above that 128
buckets to each power of two, so that an edge is at most 0.8 % under the value.
"""

from collections.abc import Iterable, Sequence
from math import ceil

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
Histogram = list[list[int]]


def bucket(value: int) -> int:
    """Lower edge of the bucket of a value in ns; below zero counts as zero."""
    if value < 256:
        return max(value, 0)
    shift = value.bit_length() - 8
    return value >> shift << shift


def histogram_of(values: Iterable[int]) -> Histogram:
    counts: dict[int, int] = {}
    for value in values:
        edge = bucket(value)
        counts[edge] = counts.get(edge, 0) + 1
    return [[edge, counts[edge]] for edge in sorted(counts)]


def merge(histograms: Iterable[Sequence[Sequence[int]]]) -> Histogram:
    counts: dict[int, int] = {}
    for histogram in histograms:
        for edge, count in histogram:
            counts[edge] = counts.get(edge, 0) + count
    return [[edge, counts[edge]] for edge in sorted(counts)]


def percentile(histogram: Sequence[Sequence[int]], share: float) -> int:
    """Edge of the bucket in which the value of rank ceil(share * n) lies; share in 0 … 1. 0 for an empty histogram."""
    wanted = max(1, ceil(share * sum(count for _, count in histogram) - 1e-9))
    seen = 0
    for edge, count in histogram:
        seen += count
        if seen >= wanted:
            return edge
    return 0


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle. Raises ValueError for no values."""
    if not values:
        raise ValueError("the median of no values was asked for")
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
