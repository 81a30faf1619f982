from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vivid_bench.types import Mask
from vivid_bench.vivid.window import (
    Window,
    hole_box,
    hole_centres,
    rectangle_around,
    square_around,
    square_window,
    whole_frames,
)


def moving_hole(frames: int = 3, height: int = 40, width: int = 60) -> Mask:
    """A hole of 6 x 4 pixels that moves 10 columns a frame."""
    mask = np.zeros((frames, height, width), np.bool_)
    for t in range(frames):
        mask[t, 10:16, 10 * t + 5 : 10 * t + 9] = True
    return mask


def test_hole_box_spans_all_frames() -> None:
    low, high = hole_box(moving_hole())
    assert low.tolist() == [10, 5]
    assert high.tolist() == [16, 29]


def test_the_box_without_a_hole_is_the_frame() -> None:
    low, high = hole_box(np.zeros((2, 7, 9), np.bool_))
    assert low.tolist() == [0, 0]
    assert high.tolist() == [7, 9]


def test_centres_follow_the_hole_and_bridge_gaps() -> None:
    mask = moving_hole()
    mask[1] = False
    # Columns 5..9 and 25..29: centres 7 and 27, so 17 between them; rows 10..16: 13.
    assert hole_centres(mask).tolist() == [[13, 7], [13, 17], [13, 27]]


def test_a_moving_window_keeps_the_hole_in_place() -> None:
    mask = moving_hole()
    window = square_window(mask, 16)
    assert window.corners.tolist() == [[5, -1], [5, 9], [5, 19]]
    cut = window.cut(mask)
    assert np.array_equal(cut[0], cut[1])
    assert np.array_equal(cut[1], cut[2])
    assert cut[0].sum() == 24


def test_square_sizes_are_steps() -> None:
    # Extent 6 and 12 px around: 30, at least 48.
    assert square_around(moving_hole()).height == 48


def test_a_large_hole_gets_a_quarter_of_its_extent_around() -> None:
    mask = np.zeros((1, 200, 200), np.bool_)
    mask[0, 20:120, 30:60] = True
    assert square_around(mask).height == 160  # 100 + 2 x 25 = 150, next multiple of 16


def test_rectangle_keeps_surroundings_and_stays_inside() -> None:
    mask = np.zeros((3, 100, 100), np.bool_)
    mask[0, 10:30, 0:4] = mask[2, 20:50, 2:10] = True
    window = rectangle_around(mask)
    # Rows 10 to 50 with 20 px around, cut at 0; columns 0 to 10 with at least 12 px around.
    assert window.corners.tolist() == [[0, 0]] * 3
    assert (window.height, window.width) == (70, 22)


def test_beyond_the_frame_the_border_is_repeated() -> None:
    frames = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1).repeat(3, axis=3)
    window = Window(np.array([[-1, -1]]), 4, 4)
    assert window.cut(frames)[0, :, :, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    # Else what is under a mask at the border would be seen beyond it.
    assert window.cut(np.ones((1, 2, 2), np.bool_)).all()


def test_one_frame_is_cut_with_its_own_corner() -> None:
    window = Window(np.array([[0, 0], [0, 1]]), 1, 1)
    frame = np.array([[[10], [20]]], np.uint8)[None]
    assert window.cut(frame, np.array([1])).item() == 20


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 12), st.integers(1, 12))
def test_pasting_what_was_cut_changes_nothing(top: int, left: int, height: int, width: int) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)
    window = Window(np.array([[top, left], [left, top]]), height, width)
    out = frames.copy()
    window.paste(out, window.cut(frames))
    assert np.array_equal(out, frames)


def test_paste_reaches_the_chosen_pixels_alone() -> None:
    frames = np.zeros((1, 3, 3, 3), np.uint8)
    where = np.array([[[True, False], [False, True]]])
    Window(np.array([[2, 2]]), 2, 2).paste(frames, np.full((1, 2, 2, 3), 9, np.uint8), where)
    assert np.argwhere(frames[0, :, :, 0]).tolist() == [[2, 2]]


def test_whole_frames() -> None:
    window = whole_frames(moving_hole())
    assert (window.height, window.width) == (40, 60)
    assert not window.corners.any()
