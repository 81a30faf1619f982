"""What a comparison of two methods can detect with its judgements, before anyone is asked.

Raters and samples are drawn from a population, so that more judgements by the same few raters, or of the same few
samples, help less and less. The variance of a share of wins is rater / R + sample / S + rest / n, for n judgements by
R raters on S samples (`population.Variances`, at equal strengths); a t-test with min(R, S, n) - 1 degrees of freedom
decides (`vivid_bench.stats.power`). Bradley-Terry strengths borrow from other pairs and do a little better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivid_bench.stats.power import detectable_difference
from vivid_bench.study.population import Variances, pair_variances, rating_variances
from vivid_bench.study.simulate import RATER_SD, SAMPLE_SD

POWER = 0.8
LEVEL = 0.95


@dataclass(frozen=True)
class Detectable:
    """The smallest difference that a comparison finds.

    Attributes:
        share: of judgements won by the better method, above 0.5 and below 1; None: the judgements, raters or samples
            are too few to find any.
        strength: the same as a difference of Bradley-Terry strengths, natural log odds; None as above.
    """

    share: float | None
    strength: float | None


def detectable(
    judgements: int,
    raters: int,
    samples: int,
    *,
    comparisons: int = 1,
    rater_sd: float = RATER_SD,
    sample_sd: float = SAMPLE_SD,
) -> Detectable:
    """Return what a comparison finds with a probability of 80 % at a two-sided level of 5 %.

    Args:
        judgements: of the two methods against each other.
        raters: who make them.
        samples: that they are made on; of several of one source video, count one.
        comparisons: that the level is shared among, as Holm's correction does for the first of them.
        rater_sd, sample_sd: as in `simulate.Truth`; no study knows them beforehand.
    """
    difference = _difference(pair_variances(rater_sd, sample_sd), judgements, raters, samples, comparisons)
    if difference is None or difference >= 0.5:
        return Detectable(None, None)
    share = 0.5 + difference
    return Detectable(share, float(np.log(share / (1 - share))))


def detectable_rating(
    ratings: int,
    raters: int,
    samples: int,
    *,
    comparisons: int = 1,
    rater_sd: float = RATER_SD,
    sample_sd: float = SAMPLE_SD,
) -> float | None:
    """Return the difference of two methods' mean ratings, 1 to 5, that is found with a probability of 80 %.

    Args:
        ratings: of each method; the other arguments are those of `detectable`.

    Returns:
        None where the ratings, raters or samples are too few to find any difference.
    """
    one = rating_variances(rater_sd, sample_sd)
    both = Variances(2 * one.rater, 2 * one.sample, 2 * one.rest)
    difference = _difference(both, ratings, raters, samples, comparisons)
    return None if difference is None or difference > 4 else difference


def _difference(variances: Variances, judgements: int, raters: int, samples: int, comparisons: int) -> float | None:
    """Return the smallest difference of means that is found; None for fewer than 2 raters, samples or judgements."""
    # Raters without a judgement of this comparison add nothing to it, nor do samples.
    raters, samples = min(raters, judgements), min(samples, judgements)
    n = min(raters, samples)
    if n < 2:
        return None
    variance = variances.rater / raters + variances.sample / samples + variances.rest / judgements
    level = 1 - (1 - LEVEL) / comparisons
    return detectable_difference(float(np.sqrt(variance * n)), n, POWER, level)
