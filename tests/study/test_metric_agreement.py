from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from small_study import judgements, key, run, sample

from vivid_bench.study.judgements import Judgements, Ratings, Table
from vivid_bench.study.metric_agreement import _correlations, _midranks, metric_agreements
from vivid_bench.study.results import MetricAgreement
from vivid_bench.study.votes import pair_votes, rating_votes

TABLE = Table("made", "delete", None, "overall")
Scores = dict[str, tuple[float | None, ...]]


def compare(scores: list[Scores], found: Judgements | Ratings, resamples: int = 200) -> dict[str, MetricAgreement]:
    n_samples = len(next(iter(scores[0].values())))
    runs = [run(name, **of_run) for name, of_run in zip("abc", scores, strict=False)]
    study = key("pairwise", runs, [sample(i) for i in range(n_samples)], {})
    agreements = metric_agreements(study, TABLE, found, resamples, np.random.default_rng(0))
    return {agreement.metric: agreement for agreement in agreements}


def test_direction_of_better_is_the_metrics_own():
    # Raters prefer the first of two methods everywhere; it has the higher figures.
    found = compare(
        [
            {"background_psnr": (30.0,) * 4, "background_mse": (9.0,) * 4},
            {"background_psnr": (20.0,) * 4, "background_mse": (1.0,) * 4},
        ],
        judgements(3, 4, {(0, 1): 1.0}),
    )
    assert list(found) == ["background_psnr", "background_mse"]
    psnr, mse = found.values()
    assert psnr.units == 4
    assert psnr.agreement is not None
    assert mse.agreement is not None
    assert (psnr.agreement.value, mse.agreement.value) == (1, 0)
    assert psnr.correlation is not None
    assert psnr.correlation.value == pytest.approx(1)
    # All agree, yet three raters are few: Wilson with Student's t for 2 degrees of freedom, squared 18.51.
    assert psnr.agreement.low == pytest.approx(3 / (3 + 18.51), abs=1e-3)


def test_equal_figures_count_half_and_even_splits_not_at_all():
    made = judgements(4, 4, {(0, 1): 1.0})
    # On the last sample two raters prefer the other method: no unit.
    made = replace(made, outcomes=np.where((made.samples == 3) & (made.raters > 1), 0.0, 1.0))
    found = compare([{"edit_psnr": (9.0, 5.0, 3.0, 9.0)}, {"edit_psnr": (1.0, 5.0, 7.0, 1.0)}], made)["edit_psnr"]
    assert found.units == 3
    assert found.agreement is not None
    # Right on the first, equal on the second, wrong on the third.
    assert found.agreement.value == (1 + 0.5 + 0) / 3


def test_what_has_no_figure_says_why():
    found = compare(
        [
            {"edit_psnr": (1.0, None, 3.0), "edit_ssim": (None,) * 3, "edit_mse": (5.0,) * 3, "gone": (1.0,) * 3},
            {"edit_psnr": (0.0, 2.0, 9.0), "edit_ssim": (0.5,) * 3, "edit_mse": (5.0,) * 3, "edit_l1": (1.0,) * 3},
        ],
        judgements(3, 3, {(0, 1): 1.0}),
    )
    assert found["edit_psnr"].units == 2
    assert found["edit_psnr"].agreement is not None
    assert found["edit_psnr"].agreement.reason == "fewer than 3 source videos"
    for metric, reason in (
        ("edit_ssim", "it has no figures on these samples"),
        ("edit_l1", "it has no figures on these samples"),
        ("edit_mse", "it gives all methods the same figures"),
        ("gone", 'unknown metric "gone"'),
    ):
        assert (found[metric].units, found[metric].agreement, found[metric].correlation) == (0, None, None)
        assert (found[metric].reason or "").startswith(reason)


