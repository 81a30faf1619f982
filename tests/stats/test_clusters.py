"""Sums by cluster."""

from __future__ import annotations

import numpy as np
import pytest

from vivid_bench.stats.clusters import sum_by_cluster


def test_sums_of_clusters_of_unequal_size() -> None:
    # a: 1 and 3, b: 8, mean 12 / 3 = 4; residuals (1 - 4) + (3 - 4) = -4 and 8 - 4 = 4.
    sums = sum_by_cluster(np.array([[1.0], [8.0], [3.0]]), ["a", "b", "a"])
    assert sums.mean.tolist() == [4.0]
    assert sums.residuals.tolist() == [[-4.0], [4.0]]
    assert sums.counts.tolist() == [[2.0], [1.0]]
    assert sums.totals.tolist() == [[4.0], [8.0]]
    # sqrt(2 / 1 * (16 + 16)) / 3 = 8 / 3
    assert sums.standard_error[0] == pytest.approx(8 / 3)


def test_one_clip_a_cluster_is_the_plain_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=(7, 2))
    error = sum_by_cluster(values, list("gfedcba")).standard_error
    assert error == pytest.approx(values.std(axis=0, ddof=1) / np.sqrt(7))


def test_equal_values_have_no_residuals_whatever_their_mean_rounds_to() -> None:
    assert not sum_by_cluster(np.full((10, 1), 0.1), list("abcdefghij")).residuals.any()


@pytest.mark.parametrize(
    "values", [np.zeros((2, 1)), np.zeros(3), np.full((3, 1), np.nan), np.full((3, 1), np.inf), np.zeros((0, 1))]
)
def test_what_cannot_be_summed(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        sum_by_cluster(values, ["a", "b", "c"])
