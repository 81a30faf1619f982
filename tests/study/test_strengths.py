from dataclasses import replace

import choix
import numpy as np
import pytest
from small_study import judgements
from statsmodels.stats.multitest import multipletests

from vivid_bench.study.judgements import Judgements, Ratings
from vivid_bench.study.strengths import (
    all_meet,
    estimate,
    estimate_ratings,
    estimate_top_rates,
    fit_many,
    fit_strengths,
    holm,
    win_matrix,
)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def random_judgements(strengths: list[float], n_raters: int = 12, n_samples: int = 10) -> Judgements:
    pairs = {(i, j): 1.0 for i in range(len(strengths)) for j in range(i + 1, len(strengths))}
    made = judgements(n_raters, n_samples, pairs)
    difference = np.array(strengths)[made.first] - np.array(strengths)[made.second]
    won = np.random.default_rng(1).random(len(difference)) < 1 / (1 + np.exp(-difference))
    return replace(made, outcomes=won.astype(float))


def test_two_methods_have_the_log_odds_of_their_wins():
    # 3 wins to 1, half a win added each way: log odds of 3.5 to 1.5, half of them to either side of 0.
    expected = np.log(3.5 / 1.5) / 2
    assert fit_strengths(np.array([[0.0, 3], [1, 0]])) == pytest.approx([expected, -expected])


def test_equal_wins_are_equal_strengths():
    circle = np.array([[0.0, 5, 0], [0, 0, 5], [5, 0, 0]])
    assert fit_strengths(circle) == pytest.approx(np.zeros(3), abs=1e-7)


def test_winning_everything_is_finite():
    assert fit_strengths(np.array([[0.0, 10], [0, 0]])) == pytest.approx(np.array([1, -1]) * np.log(10.5 / 0.5) / 2)


def test_known_strengths_come_out_of_many_judgements():
    strengths = np.array([0.8, 0.1, -0.9])
    wins = 1e6 / (1 + np.exp(strengths[None] - strengths[:, None]))
    np.fill_diagonal(wins, 0)
    assert fit_strengths(wins) == pytest.approx(strengths, abs=1e-4)


@pytest.mark.parametrize("n_methods", [2, 5, 12])
def test_all_at_once_gives_the_figures_of_choix(n_methods):
    rng = np.random.default_rng(n_methods)
    wins = rng.exponential(size=(20, n_methods, n_methods)) * rng.integers(0, 30, (20, n_methods, n_methods))
    wins[0] = np.triu(np.full((n_methods, n_methods), 500.0))  # each wins all against those after it
    wins += (1 - np.eye(n_methods)) / n_methods
    wins[:, np.arange(n_methods), np.arange(n_methods)] = 0
    expected = [choix.ilsr_pairwise_dense(matrix, max_iter=10_000, tol=1e-10) for matrix in wins]
    assert fit_many(wins, np.zeros(n_methods)) == pytest.approx(np.array(expected), abs=1e-6)


def test_ties_are_half_wins():
    made = judgements(1, 1, {(0, 1): 1.0, (0, 2): 0.5, (1, 2): 0.0})
    assert win_matrix(made).tolist() == [[0, 1, 0.5], [0, 0, 0], [0.5, 1, 0]]


def test_win_rate_is_the_mean_over_the_other_methods():
    # Method 0 wins 2 of 2 against 1, and 1 of 4 against 2, who never met 1.
    made = Judgements(
        (0, 1, 2), *(np.zeros(6, np.intp),) * 3, np.zeros(6, np.intp), np.array([1, 1, 2, 2, 2, 2]),
        np.array([1.0, 1, 1, 0, 0, 0]),
    )  # fmt: skip
    found = estimate(made, 10, generator())
    assert found.win_rates is not None
    assert found.win_rates.values == pytest.approx([(1 + 1 / 4) / 2, 0, 3 / 4])
    # One rater: nothing can be said of others.
    for figures in (found.scores, found.win_rates, found.differences):
        assert np.isnan(figures.low).all()
        assert np.isnan(figures.high).all()
    assert np.isnan(found.p).all()
    assert found.ranks.tolist() == [1, 1, 1]
    assert found.tied_with_best.all()


def test_intervals_hold_their_figures_and_mirror_each_other():
    found = estimate(random_judgements([1.0, 0.0, -1.0]), 300, generator())
    assert found.win_rates is not None
    for figures in (found.scores, found.win_rates):
        assert (figures.low < figures.values).all()
        assert (figures.values < figures.high).all()
    assert found.scores.values.sum() == pytest.approx(0)
    off = ~np.eye(3, dtype=bool)
    assert found.differences.values[off] == pytest.approx(-found.differences.values.T[off])
    assert found.differences.low[off] == pytest.approx(-found.differences.high.T[off])
    assert found.p[off] == pytest.approx(found.p.T[off])
    assert (found.p_corrected[off] >= found.p[off]).all()
    assert np.isnan(np.diag(found.p)).all()
    assert found.ranks.tolist() == [1, 2, 3]
    assert found.tied_with_best.tolist() == [True, False, False]


def test_holms_correction_is_that_of_statsmodels():
    p = np.random.default_rng(0).random(10) ** 3
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    # 0.01 of two tests is 0.02; 0.5 is the last; what is missing is no test.
    assert holm(np.array([0.5, np.nan, 0.01])) == pytest.approx([0.5, np.nan, 0.02], nan_ok=True)
    assert holm(np.zeros(0)).shape == (0,)


