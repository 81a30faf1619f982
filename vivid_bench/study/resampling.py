"""Intervals of figures that come from crossed raters and samples: a bootstrap over both.

Two answers are alike when one rater gave them, and when they are about one source video. With V(raters) the variance of
a figure when raters are resampled, V(videos) when source videos are, and V(cells) when single (rater, video) cells are,
its variance is

    V = max(V(raters) + V(videos) - V(cells), V(raters), V(videos)),

for the first two each hold the noise of single answers, which is to count once (Cameron, Gelbach and Miller 2011). To
draw raters and videos in one go (the pigeonhole bootstrap, Owen 2007) counts that noise three times: its intervals are
1.4 times as wide as need be where a pair of methods has a hundred judgements, and cover 99 %.

Resamples are weights from the exponential distribution (the Bayesian bootstrap, Rubin 1981; for crossed data Owen and
Eckles 2012), so that no resample lacks a method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from vivid_bench.study.judgements import Floats, Indices
from vivid_bench.study.results import Estimate

RESAMPLES = 2000
MIN_CLUSTERS = 3
"""Fewer raters or source videos give no interval."""

LEVEL = 0.95
FLAT = 1e-9
"""A standard error up to this is rounding: nothing varies."""

DRAWS_AT_A_TIME = 2_000_000
"""Weights that are held at a time: they bound memory, and move no figure."""

Statistic = Callable[[Floats], Floats]
"""From (B, N) weights of N answers to (B, K) figures."""


@dataclass(frozen=True)
class Spread:
    """How far K figures would differ with other raters and samples.

    Attributes:
        standard_errors: (K,).
        freedom: degrees of freedom of Student's t: the smaller number of raters and source videos, less 1.
    """

    standard_errors: Floats
    freedom: int

    @property
    def quantile(self) -> float:
        """How many standard errors a two-sided 95 % interval reaches to either side."""
        return float(student.ppf((1 + LEVEL) / 2, self.freedom))

    def part(self, start: int, end: int | None) -> Spread:
        """Return the spread of some of the figures."""
        return Spread(self.standard_errors[start:end], self.freedom)

    def p_values(self, figures: Floats) -> Floats:
        """Return (K,) two-sided p values of the figures being 0, by Student's t; NaN where nothing varies."""
        varies = self.standard_errors > FLAT
        statistics = np.abs(figures) / np.where(varies, self.standard_errors, 1.0)
        return np.where(varies, 2 * student.sf(statistics, self.freedom), np.nan)


def spread(
    statistic: Statistic, raters: Indices, videos: Indices, resamples: int, rng: np.random.Generator
) -> Spread | None:
    """Resample N answers by their raters and source videos; see above.

    Args:
        raters, videos: (N,) numbers.
        resamples: of each of the three kinds.

    Returns:
        None where fewer than `MIN_CLUSTERS` raters or source videos answered.
    """
    n_raters, n_videos = len(np.unique(raters)), len(np.unique(videos))
    if min(n_raters, n_videos) < MIN_CLUSTERS:
        return None
    by_rater, by_video, by_cell = (
        _variances(statistic, clusters, resamples, rng) for clusters in (raters, videos, _cells(raters, videos))
    )
    variances = np.maximum(by_rater + by_video - by_cell, np.maximum(by_rater, by_video))
    return Spread(np.sqrt(variances), min(n_raters, n_videos) - 1)


def sum_by_cell(raters: Indices, videos: Indices, columns: Floats) -> tuple[Indices, Indices, Floats]:
    """Return (C,) raters, (C,) videos and (C, K) sums of (N, K) columns over answers of one rater about one video.

    Such answers have one weight in every resample, so that sums of them are all that is needed.
    """
    _, starts, cells = np.unique(_cells(raters, videos), return_index=True, return_inverse=True)
    sums = np.zeros((len(starts), columns.shape[1]))
    np.add.at(sums, cells, columns)
    return raters[starts], videos[starts], sums


def normal_interval(values: Floats, spread: Spread) -> tuple[Floats, Floats]:
    """Return the (K,) ends, value ± t * standard error; NaN where nothing varies, for that bounds nothing."""
    half = np.where(spread.standard_errors > FLAT, spread.quantile * spread.standard_errors, np.nan)
    return values - half, values + half


def share_interval(shares: Floats, spread: Spread) -> tuple[Floats, Floats]:
    """Return the (K,) ends of Wilson's interval for shares, 0 to 1, at their effective number of judgements.

    That is the number of independent judgements with the same standard error, as is usual in surveys (Franco et al.
    2019), with Student's t for the normal. Where all judgements are the same, nothing shows how alike those of one
    rater or one video are: then it is the smaller number of raters and source videos, as if each had spoken once.
    """
    varies = (spread.standard_errors > FLAT) & (shares > 0) & (shares < 1)
    variances = np.where(varies, spread.standard_errors, 1.0) ** 2
    effective = np.where(varies, shares * (1 - shares) / variances, spread.freedom + 1)
    square = spread.quantile**2 / effective
    half = np.sqrt(square * shares * (1 - shares) + square**2 / 4)
    low, high = (np.clip((shares + square / 2 + side * half) / (1 + square), 0, 1) for side in (-1, 1))
    return low, high


def as_estimate(value: float, low: float, high: float, raters: Indices, videos: Indices) -> Estimate:
    """Return a figure that (N,) answers gave, with its interval, or with the reason why its ends are NaN."""
    if np.isfinite(low) and np.isfinite(high):
        return Estimate(value=float(value), low=float(low), high=float(high))
    reason = "nothing varies between raters and samples"
    for name, numbers in (("raters", raters), ("source videos", videos)):
        if len(np.unique(numbers)) < MIN_CLUSTERS:
            reason = f"fewer than {MIN_CLUSTERS} {name}"
    return Estimate(value=float(value), low=None, high=None, reason=reason)


def _cells(raters: Indices, videos: Indices) -> Indices:
    return np.asarray(raters * (videos.max() + 1) + videos)


def _variances(statistic: Statistic, clusters: Indices, resamples: int, rng: np.random.Generator) -> Floats:
    names, numbers = np.unique(clusters, return_inverse=True)
    figures = np.concatenate(
        [statistic(weights[:, numbers]) for weights in _draws(len(names), clusters, resamples, rng)]
    )
    n = len(names)
    # Exponential weights on n clusters have (n - 1) / (n + 1) of the variance.
    return np.asarray(figures.var(axis=0, ddof=1) * ((n + 1) / (n - 1)))


def _draws(n: int, clusters: Indices, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    size = max(1, DRAWS_AT_A_TIME // len(clusters))
    for start in range(0, resamples, size):
        yield rng.exponential(size=(min(size, resamples - start), n))
