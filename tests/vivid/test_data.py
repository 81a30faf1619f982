from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vivid_bench.vivid.data import Batch, BatchConfig, ClipPool, PoolConfig, draw_batch, render_pool

POOL = PoolConfig(shards=2, clips_per_shard=4, frames=5, size=32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pool")
    render_pool(folder, POOL)
    return folder


def batch(folder: Path, step: int = 0, **options: object) -> Batch:
    settings = {"pixels": 4 * 16**2, "crop_shares": {16: 1.0}, "image_share": 0.0, **options}
    return draw_batch(ClipPool(folder, POOL), BatchConfig(**settings), seed=0, step=step)


def test_a_pool_rendered_again_is_the_same(folder: Path, tmp_path: Path) -> None:
    render_pool(tmp_path, POOL, [1])
    for name in ("reference.npy", "filled.npy", "mask.npy"):
        assert np.array_equal(np.load(tmp_path / "00001" / name), np.load(folder / "00001" / name))


def test_clips_differ_from_the_reference_under_the_mask_alone(folder: Path) -> None:
    pool = ClipPool(folder, POOL)
    assert len(pool) == 8
    for index in range(8):
        reference, filled, mask, caption = pool.clip(index)
        assert reference.shape == (5, 32, 32, 3)
        assert np.array_equal(reference[~mask], filled[~mask])
        assert mask.any()
        assert caption


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


def test_images_hold_four_times_as_many_clips(folder: Path) -> None:
    assert batch(folder, image_share=1.0).edit.shape == (16, 3, 1, 16, 16)


def test_keyframes_are_known(folder: Path) -> None:
    b = batch(folder, keyframe_share=1.0)
    known = b.mask.flatten(3).sum(dim=3)[:, 0] == 0
    assert bool(known.any(dim=1).all())
    for clip in range(4):
        assert torch.equal(b.edit[clip][:, known[clip]], b.masked[clip][:, known[clip]])


def test_captions_can_be_withheld(folder: Path) -> None:
    assert batch(folder, empty_caption_share=1.0).captions == [""] * 4
    assert all(batch(folder, empty_caption_share=0.0).captions)
