"""Tests of whole pastes: from a pool and a clip to a mask sequence or a reason."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from moving_pictures import texture, translated

from vivid_bench import flow as flow_module
from vivid_bench.build.carrying import estimate_flow
from vivid_bench.build.pasting import TRIES, Rejected, paste
from vivid_bench.build.pool import Stamp, stamps_of
from vivid_bench.build.types import Track
from vivid_bench.clip_files import read_clip, read_mask
from vivid_bench.flow import clip_flow
from vivid_bench.masks import dilate
from vivid_bench.types import Frames, Mask

POOL = [Stamp(np.ones((10, 14), np.bool_), 0.03, "box"), Stamp(np.eye(20, dtype=np.bool_) > 0, 0.02, "line")]


def pasted(frames: Frames, entities: Mask, seed: int = 0, keyframe: int | None = None) -> Track | Rejected:
    middle = len(frames) // 2 if keyframe is None else keyframe
    return paste(estimate_flow(frames, clip_flow), middle, entities, POOL, np.random.default_rng(seed))


def walking(frames: int) -> tuple[Frames, Mask]:
    """A moving background with someone walking over it."""
    clip = translated(frames, (1, 0))
    entities = np.zeros(clip.shape[:3], np.bool_)
    for t in range(frames):
        entities[t, 30:60, 10 + 6 * t : 26 + 6 * t] = True
        clip[t][entities[t]] = texture(30, 16, seed=4).reshape(-1, 3)
    return clip, entities


@pytest.mark.parametrize("seed", range(6))
def test_no_frame_touches_the_grown_entity(seed: int) -> None:
    frames, entities = walking(7)
    track = pasted(frames, entities, seed)
    assert isinstance(track, Track)
    assert (track.first, track.last) == (0, 6)
    assert track.masks.any(axis=(1, 2)).all()
    assert not (track.masks & dilate(entities, 2)).any()


def test_an_empty_pool_is_a_reason() -> None:
    frames, entities = walking(3)
    flow = estimate_flow(frames, clip_flow)
    assert paste(flow, 1, entities, [], np.random.default_rng(0)) == Rejected("empty pool", {})


def test_a_frame_full_of_entities_has_no_place() -> None:
    frames, _ = walking(3)
    found = pasted(frames, np.ones(frames.shape[:3], np.bool_))
    assert found == Rejected("no place", {"no place": TRIES})


def test_entities_that_sweep_the_whole_frame_reject_every_try() -> None:
    frames = np.repeat(texture(72, 96)[None], 4, axis=0)
    entities = np.zeros(frames.shape[:3], np.bool_)
    entities[0, :, :40] = entities[1, :, 30:70] = entities[3, :, 60:] = True
    found = pasted(frames, entities, keyframe=2)
    assert found == Rejected("touches an entity", {"touches an entity": TRIES})


def test_a_pan_over_more_than_the_frame_takes_every_stamp_out() -> None:
    found = pasted(translated(16, (8, 0)), np.zeros((16, 72, 96), np.bool_))
    assert found == Rejected("leaves the frame", {"leaves the frame": TRIES})


def test_an_image_is_a_clip_of_one_frame() -> None:
    entities = np.zeros((1, 72, 96), np.bool_)
    entities[0, :40] = True
    track = pasted(texture(72, 96)[None], entities)
    assert isinstance(track, Track)
    assert track.masks.shape == (1, 72, 96)
    assert track.masks.any()
    assert not track.masks[0, :42].any()
    assert (track.confidence.tolist(), track.flow_error.tolist()) == ([1], [0])


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, entities = walking(5)
    before, results = cv2.getNumThreads(), []
    try:
        for threads in (1, 2, 8):
            cv2.setNumThreads(threads)
            monkeypatch.setattr(flow_module, "worker_count", lambda threads=threads: threads)
            track = pasted(frames, entities, seed=5)
            assert isinstance(track, Track)
            results.append((track.masks.tobytes(), track.confidence.tobytes(), track.flow_error.tobytes()))
    finally:
        cv2.setNumThreads(before)
    assert results[0] == results[1] == results[2]
    other = pasted(frames, entities, seed=6)
    assert isinstance(other, Track)
    assert other.masks.tobytes() != results[0][0]


def test_masks_of_each_real_sample_on_the_others_background(real_clips: Path) -> None:
    data = real_clips / "vivid10m-samples"
    names = ("00049967", "00177989")
    masks = {name: read_mask(data, f"{name}/mask.mp4")[0][:9] for name in names}
    for name, other in (names, names[::-1]):
        frames = read_clip(data, f"{name}/source.mp4").frames[:9]
        pool = stamps_of(masks[other], other)
        track = paste(estimate_flow(frames, clip_flow), 4, masks[name], pool, np.random.default_rng(0))
        assert isinstance(track, Track)
        assert track.masks.any(axis=(1, 2)).all()
        assert not (track.masks & dilate(masks[name], 8)).any()
