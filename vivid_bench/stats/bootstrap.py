"""Intervals of means: the studentised bootstrap over clusters (Efron 1981; Davison and Hinkley 1997, section 5.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivid_bench.stats.clusters import ClusterSums, Floats, sum_by_cluster

RESAMPLES = 4999
"""(RESAMPLES + 1) * 0.025 is whole, so that the quantiles at 95 % are resamples and need no interpolation."""

MIN_CLUSTERS = 4
"""Of three clusters, a ninth of all resamples draw one only, and have no spread: the quantiles are infinite."""

COLUMNS_AT_A_TIME = 1024
DRAWS_AT_A_TIME = 2_000_000
"""Columns of values, and draws of clusters, that are held at a time: they bound memory, and move no figure."""

FLAT = 1e-10
"""A resample's sum of squares below which it has no spread, the largest residual being 1."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval, in the unit of the values."""

    low: float
    high: float


def mean_interval(values: Floats, clusters: Sequence[str], level: float = 0.95, seed: int = 0) -> Interval | None:
    """Return the interval of the mean of (N,) values; see `mean_intervals`."""
    return mean_intervals(np.asarray(values, np.float64)[:, None], clusters, level, seed)[0]


def mean_intervals(
    values: Floats, clusters: Sequence[str], level: float = 0.95, seed: int = 0
) -> list[Interval | None]:
    """Return the confidence interval of each column's mean, by the studentised bootstrap over clusters.

    Clusters are drawn with replacement, columns that have the same clips on the same draws. Of each resample
    t* = (mean* - mean) / se* is taken, where the mean is a ratio of sums over clusters and se its linearised standard
    error. With q the quantiles of t*, the interval is from mean - q_high * se to mean - q_low * se: it follows the
    skewness of the values, which a percentile interval does not.

    Args:
        values: (N, K), a row a clip; NaN where a column lacks a value: that clip is left out of that column.
        clusters: (N,) names; clips of one name, a source video, are drawn together.
        level: the share of such intervals that should cover the true mean, 0 to 1.
        seed: of the draws; the same seed gives the same intervals.

    Returns:
        An interval a column, which the other columns do not move; None where fewer than `MIN_CLUSTERS` clusters have a
        value, where all values are equal, or where so many are that more resamples than a quantile leaves out have no
        spread: such values bound nothing.

    Raises:
        ValueError: for another shape, another number of rows than clusters, an infinite value, or a level outside
            0 to 1.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or len(values) != len(clusters):
        raise ValueError(f"expected ({len(clusters)}, K) values, a row for each cluster's name, got {values.shape}")
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, got {level}")
    names = np.asarray(clusters, dtype=str)
    intervals: list[Interval | None] = [None] * values.shape[1]
    for rows, columns in _alike(~np.isnan(values)):
        if len(np.unique(names[rows])) < MIN_CLUSTERS:
            continue
        sums = sum_by_cluster(values[np.ix_(rows, columns)], names[rows])
        low, high = _quantiles(_deviations(sums, seed), level)
        bounded = sums.residuals.any(axis=0) & np.isfinite(low) & np.isfinite(high)
        ends = (sums.mean - np.stack([high, low]) * sums.standard_error).T
        for column, (a, b) in zip(columns[bounded], ends[bounded].tolist(), strict=True):
            intervals[column] = Interval(a, b)
    return intervals


def _alike(known: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the rows of known values, and at most `COLUMNS_AT_A_TIME` columns that have exactly these."""
    groups: dict[bytes, list[int]] = {}
    for column, pattern in enumerate(np.packbits(known, axis=0).T):
        groups.setdefault(pattern.tobytes(), []).append(column)
    for columns in groups.values():
        for start in range(0, len(columns), COLUMNS_AT_A_TIME):
            yield np.flatnonzero(known[:, columns[0]]), np.array(columns[start : start + COLUMNS_AT_A_TIME])


def _deviations(sums: ClusterSums, seed: int) -> Floats:
    """Return (K, RESAMPLES) deviations of resampled means, each in its own standard errors.

    A resample without spread deviates by 0 or by ±infinity; in a column of equal values all do.
    """
    n_clusters, n_columns = sums.residuals.shape
    scale = np.abs(sums.residuals).max(axis=0)
    residuals = sums.residuals / np.where(scale > 0, scale, 1.0)
    squares, with_counts = residuals**2, residuals * sums.counts
    # One clip a cluster, as is usual: two of the products are known.
    is_single = sums.counts.max() == 1
    result = np.empty((n_columns, RESAMPLES))
    done = 0
    for weights in draw_weights(n_clusters, RESAMPLES, seed):
        drawn = weights @ sums.counts
        total = weights @ residuals
        cross = total if is_single else weights @ with_counts
        shift = total / drawn
        spread = weights @ squares - 2 * shift * cross + shift**2 * (weights @ sums.counts**2)
        is_flat = spread <= FLAT
        t = total / np.sqrt(n_clusters / (n_clusters - 1) * np.where(is_flat, 1.0, spread))
        t[is_flat] = np.where(np.abs(shift) <= FLAT, 0.0, np.copysign(np.inf, shift))[is_flat]
        result[:, done : done + len(t)] = t.T
        done += len(t)
    return result


def _quantiles(deviations: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the lower and upper quantiles of each row."""
    tail = max(1, int((RESAMPLES + 1) * (1 - level) / 2 + 1e-9))
    ordered = np.partition(deviations, (tail - 1, RESAMPLES - tail), axis=1)
    return ordered[:, tail - 1], ordered[:, RESAMPLES - tail]


def draw_weights(n_clusters: int, n_resamples: int, seed: int) -> Iterator[Floats]:
    """Yield blocks of resamples, (rows, n_clusters): how often each cluster is drawn; rows add up to n_clusters."""
    rng = np.random.default_rng(seed)
    size = max(1, DRAWS_AT_A_TIME // n_clusters)
    for start in range(0, n_resamples, size):
        rows = min(size, n_resamples - start)
        drawn = rng.integers(0, n_clusters, (rows, n_clusters)) + np.arange(rows)[:, None] * n_clusters
        counts = np.bincount(drawn.ravel(), minlength=rows * n_clusters)
        yield counts.reshape(rows, n_clusters).astype(np.float64)
