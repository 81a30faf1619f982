"""Clips needed and differences that they find."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from vivid_bench.stats import clips_needed, detectable_difference
from vivid_bench.stats.power import sd_of_differences


def test_cohen_s_table() -> None:
    # Half a standard deviation, power 0.8 at 5 %, two sides: 34 pairs (Cohen 1988).
    assert clips_needed(2.0, 1.0) == 34
    assert clips_needed(1.0, 0.2) == 199


@pytest.mark.parametrize("effect", [0.03, 0.1, 0.3, 1.0, 1.5])
def test_what_statsmodels_solves_for(effect: float) -> None:
    theirs = TTestPower().solve_power(effect, None, 0.05, 0.9)
    assert clips_needed(1.0, effect, power=0.9) == math.ceil(theirs)
    assert detectable_difference(1.0, 24) == pytest.approx(TTestPower().solve_power(None, 24, 0.05, 0.8), rel=1e-4)


def test_the_two_are_inverse() -> None:
    found = detectable_difference(3.0, 50, power=0.9, level=0.99)
    assert clips_needed(3.0, found * 1.0001, power=0.9, level=0.99) == 50
    assert clips_needed(3.0, found * 0.999, power=0.9, level=0.99) == 51


def test_very_large_and_very_small_differences() -> None:
    assert clips_needed(1.0, 1e3) == 2
    assert detectable_difference(1.0, 2) > detectable_difference(1.0, 3) > 1
    # (1.96 + 0.8416)² / 0.001²
    assert clips_needed(1.0, 0.001) == pytest.approx(7_848_882, rel=1e-4)


def test_sd_of_one_clip_a_video_is_the_plain_one() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 10))
    expected = (first - second)[:9].std(ddof=1)
    second[9] = np.nan
    assert sd_of_differences(first, second, list("abcdefghij")) == pytest.approx(expected)


def test_clips_of_one_video_that_are_alike_count_as_one() -> None:
    # Each difference twice: the mean is as uncertain as with half the clips, so a clip's sd is sqrt(2) times.
    differences = np.random.default_rng(0).normal(size=12)
    names = [str(number) for number in range(12)]
    once = sd_of_differences(differences, np.zeros(12), names)
    twice = sd_of_differences(np.repeat(differences, 2), np.zeros(24), np.repeat(names, 2).tolist())
    assert twice == pytest.approx(np.sqrt(2) * once)


def test_arguments_outside_their_ranges() -> None:
    for sd, difference in ((0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (1.0, -1.0), (math.nan, 1.0)):
        with pytest.raises(ValueError, match="above 0"):
            clips_needed(sd, difference)
    for power, level in ((1.0, 0.95), (0.01, 0.95), (0.8, 1.0), (0.8, 0.0)):
        with pytest.raises(ValueError, match="power"):
            clips_needed(1.0, 1.0, power, level)
    for sd, difference in ((1.0, math.inf), (1e-300, 1e300), (1.0, 1e-300), (1e300, 1.0)):
        with pytest.raises(ValueError, match="1e-6 to 1e6 standard deviations"):
            clips_needed(sd, difference)
    with pytest.raises(ValueError, match="finite"):
        clips_needed(math.inf, 1.0)
    for clips in (1, 10**30):
        with pytest.raises(ValueError, match="clips"):
            detectable_difference(1.0, clips)
    with pytest.raises(ValueError, match="source videos"):
        sd_of_differences(np.ones(3), np.zeros(3), ["a", "a", "a"])
