"""Training batches: images and short videos, tasks and keyframes mixed.

Batch number n depends on the seed and n alone, so that a resumed run sees what an unbroken one would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt
from torch import Tensor
from torch.utils.data import Dataset

from vivid_bench.types import Mask
from vivid_bench.vivid.sources import ClipSource, TrainingClip
from vivid_bench.vivid.window import Window, square_window, whole_frames

LATENT_STEP = 8
"""Frames after the first come in multiples of this where a clip has to be cut: `latents.frame_step` of CogVideoX."""


class BatchConfig(BaseModel):
    """How batches are drawn.

    Attributes:
        pixels: of a batch, all its clips and frames together.
        frame_shares: length of a clip -> share of batches of that length; 1 = images. Short clips skip frames.
        crop_shares: side of a crop in pixels -> share of batches of that crop; crops follow the hole (`window`). None =
            whole frames.
        keyframe_share: share of video clips of which one or two frames are given as keyframes.
        own_keyframe_share: share of those whose keyframes are the model's own edits rather than the reference's frames;
            the answer then starts at what a keyframe shows and fades to the reference. So chained clips learn to go on
            from what was made. For a codec without loss.
        empty_caption_share: share of clips whose caption is withheld.
        until: the step before which batches are drawn so; None = to the end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pixels: PositiveInt
    frame_shares: dict[PositiveInt, PositiveFloat] = Field(min_length=1)
    crop_shares: dict[PositiveInt, PositiveFloat] | None = None
    keyframe_share: float = 0.3
    own_keyframe_share: float = 0.0
    empty_caption_share: float = 0.1
    until: int | None = None


@dataclass(frozen=True)
class Batch:
    """What one training step sees.

    Attributes:
        edit: (B, 3, T, H, W) float32 in [-1, 1], the reference.
        filled: (B, 3, T, H, W) float32 in [-1, 1], the source with its hole filled.
        hole: (B, 1, T, H, W) float32, 1 = edit.
        keyframes: (B, T) bool, the frames that are given.
        own: (B, T) bool, those of them that the model is to make itself.
        captions: B of them.
    """

    edit: Tensor
    filled: Tensor
    hole: Tensor
    keyframes: Tensor
    own: Tensor
    captions: list[str]

    @property
    def masked(self) -> Tensor:
        """What the model is shown: `filled` with the keyframes in place."""
        return torch.where(self.keyframes[:, None, :, None, None], self.edit, self.filled)

    @property
    def mask(self) -> Tensor:
        """What the model has to make: `hole` but for the keyframes."""
        return self.hole * ~self.keyframes[:, None, :, None, None]

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(
            edit=self.edit.to(device), filled=self.filled.to(device), hole=self.hole.to(device),
            keyframes=self.keyframes.to(device), own=self.own.to(device), captions=self.captions,
        )  # fmt: skip


class Batches(Dataset[Batch]):
    """The batches of a run by their number.

    Args:
        stages: how batches are drawn, one stage after the other; only the last has no end.
        per_step: batches that a step takes, one a process.
    """

    def __init__(self, source: ClipSource, stages: Sequence[BatchConfig], seed: int, per_step: int = 1) -> None:
        self._source = source
        self._stages = stages
        self._seed = seed
        self._per_step = per_step

    @property
    def clips(self) -> int:
        """How many clips there are to draw from."""
        return len(self._source)

    def __getitem__(self, number: int) -> Batch:
        step = number // self._per_step
        config = next(stage for stage in self._stages if stage.until is None or step < stage.until)
        return draw_batch(self._source, config, self._seed, number)


def draw_batch(source: ClipSource, config: BatchConfig, seed: int, number: int) -> Batch:
    """Draw batch `number`."""
    rng = np.random.default_rng((seed, number))
    size = _draw(rng, config.crop_shares) if config.crop_shares else None
    length = _draw(rng, config.frame_shares)
    drawn = [_draw_clip(source, config, rng, size, length)]
    count = max(1, round(config.pixels / drawn[0].mask.size))
    drawn += [_draw_clip(source, config, rng, size, length) for _ in range(count - 1)]
    # A source's clips can be shorter than asked; those of one batch are cut to the shortest, to a length that fills the
    # latents of every codec.
    shortest = min(len(clip.mask) for clip in drawn)
    if shortest < length:
        shortest -= (shortest - 1) % LATENT_STEP
    edit, filled = (
        torch.from_numpy(np.stack(arrays)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
        for arrays in ([c.reference[:shortest] for c in drawn], [c.filled[:shortest] for c in drawn])
    )
    hole = torch.from_numpy(np.stack([c.mask[:shortest] for c in drawn]))
    keyframes = torch.zeros(len(drawn), shortest, dtype=torch.bool)
    own = keyframes.clone()
    for clip in range(len(drawn)):
        if shortest > 1 and rng.random() < config.keyframe_share:
            keyframes[clip, list(_draw_keyframes(rng, shortest))] = True
            own[clip] = keyframes[clip] & (rng.random() < config.own_keyframe_share)
    return Batch(edit, filled, hole[:, None].float(), keyframes, own, [c.caption for c in drawn])


def _draw(rng: np.random.Generator, shares: dict[int, float]) -> int:
    weights = np.array(list(shares.values()))
    return list(shares)[rng.choice(len(weights), p=weights / weights.sum())]


def _draw_clip(
    source: ClipSource, config: BatchConfig, rng: np.random.Generator, size: int | None, length: int
) -> TrainingClip:
    drawn = source.clip(int(rng.integers(len(source))), rng)
    times = _draw_times(rng, len(drawn.mask), min(length, len(drawn.mask)))
    window = _draw_window(rng, drawn.mask[times], size)
    reference, filled = window.cut(drawn.reference[times]), window.cut(drawn.filled[times])
    mask = window.cut(drawn.mask[times])
    caption = "" if rng.random() < config.empty_caption_share else drawn.caption
    flip = (slice(None, None, rng.choice((1, -1))), slice(None), slice(None, None, rng.choice((1, -1))))
    return TrainingClip(reference[flip], filled[flip], mask[flip], caption)


def _draw_times(rng: np.random.Generator, frames: int, length: int) -> slice:
    stride = int(rng.integers(1, (frames - 1) // (length - 1) + 1)) if length > 1 else 1
    span = stride * (length - 1)
    first = int(rng.integers(frames - span))
    return slice(first, first + span + 1, stride)


def _draw_window(rng: np.random.Generator, mask: Mask, size: int | None) -> Window:
    if size is None:
        return whole_frames(mask)
    window = square_window(mask, size)
    return Window(window.corners + rng.integers(-(size // 8), size // 8 + 1, 2), size, size)


def _draw_keyframes(rng: np.random.Generator, frames: int) -> set[int]:
    """Half the time the first frame, as in a chain of clips, else any; sometimes a second one."""
    first = 0 if rng.random() < 0.5 else int(rng.integers(frames))
    return {first, int(rng.integers(frames))} if rng.random() < 0.25 else {first}
