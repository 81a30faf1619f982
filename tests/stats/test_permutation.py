"""Tests by flipped signs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from vivid_bench.stats.permutation import pair_p_values, worse_than_best_p_values


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def mean_difference(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
    return np.mean(one, axis=axis) - np.mean(other, axis=axis)


def test_all_signs_give_scipy_s_exact_p() -> None:
    values = rng().normal(size=(9, 4)) + np.array([0.0, 0.4, 0.8, 3.0])
    ours = pair_p_values(values)
    for i in range(4):
        for j in range(i):
            theirs = scipy.stats.permutation_test(
                (values[:, i], values[:, j]), mean_difference, permutation_type="samples", vectorized=True,
                n_resamples=np.inf,
            )  # fmt: skip
            assert ours[i, j] == ours[j, i] == pytest.approx(theirs.pvalue)


def test_counted_by_hand() -> None:
    # Differences 1, 2, 3: of 8 assignments of signs, +++ and --- reach |6|.
    p = pair_p_values(np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]))
    assert p.tolist() == [[1.0, 2 / 8], [2 / 8, 1.0]]
    # Differences 1, 2, -3: the sum is 0, which all reach.
    assert pair_p_values(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]))[0, 1] == 1.0
    # With the best, one side counts: only +++ reaches 6; nothing is worse than the best itself.
    p = worse_than_best_p_values(np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]))
    assert p[1, 0] == 1 / 8
    assert p[0, 0] == 1.0


def test_random_signs_come_near_scipy_s() -> None:
    values = rng(1).normal(size=(24, 2)) + np.array([0.0, 0.5])
    theirs = scipy.stats.permutation_test(
        (values[:, 0], values[:, 1]), mean_difference, permutation_type="samples", vectorized=True, rng=rng(2)
    )
    assert pair_p_values(values)[0, 1] == pytest.approx(theirs.pvalue, abs=0.01)


def test_random_signs_never_give_0() -> None:
    values = np.stack([rng().normal(size=30) + 100, rng(1).normal(size=30)], axis=1)
    assert pair_p_values(values)[0, 1] == 1 / 10_000
    assert worse_than_best_p_values(values)[1, 0] == 1 / 10_000


def test_many_pairs_have_more_signs() -> None:
    values = rng().normal(size=(24, 30)) + 1000 * np.arange(30)
    # 435 pairs: p * 435 can become 1 / 200.
    assert pair_p_values(values)[0, 29] == 1 / (435 * 200 + 1)


def test_methods_that_are_equal_on_every_clip() -> None:
    values = np.repeat(rng().normal(size=(24, 1)), 3, axis=1)
    assert (pair_p_values(values) == 1).all()
    assert (worse_than_best_p_values(values) == 1).all()


def test_what_methods_share_on_a_clip_does_not_matter() -> None:
    values = rng().normal(size=(24, 3))
    shared = values + 1e6 * rng(1).normal(size=(24, 1))
    assert pair_p_values(shared) == pytest.approx(pair_p_values(values))
    assert worse_than_best_p_values(shared) == pytest.approx(worse_than_best_p_values(values))


def test_the_best_of_many_is_held_against_the_best_of_many() -> None:
    # That the largest of 19 differences is looked at must cost: p is far above that of its pair.
    values = rng(3).normal(size=(24, 20))
    values = values[:, np.argsort(-values.mean(axis=0))]
    assert worse_than_best_p_values(values)[-1, 0] > 3 * pair_p_values(values)[-1].min()


def test_two_methods_with_the_best_are_half_the_two_sided_p() -> None:
    values = rng(4).normal(size=(10, 2)) + np.array([2.0, 0.0])
    assert values[:, 0].sum() > values[:, 1].sum()
    assert worse_than_best_p_values(values)[1, 0] == pytest.approx(pair_p_values(values)[0, 1] / 2)


def test_families_are_tails_of_the_order() -> None:
    values = rng(5).normal(size=(11, 5)) + np.arange(5)[::-1]
    whole = worse_than_best_p_values(values)
    assert whole[2:, 2] == pytest.approx(worse_than_best_p_values(values[:, 2:])[:, 0])
