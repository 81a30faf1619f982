"""The truth of simulated studies, against closed forms and against the simulation itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from vivid_bench.study.population import expected_ratings, expected_shares, pair_variances, rating_variances
from vivid_bench.study.simulate import RATING_CUTS, Truth

STRENGTHS = [-0.5, 0.0, 1.0]


def truth(sd: float = 0.0, slips: float = 0.0, tie_width: float = 0.5) -> Truth:
    return Truth({}, rater_sd=sd, sample_sd=sd, slips=slips, tie_width=tie_width)


def test_shares_without_effects_are_the_logistic_of_differences() -> None:
    shares = expected_shares(STRENGTHS, truth())
    assert shares[2, 0] == pytest.approx(expit(1.5))
    assert shares[0, 1] == pytest.approx(expit(-0.5))


def test_shares_of_a_pair_sum_to_1() -> None:
    shares = expected_shares(STRENGTHS, truth(sd=0.7, slips=0.1), ties=True)
    np.testing.assert_allclose(shares + shares.T, 1)
    np.testing.assert_allclose(np.diag(shares), 0.5)


def test_a_tie_counts_half() -> None:
    # First wins above +0.5, ties between: expit(1 - 0.5) + (expit(1 + 0.5) - expit(1 - 0.5)) / 2.
    share = expected_shares([1.0, 0.0], truth(), ties=True)[0, 1]
    assert share == pytest.approx((expit(0.5) + expit(1.5)) / 2)


def test_a_slip_turns_a_win_into_a_loss() -> None:
    p = float(expit(1.0))
    assert expected_shares([1.0, 0.0], truth(slips=0.1))[0, 1] == pytest.approx(0.9 * p + 0.1 * (1 - p))
    assert expected_shares([1.0, 0.0], truth(slips=0.5))[0, 1] == pytest.approx(0.5)


def test_effects_draw_shares_towards_a_half() -> None:
    rng = np.random.default_rng(0)
    # A difference of two methods has both methods' effects: variance 2 * (0.5² + 0.5²) = 1.
    drawn = expit(1.0 + rng.normal(size=400_000)).mean()
    assert expected_shares([1.0, 0.0], truth(sd=0.5))[0, 1] == pytest.approx(drawn, abs=2e-3)
    assert drawn < expit(1.0)


def test_ratings_of_a_middling_method_are_3() -> None:
    assert expected_ratings([0.0], truth(sd=0.5, slips=0.02))[0] == pytest.approx(3)
    assert expected_ratings([40.0, -40.0], truth()) == pytest.approx([5, 1])
    assert expected_ratings([40.0, -40.0], truth(slips=0.25)) == pytest.approx([4, 2])


def test_ratings_are_cut_at_the_stated_utilities() -> None:
    # P(rating >= k) = expit(strength - cut).
    expected = 1 + sum(expit(0.3 - cut) for cut in RATING_CUTS)
    assert expected_ratings([0.3], truth())[0] == pytest.approx(expected)


def test_without_effects_all_variance_is_chance() -> None:
    variances = pair_variances(0.0, 0.0)
    assert (variances.rater, variances.sample) == pytest.approx((0, 0), abs=1e-12)
    assert variances.rest == pytest.approx(0.25)


def test_variances_follow_their_effect_and_sum_to_those_of_a_coin() -> None:
    variances = pair_variances(0.8, 0.3)
    assert variances.rater > variances.sample > 0
    assert variances.rater + variances.sample + variances.rest == pytest.approx(0.25)
    swapped = pair_variances(0.3, 0.8)
    assert (swapped.rater, swapped.sample) == pytest.approx((variances.sample, variances.rater))


def test_variances_of_ratings_against_a_simulation() -> None:
    rng = np.random.default_rng(0)
    tastes, effects = rng.normal(0, 0.8, (1500, 1)), rng.normal(0, 0.4, 1500)
    ratings = 1 + np.searchsorted(RATING_CUTS, tastes + effects + rng.logistic(size=(1500, 1500)))
    variances = rating_variances(0.8, 0.4)
    assert variances.rater == pytest.approx(ratings.mean(axis=1).var(), rel=0.1)
    assert variances.sample == pytest.approx(ratings.mean(axis=0).var(), rel=0.1)
    assert variances.rater + variances.sample + variances.rest == pytest.approx(ratings.var(), rel=0.02)