def test_equal_methods_share_the_first_rank():
    found = estimate(random_judgements([0.0, 0.0, 0.0, 0.0]), 300, generator())
    assert found.ranks.tolist() == [1, 1, 1, 1]
    assert found.tied_with_best.all()


def test_a_method_that_always_wins_is_better_yet_no_interval_is_a_point():
    found = estimate(judgements(6, 8, {(0, 1): 1.0}), 500, generator())
    assert found.win_rates is not None
    assert found.win_rates.values.tolist() == [1, 0]
    # Wilson's lower end at 6 of 6, the raters, with Student's t for 5 degrees of freedom, squared 6.61: 6 / (6 + 6.61).
    assert found.win_rates.low[0] == pytest.approx(0.476, abs=1e-3)
    assert found.win_rates.high[0] == pytest.approx(1)
    assert found.scores.low[0] < found.scores.values[0] - 0.5
    assert found.p[0, 1] < 0.05
    assert found.ranks.tolist() == [1, 2]


def test_ties_alone_are_no_proof_that_strengths_are_equal():
    found = estimate(judgements(6, 8, {(0, 1): 0.5}), 200, generator())
    assert found.scores.values == pytest.approx([0, 0])
    assert np.isnan(found.scores.low).all()
    assert np.isnan(found.p[0, 1])
    assert found.ranks.tolist() == [1, 1]
    assert found.win_rates is not None
    assert found.win_rates.low[0] < 0.3 < 0.7 < found.win_rates.high[0]


def test_raters_who_agree_with_themselves_alone_widen_the_interval():
    one_mind = judgements(8, 8, {(0, 1): 1.0})
    split = replace(one_mind, outcomes=(one_mind.raters % 2).astype(float))
    scattered = replace(one_mind, outcomes=np.random.default_rng(2).permutation(split.outcomes))
    wide, narrow = (estimate(made, 300, generator()).win_rates for made in (split, scattered))
    assert wide is not None
    assert narrow is not None
    assert wide.values.tolist() == narrow.values.tolist() == [0.5, 0.5]
    assert wide.high[0] - wide.low[0] > 1.8 * (narrow.high[0] - narrow.low[0])


def test_same_generator_same_figures():
    made = random_judgements([0.5, -0.5])
    one, other = (estimate(made, 100, generator()) for _ in range(2))
    assert one.scores.low.tolist() == other.scores.low.tolist()


def test_methods_that_never_meet_are_refused():
    apart = np.zeros((4, 4))
    apart[0, 1] = apart[2, 3] = 1
    assert not all_meet(apart)
    apart[1, 2] = 1
    assert all_meet(apart)
    with pytest.raises(ValueError, match="through others"):
        estimate(judgements(3, 3, {(0, 1): 1.0, (2, 3): 1.0}), 10, generator())


def made_ratings(values: list[list[float]]) -> Ratings:
    """By rater and method, the same on four samples."""
    raters, samples, methods = (
        part.ravel() for part in np.meshgrid(np.arange(len(values)), np.arange(4), np.arange(len(values[0])))
    )
    runs = tuple(range(len(values[0])))
    return Ratings(runs, raters, samples, samples, methods, np.array(values)[raters, methods])


def test_mean_ratings():
    found = estimate_ratings(made_ratings([[5, 2], [4, 2], [5, 1], [5, 1]]), 1000, generator())
    assert found.win_rates is None
    assert found.scores.values == pytest.approx([4.75, 1.5])
    assert found.differences.values[0, 1] == pytest.approx(3.25)
    # Raters differ, samples do not: standard errors 0.25, and root of (1 / 3) / 4; Student's t of 3 is 3.182.
    errors = np.array([0.25, np.sqrt(1 / 12)])
    assert found.scores.values[0] - found.scores.low[0] == pytest.approx(3.182 * errors[0], rel=0.1)
    assert found.scores.high[1] - found.scores.values[1] == pytest.approx(3.182 * errors[1], rel=0.1)
    # Nobody can rate above 5 or below 1.
    assert (found.scores.high[0], found.scores.low[1]) == (5, 1)
    assert found.ranks.tolist() == [1, 2]


def test_a_mild_and_a_strict_rater_differ_on_both_methods_alike():
    found = estimate_ratings(made_ratings([[5, 4], [3, 2], [4, 3], [2, 1], [5, 4]]), 500, generator())
    assert found.scores.high[0] - found.scores.low[0] > 2
    # All prefer the first by 1: nothing varies, so nothing bounds the difference.
    assert np.isnan(found.differences.low[0, 1])
    assert np.isnan(found.p[0, 1])


def test_a_method_without_ratings_is_refused():
    made = made_ratings([[5, 2], [4, 2], [5, 1]])
    with pytest.raises(ValueError, match="every method"):
        estimate_ratings(replace(made, runs=(0, 1, 2)), 10, generator())


def test_top_rate_is_the_share_of_first_places():
    found = estimate_top_rates(made_ratings([[1, 2, 3], [1, 2, 3], [2, 1, 3], [1, 3, 2]]), 500, generator())
    assert found.values == pytest.approx([3 / 4, 1 / 4, 0])
    assert (found.low >= 0).all()
    assert (found.high <= 1).all()
    assert found.high[2] > 0.1
