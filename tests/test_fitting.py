"""Clips brought to a method's size and length and back."""

import numpy as np
import pytest
from clips import box_mask, moving_clip

from vivid_bench.errors import MethodError
from vivid_bench.fitting import ClipRule, fit_clip, pad_frames, resize_mask
from vivid_bench.video import resize

FOUR_K_PLUS_ONE = ClipRule(frame_step=4, frame_offset=1)


@pytest.mark.parametrize(
    ("frames", "length"), [(1, 1), (2, 5), (5, 5), (17, 17), (33, 33), (49, 49), (50, 53), (53, 53), (81, 81)]
)
def test_lengths_of_4k_plus_1(frames: int, length: int) -> None:
    assert FOUR_K_PLUS_ONE.length(frames) == length


@pytest.mark.parametrize(
    ("rule", "frames", "length"),
    [
        (ClipRule(), 50, 50),
        (ClipRule(frame_step=16, frame_offset=1), 18, 33),
        (ClipRule(frame_step=8, frame_offset=1, min_frames=10), 3, 17),
        (ClipRule(min_frames=22), 5, 22),
        (ClipRule(frame_offset=2, frame_step=8), 1, 2),
    ],
)
def test_lengths_of_other_rules(rule: ClipRule, frames: int, length: int) -> None:
    assert rule.length(frames) == length


def test_a_clip_that_is_too_long_is_refused_with_the_fix() -> None:
    rule = ClipRule(frame_step=4, frame_offset=1, max_frames=81)
    assert rule.length(81) == 81
    with pytest.raises(MethodError, match="82 frames and the method takes at most 81; cut the clip"):
        fit_clip(moving_clip(82), box_mask(82, 24, 32), rule)


@pytest.mark.parametrize("frames", [1, 5, 17, 33, 49, 50, 81])
@pytest.mark.parametrize(("height", "width"), [(24, 32), (25, 33)])
def test_padding_and_cutting_are_exact(frames: int, height: int, width: int) -> None:
    clip, mask = moving_clip(frames, height, width), box_mask(frames, height, width)
    fitted = fit_clip(clip, mask, ClipRule(frame_step=4, frame_offset=1, size_multiple=16))
    assert fitted.frames.shape == (-(-(frames - 1) // 4) * 4 + 1, 32, -(-width // 16) * 16, 3)
    assert fitted.mask.shape == fitted.frames.shape[:3]
    np.testing.assert_array_equal(fitted.back(fitted.frames), clip)
    # The last frame and the edges are repeated, the mask's with them.
    np.testing.assert_array_equal(fitted.frames[-1, :height, :width], clip[-1])
    np.testing.assert_array_equal(fitted.frames[0, -1, :width], clip[0, -1])
    np.testing.assert_array_equal(fitted.mask[-1, :height, :width], mask[-1])


def test_nothing_is_done_where_nothing_is_needed() -> None:
    clip, mask = moving_clip(5, 32, 48), box_mask(5, 32, 48)
    fitted = fit_clip(clip, mask, ClipRule(4, 1, size_multiple=16, max_frames=81, area=32 * 48))
    assert fitted.notes == ()
    np.testing.assert_array_equal(fitted.frames, clip)
    np.testing.assert_array_equal(fitted.mask, mask)


def test_notes_say_what_was_done() -> None:
    clip, mask = moving_clip(6, 25, 33), box_mask(6, 25, 33)
    assert fit_clip(clip, mask, ClipRule(4, 1, size_multiple=16)).notes == (
        "33x25 -> 48x32 by repeating the edge, cut back",
        "6 -> 9 frames by repeating the last, cut back",
    )
    assert fit_clip(clip, mask, ClipRule(height=48, width=64)).notes == (
        "33x25 -> 64x48 (cubic) and back; mask: every pixel that the hole touches",
    )
    assert "33x25 -> 16x16 (area)" in fit_clip(clip, mask, ClipRule(height=16, width=16)).notes[0]


@pytest.mark.parametrize(
    ("height", "width", "size"),
    # 832 x 480 pixels, sides multiples of 16: DAVIS, the same upright, square, already right.
    [(480, 854, (480, 848)), (854, 480, (848, 480)), (64, 64, (624, 624)), (480, 832, (480, 832))],
)
def test_an_area_keeps_the_shape(height: int, width: int, size: tuple[int, int]) -> None:
    assert ClipRule(size_multiple=16, area=480 * 832).size(height, width) == size


def test_a_size_comes_back_by_resizing() -> None:
    clip, mask = moving_clip(1, 24, 32), box_mask(1, 24, 32)
    fitted = fit_clip(clip, mask, ClipRule(size_multiple=16, height=48, width=64))
    assert fitted.frames.shape == (1, 48, 64, 3)
    # Doubled by cubic interpolation and halved by averaging: near the source everywhere.
    assert np.abs(fitted.back(fitted.frames).astype(int) - clip).mean() < 8


@pytest.mark.parametrize(("height", "width"), [(15, 40), (47, 61), (48, 64), (24, 100), (7, 9)])
def test_a_resized_mask_holds_all_that_the_hole_reaches(height: int, width: int) -> None:
    clip, mask = moving_clip(1, 24, 32), box_mask(1, 24, 32)
    other = clip.copy()
    other[mask] = 255 - other[mask]
    changed = (resize(clip, height, width) != resize(other, height, width)).any(axis=-1)
    grown = resize_mask(mask, height, width)
    # Half of an 8-bit step is what a share may move a pixel by, for colours as far from grey as they can be: one step.
    near = np.abs(resize(clip, height, width).astype(int) - resize(other, height, width)).max(axis=-1) <= 1
    assert not (changed & ~grown & ~near).any()
    assert grown.any()
    assert grown.mean() < 2.5 * mask.mean()


def test_small_frames_are_padded_to_the_least_side() -> None:
    clip, mask = moving_clip(2, 24, 32), box_mask(2, 24, 32)
    fitted = fit_clip(clip, mask, ClipRule(size_multiple=8, min_side=30))
    assert fitted.mask.shape == (2, 32, 32)
    assert fitted.notes == ("32x24 -> 32x32 by repeating the edge, cut back",)
    np.testing.assert_array_equal(fitted.frames[:, 24:], np.repeat(clip[:, 23:24], 8, axis=1))
    np.testing.assert_array_equal(fitted.back(fitted.frames), clip)


def test_an_empty_and_a_full_mask_stay_so_when_resized() -> None:
    assert not resize_mask(np.zeros((2, 9, 11), bool), 30, 20).any()
    assert resize_mask(np.ones((2, 9, 11), bool), 30, 20).all()


def test_pad_frames_leaves_a_long_clip_alone() -> None:
    clip, mask = moving_clip(5), box_mask(5, 24, 32)
    frames, padded, note = pad_frames(clip, mask, 5)
    assert note is None
    assert frames is clip
    assert padded is mask


@pytest.mark.parametrize("edited", [np.zeros((5, 24, 32, 3), np.uint8), np.zeros((9, 24, 32, 3), np.float32)])
def test_an_edit_of_another_shape_or_type_is_refused(edited: np.ndarray) -> None:  # type: ignore[type-arg]
    fitted = fit_clip(moving_clip(6), box_mask(6, 24, 32), FOUR_K_PLUS_ONE)
    with pytest.raises(MethodError, match=r"expected a uint8 edit of shape \(9, 24, 32, 3\), found"):
        fitted.back(edited)
