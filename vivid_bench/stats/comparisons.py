"""Which methods can be told apart: paired tests, corrected for how many there are, and the ranks that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from statsmodels.stats.multitest import multipletests

from vivid_bench.stats.bootstrap import Interval, mean_intervals
from vivid_bench.stats.clusters import ROUNDING, Floats, sum_by_cluster
from vivid_bench.stats.permutation import pair_p_values, worse_than_best_p_values

MAX_FOR_ALL_PAIRS = 30
"""Up to this many methods all pairs are tested; beyond, each against the best."""

LEVEL = 0.95

Order = NDArray[np.intp]
"""Columns of methods, the best mean first."""


@dataclass(frozen=True)
class Comparison:
    """Two methods on the same clips.

    Attributes:
        first, second: columns of the methods; the first has the better mean.
        difference: mean of first - second, in the metric's unit; negative where lower is better.
        interval: of that difference (95 %, studentised bootstrap over clusters); None where none can be given.
        p: of the permutation test.
        p_corrected: after Holm's correction over all comparisons.
        effect_size: the mean difference in standard deviations of the clip-wise differences, corrected for small
            samples (Hedges' g_z); None where the differences do not vary.
    """

    first: int
    second: int
    difference: float
    interval: Interval | None
    p: float
    p_corrected: float
    effect_size: float | None

    @property
    def is_significant(self) -> bool:
        """Whether the corrected test tells the two apart."""
        return self.p_corrected <= 1 - LEVEL


@dataclass(frozen=True)
class Comparisons:
    """What can be said of M methods on one metric.

    Attributes:
        design: whether all pairs were tested, or each method against the best.
        pairs: the comparisons, those of the better methods first.
        ranks: by method; shared by methods that cannot be told apart.
        tied_with_best: by method; whether it has the best mean or cannot be told apart from the one that has. Such a
            method may be told apart from another, whose differences vary less, and then has no rank 1.
    """

    design: Literal["all pairs", "with the best"]
    pairs: tuple[Comparison, ...]
    ranks: tuple[int, ...]
    tied_with_best: tuple[bool, ...]


def compare(values: Floats, clusters: Sequence[str], higher_is_better: bool, seed: int = 0) -> Comparisons:
    """Compare M methods by their (N, M) values on the same N clips.

    Up to `MAX_FOR_ALL_PAIRS` methods all pairs are tested, and a method's rank is 1 + the number of methods that are
    significantly better. Beyond, each is tested against the best, and ranks are tiers, made one after another: methods
    not told apart from the best of those remaining share its rank, 1 + the number of methods ranked before.

    Raises:
        ValueError: for a missing value (NaN) or other shapes.
    """
    values = np.asarray(values, np.float64)
    totals = sum_by_cluster(values, clusters).totals * (1 if higher_is_better else -1)
    order = np.argsort(-totals.sum(axis=0), kind="stable")
    decide = _all_pairs if values.shape[1] <= MAX_FOR_ALL_PAIRS else _with_best
    return decide(values, clusters, totals, order, seed)


def _all_pairs(values: Floats, clusters: Sequence[str], totals: Floats, order: Order, seed: int) -> Comparisons:
    p_values = pair_p_values(totals, seed)
    chosen = [(int(order[i]), int(order[j])) for i, j in combinations(range(len(order)), 2)]
    p = [float(p_values[pair]) for pair in chosen]
    pairs = _pairs(values, clusters, chosen, p, _holm(p), seed)
    told_apart = [(pair.first, pair.second) for pair in pairs if pair.is_significant]
    worse = [second for _, second in told_apart]
    ranks = tuple(1 + worse.count(method) for method in range(len(order)))
    tied = tuple((int(order[0]), method) not in told_apart for method in range(len(order)))
    return Comparisons("all pairs", pairs, ranks, tied)


def _with_best(values: Floats, clusters: Sequence[str], totals: Floats, order: Order, seed: int) -> Comparisons:
    # Methods by place in the order from here on: place 0 is the best.
    p_values = worse_than_best_p_values(totals[:, order], seed)
    places = range(len(order))
    ranks: dict[int, int] = {}
    while len(ranks) < len(order):
        best = next(place for place in places if place not in ranks)
        # The family holds all that are no better than the best of those remaining, also those that have a rank.
        corrected = _holm(p_values[best:, best].tolist())
        rank = 1 + len(ranks)
        for place, p in zip(places[best:], corrected, strict=True):
            if place not in ranks and (place == best or p > 1 - LEVEL):
                ranks[place] = rank
    p, corrected = p_values[:, 0].tolist(), _holm(p_values[:, 0].tolist())
    chosen = [(int(order[0]), int(other)) for other in order[1:]]
    place_of = {int(method): place for place, method in enumerate(order)}
    by_method = tuple(ranks[place_of[method]] for method in places)
    return Comparisons(
        "with the best",
        _pairs(values, clusters, chosen, p[1:], corrected[1:], seed),
        by_method,
        tuple(rank == 1 for rank in by_method),
    )


def _holm(p_values: Sequence[float]) -> list[float]:
    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []


def _pairs(
    values: Floats,
    clusters: Sequence[str],
    chosen: Sequence[tuple[int, int]],
    p_values: Sequence[float],
    corrected: Sequence[float],
    seed: int,
) -> tuple[Comparison, ...]:
    if not chosen:
        return ()
    first, second = np.array(chosen).T
    differences = values[:, first] - values[:, second]
    intervals = mean_intervals(differences, clusters, LEVEL, seed)
    effects = _effect_sizes(differences, len(set(clusters)))
    means = differences.mean(axis=0).tolist()
    columns = zip(chosen, means, intervals, p_values, corrected, effects, strict=True)
    return tuple(
        Comparison(one, other, mean, interval, p, p_corrected, effect)
        for (one, other), mean, interval, p, p_corrected, effect in columns
    )


def _effect_sizes(differences: Floats, n_clusters: int) -> list[float | None]:
    """Return Hedges' g_z of each column of clip-wise differences: d_z times the gamma-function correction."""
    if n_clusters < 3:
        return [None] * differences.shape[1]
    freedom = n_clusters - 1
    correction = np.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2)) / np.sqrt(freedom / 2)
    means, sds = differences.mean(axis=0), differences.std(axis=0, ddof=1)
    varies = sds > ROUNDING * np.abs(differences).max(axis=0)
    return [float(correction * mean / sd) if v else None for mean, sd, v in zip(means, sds, varies, strict=True)]
