from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vivid_bench.vivid.data import Batch, BatchConfig, Batches, draw_batch
from vivid_bench.vivid.sources import PoolClips, SceneConfig, TrainingClip, render_pool

POOL = SceneConfig(shards=2, clips_per_shard=4, frames=5, size=32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pool")
    render_pool(folder, POOL)
    return folder


def batch(folder: Path, step: int = 0, **options: object) -> Batch:
    settings = {"pixels": 4 * 5 * 16**2, "crop_shares": {16: 1.0}, "frame_shares": {5: 1.0}, **options}
    return draw_batch(PoolClips(folder, POOL), BatchConfig(**settings), seed=0, number=step)


def test_batches_depend_on_the_step_alone(folder: Path) -> None:
    first, again, other = batch(folder, 3), batch(folder, 3), batch(folder, 4)
    assert torch.equal(first.edit, again.edit)
    assert first.captions == again.captions
    assert not torch.equal(first.edit, other.edit)


def test_shapes_and_ranges(folder: Path) -> None:
    b = batch(folder)
    assert b.edit.shape == b.masked.shape == (4, 3, 5, 16, 16)
    assert b.mask.shape == (4, 1, 5, 16, 16)
    assert -1 <= float(b.edit.min()) < float(b.edit.max()) <= 1
    known = (b.mask == 0).expand_as(b.edit)
    assert torch.equal(b.edit[known], b.masked[known])


def test_crops_follow_the_mask(folder: Path) -> None:
    assert all(bool(batch(folder, step).mask.flatten(1).any(dim=1).all()) for step in range(5))


def test_a_batch_holds_as_many_clips_as_its_pixels_allow(folder: Path) -> None:
    # 4 x 5 x 16 x 16 pixels are 20 images or 10 pairs.
    assert batch(folder, frame_shares={1: 1.0}).edit.shape == (20, 3, 1, 16, 16)
    assert batch(folder, frame_shares={2: 1.0}).edit.shape == (10, 3, 2, 16, 16)


def test_lengths_and_crops_are_mixed_by_their_shares(folder: Path) -> None:
    lengths = [batch(folder, i, frame_shares={1: 0.5, 5: 0.5}).edit.shape[2] for i in range(40)]
    assert 8 < lengths.count(1) < 32
    assert set(lengths) == {1, 5}


def test_without_crops_frames_are_whole(folder: Path) -> None:
    assert batch(folder, pixels=2 * 5 * 32**2, crop_shares=None).edit.shape == (2, 3, 5, 32, 32)


def test_images_have_no_keyframes(folder: Path) -> None:
    b = batch(folder, frame_shares={1: 1.0}, keyframe_share=1.0)
    assert bool(b.mask.flatten(1).any(dim=1).all())


class Counting:
    """Clips whose frames are filled with their number."""

    def __len__(self) -> int:
        return 1

    def captions(self) -> list[str]:
        return ["a red circle"]

    def clip(self, index: int, rng: np.random.Generator) -> TrainingClip:
        numbers = np.broadcast_to(np.arange(9, dtype=np.uint8)[:, None, None, None], (9, 16, 16, 3)).copy()
        return TrainingClip(numbers, numbers, np.ones((9, 16, 16), np.bool_), "a red circle")


def test_short_clips_skip_the_same_number_of_frames_each_time() -> None:
    config = BatchConfig(pixels=3 * 16**2, frame_shares={3: 1.0}, keyframe_share=0.0)
    strides = set()
    for number in range(30):
        times = (draw_batch(Counting(), config, 0, number).edit[0, 0, :, 0, 0] + 1) * 127.5
        steps = times.round().diff().tolist()
        assert steps[0] == steps[1]
        strides.add(abs(steps[0]))
    assert strides == {1, 2, 3, 4}


@pytest.mark.parametrize(("asked", "got"), [(17, 9), (49, 9), (9, 9), (8, 8)])
def test_clips_shorter_than_asked_are_cut_to_whole_latents(asked: int, got: int) -> None:
    class Short(Counting):
        def clip(self, index: int, rng: np.random.Generator) -> TrainingClip:
            frames = np.zeros((14, 8, 8, 3), np.uint8)
            return TrainingClip(frames, frames, np.ones((14, 8, 8), np.bool_), "a red circle")

    config = BatchConfig(pixels=1, frame_shares={asked: 1.0})
    assert draw_batch(Short(), config, 0, 0).edit.shape == (1, 3, got, 8, 8)


def test_numbered_batches_are_a_data_set(folder: Path) -> None:
    config = BatchConfig(pixels=5 * 16**2, crop_shares={16: 1.0}, frame_shares={5: 1.0})
    batches = Batches(PoolClips(folder, POOL), [config], seed=0)
    assert batches.clips == 8
    assert torch.equal(batches[2].edit, draw_batch(PoolClips(folder, POOL), config, 0, 2).edit)


def test_keyframes_are_known(folder: Path) -> None:
    b = batch(folder, keyframe_share=1.0)
    known = b.mask.flatten(3).sum(dim=3)[:, 0] == 0
    assert bool(known.any(dim=1).all())
    for clip in range(4):
        assert torch.equal(b.edit[clip][:, known[clip]], b.masked[clip][:, known[clip]])


def test_own_keyframes_are_some_of_the_keyframes(folder: Path) -> None:
    b = batch(folder, keyframe_share=1.0, own_keyframe_share=0.5, pixels=40 * 5 * 16**2)
    whole = b.own.any(dim=1)
    assert 0 < int(whole.sum()) < len(whole)
    assert torch.equal(b.own, b.keyframes & whole[:, None])
    assert not batch(folder, keyframe_share=1.0).own.any()


def test_captions_can_be_withheld(folder: Path) -> None:
    assert batch(folder, empty_caption_share=1.0).captions == [""] * 4
    assert all(batch(folder, empty_caption_share=0.0).captions)


def test_stages_follow_each_other(folder: Path) -> None:
    options = {"pixels": 5 * 16**2, "crop_shares": {16: 1.0}}
    stages = [BatchConfig(frame_shares={1: 1.0}, until=2, **options), BatchConfig(frame_shares={5: 1.0}, **options)]
    batches = Batches(PoolClips(folder, POOL), stages, seed=0, per_step=2)
    assert [batches[number].edit.shape[2] for number in range(6)] == [1, 1, 1, 1, 5, 5]
