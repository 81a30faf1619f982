"""Tests of masks that go with the background, against known motion."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from moving_pictures import Floats, texture, translated, zooming
from numpy.typing import NDArray

from vivid_bench.build.carrying import INSIDE_SHARE, Carried, carry, estimate_flow
from vivid_bench.flow import clip_flow
from vivid_bench.scenes import render_sample
from vivid_bench.scenes.folds import streams
from vivid_bench.scenes.motion import camera_path
from vivid_bench.types import Frames, Mask

Bools = NDArray[np.bool_]


def disc(height: int = 72, width: int = 96, x: int = 48, y: int = 36, radius: int = 12) -> Bools:
    rows, columns = np.mgrid[:height, :width]
    return np.hypot(rows - y, columns - x) <= radius


def carried(frames: Frames, keyframe: int, mask: Bools, keep_out: Mask | None = None) -> Carried:
    nothing = np.zeros(frames.shape[:3], np.bool_)
    return carry(mask, keyframe, nothing if keep_out is None else keep_out, estimate_flow(frames, clip_flow))


def point_errors(found: Carried, truth: Floats, keyframe: int, mask: Bools) -> Floats:
    rows, columns = np.nonzero(mask)
    points = np.stack([columns, rows, np.ones_like(rows)]).astype(np.float64)
    there = truth @ np.linalg.inv(truth[keyframe]) @ points
    return np.asarray(np.linalg.norm(found.transforms @ points - there[:, :2], axis=1))


@pytest.mark.parametrize("keyframe", [0, 3, 6])
def test_a_translated_background_takes_the_mask_along(keyframe: int) -> None:
    frames = translated(7, (3, -2))
    found = carried(frames, keyframe, disc())
    assert found.stopped is None
    assert (found.track.first, found.track.last) == (0, 6)
    truth = np.tile(np.eye(3), (7, 1, 1))
    truth[:, :2, 2] = np.outer(np.arange(7), (3, -2))
    assert point_errors(found, truth, keyframe, disc()).max() < 0.15
    for t in range(7):
        moved = disc(x=48 + 3 * (t - keyframe), y=36 - 2 * (t - keyframe))
        assert (found.track.masks[t] ^ moved).mean() < 0.005
    assert found.track.confidence[keyframe] == 1
    assert found.track.flow_error[keyframe] == 0
    others = np.delete(np.arange(7), keyframe)
    assert (found.track.confidence[others] > 0.9).all()
    assert ((found.track.flow_error[others] > 0) & (found.track.flow_error[others] < 0.2)).all()


def test_a_zooming_turning_camera_takes_the_mask_along() -> None:
    frames, truth = zooming(9)
    found = carried(frames, 4, disc())
    assert found.stopped is None
    assert point_errors(found, truth, 4, disc()).max() < 0.5
    areas = found.track.masks.sum(axis=(1, 2))
    # The area grows with the square of the scale, 1 + 0.012 t.
    np.testing.assert_allclose(areas / areas[4], ((1 + 0.012 * np.arange(9)) / 1.048) ** 2, rtol=0.03)


@pytest.mark.parametrize("seed", [1, 3, 4])  # no second entity is in these
def test_masks_on_rendered_scenes_follow_the_camera(seed: int) -> None:
    size = (96, 96)
    sample = render_sample("delete", seed, fold="train", frames=9, height=96, width=96, hole="hidden")
    camera = camera_path(streams("train", "delete", seed)["camera"], 9, *size)
    truth = np.concatenate([camera, np.tile([[[0.0, 0.0, 1.0]]], (9, 1, 1))], axis=1)
    mask = disc(*size, 40, 50, 10)
    errors = point_errors(carried(sample.source, 4, mask), truth, 4, mask)
    assert np.median(errors) < 0.2
    assert np.quantile(errors, 0.95) < 0.4


def test_under_a_camera_that_stands_still_no_bit_changes() -> None:
    frames = np.repeat(texture(72, 96)[None], 6, axis=0)
    mask = np.random.default_rng(0).random((72, 96)) < 0.3  # a form that any resampling would change
    found = carried(frames, 2, mask)
    assert found.stopped is None
    np.testing.assert_array_equal(found.track.masks, np.repeat(mask[None], 6, axis=0))
    np.testing.assert_array_equal(found.transforms, np.repeat(np.eye(3)[None, :2], 6, axis=0))
    assert (found.track.confidence == 1).all()
    assert not found.track.flow_error.any()


def test_what_walks_through_the_place_stops_the_track_before_it_touches() -> None:
    frames = np.repeat(texture(72, 96)[None], 8, axis=0)
    walker = np.zeros((8, 72, 96), np.bool_)
    for t in range(8):
        walker[t, 20:50, 10 * t : 10 * t + 8] = True
        frames[t, 20:50, 10 * t : 10 * t + 8] = texture(30, 8, seed=5)
    found = carried(frames, 0, disc(), walker)  # the disc begins at column 36: touched from t = 3, columns 30 to 37
    assert found.stopped == "touches an entity"
    assert (found.track.first, found.track.last) == (0, 2)
    assert not (found.track.masks & walker).any()
    assert not found.track.masks[3:].any()
    assert not found.track.confidence[3:].any()
    assert np.isnan(found.transforms[3:]).all()
    assert np.isfinite(found.transforms[:3]).all()


def test_a_pan_that_takes_the_mask_out_of_the_frame_stops_the_track() -> None:
    found = carried(translated(13, (5, 0)), 0, disc())
    assert found.stopped == "leaves the frame"
    # The disc, 441 px, reaches column 95 at t = 7; at t = 8 columns up to x = +7 of it are inside, at t = 9 up to +2.
    area = int(disc().sum())
    shares = [(disc(width=200, x=48 + 5 * t)[:, :96]).sum() / area for t in range(13)]
    assert found.track.last == max(t for t in range(13) if shares[t] >= INSIDE_SHARE)
    assert found.track.first == 0


def test_a_cut_in_the_clip_is_motion_lost() -> None:
    frames = np.concatenate([translated(3, (1, 0)), np.random.default_rng(0).integers(0, 256, (3, 72, 96, 3))])
    found = carried(frames.astype(np.uint8), 1, disc())
    assert found.stopped == "motion lost"
    assert (found.track.first, found.track.last) == (0, 2)


@pytest.mark.parametrize("marked", [True, False])
def test_a_neighbour_that_moves_does_not_drag_the_mask_along(marked: bool) -> None:
    frames = translated(5, (1, 1))
    neighbour = np.zeros((5, 72, 96), np.bool_)
    for t in range(5):  # beside the disc, walking down
        neighbour[t, 12 + 5 * t : 40 + 5 * t, 66:76] = True
        frames[t, 12 + 5 * t : 40 + 5 * t, 66:76] = texture(28, 10, seed=8)
    found = carried(frames, 2, disc(), neighbour if marked else None)
    truth = np.tile(np.eye(3), (5, 1, 1))
    truth[:, :2, 2] = np.arange(5)[:, None]
    assert np.quantile(point_errors(found, truth, 2, disc()), 0.95) < 0.5


def test_an_image_keeps_its_mask() -> None:
    found = carried(texture(72, 96)[None], 0, disc())
    assert found.stopped is None
    np.testing.assert_array_equal(found.track.masks[0], disc())
    assert (found.track.first, found.track.last) == (0, 0)


def test_a_mask_that_is_empty_or_already_touches_is_refused() -> None:
    frames = translated(2, (1, 0))
    with pytest.raises(ValueError, match="must not be empty"):
        carried(frames, 0, np.zeros((72, 96), np.bool_))
    with pytest.raises(ValueError, match="touch"):
        carried(frames, 0, disc(), np.ones((2, 72, 96), np.bool_))


def test_the_form_does_not_crumble() -> None:
    frames = translated(25, (1, 0), width=128)
    cv2.circle(canvas := np.zeros((72, 128), np.uint8), (40, 36), 14, 1, 3)
    mask = canvas > 0
    found = carried(frames, 0, mask)
    areas = found.track.masks.sum(axis=(1, 2))
    assert np.ptp(areas) / areas[0] < 0.05
    assert [cv2.connectedComponents(m.astype(np.uint8))[0] for m in found.track.masks] == [2] * 25
