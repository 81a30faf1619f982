"""What comparisons can detect: against the formula by hand, at the ends, and as numbers grow."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivid_bench.stats.power import detectable_difference
from vivid_bench.study.population import pair_variances, rating_variances
from vivid_bench.study.power import Detectable, detectable, detectable_rating


def test_independent_judgements_are_a_t_test_of_as_many() -> None:
    # Everyone judges once, no effects: the sd of a judgement is 1/2.
    found = detectable(100, 100, 100, rater_sd=0.0, sample_sd=0.0)
    assert found.share == pytest.approx(0.5 + detectable_difference(0.5, 100))
    # About (1.98 + 0.85) * 0.5 / sqrt(100).
    assert found.share == pytest.approx(0.642, abs=0.002)


def test_the_strength_is_the_log_odds_of_the_share() -> None:
    found = detectable(72, 24, 20)
    assert found.share is not None
    assert found.strength == pytest.approx(np.log(found.share / (1 - found.share)))


def test_variances_add_up_as_stated() -> None:
    parts = pair_variances(0.5, 0.4)
    variance = parts.rater / 12 + parts.sample / 9 + parts.rest / 60
    found = detectable(60, 12, 9, rater_sd=0.5, sample_sd=0.4)
    assert found.share == pytest.approx(0.5 + detectable_difference(np.sqrt(variance * 9), 9))


def test_more_judgements_by_the_same_few_raters_end_at_a_floor() -> None:
    floor = detectable_difference(np.sqrt(pair_variances(0.5, 0.0).rater), 5)
    shares = [detectable(n, 5, 10**6, sample_sd=0.0).share for n in (50, 500, 5_000, 10**8)]
    assert all(more is not None and less is not None and more < less for less, more in pairwise(shares))
    assert shares[-1] == pytest.approx(0.5 + floor, rel=1e-3)


@pytest.mark.parametrize(("judgements", "raters", "samples"), [(0, 0, 0), (1, 1, 1), (50, 1, 20), (50, 20, 1)])
def test_too_few_detect_nothing(judgements: int, raters: int, samples: int) -> None:
    assert detectable(judgements, raters, samples) == Detectable(None, None)
    assert detectable_rating(judgements, raters, samples) is None


def test_few_judgements_detect_nothing_below_winning_all() -> None:
    assert detectable(3, 3, 3) == Detectable(None, None)
    assert detectable_rating(2, 2, 2) is None


def test_sharing_the_level_among_comparisons_costs() -> None:
    alone, shared = detectable(72, 24, 20).share, detectable(72, 24, 20, comparisons=10).share
    assert alone is not None
    assert shared is not None
    assert alone < shared
    one, ten = detectable_rating(72, 24, 20), detectable_rating(72, 24, 20, comparisons=10)
    assert one is not None
    assert ten is not None
    assert one < ten


def test_ratings_of_two_methods_vary_twice() -> None:
    parts = rating_variances(0.5, 0.5)
    variance = 2 * (parts.rater / 24 + parts.sample / 20 + parts.rest / 144)
    assert detectable_rating(144, 24, 20) == pytest.approx(detectable_difference(np.sqrt(variance * 20), 20))


@settings(max_examples=20)
@given(st.integers(2, 500), st.integers(2, 60), st.integers(2, 60))
def test_more_is_never_worse(judgements: int, raters: int, samples: int) -> None:
    def share(*numbers: int) -> float:
        return detectable(*numbers).share or 1.0

    now = share(judgements, raters, samples)
    assert 0.5 < now <= 1
    assert share(2 * judgements, raters, samples) <= now + 1e-9
    assert share(judgements, raters + 5, samples) <= now + 1e-9
    assert share(judgements, raters, samples + 5) <= now + 1e-9
