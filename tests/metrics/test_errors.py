"""Histograms of differences."""

from __future__ import annotations

import doctest

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vivid_bench.metrics import errors
from vivid_bench.metrics.errors import absolute_sum, difference_histogram, squared_sum


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(errors)
    assert results.attempted > 0
    assert results.failed == 0


def test_histogram_of_known_differences() -> None:
    first = np.array([[[0, 10, 255], [5, 5, 5]]], np.uint8)
    second = np.array([[[3, 10, 0], [9, 9, 9]]], np.uint8)
    region = np.array([[True, False]])
    histogram = difference_histogram(first, second, region)
    assert {int(v): int(histogram[v]) for v in np.flatnonzero(histogram)} == {0: 1, 3: 1, 255: 1}
    assert absolute_sum(histogram) == 3 + 0 + 255
    assert squared_sum(histogram) == 9 + 0 + 255**2


def test_empty_region_counts_nothing() -> None:
    frame = np.zeros((4, 5, 3), np.uint8)
    assert not difference_histogram(frame, frame, np.zeros((4, 5), bool)).any()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), height=st.integers(1, 20), width=st.integers(1, 20), share=st.floats(0, 1))
def test_sums_are_exactly_numpys_integer_sums(seed: int, height: int, width: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    region = rng.random((height, width)) < share
    histogram = difference_histogram(first, second, region)
    difference = np.abs(first.astype(int) - second)[region]
    assert histogram.sum() == difference.size
    assert absolute_sum(histogram) == difference.sum()
    assert squared_sum(histogram) == (difference**2).sum()
