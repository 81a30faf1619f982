from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from vivid_bench.types import Frames, Mask
from vivid_bench.vivid.working_size import crop_around, edit_in_crop, edit_in_windows

Keyframes = Mapping[int, NDArray[np.uint8]]


class Recorder:
    """Paints the hole with the number of the call and remembers what it was given."""

    def __init__(self) -> None:
        self.calls: list[tuple[Frames, Mask, Keyframes]] = []

    def __call__(self, frames: Frames, mask: Mask, keyframes: Keyframes) -> Frames:
        self.calls.append((frames, mask, keyframes))
        out = frames.copy()
        out[mask] = 100 + len(self.calls)
        return out


@pytest.mark.parametrize(
    ("count", "lengths"),
    [(1, [1]), (5, [5]), (6, [5, 2]), (9, [5, 5]), (10, [5, 5, 2])],
)
def test_windows_overlap_by_one_frame(count: int, lengths: list[int]) -> None:
    edit, mask = Recorder(), np.ones((count, 4, 4), np.bool_)
    out = edit_in_windows(edit, np.zeros((count, 4, 4, 3), np.uint8), mask, {}, 5)
    assert [len(frames) for frames, _, _ in edit.calls] == lengths
    # The first window makes frames 0 to 4, the second 5 to 8, the third 9 on.
    assert out[:, 0, 0, 0].tolist() == [101 + max(0, t - 1) // 4 for t in range(count)]


def test_a_window_is_led_by_the_last_edited_frame() -> None:
    edit = Recorder()
    edit_in_windows(edit, np.zeros((9, 4, 4, 3), np.uint8), np.ones((9, 4, 4), np.bool_), {}, 5)
    assert list(edit.calls[0][2]) == []
    assert list(edit.calls[1][2]) == [0]
    assert (edit.calls[1][2][0] == 101).all()


def test_keyframes_go_to_their_window_and_outrank_the_chain() -> None:
    edit, key = Recorder(), np.full((4, 4, 3), 7, np.uint8)
    edit_in_windows(edit, np.zeros((9, 4, 4, 3), np.uint8), np.ones((9, 4, 4), np.bool_), {2: key, 4: key, 8: key}, 5)
    assert sorted(edit.calls[0][2]) == [2, 4]
    assert sorted(edit.calls[1][2]) == [0, 4]
    assert (edit.calls[1][2][0] == 7).all()


def test_frames_of_the_working_size_are_edited_whole() -> None:
    edit = Recorder()
    frames, mask = np.zeros((2, 8, 8, 3), np.uint8), np.zeros((2, 8, 8), np.bool_)
    mask[:, 2:4, 2:4] = True
    edit_in_crop(edit, frames, mask, {}, 8)
    assert edit.calls[0][0].shape == (2, 8, 8, 3)


def test_large_frames_are_cropped_shrunk_and_pasted_under_the_mask_alone() -> None:
    rng = np.random.default_rng(0)
    frames, mask = rng.integers(0, 256, (2, 100, 120, 3), dtype=np.uint8), np.zeros((2, 100, 120), np.bool_)
    mask[:, 40:60, 50:90] = True  # 20 x 40 and half of that around it: 40 x 80, shrunk to 8 x 16
    edit = Recorder()
    out = edit_in_crop(edit, frames, mask, {}, 16)
    assert edit.calls[0][0].shape == (2, 8, 16, 3)
    assert edit.calls[0][1][0].sum() == 4 * 8
    assert np.array_equal(out[~mask], frames[~mask])
    assert (out[0, 45:55, 60:80] == 101).all()


def test_a_shrunk_pixel_that_touches_the_hole_is_hole() -> None:
    frames, mask = np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 64, 64), np.bool_)
    mask[0, 31, 31] = mask[0, 0, 0] = mask[0, 63, 63] = True
    edit = Recorder()
    edit_in_crop(edit, frames, mask, {}, 16)
    assert np.argwhere(edit.calls[0][1][0]).tolist() == [[0, 0], [7, 7], [15, 15]]


def test_a_keyframe_of_a_large_clip_is_kept_as_it_is() -> None:
    frames, mask = np.zeros((2, 64, 64, 3), np.uint8), np.zeros((2, 64, 64), np.bool_)
    mask[:, 20:40, 20:40] = True
    key = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    edit = Recorder()
    out = edit_in_crop(edit, frames, mask, {1: key}, 16)
    assert np.array_equal(out[1], key)
    assert edit.calls[0][2][1].shape == (16, 16, 3)


def test_a_large_clip_without_a_hole_stays() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    edit = Recorder()
    assert np.array_equal(edit_in_crop(edit, frames, np.zeros((2, 64, 64), np.bool_), {}, 16), frames)
    assert not edit.calls


def test_crop_keeps_surroundings_and_stays_inside() -> None:
    mask = np.zeros((3, 100, 100), np.bool_)
    mask[0, 10:30, 0:4] = mask[2, 20:50, 2:10] = True
    # Rows 10 to 50 with 20 px around, cut at 0; columns 0 to 10 with at least 8 px around.
    assert crop_around(mask) == (slice(0, 70), slice(0, 18))
