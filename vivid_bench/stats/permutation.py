"""Permutation tests of paired differences: the signs of whole clusters are flipped, for all methods together.

Under the null hypothesis that two methods are alike, which of them made which edit of a clip is arbitrary, so that the
sign of a cluster's difference is. With few clusters every assignment of signs is counted, else random ones are drawn
and the one at hand is counted among them (Phipson and Smyth 2010), so that p is never 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vivid_bench.stats.clusters import Floats

MAX_CLUSTERS_FOR_ALL = 14
"""Up to this many clusters all 2^C assignments of signs are counted."""

MIN_FLIPS = 9_999
FLIPS_A_PAIR = 200
FLIPS_A_METHOD = 100
"""Random assignments of signs, so many that p times the number of comparisons can become 0.005, and 0.01 with the best,
of which each costs M²."""

SIGNS_AT_A_TIME = 4_000_000
TOLERANCE = 1e-9
"""Of statistics that are equal but for rounding; they are at most the root of the number of clusters."""


def pair_p_values(sums: Floats, seed: int = 0) -> Floats:
    """Return the (M, M) two-sided p values of all pairs of methods.

    Args:
        sums: (C, M) sums over each cluster's clips, on the same clips for all methods.
        seed: of the random signs.
    """
    sums = _centred(sums)
    scale = _scale(sums)
    observed = _statistics(sums.sum(axis=0)[:, None], scale)
    n_methods = sums.shape[1]
    n_pairs = n_methods * (n_methods - 1) // 2
    counts, drawn = np.zeros_like(scale), 0
    for flipped in _flipped(sums, max(MIN_FLIPS, FLIPS_A_PAIR * n_pairs), seed):
        drawn += flipped.shape[1]
        for i in range(n_methods):
            statistics = np.abs((flipped[i:] - flipped[i]) * scale[i, i:, None])
            counts[i, i:] += np.count_nonzero(statistics >= np.abs(observed[i, i:, None]) - TOLERANCE, axis=1)
    counts = np.triu(counts) + np.triu(counts, 1).T
    return _p_values(counts, drawn, len(sums))


def worse_than_best_p_values(sums: Floats, seed: int = 0) -> Floats:
    """Return the (M, M) p values of "method i is as good as any of methods k, k + 1, …", at [i, k].

    Multiple comparisons with the best (Hsu 1984) by permutation: the statistic is the largest studentised difference
    between another method of the family and method i. That the best was chosen on the same clips is thus part of the
    null distribution. Families are all tails of the order of the columns.

    Args:
        sums: (C, M) sums over each cluster's clips, higher is better, the best method's column first.
        seed: of the random signs.
    """
    sums = _centred(sums)
    scale = _scale(sums)
    observed = _largest_of_tails(_statistics(sums.sum(axis=0)[:, None], scale))
    n_methods = sums.shape[1]
    counts, drawn = np.zeros_like(scale), 0
    for flipped in _flipped(sums, max(MIN_FLIPS, FLIPS_A_METHOD * n_methods), seed):
        drawn += flipped.shape[1]
        largest = np.full_like(flipped, -np.inf)
        for k in reversed(range(n_methods)):
            np.maximum(largest, (flipped[k] - flipped) * scale[k][:, None], out=largest)
            counts[:, k] += np.count_nonzero(largest >= observed[:, k, None] - TOLERANCE, axis=1)
    return _p_values(counts, drawn, len(sums))


def _centred(sums: Floats) -> Floats:
    # What all methods share on a cluster leaves differences as they are; without it they lose no digits.
    return np.asarray(sums - sums.mean(axis=1, keepdims=True))


def _scale(sums: Floats) -> Floats:
    """Return (M, M) factors that studentise differences of sums; 0 where two methods are equal on every cluster.

    Flips leave the sum of squares as it is, and for a given number of clusters t rises with difference / root of it.
    """
    square = np.stack([((column[:, None] - sums) ** 2).sum(axis=0) for column in sums.T])
    return np.asarray(np.where(square > 0, 1.0 / np.sqrt(np.where(square > 0, square, 1.0)), 0.0))


def _statistics(totals: Floats, scale: Floats) -> Floats:
    """Return (M, M) studentised differences, at [i, j] of j - i, from (M, 1) totals."""
    return (totals.T - totals) * scale


def _largest_of_tails(statistics: Floats) -> Floats:
    return np.asarray(np.maximum.accumulate(statistics[:, ::-1], axis=1)[:, ::-1])


def _flipped(sums: Floats, n_random: int, seed: int) -> Iterator[Floats]:
    """Yield blocks of (M, flips) totals over clusters under flipped signs."""
    n_clusters = len(sums)
    rng = np.random.default_rng(seed)
    is_exact = n_clusters <= MAX_CLUSTERS_FOR_ALL
    total = 2**n_clusters if is_exact else n_random
    size = max(1, SIGNS_AT_A_TIME // max(sums.shape))
    for start in range(0, total, size):
        rows = min(size, total - start)
        if is_exact:
            bits = np.arange(start, start + rows)[:, None] >> np.arange(n_clusters) & 1
        else:
            packed = np.frombuffer(rng.bytes(rows * -(-n_clusters // 8)), np.uint8).reshape(rows, -1)
            bits = np.unpackbits(packed, axis=1, count=n_clusters).astype(np.intp)
        yield (sums.T * 2) @ bits.T - sums.sum(axis=0)[:, None]


def _p_values(counts: Floats, drawn: int, n_clusters: int) -> Floats:
    if n_clusters <= MAX_CLUSTERS_FOR_ALL:
        return counts / drawn
    return (counts + 1) / (drawn + 1)
