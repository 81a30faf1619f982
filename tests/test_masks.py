import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivid_bench.errors import UnknownNameError
from vivid_bench.masks import MASK_KINDS, augment, binarise, boundary_band, bounding_box, dilate


def blob(seed: int, height: int = 20, width: int = 24, share: float = 0.03) -> np.ndarray:
    return np.random.default_rng(seed).random((2, height, width)) < share


def square(height: int = 20, width: int = 20) -> np.ndarray:
    mask = np.zeros((1, height, width), bool)
    mask[0, 5:9, 6:11] = True
    return mask


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(MASK_KINDS), radius=st.integers(0, 5))
def test_augment_contains_the_original_and_keeps_shape(seed: int, kind: str, radius: int) -> None:
    mask = blob(seed)
    augmented = augment(mask, kind, radius)
    assert augmented.shape == mask.shape
    assert augmented.dtype == np.bool_
    assert (augmented | mask == augmented).all()


@pytest.mark.parametrize("kind", MASK_KINDS)
def test_augment_leaves_empty_frames_empty(kind: str) -> None:
    mask = np.concatenate([square(), np.zeros((1, 20, 20), bool)])
    augmented = augment(mask, kind, 3)
    assert augmented[0].any()
    assert not augmented[1].any()


@pytest.mark.parametrize("kind", MASK_KINDS)
def test_augment_leaves_full_frames_full(kind: str) -> None:
    assert augment(np.ones((1, 6, 7), bool), kind, 2).all()


def test_augment_copies() -> None:
    mask = square()
    augment(mask, "original", 3)[:] = True
    assert mask.sum() == 4 * 5


def test_expand_is_a_euclidean_disc() -> None:
    mask = np.zeros((1, 21, 21), bool)
    mask[0, 10, 10] = True
    ys, xs = np.indices((21, 21))
    for radius in (1, 2, 3, 5, 9):
        expected = (ys - 10) ** 2 + (xs - 10) ** 2 <= radius**2
        np.testing.assert_array_equal(augment(mask, "expand", radius)[0], expected)


def test_expand_stops_at_the_border() -> None:
    mask = np.zeros((1, 8, 8), bool)
    mask[0, 0, 0] = True
    assert augment(mask, "expand", 1).sum() == 3  # the pixel, one to the right, one below


def test_rect_is_the_bounding_box() -> None:
    mask = np.zeros((1, 20, 20), bool)
    mask[0, 3, 4] = mask[0, 11, 15] = True
    expected = np.zeros((20, 20), bool)
    expected[3:12, 4:16] = True
    np.testing.assert_array_equal(augment(mask, "rect", 0)[0], expected)
    assert bounding_box(mask[0]) == (4, 3, 16, 12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.005, 0.05, 0.5]))
def test_rect_is_the_bounding_box_of_any_mask(seed: int, share: float) -> None:
    mask = blob(seed, 11, 17, share)
    for frame, filled in zip(mask, augment(mask, "rect", 0), strict=True):
        rows, columns = np.nonzero(frame)
        expected = np.zeros_like(frame)
        if rows.size:
            expected[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
        assert np.array_equal(filled, expected)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.005, 0.05]), radius=st.integers(0, 7))
def test_expand_grows_by_the_asked_radius_also_at_the_borders(seed: int, share: float, radius: int) -> None:
    mask = blob(seed, 11, 17, share)
    y, x = np.indices(mask.shape[1:])
    for frame, grown in zip(mask, augment(mask, "expand", radius), strict=True):
        expected = np.zeros_like(frame)
        for row, column in np.argwhere(frame):
            expected |= (y - row) ** 2 + (x - column) ** 2 <= radius**2
        assert np.array_equal(grown, expected)


def test_hull_of_a_right_triangle() -> None:
    mask = np.zeros((1, 10, 10), bool)
    mask[0, 1, 1] = mask[0, 1, 7] = mask[0, 7, 1] = True
    expected = [[y >= 1 and x >= 1 and x + y <= 8 for x in range(10)] for y in range(10)]
    np.testing.assert_array_equal(augment(mask, "hull", 0)[0], expected)


def test_hull_of_two_pixels_is_the_line_between_them() -> None:
    mask = np.zeros((1, 10, 10), bool)
    mask[0, 5, 2] = mask[0, 5, 6] = True
    assert augment(mask, "hull", 0).sum() == 5


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.005, 0.02, 0.2]))
def test_hull_is_convex(seed: int, share: float) -> None:
    hull = augment(blob(seed, share=share), "hull", 0)
    np.testing.assert_array_equal(augment(hull, "hull", 0), hull)
    for frame in hull:  # wherever the middle of two hull pixels is a pixel, it belongs to the hull
        points = np.argwhere(frame)
        sums = (points[:, None] + points[None]).reshape(-1, 2)
        middles = sums[(sums % 2 == 0).all(axis=1)] // 2
        assert frame[middles[:, 0], middles[:, 1]].all()


def test_combined_kinds_apply_from_left_to_right() -> None:
    mask = blob(3)
    np.testing.assert_array_equal(augment(mask, "hull+expand", 2), dilate(augment(mask, "hull", 0), 2))
    np.testing.assert_array_equal(augment(mask, "rect+expand", 2), dilate(augment(mask, "rect", 0), 2))


def test_augment_refuses_unknown_kinds_and_negative_radii() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "expand"'):
        augment(square(), "expnd", 2)
    with pytest.raises(ValueError, match="at least 0, got -1"):
        augment(square(), "expand", -1)


def test_bounding_box_of_nothing() -> None:
    assert bounding_box(np.zeros((4, 5), bool)) is None


def test_boundary_band_is_two_pixels_each_side_of_a_small_frame() -> None:
    mask = np.zeros((1, 96, 96), bool)
    mask[0, :, :50] = True  # touches three borders, which are no edges
    band = boundary_band(mask)
    expected = np.zeros((96, 96), bool)
    expected[:, 48:52] = True  # max(2, round(8 * 96 / 480)) = max(2, round(1.6)) = 2
    np.testing.assert_array_equal(band[0], expected)


def test_boundary_band_grows_with_the_height() -> None:
    mask = np.zeros((1, 48, 64), bool)
    mask[0, :, :30] = True
    assert boundary_band(mask, height=480)[0, 0].sum() == 2 * 8
    assert boundary_band(mask, height=720)[0, 0].sum() == 2 * 12


def test_boundary_band_of_empty_and_full_masks_is_empty() -> None:
    assert not boundary_band(np.zeros((1, 9, 9), bool)).any()
    assert not boundary_band(np.ones((1, 9, 9), bool)).any()


def test_binarise_thresholds_at_half_and_counts_mid_grey() -> None:
    grey = np.array([[[0, 31, 32, 127], [128, 223, 224, 255]]], np.uint8)
    mask, share = binarise(grey)
    np.testing.assert_array_equal(mask, [[[False, False, False, False], [True, True, True, True]]])
    assert share == 4 / 8  # 32, 127, 128 and 223


def test_binarise_refuses_other_dtypes() -> None:
    with pytest.raises(ValueError, match="expected a uint8 mask, got float64"):
        binarise(np.zeros((1, 2, 2)))  # type: ignore[arg-type]
