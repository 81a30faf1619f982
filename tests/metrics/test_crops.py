"""What networks are shown: whole frames, squares around the mask, the mask alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from metric_clips import box_mask, textured

from vivid_bench.metrics.crops import cut_square, square_side, views

FRAMES = textured(3, 40, 60)


def test_full_shows_the_frames() -> None:
    shown = views(FRAMES, box_mask(3, 40, 60, (0, 0, 1, 1)), "full")
    assert all(np.array_equal(image, frame) for image, frame in zip(shown, FRAMES, strict=True))


def test_masked_is_black_outside() -> None:
    (image, *_) = views(FRAMES, box_mask(3, 40, 60, (10, 5, 30, 25)), "masked")
    assert image is not None
    assert np.array_equal(image[5:25, 10:30], FRAMES[0, 5:25, 10:30])
    image[5:25, 10:30] = 0
    assert not image.any()


def test_region_is_the_square_around_the_box_and_its_context() -> None:
    """A box of 20 x 10 px at (20, 15): side 1.2 x 20 = 24, centred on (30, 20)."""
    (image, *_) = views(FRAMES, box_mask(3, 40, 60, (20, 15, 40, 25)), "region")
    assert image is not None
    assert np.array_equal(image, FRAMES[0, 8:32, 18:42])


def test_squares_are_moved_into_the_frame() -> None:
    (image, *_) = views(FRAMES, box_mask(3, 40, 60, (0, 0, 10, 10)), "region")
    assert image is not None
    assert np.array_equal(image, FRAMES[0, :12, :12])


def test_what_is_higher_than_the_frame_is_black() -> None:
    """A box 50 px wide wants a square of 60, the frame's width and more than its height of 40."""
    (image, *_) = views(FRAMES, box_mask(3, 40, 60, (5, 10, 55, 30)), "region")
    assert image is not None
    assert image.shape == (60, 60, 3)
    assert np.array_equal(image[10:50], FRAMES[0])
    assert not image[:10].any()
    assert not image[50:].any()


def test_steady_squares_are_as_large_as_the_largest() -> None:
    mask = box_mask(3, 40, 60, (20, 15, 40, 25))
    mask[1] = False
    mask[1, 18:22, 28:32] = True
    first, second, _ = views(FRAMES, mask, "steady")
    assert first is not None
    assert second is not None
    assert first.shape == second.shape == (24, 24, 3)
    assert np.array_equal(second, FRAMES[1, 8:32, 18:42])


def test_frames_without_a_mask_show_nothing() -> None:
    mask = box_mask(3, 40, 60, (20, 15, 40, 25))
    mask[1] = False
    for view in ("region", "masked", "steady"):
        assert [image is None for image in views(FRAMES, mask, view)] == [False, True, False]
        assert views(FRAMES, np.zeros_like(mask), view) == [None] * 3


@given(
    st.integers(0, 59), st.integers(0, 39), st.integers(1, 60), st.integers(1, 40)
)  # fmt: skip
def test_a_square_holds_its_box(x: int, y: int, width: int, height: int) -> None:
    frame = np.zeros((40, 60, 3), np.uint8)
    box = x, y, min(60, x + width), min(40, y + height)
    frame[box[1] : box[3], box[0] : box[2]] = 255
    side = square_side(box)
    square = cut_square(frame, box, side)
    assert square.shape == (side, side, 3)
    assert square.sum() == frame.sum()
