"""Masks followed by flow and colour."""

from __future__ import annotations

import numpy as np
import pytest
from moving_square import iou, mean_iou, square_clip, texture, with_other_threads
from numpy.typing import NDArray

from vivid_bench.build.flow_tracking import LEAST_CONFIDENCE, FlowPropagator
from vivid_bench.build.motion_entities import MotionSelector
from vivid_bench.build.redetection import find_again
from vivid_bench.build.types import Track
from vivid_bench.masks import dilate
from vivid_bench.scenes import render_sample
from vivid_bench.types import Frames


def follow(frames: Frames, mask: NDArray[np.bool_], keyframe: int = 0) -> Track:
    (track,) = FlowPropagator()(frames, keyframe, [mask])
    assert_sound(track, keyframe, mask)
    return track


def assert_sound(track: Track, keyframe: int, mask: NDArray[np.bool_]) -> None:
    """What every track keeps."""
    inside = np.zeros(len(track.masks), np.bool_)
    inside[track.first : track.last + 1] = True
    assert inside[keyframe]
    np.testing.assert_array_equal(track.masks[keyframe], mask)
    assert not track.masks[~inside].any()
    assert not track.confidence[~inside].any()
    assert not track.flow_error[~inside].any()
    assert (track.confidence[keyframe], track.flow_error[keyframe]) == (1, 0)
    assert (track.confidence[inside] >= LEAST_CONFIDENCE).all()
    assert (track.confidence <= 1).all()
    assert (track.masks.dtype, track.confidence.dtype, track.flow_error.dtype) == (np.bool_, np.float32, np.float32)


@pytest.mark.parametrize("keyframe", [0, 4, 8])
@pytest.mark.parametrize("pan", [(0, 0), (2, 1)], ids=["still camera", "panning camera"])
def test_a_moving_square_is_followed_both_ways(keyframe: int, pan: tuple[int, int]) -> None:
    frames, mask = square_clip([(30 + 3 * t, 40) for t in range(9)], pan=pan)
    track = follow(frames, mask[keyframe], keyframe)
    assert (track.first, track.last) == (0, 8)
    assert min(iou(*pair) for pair in zip(track.masks, mask, strict=True)) > 0.9
    assert track.confidence.min() > 0.9
    assert track.flow_error.max() < 0.5


def test_a_still_clip_keeps_its_mask_to_the_bit_after_the_first_frame() -> None:
    frames, mask = square_clip([(40, 40)] * 12)
    track = follow(frames, mask[0])
    assert (track.confidence == 1).all()
    assert not track.flow_error.any()
    assert iou(track.masks[1], mask[0]) > 0.98
    for later in track.masks[2:]:
        np.testing.assert_array_equal(later, track.masks[1])


def test_a_mask_of_background_stays_on_it_while_the_camera_pans() -> None:
    ground, mask = square_clip([(70 - 2 * t, 40 - t) for t in range(12)], pan=(2, 1))
    still, _ = square_clip([(-90, -90)] * 12, pan=(2, 1))
    assert not (ground == still).all()
    track = follow(still, mask[0])
    assert track.last == 11
    assert iou(track.masks[-1], mask[-1]) > 0.9


def test_a_margin_around_an_entity_stays_with_it() -> None:
    frames, mask = square_clip([(30 + 3 * t, 40) for t in range(9)])
    wide = dilate(mask, 4)
    track = follow(frames, wide[0])
    assert min(iou(*pair) for pair in zip(track.masks, wide, strict=True)) > 0.9


def test_a_cut_ends_the_track_exactly_there() -> None:
    frames, mask = square_clip([(30 + 3 * t, 40) for t in range(9)])
    frames[5:] = texture(9, 96, 128)
    track = follow(frames, mask[2], 2)
    assert (track.first, track.last) == (0, 4)
    track = follow(frames, mask[7], 7)
    assert (track.first, track.last) == (5, 8)


