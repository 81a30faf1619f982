"""What a table says of its methods: Bradley-Terry strengths and win rates, or mean ratings, and which differ."""

from __future__ import annotations

from dataclasses import dataclass, replace

import choix
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from vivid_bench.study.judgements import Floats, Indices, Judgements, Ratings
from vivid_bench.study.resampling import LEVEL, Spread, normal_interval, share_interval, spread, sum_by_cell

MAX_NEWTON_STEPS = 100
STEP_TOLERANCE = 1e-9

RATING_RANGE = (1, 5)
"""No interval of a mean rating reaches further."""


@dataclass(frozen=True)
class Figures:
    """Figures and their 95 % intervals, all of one shape; ends are NaN where there is no interval."""

    values: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Strengths:
    """What a table says of its M methods.

    Attributes:
        scores: (M,) Bradley-Terry strengths (natural log odds, mean 0), or mean ratings.
        win_rates: (M,) mean over the other methods of the share won against each, ties as half; None for ratings.
        differences: (M, M) scores[i] - scores[j].
        p: (M, M) two-sided, that the difference is 0, by Student's t with the bootstrap's standard error; NaN where
            there is none, and on the diagonal.
        p_corrected: after Holm's correction over all pairs.
        ranks: (M,) 1 + the number of methods significantly better.
        tied_with_best: (M,) not told apart from the method with the highest score.
    """

    scores: Figures
    win_rates: Figures | None
    differences: Figures
    p: Floats
    p_corrected: Floats
    ranks: Indices
    tied_with_best: NDArray[np.bool_]


def win_matrix(judgements: Judgements) -> Floats:
    """Return (M, M) how often method i won over j, a tie as half a win each way."""
    return np.asarray(_win_table(judgements).sum(axis=0))


def fit_strengths(wins: Floats) -> Floats:
    """Return (M,) Bradley-Terry strengths, natural log odds with mean 0, from (M, M) wins of i over j.

    Each pair is given 1 / M of a win each way, so that a method that wins everything has a finite strength: Firth's
    correction spread evenly over the pairs, which for two methods is the log odds with half a win added to each side.
    Fitted by `choix` (iterative Luce spectral ranking, Maystre and Grossglauser 2015).
    """
    return np.asarray(choix.ilsr_pairwise_dense(wins + _added_wins(len(wins)), max_iter=10_000))


def estimate(judgements: Judgements, resamples: int, rng: np.random.Generator) -> Strengths:
    """Return strengths and win rates of a table's methods, with intervals; at least one judgement.

    Raises:
        ValueError: where methods do not all meet, if only through others: see `all_meet`.
    """
    wins = win_matrix(judgements)
    if not all_meet(wins):
        raise ValueError("expected judgements that compare all methods, if only through others")
    scores, rates = fit_strengths(wins), _win_rates(wins[None])[0]
    n_methods = len(scores)
    one, other = np.triu_indices(n_methods, 1)
    table = _win_table(judgements).reshape(-1, n_methods**2)
    raters, videos, by_cell = sum_by_cell(judgements.raters, judgements.videos, table)

    def figures(weights: Floats) -> Floats:
        resampled = (weights @ by_cell).reshape(-1, n_methods, n_methods)
        # The wins that are added are drawn anew too, or nothing would vary for a method that wins everything.
        added = _added_wins(n_methods) * rng.exponential(size=resampled.shape)
        strengths = fit_many(resampled + added, scores)
        return np.concatenate([strengths, strengths[:, one] - strengths[:, other], _win_rates(resampled)], axis=1)

    found = spread(figures, raters, videos, resamples, rng)
    win_rates = Figures(rates, *_share_ends(rates, found and found.part(-n_methods, None)))
    # Where all call ties, strengths vary by the added wins alone, which says nothing of raters or videos.
    all_tied = bool((judgements.outcomes == 0.5).all())
    return _strengths(scores, None if all_tied else found, win_rates)


def estimate_ratings(ratings: Ratings, resamples: int, rng: np.random.Generator) -> Strengths:
    """Return mean ratings of a table's methods, with intervals.

    Raises:
        ValueError: for a method without a rating.
    """
    sums = _value_sums(ratings)
    means = _means(sums.sum(axis=0, keepdims=True))[0]
    if np.isnan(means).any():
        raise ValueError("expected a rating of every method")
    one, other = np.triu_indices(len(means), 1)
    raters, videos, by_cell = sum_by_cell(ratings.raters, ratings.videos, sums)

    def figures(weights: Floats) -> Floats:
        resampled = _means(weights @ by_cell)
        return np.concatenate([resampled, resampled[:, one] - resampled[:, other]], axis=1)

    found = _strengths(means, spread(figures, raters, videos, resamples, rng), None)
    low, high = (np.clip(ends, *RATING_RANGE) for ends in (found.scores.low, found.scores.high))
    return replace(found, scores=Figures(means, low, high))


def estimate_top_rates(places: Ratings, resamples: int, rng: np.random.Generator) -> Figures:
    """Return (M,) shares of rankings that have a method first, with intervals; every method ranked at least once."""
    sums = _value_sums(replace(places, values=(places.values == 1).astype(np.float64)))
    shares = _means(sums.sum(axis=0, keepdims=True))[0]
    raters, videos, by_cell = sum_by_cell(places.raters, places.videos, sums)
    found = spread(lambda weights: _means(weights @ by_cell), raters, videos, resamples, rng)
    return Figures(shares, *_share_ends(shares, found))


