"""SAM 2 with random weights: the session, its two directions, and where tracks end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import Frames, box_mask, moving_clip

from vivid_bench.build.models import loading
from vivid_bench.build.models.sam2_tracking import Sam2Propagator
from vivid_bench.build.types import FrameMask, Track

T, H, W, KEYFRAME = 5, 48, 64, 2
LEFT = box_mask(1, H, W, (8, 6, 20, 36))[0]
RIGHT = box_mask(1, H, W, (40, 20, 60, 40))[0]


@pytest.fixture(scope="module")
def follow(saved: Path) -> Sam2Propagator:
    return Sam2Propagator(str(saved / "sam2"), "cpu")


@pytest.fixture(scope="module")
def frames() -> Frames:
    return moving_clip(T, H, W)


@pytest.fixture(scope="module")
def tracks(follow: Sam2Propagator, frames: Frames) -> list[Track]:
    return follow(frames, KEYFRAME, [LEFT, RIGHT])


def test_tracks_hold_what_their_type_says(tracks: list[Track]) -> None:
    assert len(tracks) == 2
    for track, given in zip(tracks, (LEFT, RIGHT), strict=True):
        assert (track.masks.shape, track.masks.dtype) == ((T, H, W), bool)
        np.testing.assert_array_equal(track.masks[KEYFRAME], given)
        assert (track.first, track.last) == (0, T - 1)
        assert (track.confidence.shape, track.confidence.dtype) == ((T,), np.float32)
        assert track.confidence[KEYFRAME] == 1
        others = np.delete(track.confidence, KEYFRAME)
        assert ((others >= 0.5) & (others < 1)).all()
        assert track.masks.any(axis=(1, 2)).all()
        assert track.flow_error.dtype == np.float32
        np.testing.assert_array_equal(track.flow_error, np.zeros(T))


def test_the_session_is_given_the_masks_of_the_keyframe(follow: Sam2Propagator, frames: Frames) -> None:
    session = follow._session(frames, KEYFRAME, [LEFT, RIGHT])
    assert session.num_frames == T
    for index, given in enumerate((LEFT, RIGHT)):
        inputs = session.mask_inputs_per_obj[index]
        assert list(inputs) == [KEYFRAME]
        # At the network's 128x128 pixels.
        assert inputs[KEYFRAME].mean().item() == pytest.approx(given.mean(), abs=0.02)


def test_another_mask_gives_another_track(follow: Sam2Propagator, frames: Frames, tracks: list[Track]) -> None:
    other = follow(frames, KEYFRAME, [~LEFT])[0]
    assert not np.array_equal(other.confidence, tracks[0].confidence)
    assert not np.array_equal(np.delete(other.masks, KEYFRAME, 0), np.delete(tracks[0].masks, KEYFRAME, 0))


def test_objects_keep_their_order(follow: Sam2Propagator, frames: Frames, tracks: list[Track]) -> None:
    swapped = follow(frames, KEYFRAME, [RIGHT, LEFT])
    for track, same in zip(tracks, reversed(swapped), strict=True):
        np.testing.assert_allclose(track.confidence, same.confidence, atol=1e-5)
    assert not np.allclose(tracks[0].confidence, tracks[1].confidence, atol=1e-5)


def test_the_same_clip_is_tracked_the_same(follow: Sam2Propagator, frames: Frames, tracks: list[Track]) -> None:
    for track, again in zip(tracks, follow(frames, KEYFRAME, [LEFT, RIGHT]), strict=True):
        np.testing.assert_array_equal(track.masks, again.masks)
        np.testing.assert_array_equal(track.confidence, again.confidence)


def test_every_frame_matters(follow: Sam2Propagator, frames: Frames, tracks: list[Track]) -> None:
    changed = frames.copy()
    changed[0] = 255 - changed[0]
    assert follow(changed, KEYFRAME, [LEFT])[0].confidence[0] != tracks[0].confidence[0]


@pytest.mark.parametrize("keyframe", [0, T - 1])
def test_the_keyframe_may_be_at_either_end(follow: Sam2Propagator, frames: Frames, keyframe: int) -> None:
    track = follow(frames, keyframe, [LEFT])[0]
    assert (track.first, track.last) == (0, T - 1)
    np.testing.assert_array_equal(track.masks[keyframe], LEFT)


def test_a_clip_of_one_frame_is_its_keyframe(follow: Sam2Propagator, frames: Frames) -> None:
    track = follow(frames[:1], 0, [LEFT])[0]
    assert (track.first, track.last) == (0, 0)
    np.testing.assert_array_equal(track.masks, LEFT[None])


class Scripted(Sam2Propagator):
    """Answers with given scores, and an all-white mask but where it is told none."""

    def __init__(self, scores: Sequence[Sequence[float]], empty: Sequence[tuple[int, int]] = (), least: float = 0.5):
        self._scores, self._empty, self._least_confidence = scores, empty, least
        self.asked: list[int] = []

    def _session(self, frames: Frames, keyframe: int, masks: Sequence[FrameMask]) -> None:
        pass

    def _outwards(self, session: None, keyframe: int, reverse: bool):  # type: ignore[no-untyped-def]
        for t in range(keyframe - 1, -1, -1) if reverse else range(keyframe + 1, T):
            self.asked.append(t)
            found = np.ones((len(self._scores), H, W), bool)
            for index, frame in self._empty:
                found[index] &= frame != t
            yield t, found, np.array([scores[t] for scores in self._scores], np.float32)


def test_a_track_ends_where_its_object_is_lost(frames: Frames) -> None:
    lost_after, lost_before = (0.9, 0.9, 0, 0.9, 0.2), (0.9, 0.1, 0, 0.9, 0.9)
    after, before = Scripted([lost_after, lost_before])(frames, KEYFRAME, [LEFT, RIGHT])
    assert (after.first, after.last) == (0, 3)
    np.testing.assert_allclose(after.confidence, [0.9, 0.9, 1, 0.9, 0])
    # Frame 0 is sure again, but no path leads there.
    assert (before.first, before.last) == (2, 4)
    np.testing.assert_allclose(before.confidence, [0, 0, 1, 0.9, 0.9])
    np.testing.assert_array_equal(before.masks.any(axis=(1, 2)), [False, False, True, True, True])


def test_an_empty_mask_ends_a_track_however_sure(frames: Frames) -> None:
    track = Scripted([(0.9,) * T], empty=[(0, 3)])(frames, KEYFRAME, [LEFT])[0]
    assert (track.first, track.last) == (0, 2)


def test_the_least_confidence_is_enough(frames: Frames) -> None:
    assert Scripted([(0.75,) * T], least=0.75)(frames, KEYFRAME, [LEFT])[0].last == T - 1
    assert Scripted([(0.75,) * T], least=0.76)(frames, KEYFRAME, [LEFT])[0].last == KEYFRAME


def test_no_frame_is_computed_for_nothing(frames: Frames) -> None:
    propagator = Scripted([(0, 0.9, 0, 0.1, 0.9), (0, 0.1, 0, 0.1, 0.9)])
    propagator(frames, KEYFRAME, [LEFT, RIGHT])
    assert propagator.asked == [3, 1, 0]


def test_no_masks_have_no_tracks(follow: Sam2Propagator, frames: Frames) -> None:
    assert follow(frames, KEYFRAME, []) == []


def test_an_empty_mask_is_a_track_of_the_keyframe_alone(
    follow: Sam2Propagator, frames: Frames, tracks: list[Track]
) -> None:
    empty, full = follow(frames, KEYFRAME, [np.zeros((H, W), bool), LEFT])
    assert (empty.first, empty.last) == (KEYFRAME, KEYFRAME)
    assert (empty.masks.shape, empty.masks.any()) == ((T, H, W), False)
    np.testing.assert_array_equal(empty.confidence, [0, 0, 1, 0, 0])
    np.testing.assert_allclose(full.confidence, tracks[0].confidence, atol=1e-5)
    assert not follow(frames, KEYFRAME, [np.zeros((H, W), bool)])[0].masks.any()


def test_it_works_in_half_precision(saved: Path, frames: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "half_on_gpu", lambda device: torch.bfloat16)
    track = Sam2Propagator(str(saved / "sam2"), "cpu", least_confidence=0)(frames, KEYFRAME, [LEFT])[0]
    assert track.confidence.dtype == np.float32
    assert np.isfinite(track.confidence).all()
