"""Tests of the affine fit to flow."""

from __future__ import annotations

import numpy as np
import pytest

from vivid_bench.build.local_motion import fit_affine, mapped, motion_around

TRUTH = np.array([[1.01, -0.03, 4.0], [0.02, 0.98, -2.5], [0, 0, 1]])


def test_an_affine_map_is_found_exactly() -> None:
    points = np.random.default_rng(0).uniform(0, 400, (300, 2))
    found = fit_affine(points, mapped(TRUTH, points) - points)
    np.testing.assert_allclose(found, TRUTH, atol=1e-8)


@pytest.mark.parametrize("share", [0.2, 0.4])
def test_strays_do_not_count(share: float) -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 200, (1000, 2))
    moved = mapped(TRUTH, points) - points + rng.normal(0, 0.1, points.shape)
    strays = points[:, 0] < 200 * share  # one object on the left that moves by itself
    moved[strays] += (9, 6)
    found = fit_affine(points, moved)
    error = np.linalg.norm(mapped(found, points) - mapped(TRUTH, points), axis=1)
    assert np.median(error) < 0.05
    assert error.max() < 0.2


def test_no_motion_is_the_identity_to_the_bit() -> None:
    points = np.random.default_rng(2).integers(0, 400, (500, 2)).astype(np.float64)
    np.testing.assert_array_equal(fit_affine(points, np.zeros_like(points)), np.eye(3))


def test_points_on_a_line_still_give_their_own_motion() -> None:
    points = np.column_stack([np.arange(50.0), np.full(50, 7.0)])
    found = fit_affine(points, np.full_like(points, 3.0))
    np.testing.assert_allclose(mapped(found, points) - points, 3, atol=1e-8)


def test_confirmed_share_and_flow_error_are_of_the_masks_pixels() -> None:
    mask, nothing = np.zeros((2, 60, 80), np.bool_)
    mask[20:40, 20:60] = True
    there = np.full((60, 80, 2), (3, 0), np.float32)
    back = -there
    back[:, 53:] = (5, 5)  # from x = 50 on, one in four of the mask's columns, the way back leads elsewhere
    step = motion_around(mask, nothing, there, back)
    assert step is not None
    np.testing.assert_allclose(step.affine, [[1, 0, 3], [0, 1, 0], [0, 0, 1]], atol=1e-9)
    assert step.confirmed == 0.75
    assert step.flow_error == 0
    back += np.array([0.3, 0.4], np.float32)
    step = motion_around(mask, nothing, there, back)
    assert step is not None
    assert step.flow_error == pytest.approx(0.5)


def test_pixels_of_other_movers_are_not_used() -> None:
    mask, other = np.zeros((2, 60, 80), np.bool_)
    mask[20:30, 20:30] = True
    other[:, 32:] = other[:, :18] = True
    there = np.where(other[..., None], np.float32(6), np.float32(1)) * np.ones(2, np.float32)
    step = motion_around(mask, other, there, -np.ones_like(there))
    assert step is not None
    np.testing.assert_allclose(step.affine[:2, 2], 1, atol=1e-9)
    np.testing.assert_allclose(step.affine[:2, :2], np.eye(2), atol=1e-9)


def test_flow_that_does_not_agree_with_its_way_back_tells_nothing() -> None:
    mask, nothing = np.zeros((2, 40, 40), np.bool_)
    mask[10:30, 10:30] = True
    there = np.random.default_rng(0).normal(0, 20, (40, 40, 2)).astype(np.float32)
    assert motion_around(mask, nothing, there, there) is None
    leaves = np.full((40, 40, 2), 50, np.float32)
    assert motion_around(mask, nothing, leaves, -leaves) is None
