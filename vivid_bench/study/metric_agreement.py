"""Which automatic metric should one trust: how far each agrees with raters, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vivid_bench.errors import UnknownNameError
from vivid_bench.metrics import metric_info
from vivid_bench.study.judgements import Floats, Judgements, Ratings, Table
from vivid_bench.study.resampling import FLAT, Spread, as_estimate, share_interval, spread
from vivid_bench.study.results import Estimate, MetricAgreement
from vivid_bench.study.types import StudyKey
from vivid_bench.study.votes import Votes, pair_votes, rating_votes

MAX_RESAMPLES = 500
"""So many of a study's resamples are used here: a standard error from 500 is within 3 %, and there are many metrics."""


def metric_agreements(
    key: StudyKey, table: Table, found: Judgements | Ratings, resamples: int, rng: np.random.Generator
) -> tuple[MetricAgreement, ...]:
    """Return how far each metric of a table's runs agrees with the raters, metrics in the runs' order.

    Args:
        found: the table's judgements of pairs, or its ratings.
        resamples: for the intervals; at most `MAX_RESAMPLES` are used.
    """
    votes = pair_votes(found) if isinstance(found, Judgements) else rating_votes(found)
    split, _ = votes.preferences(np.ones((1, len(votes.units))))
    votes = votes.only(np.flatnonzero(split[0]))
    by_metric: dict[str, MetricAgreement] = {}
    differences: dict[str, Floats] = {}
    groups: dict[bytes, list[str]] = {}
    for metric in dict.fromkeys(metric for run in found.runs for metric in key.runs[run].scores):
        try:
            differences[metric] = _differences(key, found.runs, metric, votes)
        except UnknownNameError as error:
            by_metric[metric] = _none(table, metric, str(error))
            continue
        known = np.isfinite(differences[metric])
        if reason := _why_none(differences[metric][known], len(known)):
            by_metric[metric] = _none(table, metric, reason)
        else:
            groups.setdefault(known.tobytes(), []).append(metric)
    for metrics in groups.values():
        known_units = np.flatnonzero(np.isfinite(differences[metrics[0]]))
        columns = np.stack([differences[metric][known_units] for metric in metrics])
        results = _agreements(table, metrics, columns, votes.only(known_units), min(resamples, MAX_RESAMPLES), rng)
        by_metric |= dict(zip(metrics, results, strict=True))
    return tuple(by_metric[metric] for metric in sorted(by_metric, key=[*differences, *by_metric].index))


def _differences(key: StudyKey, runs: Sequence[int], metric: str, votes: Votes) -> Floats:
    """Return (U,) how much better the metric finds a unit's first method; NaN where it lacks a figure of one."""
    sign = 1.0 if metric_info(metric).higher_is_better else -1.0
    missing = (None,) * len(key.samples)
    values = np.array([key.runs[run].scores.get(metric, missing) for run in runs], np.float64)
    return np.asarray(sign * (values[votes.first, votes.samples] - values[votes.second, votes.samples]))


def _why_none(known: Floats, units: int) -> str | None:
    """Return why a metric cannot be compared with raters, from its known differences and the number of units."""
    if not units:
        return "raters prefer no method on any sample"
    if not len(known):
        return "it has no figures on these samples"
    return None if known.any() else "it gives all methods the same figures"


def _agreements(
    table: Table, metrics: Sequence[str], differences: Floats, votes: Votes, resamples: int, rng: np.random.Generator
) -> list[MetricAgreement]:
    """Compare (K, U) differences of K metrics, none missing, with the raters' votes on the U units."""

    def figures(weights: Floats) -> Floats:
        preferences, of_units = votes.preferences(weights)
        return np.concatenate(
            [_shares(differences, preferences, of_units), _correlations(differences, preferences, of_units)], axis=1
        )

    values = figures(np.ones((1, len(votes.units))))[0]
    found = spread(figures, votes.raters, votes.videos, resamples, rng)
    n = len(metrics)
    return [
        MetricAgreement(
            metric=metric,
            suite=table.suite,
            task=table.task,
            question=table.question,
            units=differences.shape[1],
            agreement=_agreement(values[i], found and found.part(i, i + 1), votes),
            correlation=_correlation(values[n + i], found and found.part(n + i, n + i + 1), votes),
        )
        for i, metric in enumerate(metrics)
    ]


def _shares(differences: Floats, preferences: Floats, weights: Floats) -> Floats:
    """Return (B, K) weighted shares of units in which both prefer the same method, no preference as half."""
    return np.stack(
        [
            (weights * (1 + np.sign(column) * np.sign(preferences)) / 2).sum(axis=1) / weights.sum(axis=1)
            for column in differences
        ],
        axis=1,
    )


def _correlations(differences: Floats, preferences: Floats, weights: Floats) -> Floats:
    """Return (B, K) weighted Spearman correlations, each unit taken both ways round; 0 where one is all 0.

    Both ways round, so that it does not matter which method is called the first: the centred rank of a difference is
    then half its sign times the rank of its size.
    """
    of_raters = np.sign(preferences) * _midranks(np.abs(preferences), weights)
    columns = []
    for column in differences:
        of_metric = np.sign(column) * _midranks(np.broadcast_to(np.abs(column), weights.shape), weights)
        scale = np.sqrt((weights * of_metric**2).sum(axis=1) * (weights * of_raters**2).sum(axis=1))
        together = (weights * of_metric * of_raters).sum(axis=1)
        columns.append(np.divide(together, scale, out=np.zeros_like(scale), where=scale > 0))
    return np.stack(columns, axis=1)


def _midranks(sizes: Floats, weights: Floats) -> Floats:
    """Return (B, U) ranks in each row of (B, U) sizes, by weight: what is below, and half of what is equal."""
    order = np.argsort(sizes, axis=1)
    ordered = np.take_along_axis(sizes, order, axis=1)
    of_ordered = np.take_along_axis(weights, order, axis=1)
    up_to = np.cumsum(of_ordered, axis=1)
    starts = np.ones(sizes.shape, bool)
    starts[:, 1:] = ordered[:, 1:] > ordered[:, :-1]
    ends = np.ones(sizes.shape, bool)
    ends[:, :-1] = starts[:, 1:]
    below = np.maximum.accumulate(np.where(starts, up_to - of_ordered, 0.0), axis=1)
    through = np.minimum.accumulate(np.where(ends, up_to, np.inf)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty_like(up_to)
    np.put_along_axis(ranks, order, (below + through) / 2, axis=1)
    return ranks


def _agreement(share: float, found: Spread | None, votes: Votes) -> Estimate:
    low = high = np.nan
    if found:
        low, high = (float(end[0]) for end in share_interval(np.array([share]), found))
    return as_estimate(share, low, high, votes.raters, votes.videos)


def _correlation(value: float, found: Spread | None, votes: Votes) -> Estimate:
    """Return the correlation with an interval on Fisher's scale, which keeps it within -1 to 1."""
    low = high = np.nan
    if found and abs(value) < 1 and found.standard_errors[0] > FLAT:
        half = found.quantile * found.standard_errors[0] / (1 - value**2)
        low, high = np.tanh(np.arctanh(value) - half), np.tanh(np.arctanh(value) + half)
    return as_estimate(value, low, high, votes.raters, votes.videos)


def _none(table: Table, metric: str, reason: str) -> MetricAgreement:
    return MetricAgreement(
        metric=metric,
        suite=table.suite,
        task=table.task,
        question=table.question,
        units=0,
        agreement=None,
        correlation=None,
        reason=reason,
    )