def test_raters_who_prefer_nothing_leave_no_units():
    found = compare([{"edit_psnr": (1.0,) * 3}, {"edit_psnr": (2.0,) * 3}], judgements(3, 3, {(0, 1): 0.5}))
    assert found["edit_psnr"].reason == "raters prefer no method on any sample"
    empty = np.zeros(0, np.intp)
    nothing = Judgements((0, 1), empty, empty, empty, empty, empty, np.zeros(0))
    assert compare([{"edit_psnr": (1.0,)}, {"edit_psnr": (2.0,)}], nothing)["edit_psnr"].units == 0


def test_ratings_are_compared_by_their_means_whoever_gave_them():
    # Sample 0: raters 0 and 1 rate method 0 with 5 and 2, rater 2 rates method 1 with 3; sample 1 has one method only.
    raters, samples = np.array([0, 1, 2, 0]), np.array([0, 0, 0, 1])
    found = Ratings((0, 1), raters, samples, samples, np.array([0, 0, 1, 0]), np.array([5.0, 2, 3, 1]))
    votes = rating_votes(found)
    preferences, weights = votes.preferences(np.ones((1, len(votes.units))))
    assert (votes.samples.tolist(), votes.first.tolist(), votes.second.tolist()) == ([0], [0], [1])
    assert preferences.tolist() == [[(5 + 2) / 2 - 3]]
    assert weights.tolist() == [[1]]


def test_weights_move_the_raters_preference():
    votes = pair_votes(replace(judgements(2, 1, {(0, 1): 1.0}), outcomes=np.array([1.0, 0.0])))
    preferences, weights = votes.preferences(np.array([[1.0, 1.0], [3.0, 1.0]]))
    assert preferences.tolist() == [[0], [(3 - 1) / 4]]
    assert weights.tolist() == [[1], [2]]


def test_correlation_is_spearmans_of_units_taken_both_ways_round():
    rng = np.random.default_rng(0)
    metric, raters = rng.normal(size=30), rng.integers(-3, 4, 30).astype(float)
    both = [np.concatenate([column, -column]) for column in (metric, raters)]
    found = _correlations(metric[None], raters[None], np.ones((1, 30)))
    assert found[0, 0] == pytest.approx(spearmanr(*both).statistic)


def test_weights_of_a_correlation_are_repetitions():
    rng = np.random.default_rng(1)
    metric, raters, times = rng.normal(size=12), rng.integers(-2, 3, 12).astype(float), rng.integers(1, 4, 12)
    repeated = [np.repeat(column, times)[None] for column in (metric, raters)]
    expected = _correlations(*repeated, np.ones((1, times.sum())))
    assert _correlations(metric[None], raters[None], times[None].astype(float)) == pytest.approx(expected)


def test_midranks_share_what_is_equal():
    # Below 1.0 lies nothing; 2.0 has weight 3 in two parts, half of it counts; 5.0 comes after 1 + 3.
    assert _midranks(np.array([[2.0, 5.0, 1.0, 2.0]]), np.array([[1.0, 4.0, 1.0, 2.0]])).tolist() == [
        [2.5, 6, 0.5, 2.5]
    ]


def test_an_agreeable_metric_is_told_from_a_coin():
    rng = np.random.default_rng(2)
    made = judgements(10, 24, {(0, 1): 1.0})
    better = rng.random(24) < 0.5
    made = replace(made, outcomes=(rng.random(240) < np.where(better[made.samples], 0.8, 0.2)).astype(float))
    good = tuple(np.where(better, 1.0, -1.0).tolist())
    coin = tuple(rng.normal(size=24).tolist())
    nought = (0.0,) * 24
    found = compare([{"edit_psnr": good, "edit_ssim": coin}, {"edit_psnr": nought, "edit_ssim": nought}], made)
    agreement, of_coin = found["edit_psnr"].agreement, found["edit_ssim"].agreement
    assert agreement is not None
    assert agreement.low is not None
    assert agreement.low > 0.6
    assert of_coin is not None
    assert of_coin.low is not None
    assert of_coin.high is not None
    assert of_coin.low < 0.5 < of_coin.high
    correlation = found["edit_psnr"].correlation
    assert correlation is not None
    assert correlation.low is not None
    assert correlation.high is not None
    assert 0.3 < correlation.low < correlation.value < correlation.high <= 1
