"""Where training clips come from: rendered scenes, stored or drawn afresh, and suites in VIVID-10M's form."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np
import torch
from pydantic import BaseModel, ConfigDict

from vivid_bench.errors import InputError
from vivid_bench.masks import MASK_KINDS, augment
from vivid_bench.types import TASKS, Frames, Mask, Sample, Task
from vivid_bench.vivid.condition import fill_hole

_REFERENCE, _FILLED, _MASK, _CAPTIONS = "reference.npy", "filled.npy", "mask.npy", "captions.json"
_SETTINGS = "settings.json"

TEST_SUITES = ("mini", "mini-long")
"""Suites that ship to be scored on: nothing is trained on them or chosen by them."""


class SceneConfig(BaseModel):
    """Rendered scenes of the training fold.

    Attributes:
        shards: groups of `clips_per_shard` clips; the first is numbered 0.
        stored: rendered once into a pool on disk; else whenever a clip is drawn, which needs no disk.
        frames, size: of every clip, which is square.
        task_shares: how often each task is drawn.
        mask_kind: the one mask augmentation to use; None = all six.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["scenes"] = "scenes"
    shards: int
    clips_per_shard: int = 200
    stored: bool = True
    frames: int = 17
    size: int = 96
    task_shares: dict[Task, float] = {"add": 0.3, "modify": 0.3, "delete": 0.4}
    mask_kind: str | None = None


class SuiteConfig(BaseModel):
    """The samples of a suite, as `vivid-bench run --suite` takes it.

    A sample without a reference is its own, its hole being hidden, as in VIVID-10M. Masks that are not augmented yet
    get one of the six augmentations at random.

    Attributes:
        suite, data: a suite's name or folder; for `folder`, the user's clips.
        frames: longest clip; longer videos are cut at random. One-frame samples are images.
        height, width: every clip is resized to this.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["suite"]
    suite: str
    data: Path | None = None
    tasks: tuple[Task, ...] = TASKS
    frames: int = 49
    height: int = 480
    width: int = 720


@dataclass(frozen=True)
class TrainingClip:
    """One clip to learn from.

    Attributes:
        reference: (T, H, W, 3) uint8 RGB, the exact answer.
        filled: (T, H, W, 3) uint8, the source with its hole filled.
        mask: (T, H, W) bool.
    """

    reference: Frames
    filled: Frames
    mask: Mask
    caption: str


class ClipSource(Protocol):
    """Training clips by number."""

    def __len__(self) -> int: ...

    def captions(self) -> Iterable[str]:
        """Return all captions, for the tokenizer."""
        ...

    def clip(self, index: int, rng: np.random.Generator) -> TrainingClip:
        """Return clip `index`; `rng` decides what is random about it."""
        ...


def open_source(config: SceneConfig | SuiteConfig, pool: Path) -> ClipSource:
    """Return the source that a recipe asks for; stored scenes that `pool` lacks are rendered first."""
    if config.kind == "suite":
        return SuiteClips(config)
    if not config.stored:
        return SceneClips(config)
    render_pool(pool, config)
    return PoolClips(pool, config)


class SceneClips:
    """Scenes rendered when they are drawn; the same clips as a pool's."""

    def __init__(self, config: SceneConfig) -> None:
        self._config = config

    def __len__(self) -> int:
        return self._config.shards * self._config.clips_per_shard

    def captions(self) -> list[str]:
        """Return one caption of every combination of words that the scenes use, and the delete prompt."""
        from vivid_bench.scenes.folds import combinations
        from vivid_bench.types import DELETE_PROMPT

        return [*(entity.caption() for entity in combinations("train")), DELETE_PROMPT]

    def clip(self, index: int, rng: np.random.Generator) -> TrainingClip:
        """Render clip `index`; nothing about it is random."""
        shard, row = divmod(index, self._config.clips_per_shard)
        return render_clip(self._config, index, shard_tasks(self._config, shard)[row])


def shard_tasks(config: SceneConfig, shard: int) -> list[Task]:
    """Return the tasks of a shard's clips."""
    return _draw_tasks(tuple(config.task_shares.items()), config.clips_per_shard, shard)


@cache
def _draw_tasks(shares: tuple[tuple[Task, float], ...], count: int, shard: int) -> list[Task]:
    rng = np.random.default_rng((shard, 0))
    weights = np.array([share for _, share in shares])
    return [shares[rng.choice(len(shares), p=weights / weights.sum())][0] for _ in range(count)]


def render_clip(config: SceneConfig, seed: int, task: Task) -> TrainingClip:
    """Render one scene of the training fold."""
    from vivid_bench.scenes import render_sample

    sample = render_sample(
        task,
        seed,
        fold="train",
        frames=config.frames,
        height=config.size,
        width=config.size,
        mask_kind=config.mask_kind,
    )
    filled = fill_frames(sample.source, sample.mask)
    return TrainingClip(sample.reference, filled, sample.mask, sample.prompt)