def test_an_entity_that_leaves_ends_its_track_when_it_is_gone() -> None:
    frames, mask = square_clip([(88 + 5 * t, 40) for t in range(12)])  # from frame 8 on it is outside
    track = follow(frames, mask[0])
    assert track.first == 0
    assert 6 <= track.last <= 7
    assert mean_iou(track.masks[:7], mask[:7]) > 0.8


def test_an_entity_that_jumps_is_found_again() -> None:
    places = [(20, 40)] * 3 + [(50, 36)] * 3
    frames, mask = square_clip(places)
    track = follow(frames, mask[0])
    assert track.last == 5
    assert iou(track.masks[5], mask[5]) > 0.9
    assert track.flow_error[3] == 0


def test_a_mask_at_the_border_is_followed() -> None:
    frames, mask = square_clip([(-6 + 2 * t, 80) for t in range(7)])  # cut off on the left, then below
    track = follow(frames, mask[3], 3)
    assert (track.first, track.last) == (0, 6)
    assert mean_iou(track.masks, mask) > 0.85


def test_an_empty_mask_has_a_track_of_the_keyframe_alone() -> None:
    frames, mask = square_clip([(30 + 3 * t, 40) for t in range(5)])
    track = follow(frames, np.zeros_like(mask[0]), 2)
    assert (track.first, track.last) == (2, 2)
    assert not track.masks.any()


def test_a_full_mask_is_followed() -> None:
    frames, mask = square_clip([(30 + 3 * t, 40) for t in range(5)])
    track = follow(frames, np.ones_like(mask[0]), 2)
    assert (track.first, track.last) == (0, 4)
    assert track.masks.mean() > 0.95


def test_a_single_frame_is_a_track() -> None:
    frames, mask = square_clip([(30, 40)])
    track = follow(frames, mask[0])
    assert (track.first, track.last) == (0, 0)


def test_tracks_come_in_the_order_of_their_masks_and_do_not_depend_on_one_another() -> None:
    frames, mask = square_clip([(30 + 3 * t, 40) for t in range(6)])
    ground = np.zeros_like(mask[0])
    ground[5:25, 90:120] = True
    together = FlowPropagator()(frames, 1, [ground, mask[1]])
    for track, first in zip(together, (ground, mask[1]), strict=True):
        np.testing.assert_array_equal(track.masks, follow(frames, first, 1).masks)
    assert FlowPropagator()(frames, 1, []) == []


def test_tracks_do_not_depend_on_threads_or_on_what_ran_before(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, mask = square_clip([(30 + 3 * t, 40) for t in range(6)])
    found = with_other_threads(monkeypatch, lambda: FlowPropagator()(frames, 2, [mask[2], ~mask[2]]))
    for tracks in found[1:]:
        for track, first in zip(tracks, found[0], strict=True):
            np.testing.assert_array_equal(track.masks, first.masks)
            np.testing.assert_array_equal(track.confidence, first.confidence)
            np.testing.assert_array_equal(track.flow_error, first.flow_error)


def test_selection_and_propagation_reach_the_bar_on_rendered_scenes() -> None:
    # Over 17 frames; an entity that is not found counts as 0.
    selected, given = [], []
    for seed in (0, 1, 4, 6, 12, 16):
        scene = render_sample("add" if seed % 2 == 0 else "modify", 500 + seed, fold="train")
        frames, truth = scene.reference, scene.entity_mask
        assert truth is not None
        given.append(mean_iou(follow(frames, truth[0]).masks, truth))
        entities = MotionSelector()(frames, 8)
        tracks = FlowPropagator()(frames, 8, [entity.mask for entity in entities])
        selected.append(max((mean_iou(track.masks, truth) for track in tracks), default=0.0))
    assert np.mean(selected) > 0.7
    assert np.mean(given) > 0.75


def test_find_again_needs_a_place_that_fits_better_than_others() -> None:
    frames, mask = square_clip([(20, 40), (66, 34)])
    found = find_again(frames[0], frames[1], mask[0], 40)
    assert found == (46, -6, 1.0)
    assert find_again(frames[0], texture(9, 96, 128), mask[0], 40) is None
    even = np.full_like(frames[0], 90)
    assert find_again(even, even, mask[0], 40) is None
