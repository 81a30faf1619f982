import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from vivid_bench.study.resampling import Spread, as_estimate, normal_interval, share_interval, spread, sum_by_cell

RATERS, VIDEOS = (part.ravel() for part in np.meshgrid(np.arange(10), np.arange(15), indexing="ij"))


def error_of_mean(values: np.ndarray, resamples: int = 4000) -> float:
    found = spread(
        lambda weights: (weights @ values / weights.sum(axis=1))[:, None],
        RATERS,
        VIDEOS,
        resamples,
        np.random.default_rng(0),
    )
    assert found is not None
    assert found.freedom == 9
    return float(found.standard_errors[0])


def test_noise_of_single_answers_counts_once():
    draws = np.random.default_rng(1).normal(size=(20, 150))
    errors = [error_of_mean(values, 400) for values in draws]
    # Counted twice, it would be 1.41 times as much, and 1.73 times by the pigeonhole bootstrap.
    assert np.mean(errors) * np.sqrt(150) == pytest.approx(1, rel=0.15)


def test_what_a_rater_always_says_counts_once_a_rater():
    by_rater = np.random.default_rng(2).normal(size=10)
    expected = by_rater.std(ddof=1) / np.sqrt(10)
    assert error_of_mean(by_rater[RATERS]) == pytest.approx(expected, rel=0.05)


def test_raters_and_videos_add_up():
    rng = np.random.default_rng(3)
    by_rater, by_video = rng.normal(size=10), rng.normal(size=15)
    expected = np.sqrt(by_rater.var(ddof=1) / 10 + by_video.var(ddof=1) / 15)
    assert error_of_mean(by_rater[RATERS] + by_video[VIDEOS]) == pytest.approx(expected, rel=0.05)


def test_agrees_with_the_closed_form():
    rng = np.random.default_rng(4)
    values = rng.normal(size=10)[RATERS] + rng.normal(size=15)[VIDEOS] + rng.normal(size=150)
    table = (values - values.mean()).reshape(10, 15)
    by_rater = (table.sum(axis=1) ** 2).sum() * 10 / 9
    by_video = (table.sum(axis=0) ** 2).sum() * 15 / 14
    expected = np.sqrt(by_rater + by_video - (table**2).sum() * 150 / 149) / 150
    assert error_of_mean(values, 20_000) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("n_raters", "n_videos"), [(2, 15), (10, 2), (1, 1)])
def test_too_few_give_no_spread(n_raters, n_videos):
    kept = (n_raters > RATERS) & (n_videos > VIDEOS)
    raters, videos = RATERS[kept], VIDEOS[kept]
    rng = np.random.default_rng(0)
    assert spread(lambda weights: weights[:, :1], raters, videos, 10, rng) is None
    found = as_estimate(0.5, np.nan, np.nan, raters, videos)
    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert found.reason is not None
    assert found.reason.startswith("fewer than 3")


def test_blocks_of_draws_move_no_figure(monkeypatch):
    values = np.random.default_rng(5).normal(size=150)
    whole = error_of_mean(values, 100)
    monkeypatch.setattr("vivid_bench.study.resampling.DRAWS_AT_A_TIME", 700)
    assert error_of_mean(values, 100) == pytest.approx(whole, rel=1e-12)


def test_share_interval_is_wilsons_where_answers_are_independent():
    shares, counts = np.array([0.5, 0.9, 0.05]), np.array([100.0, 40.0, 20.0])
    normal = Spread(np.sqrt(shares * (1 - shares) / counts), 10**9)
    low, high = share_interval(shares, normal)
    expected = proportion_confint(shares * counts, counts, method="wilson")
    assert low == pytest.approx(expected[0], abs=1e-6)
    assert high == pytest.approx(expected[1], abs=1e-6)


def test_share_interval_has_fewer_effective_judgements_where_answers_are_alike():
    # Four times the variance of independent answers: as many judgements by four.
    found = Spread(np.sqrt(np.array([4 * 0.25 / 100])), 10**9)
    low, high = share_interval(np.array([0.5]), found)
    expected = proportion_confint(12.5, 25, method="wilson")
    assert (low[0], high[0]) == pytest.approx(expected, abs=1e-6)


def test_shares_that_nothing_speaks_against_have_as_many_judgements_as_raters_or_videos():
    # Nothing varies, so nothing shows that a hundred judgements of four videos are more than four.
    low, high = share_interval(np.array([1.0, 0.0, 0.5]), Spread(np.zeros(3), 3))
    # Student's t for 3 degrees of freedom is 3.1824; Wilson's low end of a share of 1 is n / (n + t^2).
    assert low == pytest.approx([4 / (4 + 3.1824**2), 0, 0.0766], abs=1e-4)
    assert high == pytest.approx([1, 1 - low[0], 1 - low[2]])
    assert (high <= 1).all()


def test_students_t_and_its_quantile_agree():
    found = Spread(np.array([1.0, 1.0, 0.0]), 2)
    # 4.303 is the 97.5 % quantile of Student's t with 2 degrees of freedom.
    assert found.quantile == pytest.approx(4.3027, abs=1e-4)
    p = found.p_values(np.array([found.quantile, 0.0, 1.0]))
    assert p[:2] == pytest.approx([0.05, 1.0])
    assert np.isnan(p[2])
    low, high = normal_interval(np.array([1.0, 0.0, 1.0]), found)
    assert (low[0], high[0]) == pytest.approx((1 - 4.3027, 1 + 4.3027), abs=1e-4)
    assert np.isnan([low[2], high[2]]).all()
    assert as_estimate(1.0, np.nan, np.nan, RATERS, VIDEOS).reason == "nothing varies between raters and samples"


def test_sums_by_cell():
    raters, videos, sums = sum_by_cell(np.array([1, 0, 1, 1]), np.array([2, 2, 0, 2]), np.array([[1.0], [2], [4], [8]]))
    assert list(zip(raters.tolist(), videos.tolist(), sums[:, 0].tolist(), strict=True)) == [
        (0, 2, 2),
        (1, 0, 4),
        (1, 2, 1 + 8),
    ]
