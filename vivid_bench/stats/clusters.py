"""Sums over clusters: the clips that were cut from one source video, which are not independent of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Values that differ from their mean by less than this share of the largest are equal but for rounding."""


@dataclass(frozen=True)
class ClusterSums:
    """K columns of values on the same clips, summed by cluster.

    Attributes:
        mean: (K,) mean over clips.
        residuals: (C, K) sums of value - mean; exactly 0 in a column whose values are all equal.
        counts: (C, 1) clips of each cluster.
    """

    mean: Floats
    residuals: Floats
    counts: Floats

    @property
    def totals(self) -> Floats:
        """(C, K) sums of values."""
        return self.residuals + self.mean * self.counts

    @property
    def standard_error(self) -> Floats:
        """(K,) standard error of the mean, linearised, for a mean over clusters of unequal size is a ratio of sums.

        sqrt(C / (C - 1) * sum of residuals²) / N, for at least 2 clusters; sd / sqrt(N) where each has one clip.
        """
        n = len(self.residuals)
        return np.asarray(np.sqrt(n / (n - 1) * (self.residuals**2).sum(axis=0)) / self.counts.sum())


def sum_by_cluster(values: Floats, clusters: Sequence[str] | NDArray[np.str_]) -> ClusterSums:
    """Sum (N, K) values, N > 0, by the cluster of their row; clusters come out sorted by name.

    Raises:
        ValueError: for another shape, another number of rows than clusters, or a value that is missing or infinite.
    """
    if values.ndim != 2 or not len(values) or len(values) != len(clusters):
        raise ValueError(f"expected ({len(clusters)}, K) values, a row for each cluster's name, got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("expected finite values, got one that is missing or infinite")
    names = np.asarray(clusters, dtype=str)
    order = np.argsort(names, kind="stable")
    _, starts, counts = np.unique(names[order], return_index=True, return_counts=True)
    mean = values.mean(axis=0)
    deviations = values[order] - mean
    deviations[np.abs(deviations) <= ROUNDING * np.abs(values).max(axis=0)] = 0.0
    return ClusterSums(mean, np.add.reduceat(deviations, starts, axis=0), counts[:, None].astype(np.float64))