def render_pool(folder: Path, config: SceneConfig, shards: Sequence[int] | None = None) -> None:
    """Render the shards that `folder` lacks; several processes may render different shards at once.

    Raises:
        InputError: when a shard that is there was rendered with other settings.
    """
    for shard in range(config.shards) if shards is None else shards:
        target = folder / f"{shard:05d}"
        if not target.exists():
            _render_shard(target, config, shard)
        elif (settings := target / _SETTINGS).exists() and settings.read_text() != _settings(config):
            raise InputError(
                target,
                expected=f"clips of {_settings(config)}",
                found=settings.read_text(),
                fix="choose another --pool",
            )


def _settings(config: SceneConfig) -> str:
    """Return what decides a shard's clips."""
    return config.model_dump_json(exclude={"kind", "shards", "stored"})


def _render_shard(target: Path, config: SceneConfig, shard: int) -> None:
    tasks = enumerate(shard_tasks(config, shard), start=shard * config.clips_per_shard)
    clips = [render_clip(config, seed, task) for seed, task in tasks]
    # Written beside and renamed, so that a shard that exists is whole.
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    np.save(partial / _REFERENCE, np.stack([clip.reference for clip in clips]))
    np.save(partial / _FILLED, np.stack([clip.filled for clip in clips]))
    np.save(partial / _MASK, np.stack([clip.mask for clip in clips]))
    (partial / _CAPTIONS).write_text(json.dumps([clip.caption for clip in clips]))
    (partial / _SETTINGS).write_text(_settings(config))
    partial.rename(target)


class PoolClips:
    """The pool's clips, read from disk as they are drawn."""

    def __init__(self, folder: Path, config: SceneConfig) -> None:
        self._folder = folder
        self._config = config
        shards = [folder / f"{shard:05d}" for shard in range(config.shards)]
        self._arrays = [[np.load(s / name, mmap_mode="r") for name in (_REFERENCE, _FILLED, _MASK)] for s in shards]
        self._captions: list[list[str]] = [json.loads((s / _CAPTIONS).read_text()) for s in shards]

    def __reduce__(self) -> tuple[type[PoolClips], tuple[Path, SceneConfig]]:
        # A worker process opens the pool itself: mapped arrays would be copied to it whole.
        return PoolClips, (self._folder, self._config)

    def __len__(self) -> int:
        return len(self._arrays) * self._config.clips_per_shard

    def captions(self) -> list[str]:
        """Return all captions, in the clips' order."""
        return [caption for shard in self._captions for caption in shard]

    def clip(self, index: int, rng: np.random.Generator) -> TrainingClip:
        """Return clip `index`; nothing about it is random."""
        shard, row = divmod(index, self._config.clips_per_shard)
        reference, filled, mask = (array[row] for array in self._arrays[shard])
        return TrainingClip(reference, filled, mask, self._captions[shard][row])


class SuiteClips:
    """A suite's samples, decoded as they are drawn."""

    def __init__(self, config: SuiteConfig) -> None:
        from vivid_bench.suites import load_splits

        self._config = config
        splits = load_splits(config.suite, config.tasks, config.data)
        if any(loaded.split.suite in TEST_SUITES for loaded in splits):
            fix = 'train on others, or on `kind = "scenes"`'
            raise InputError(Path(config.suite), expected="clips to train on", found="the test split", fix=fix)
        self._samples = [(loaded, sample) for loaded in splits for sample in loaded.split.samples if _has_truth(sample)]
        if not self._samples:
            raise InputError(
                config.data or Path(config.suite), expected="samples with a reference, or whose hole is hidden",
                found="none", fix="add reference.* files, or say `hole: hidden` where the source is the answer",
            )  # fmt: skip

    def __len__(self) -> int:
        return len(self._samples)

    def captions(self) -> list[str]:
        """Return all prompts."""
        return [sample.prompt for _, sample in self._samples]

    def clip(self, index: int, rng: np.random.Generator) -> TrainingClip:
        """Decode sample `index`, cut to the longest clip, its mask augmented at random, and resize it."""
        loaded, sample = self._samples[index]
        arrays = loaded.read(sample)
        first = int(rng.integers(max(1, len(arrays.mask) - self._config.frames + 1)))
        times = slice(first, first + self._config.frames)
        reference = arrays.source if arrays.reference is None else arrays.reference
        mask = arrays.mask[times]
        if sample.mask_kind in (None, "original"):
            radius = max(2, round(float(rng.uniform(0.03, 0.07)) * min(mask.shape[1:])))
            mask = augment(mask, MASK_KINDS[rng.integers(len(MASK_KINDS))], radius)
        size = (self._config.width, self._config.height)
        holes = np.stack([cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0 for m in mask])
        source, reference = _resized(arrays.source[times], size), _resized(reference[times], size)
        return TrainingClip(reference, fill_frames(source, holes), holes, sample.prompt)


def _has_truth(sample: Sample) -> bool:
    return sample.reference is not None or sample.hole == "hidden"


def _resized(frames: Frames, size: tuple[int, int]) -> Frames:
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])


def fill_frames(frames: Frames, mask: Mask) -> Frames:
    """Fill the hole of (T, H, W, 3) uint8 frames as the pipeline does, rounded to 8 bits."""
    video = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    filled = fill_hole(video, torch.from_numpy(mask)[:, None].float())
    return filled.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
