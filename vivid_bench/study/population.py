"""What a study of simulated raters would find with endless raters and samples: what intervals should cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from vivid_bench.study.simulate import RATING_CUTS, Truth

Floats = NDArray[np.float64]

NODES = 48
"""Of the Gauss-Hermite rule for each normal effect."""


@dataclass(frozen=True)
class Variances:
    """Where one judgement's variance comes from, in its unit squared.

    Attributes:
        rater: of raters' own means.
        sample: of samples' own means.
        rest: of what is left: chance, and raters who differ on one sample and not on another.
    """

    rater: float
    sample: float
    rest: float


def expected_shares(strengths: Sequence[float], truth: Truth, ties: bool = False) -> Floats:
    """Return (M, M) expected shares of judgements that the method of the row wins, ties as half; 0.5 on the diagonal.

    Args:
        strengths: (M,) in natural log odds.
        truth: its effects and slips; its own strengths are not read.
        ties: whether raters may call a tie.
    """
    own = np.asarray(strengths, np.float64)
    effects, weights = _normal(np.hypot(truth.rater_sd, truth.sample_sd) * np.sqrt(2))
    difference = own[:, None, None] - own[None, :, None] + effects
    width = truth.tie_width if ties else 0.0
    shares = ((expit(difference - width) + expit(difference + width)) / 2) @ weights
    return np.asarray(shares + truth.slips * (1 - 2 * shares))


def expected_ratings(strengths: Sequence[float], truth: Truth) -> Floats:
    """Return (M,) expected ratings, 1 to 5."""
    effects, weights = _normal(np.hypot(truth.rater_sd, truth.sample_sd))
    above = expit(np.asarray(strengths)[:, None, None] + effects[:, None] - np.array(RATING_CUTS))
    ratings = 1 + above.sum(axis=-1) @ weights
    return np.asarray(ratings + truth.slips * (6 - 2 * ratings))


def pair_variances(rater_sd: float, sample_sd: float) -> Variances:
    """Return the variances of one judgement, 1 won or 0 lost, between two methods of equal strength."""
    raters, rater_weights = _normal(rater_sd * np.sqrt(2))
    samples, sample_weights = _normal(sample_sd * np.sqrt(2))
    means = expit(raters[:, None] + samples)
    return _variances(means, means, rater_weights, sample_weights)


def rating_variances(rater_sd: float, sample_sd: float) -> Variances:
    """Return the variances of one rating, 1 to 5, of a method of strength 0."""
    raters, rater_weights = _normal(rater_sd)
    samples, sample_weights = _normal(sample_sd)
    above = expit(raters[:, None, None] + samples[:, None] - np.array(RATING_CUTS))
    # The square of a rating k is 1 + 3 + 5 + ... + (2 k - 1).
    squares = 1 + above @ np.array([3.0, 5.0, 7.0, 9.0])
    return _variances(1 + above.sum(axis=-1), squares, rater_weights, sample_weights)


def _variances(means: Floats, squares: Floats, rater_weights: Floats, sample_weights: Floats) -> Variances:
    """Split the variance of a judgement, from its mean and mean square by rater (rows) and sample (columns)."""
    mean = rater_weights @ means @ sample_weights
    rater = float(rater_weights @ (means @ sample_weights - mean) ** 2)
    sample = float((rater_weights @ means - mean) ** 2 @ sample_weights)
    total = float(rater_weights @ squares @ sample_weights - mean**2)
    return Variances(rater, sample, total - rater - sample)


def _normal(sd: float) -> tuple[Floats, Floats]:
    """Return nodes and weights, which sum to 1, of the mean over a normal effect."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return np.asarray(nodes * sd), np.asarray(weights / weights.sum())
