"""Comparisons and ranks."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from vivid_bench.stats import Comparisons, compare, mean_interval
from vivid_bench.stats.comparisons import MAX_FOR_ALL_PAIRS
from vivid_bench.stats.permutation import pair_p_values

NAMES = [f"{number:02d}" for number in range(24)]


def clips(means: list[float], seed: int = 0) -> np.ndarray:
    """24 clips that are hard or easy for all methods, whose means differ as asked."""
    rng = np.random.default_rng(seed)
    return 5 * rng.normal(size=(24, 1)) + rng.normal(size=(24, len(means))) + np.array(means)


def test_all_pairs_with_holm() -> None:
    values = clips([0.0, 3.0, 3.1, 9.0])
    made = compare(values, NAMES, higher_is_better=True)
    assert made.design == "all pairs"
    assert made.ranks == (4, 2, 2, 1)
    assert made.tied_with_best == (False, False, False, True)
    assert len(made.pairs) == 6
    assert [pair.first for pair in made.pairs[:3]] == [3, 3, 3]
    p = [pair_p_values(values)[pair.first, pair.second] for pair in made.pairs]
    assert [pair.p for pair in made.pairs] == pytest.approx(p)
    assert [pair.p_corrected for pair in made.pairs] == pytest.approx(multipletests(p, method="holm")[1].tolist())
    for pair in made.pairs:
        difference = values[:, pair.first] - values[:, pair.second]
        assert pair.difference == pytest.approx(difference.mean())
        assert pair.difference > 0
        expected = mean_interval(difference, NAMES)
        assert pair.interval is not None
        assert expected is not None
        assert (pair.interval.low, pair.interval.high) == pytest.approx((expected.low, expected.high))


def test_lower_is_better() -> None:
    made = compare(clips([0.0, 3.0, 9.0]), NAMES, higher_is_better=False)
    assert made.ranks == (1, 2, 3)
    assert [(pair.first, pair.second) for pair in made.pairs] == [(0, 1), (0, 2), (1, 2)]
    # first - second in the metric's unit, so that the better one's is negative.
    assert all(pair.difference < 0 for pair in made.pairs)


def test_methods_that_cannot_be_told_apart_share_a_rank() -> None:
    made = compare(clips([0.0, 0.0, 0.0]), NAMES, higher_is_better=True)
    assert made.ranks == (1, 1, 1)
    assert made.tied_with_best == (True, True, True)
    assert not any(pair.is_significant for pair in made.pairs)


def test_effect_size_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, sd 1, d_z = 2; Hedges' factor for 2 degrees of freedom is gamma(1) / gamma(1/2).
    made = compare(np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]), ["a", "b", "c"], higher_is_better=True)
    assert made.pairs[0].effect_size == pytest.approx(2 / np.sqrt(np.pi))
    assert made.pairs[0].interval is None


def test_equal_and_shifted_methods_have_no_effect_size() -> None:
    values = clips([0.0])
    made = compare(np.concatenate([values, values, values - 0.1], axis=1), NAMES, higher_is_better=True)
    assert [pair.effect_size for pair in made.pairs] == [None, None, None]
    assert made.pairs[0].p == 1.0
    # Always 0.1 apart: no spread, but every sign is the same.
    assert made.ranks == (1, 1, 3)


def test_clips_of_one_source_video_are_one_piece_of_evidence() -> None:
    values = clips([0.0, 1.0])
    assert compare(values, NAMES, higher_is_better=True).pairs[0].p < 0.05
    # Of four videos, the smallest two-sided p is 2 / 2^4.
    made = compare(values, [name[0] if name < "20" else name for name in NAMES], higher_is_better=True)
    assert made.pairs[0].p >= 2 / 2**6
    assert compare(values, ["abcd"[i % 4] for i in range(24)], higher_is_better=True).pairs[0].p >= 2 / 2**4


def test_beyond_30_methods_each_is_tested_against_the_best() -> None:
    means = [0.0] * 20 + [5.0] * 15 + [10.0] * 5
    values = clips(means, seed=2)
    made = compare(values, NAMES, higher_is_better=True)
    assert len(means) > MAX_FOR_ALL_PAIRS
    assert made.design == "with the best"
    assert made.ranks == (21,) * 20 + (6,) * 15 + (1,) * 5
    assert made.tied_with_best == (False,) * 35 + (True,) * 5
    best = int(np.argmax(values.mean(axis=0)))
    assert len(made.pairs) == 39
    assert {pair.first for pair in made.pairs} == {best}
    assert sorted([*(pair.second for pair in made.pairs), best]) == list(range(40))
    assert {pair.second for pair in made.pairs if pair.is_significant} == set(range(35))


def test_a_single_method_is_first() -> None:
    assert compare(clips([0.0]), NAMES, higher_is_better=True) == Comparisons("all pairs", (), (1,), (True,))


def test_the_same_seed_gives_the_same() -> None:
    values = clips([0.0, 0.5, 1.0])
    first = compare(values, NAMES, higher_is_better=True)
    assert compare(values, NAMES, higher_is_better=True) == first
    assert compare(values, NAMES, higher_is_better=True, seed=1).pairs[0].p != first.pairs[0].p


@pytest.mark.parametrize(("methods", "simulations"), [(5, 80), (40, 30)])
def test_methods_that_are_alike_are_rarely_told_apart(methods: int, simulations: int) -> None:
    # benchmarks/coverage.py counts over 1,000 simulations; here the generator is fixed.
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(simulations):
        made = compare(rng.exponential(size=(24, methods)), NAMES, higher_is_better=True)
        found += any(pair.is_significant for pair in made.pairs)
    assert found / simulations < 0.1


@pytest.mark.parametrize("values", [np.full((24, 2), np.nan), np.zeros(24), np.zeros((23, 2))])
def test_missing_values_and_other_shapes(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        compare(values, NAMES, higher_is_better=True)
