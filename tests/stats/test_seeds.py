"""Variance between seeds."""

from __future__ import annotations

import numpy as np
import pytest

from vivid_bench.stats import seed_variance


def test_a_table_worked_by_hand() -> None:
    # Seeds by clips. Means: rows 3 and 5, columns 2, 4, 6, all 4.
    values = np.array([[1.0, 4.0, 4.0], [3.0, 4.0, 8.0]])
    # MS seeds = 3 ((3-4)² + (5-4)²) / 1 = 6; MS clips = 2 (4 + 0 + 4) / 2 = 8.
    # Residuals 1-3-2+4 = 0, 4-3-4+4 = 1, 4-3-6+4 = -1 and their negatives: MS residual = 4 / 2 = 2.
    variance = seed_variance(values)
    assert variance is not None
    assert (variance.n_seeds, variance.n_clips) == (2, 3)
    assert variance.seed == pytest.approx((6 - 2) / 3)
    assert variance.clip == pytest.approx((8 - 2) / 2)
    assert variance.residual == pytest.approx(2)
    # Of the mean: seeds 4/3 / 2 + 2 / 6 = 1, clips 3 / 3 = 1.
    assert variance.standard_error == pytest.approx(np.sqrt(2))
    assert variance.standard_error_of_seeds == pytest.approx(1)
    assert variance.share == pytest.approx(0.5)


def test_known_components_are_found() -> None:
    rng = np.random.default_rng(0)
    values = 10 + 2 * rng.normal(size=(200, 1)) + 3 * rng.normal(size=200) + rng.normal(size=(200, 200))
    variance = seed_variance(values)
    assert variance is not None
    assert variance.seed == pytest.approx(4, rel=0.2)
    assert variance.clip == pytest.approx(9, rel=0.2)
    assert variance.residual == pytest.approx(1, rel=0.05)


def test_an_estimate_below_0_is_0() -> None:
    # Rows have equal means, and cells differ: MS seeds is 0, MS residual is not.
    variance = seed_variance(np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert variance is not None
    assert (variance.seed, variance.clip) == (0.0, 0.0)
    assert variance.residual == pytest.approx(1)


def test_a_method_without_chance_has_no_variance_between_seeds() -> None:
    variance = seed_variance(np.tile([1.0, 2.0, 6.0], (3, 1)))
    assert variance is not None
    assert variance.standard_error_of_seeds == 0
    assert variance.share == 0
    constant = seed_variance(np.ones((2, 2)))
    assert constant is not None
    assert constant.share is None


def test_a_clip_that_lacks_a_seed_is_left_out() -> None:
    values = np.random.default_rng(0).normal(size=(3, 6))
    holes = np.concatenate([values, np.array([[1.0], [np.nan], [2.0]])], axis=1)
    assert seed_variance(holes) == seed_variance(values)


@pytest.mark.parametrize("values", [np.ones((1, 5)), np.ones((3, 1)), np.full((3, 5), np.nan)])
def test_too_few_seeds_or_clips(values: np.ndarray) -> None:
    assert seed_variance(values) is None
