"""Intervals of means."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from vivid_bench.stats import Interval, mean_interval, mean_intervals
from vivid_bench.stats.bootstrap import RESAMPLES, draw_weights

NAMES = [f"{number:02d}" for number in range(24)]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_textbook_s_loop_gives_the_same_interval() -> None:
    values = rng().exponential(size=12)
    n, mean, error = 12, values.mean(), values.std(ddof=1) / np.sqrt(12)
    (weights,) = draw_weights(n, RESAMPLES, seed=0)
    t = []
    for row in weights:
        resample = np.repeat(values, row.astype(int))
        t.append((resample.mean() - mean) / (resample.std(ddof=1) / np.sqrt(n)))
    # Of 4999, the 125th from below and from above: (4999 + 1) * 0.025 = 125.
    low, high = np.sort(t)[[124, -125]]
    interval = mean_interval(values, NAMES[:12])
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((mean - high * error, mean - low * error))


def test_clusters_of_unequal_size_by_a_loop() -> None:
    videos = [0, 0, 0, 1, 2, 2, 3, 4, 4, 4, 4, 5, 6, 7]
    values = rng(1).normal(size=14)
    sums, counts = np.bincount(videos, values), np.bincount(videos)

    def ratio(s: np.ndarray, n: np.ndarray) -> tuple[float, float]:
        mean = s.sum() / n.sum()
        return mean, np.sqrt(8 / 7 * ((s - mean * n) ** 2).sum()) / n.sum()

    mean, error = ratio(sums, counts)
    (weights,) = draw_weights(8, RESAMPLES, seed=0)
    t = []
    for row in weights.astype(int):
        resampled = ratio(np.repeat(sums, row), np.repeat(counts, row))
        t.append((resampled[0] - mean) / resampled[1])
    low, high = np.sort(t)[[124, -125]]
    interval = mean_interval(values, [f"video {number}" for number in videos])
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((mean - high * error, mean - low * error))


def test_many_clips_give_what_scipy_gives() -> None:
    # With many clips the studentised, percentile and normal intervals agree.
    values = rng(2).normal(3.0, 2.0, size=600)
    ours = mean_interval(values, [str(number) for number in range(600)])
    theirs = scipy.stats.bootstrap((values,), np.mean, method="percentile", n_resamples=4999, rng=rng(3))
    assert ours is not None
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.05 * width)


@pytest.mark.parametrize("kind", ["normal", "exponential", "clustered"])
def test_95_percent_intervals_cover_about_95_percent(kind: str) -> None:
    # 1,000 data sets of 24 source videos; benchmarks/coverage.py has more kinds and sizes.
    names = NAMES
    values = rng(4).normal(size=(24, 1000)) if kind == "normal" else rng(5).exponential(size=(24, 1000)) - 1
    if kind == "clustered":
        videos = np.repeat(np.arange(24), np.resize([1, 1, 2, 3, 4], 24))
        values = values[videos] + rng(6).exponential(size=(len(videos), 1000)) - 1
        names = [NAMES[video] for video in videos]
    covered = [i is not None and i.low <= 0 <= i.high for i in mean_intervals(values, names)]
    assert 0.93 <= np.mean(covered) <= 0.97


def test_an_interval_follows_the_skewness() -> None:
    values = rng(7).exponential(size=24)
    interval = mean_interval(values, NAMES)
    assert interval is not None
    assert interval.high - values.mean() > 1.2 * (values.mean() - interval.low)


def test_a_seed_gives_the_same_intervals_and_another_almost() -> None:
    values = rng().normal(size=(24, 2))
    first = mean_intervals(values, NAMES)
    assert mean_intervals(values, NAMES) == first
    (other, _) = mean_intervals(values, NAMES, seed=1)
    assert first[0] is not None
    assert other is not None
    assert other != first[0]
    assert other.low == pytest.approx(first[0].low, abs=0.05)


def test_the_order_of_the_clips_does_not_matter() -> None:
    values = rng().normal(size=24)
    order = rng(1).permutation(24)
    one = mean_interval(values, NAMES)
    other = mean_interval(values[order], [NAMES[place] for place in order])
    assert one is not None
    assert other is not None
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_a_column_s_missing_clips_are_left_out_of_it_alone() -> None:
    values = rng().normal(size=(24, 3))
    values[12:, 1] = np.nan
    values[:22, 2] = np.nan
    whole, half, few = mean_intervals(values, NAMES)
    assert half == mean_interval(values[:12, 1], NAMES[:12])
    assert whole == mean_interval(values[:, 0], NAMES)
    assert few is None


def test_more_columns_than_are_held_at_a_time() -> None:
    values = np.tile(rng().normal(size=(24, 1)), (1, 1030))
    intervals = mean_intervals(values, NAMES)
    assert len(intervals) == 1030
    assert None not in intervals
    assert {(round(i.low, 9), round(i.high, 9)) for i in intervals if i is not None} == {
        (round(i.low, 9), round(i.high, 9)) for i in intervals[:1] if i is not None
    }


def test_a_higher_level_is_wider() -> None:
    values = rng().normal(size=24)
    narrow, wide = mean_interval(values, NAMES, 0.9), mean_interval(values, NAMES, 0.99)
    assert narrow is not None
    assert wide is not None
    assert wide.low < narrow.low < narrow.high < wide.high


def test_values_that_bound_nothing_have_no_interval() -> None:
    equal = np.full(24, 0.1)
    one_differs = np.append(np.full(23, 100.0), 30.0)
    assert mean_interval(equal, NAMES) is None
    # Without the one value, 36 % of all resamples have no spread.
    assert mean_interval(one_differs, NAMES) is None
    assert mean_interval(np.array([1.0, 2.0, 4.0]), NAMES[:3]) is None
    assert mean_interval(np.array([1.0, 2.0, 4.0, 3.0]), NAMES[:4]) is not None
    # Four clips, but of two source videos.
    assert mean_interval(np.array([1.0, 2.0, 4.0, 3.0]), ["a", "a", "b", "b"]) is None
    assert mean_interval(np.full(24, np.nan), NAMES) is None
    assert mean_intervals(np.zeros((0, 2)), []) == [None, None]
    assert mean_intervals(np.zeros((24, 0)), NAMES) == []


def test_ties_are_no_trouble() -> None:
    # Half 0, half 1: resamples without spread are far too rare to reach the quantiles.
    interval = mean_interval(np.repeat([0.0, 1.0], 12), NAMES)
    assert interval == Interval(pytest.approx(0.5 - 0.215, abs=0.02), pytest.approx(0.5 + 0.215, abs=0.02))


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_levels_outside_0_to_1(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        mean_intervals(np.zeros((24, 1)), NAMES, level)


@pytest.mark.parametrize("values", [np.zeros((23, 1)), np.zeros(24), np.full((24, 1), np.inf)])
def test_other_shapes_and_infinite_values(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        mean_intervals(values, NAMES)


def test_resamples_draw_as_many_clusters_as_there_are() -> None:
    blocks = list(draw_weights(3_000, 1_000, seed=0))
    assert len(blocks) > 1
    weights = np.concatenate(blocks)
    assert weights.shape == (1_000, 3_000)
    assert set(weights.sum(axis=1)) == {3_000.0}
    # Each cluster is drawn once on average, with the variance of a binomial, 1 - 1 / C.
    assert weights.var() == pytest.approx(1 - 1 / 3_000, rel=0.01)
