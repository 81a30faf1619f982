"""Training clips: a pool of rendered scenes on disk, and batches drawn from it.

Batch number n depends on the seed and n alone, so that a resumed run sees what an unbroken one would have seen.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from vivid_bench.types import Frames, Mask, Task
from vivid_bench.vivid.condition import fill_hole

_REFERENCE, _FILLED, _MASK, _CAPTIONS = "reference.npy", "filled.npy", "mask.npy", "captions.json"


class PoolConfig(BaseModel):
    """Which scenes are rendered for training.

    Attributes:
        shards: folders of `clips_per_shard` clips; the first is numbered 0.
        frames, size: of every clip, which is square.
        task_shares: how often each task is drawn.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    shards: int
    clips_per_shard: int = 200
    frames: int = 17
    size: int = 96
    task_shares: dict[Task, float] = {"add": 0.3, "modify": 0.3, "delete": 0.4}


class BatchConfig(BaseModel):
    """How batches are drawn.

    Attributes:
        pixels: of each frame of a batch, all its clips together; batches of single frames hold four times as many.
        crop_shares: side of a crop in pixels -> share of batches of that crop; crops follow the mask.
        image_share: share of batches made of single frames.
        keyframe_share: share of video clips of which one or two reference frames are given as keyframes.
        empty_caption_share: share of clips whose caption is withheld.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pixels: int
    crop_shares: dict[int, float]
    image_share: float = 0.1
    keyframe_share: float = 0.3
    empty_caption_share: float = 0.1


@dataclass(frozen=True)
class Batch:
    """What one training step sees.

    Attributes:
        edit: (B, 3, T, H, W) float32 in [-1, 1], the reference.
        masked: (B, 3, T, H, W) float32 in [-1, 1], the hole filled, keyframes in place.
        mask: (B, 1, T, H, W) float32, 1 = edit.
        captions: B of them.
    """

    edit: Tensor
    masked: Tensor
    mask: Tensor
    captions: list[str]


def render_pool(folder: Path, config: PoolConfig, shards: Sequence[int] | None = None) -> None:
    """Render the shards that `folder` lacks; several processes may render different shards at once."""
    for shard in range(config.shards) if shards is None else shards:
        target = folder / f"{shard:05d}"
        if not target.exists():
            _render_shard(target, config, shard)


def _render_shard(target: Path, config: PoolConfig, shard: int) -> None:
    from vivid_bench.scenes import render_sample

    rng = np.random.default_rng((shard, 0))
    tasks: list[Task] = list(config.task_shares)
    shares = np.array([config.task_shares[task] for task in tasks])
    references, fills, masks, captions = [], [], [], []
    for index in range(config.clips_per_shard):
        task = tasks[rng.choice(len(tasks), p=shares / shares.sum())]
        seed = shard * config.clips_per_shard + index
        sample = render_sample(task, seed, fold="train", frames=config.frames, height=config.size, width=config.size)
        references.append(sample.reference)
        fills.append(fill_frames(sample.source, sample.mask))
        masks.append(sample.mask)
        captions.append(sample.prompt)
    # Written beside and renamed, so that a shard that exists is whole.
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    np.save(partial / _REFERENCE, np.stack(references))
    np.save(partial / _FILLED, np.stack(fills))
    np.save(partial / _MASK, np.stack(masks))
    (partial / _CAPTIONS).write_text(json.dumps(captions))
    partial.rename(target)


def fill_frames(frames: Frames, mask: Mask) -> Frames:
    """Fill the hole of (T, H, W, 3) uint8 frames as the pipeline does, rounded to 8 bits."""
    video = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    filled = fill_hole(video, torch.from_numpy(mask)[:, None].float())
    return filled.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


class ClipPool:
    """The pool's clips, read from disk as they are drawn."""

    def __init__(self, folder: Path, config: PoolConfig) -> None:
        shards = [folder / f"{shard:05d}" for shard in range(config.shards)]
        self._arrays = [[np.load(s / name, mmap_mode="r") for name in (_REFERENCE, _FILLED, _MASK)] for s in shards]
        self._captions: list[list[str]] = [json.loads((s / _CAPTIONS).read_text()) for s in shards]
        self._per_shard = config.clips_per_shard

    def __len__(self) -> int:
        return len(self._arrays) * self._per_shard

    @property
    def captions(self) -> list[str]:
        """All captions, in the clips' order."""
        return [caption for shard in self._captions for caption in shard]

    def clip(self, index: int) -> tuple[Frames, Frames, Mask, str]:
        """Return reference, filled source, mask and caption of a clip."""
        shard, row = divmod(index, self._per_shard)
        reference, filled, mask = (array[row] for array in self._arrays[shard])
        return reference, filled, mask, self._captions[shard][row]


def draw_batch(pool: ClipPool, config: BatchConfig, seed: int, step: int) -> Batch:
    """Draw the batch of a step."""
    rng = np.random.default_rng((seed, step))
    sizes = list(config.crop_shares)
    shares = np.array([config.crop_shares[size] for size in sizes])
    size = sizes[rng.choice(len(sizes), p=shares / shares.sum())]
    image = bool(rng.random() < config.image_share)
    count = max(1, round((4 if image else 1) * config.pixels / size**2))
    drawn = [_draw_clip(pool, config, rng, size, image) for _ in range(count)]
    edit, masked = (torch.from_numpy(np.stack(arrays)) for arrays in (tuple(d[i] for d in drawn) for i in (0, 1)))
    mask = torch.from_numpy(np.stack([d[2] for d in drawn]))
    return Batch(
        edit=edit.permute(0, 4, 1, 2, 3).float() / 127.5 - 1,
        masked=masked.permute(0, 4, 1, 2, 3).float() / 127.5 - 1,
        mask=mask[:, None].float(),
        captions=[d[3] for d in drawn],
    )


def _draw_clip(
    pool: ClipPool, config: BatchConfig, rng: np.random.Generator, size: int, image: bool
) -> tuple[Frames, Frames, Mask, str]:
    reference, filled, mask, caption = pool.clip(int(rng.integers(len(pool))))
    frame = int(rng.integers(len(mask)))
    times = slice(frame, frame + 1) if image else slice(None)
    rows, columns = _crop_around(mask[times], size, rng)
    window = (times, rows, columns)
    reference, filled, mask = reference[window].copy(), filled[window].copy(), mask[window].copy()
    if not image and rng.random() < config.keyframe_share:
        for index in rng.choice(len(mask), size=int(rng.integers(1, 3)), replace=False):
            filled[index], mask[index] = reference[index], False
    if rng.random() < config.empty_caption_share:
        caption = ""
    flip = (slice(None, None, rng.choice((1, -1))), slice(None), slice(None, None, rng.choice((1, -1))))
    return reference[flip], filled[flip], mask[flip], caption


def _crop_around(mask: NDArray[np.bool_], size: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """Return a square window of the whole clip with a random pixel of the hole near its middle."""
    height, width = mask.shape[1:]
    hole = np.argwhere(mask.any(axis=0))
    centre = hole[rng.integers(len(hole))] if len(hole) else np.array((height // 2, width // 2))
    middle = (hole.mean(axis=0) if len(hole) else centre) * 0.5 + centre * 0.5
    top, left = (
        int(np.clip(round(m - size / 2), 0, length - size)) for m, length in zip(middle, (height, width), strict=True)
    )
    return slice(top, top + size), slice(left, left + size)
