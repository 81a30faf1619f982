"""How many clips tell a difference apart, by the power of the paired t-test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq
from statsmodels.stats.power import TTestPower

from vivid_bench.stats.clusters import Floats, sum_by_cluster

MAX_CLIPS = 10**12
MAX_EFFECT = 1e6
"""The largest difference in standard deviations, and its inverse the smallest: the noncentral t is NaN far outside."""


def sd_of_differences(first: Floats, second: Floats, clusters: Sequence[str]) -> float:
    """Return the standard deviation of a clip's difference between two methods, as clips come in clusters.

    The linearised standard error of the mean difference over clusters, times the root of the number of clips: the plain
    standard deviation where each cluster has one clip, and larger where clips of one source video are alike.

    Args:
        first, second: (N,) values on the same clips; a clip that lacks one (NaN) is left out.
        clusters: (N,) names of the clips' source videos.

    Raises:
        ValueError: for fewer than 2 clusters with both values.
    """
    differences = first - second
    known = ~np.isnan(differences)
    names = np.asarray(clusters, dtype=str)[known]
    if len(np.unique(names)) < 2:
        raise ValueError("expected values of both methods on at least 2 source videos")
    error = sum_by_cluster(differences[known][:, None], names).standard_error[0]
    return float(error * np.sqrt(known.sum()))


def clips_needed(sd_of_differences: float, difference: float, power: float = 0.8, level: float = 0.95) -> int:
    """Return the smallest number of clips, at least 2, at which a paired t-test finds a difference.

    Args:
        sd_of_differences: standard deviation of the clip-wise differences between two methods, above 0.
        difference: of the two means, in the same unit, above 0; 1e-6 to 1e6 of those standard deviations.
        power: probability of finding it, above 1 - level and below 1.
        level: 1 - the two-sided level of the test, 0 to 1.

    Raises:
        ValueError: for a value outside these ranges.
    """
    _check(sd_of_differences, power, level)
    if not difference > 0:
        raise ValueError(f"expected a difference above 0, got {difference}")
    effect = difference / sd_of_differences
    if not 1 / MAX_EFFECT <= effect <= MAX_EFFECT:
        raise ValueError(f"expected a difference of 1e-6 to 1e6 standard deviations, got {effect:g}")
    too_few, enough = 1, 2
    while _power(effect, enough, level) < power:
        too_few, enough = enough, 2 * enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if _power(effect, middle, level) >= power else (middle, enough)
    return enough


def detectable_difference(sd_of_differences: float, clips: int, power: float = 0.8, level: float = 0.95) -> float:
    """Return the smallest difference of two means that a paired t-test on this many clips finds with the given power.

    Arguments and errors are those of `clips_needed`; 2 to 10^12 clips.
    """
    _check(sd_of_differences, power, level)
    if not 2 <= clips <= MAX_CLIPS:
        raise ValueError(f"expected 2 to 10^12 clips, got {clips}")
    enough = 1.0
    while _power(enough, clips, level) < power:
        enough *= 2
    return sd_of_differences * float(brentq(lambda effect: _power(effect, clips, level) - power, 0.0, enough))


def _power(effect: float, clips: int, level: float) -> float:
    """Return the probability that the test finds the difference, with its right sign."""
    power = float(TTestPower().power(effect, clips, (1 - level) / 2, alternative="larger"))
    # SciPy's noncentral t has isolated points where it is NaN.
    return _power(effect * (1 + 1e-6), clips, level) if np.isnan(power) else power


def _check(sd: float, power: float, level: float) -> None:
    if not 0 < sd < np.inf:
        raise ValueError(f"expected a finite standard deviation above 0, got {sd}")
    if not 0 < level < 1 or not 1 - level < power < 1:
        raise ValueError(f"expected a level in 0 to 1 and a power in {1 - level:g} to 1, got {level} and {power}")