def all_meet(wins: Floats) -> bool:
    """Return whether (M, M) wins compare all methods with each other, if only through others."""
    met = (wins + wins.T) > 0
    reached = {0}
    while more := {int(j) for i in reached for j in np.flatnonzero(met[i])} - reached:
        reached |= more
    return len(reached) == len(wins)


def fit_many(wins: Floats, start: Floats) -> Floats:
    """Return (B, M) Bradley-Terry strengths of (B, M, M) wins, all entries off the diagonal above 0.

    Newton's method on all at once, from (M,) strengths near them: the figures of `choix`, which takes wins one matrix
    at a time, 100 times as fast.

    Raises:
        ArithmeticError: if it does not converge.
    """
    strengths = np.broadcast_to(start, wins.shape[:2]).copy()
    met = wins + wins.transpose(0, 2, 1)
    diagonal = np.arange(len(start))
    for _ in range(MAX_NEWTON_STEPS):
        chances = expit(strengths[:, :, None] - strengths[:, None, :])
        # The chance of losing by itself, not as 1 - the chance of winning: both count where one is all but nought.
        losing = chances.transpose(0, 2, 1)
        gradient = (wins * losing - wins.transpose(0, 2, 1) * chances).sum(axis=2)
        hessian = -met * chances * losing
        scale = -hessian.sum(axis=2)
        # A constant added to all strengths changes nothing: this keeps their mean where it is.
        hessian += scale.mean(axis=1)[:, None, None]
        hessian[:, diagonal, diagonal] += scale
        step = np.clip(np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0], -1, 1)
        strengths += step
        if np.abs(step).max() < STEP_TOLERANCE:
            return np.asarray(strengths - strengths.mean(axis=1, keepdims=True))
    raise ArithmeticError(f"Bradley-Terry strengths did not converge in {MAX_NEWTON_STEPS} steps")


def _added_wins(n_methods: int) -> Floats:
    return (1 - np.eye(n_methods)) / n_methods


def _win_table(judgements: Judgements) -> Floats:
    """Return (N, M, M) what each judgement adds to the wins of i over j."""
    n, n_methods = len(judgements.outcomes), len(judgements.runs)
    table = np.zeros((n, n_methods, n_methods))
    table[np.arange(n), judgements.first, judgements.second] = judgements.outcomes
    table[np.arange(n), judgements.second, judgements.first] = 1 - judgements.outcomes
    return table


def _win_rates(wins: Floats) -> Floats:
    """Return (B, M) means, over the methods that a method met, of the share won against each."""
    met = wins + wins.transpose(0, 2, 1)
    shares = np.divide(wins, met, out=np.zeros_like(wins), where=met > 0)
    return np.asarray(shares.sum(axis=2) / (met > 0).sum(axis=2))


def _value_sums(ratings: Ratings) -> Floats:
    """Return (N, 2 M) what each value adds: to the number of its method's values, then to their sum."""
    of_method = np.zeros((len(ratings.values), len(ratings.runs)))
    of_method[np.arange(len(of_method)), ratings.methods] = 1.0
    return np.concatenate([of_method, of_method * ratings.values[:, None]], axis=1)


def _means(sums: Floats) -> Floats:
    """Return (B, M) means from (B, 2 M) sums, NaN for a method without a value."""
    numbers, totals = np.split(sums, 2, axis=1)
    return np.divide(totals, numbers, out=np.full_like(totals, np.nan), where=numbers > 0)


def _share_ends(shares: Floats, found: Spread | None) -> tuple[Floats, Floats]:
    return share_interval(shares, found) if found else (np.full_like(shares, np.nan),) * 2


def _normal_ends(values: Floats, found: Spread | None) -> tuple[Floats, Floats]:
    return normal_interval(values, found) if found else (np.full_like(values, np.nan),) * 2


def _strengths(scores: Floats, found: Spread | None, win_rates: Figures | None) -> Strengths:
    """Put together what follows from scores, and the spread of scores and then of pairs' differences."""
    n_methods = len(scores)
    one, other = np.triu_indices(n_methods, 1)
    differences = scores[one] - scores[other]
    of_pairs = found and found.part(n_methods, n_methods + len(one))
    low, high = _normal_ends(differences, of_pairs)
    p = of_pairs.p_values(differences) if of_pairs else np.full_like(differences, np.nan)
    corrected = holm(p)
    matrices = [
        _square(n_methods, upper, lower)
        for upper, lower in ((differences, -differences), (low, -high), (high, -low), (p, p), (corrected, corrected))
    ]
    is_worse = (matrices[4] <= 1 - LEVEL) & (matrices[0] < 0)
    return Strengths(
        Figures(scores, *_normal_ends(scores, found and found.part(0, n_methods))),
        win_rates,
        Figures(matrices[0], matrices[1], matrices[2]),
        matrices[3],
        matrices[4],
        1 + is_worse.sum(axis=1),
        ~is_worse[:, int(scores.argmax())],
    )


def holm(p: Floats) -> Floats:
    """Return (K,) p values after Holm's correction; NaN stays NaN and is no test.

    As `statsmodels`' multipletests, which collects garbage at each call: a third of a second once torch is loaded.
    """
    corrected = np.full_like(p, np.nan)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def _square(n_methods: int, upper: Floats, lower: Floats) -> Floats:
    """Return (M, M) with the pairs' figures above the diagonal, the mirrored ones below, and NaN on it."""
    matrix = np.full((n_methods, n_methods), np.nan)
    one, other = np.triu_indices(n_methods, 1)
    matrix[one, other], matrix[other, one] = upper, lower
    return matrix
