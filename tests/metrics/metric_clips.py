"""Clips that the metric tests share."""

from __future__ import annotations

import numpy as np

from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.types import FileRef, Frames, Mask, Sample, Task


def edit_clip(source: Frames, mask: Mask, reference: Frames | None, edited: Frames, task: Task = "delete") -> EditClip:
    file = FileRef(path="clip.mkv", sha256="0" * 64)
    sample = Sample(
        id="clip",
        task=task,
        source=file,
        mask=file,
        reference=None if reference is None else file,
        prompt="a test",
        frames=len(source),
        height=source.shape[1],
        width=source.shape[2],
        fps=24,
        hole="visible",
        source_video="scene",
    )
    return EditClip(SampleClip(sample, source, mask, reference), edited)


def textured(frames: int, height: int, width: int, step: tuple[int, int] = (0, 0), seed: int = 0) -> Frames:
    """A smooth random texture that moves by whole pixels (x, y) a frame."""
    margin = frames * max(abs(step[0]), abs(step[1]), 1)
    size = (height + 2 * margin) // 4 + 1, (width + 2 * margin) // 4 + 1, 3
    ground = np.kron(np.random.default_rng(seed).integers(0, 256, size), np.ones((4, 4, 1)))
    # Averaging neighbours gives the texture the gradients that flow can follow.
    for axis in (0, 1):
        ground = sum(np.roll(ground, shift, axis) for shift in range(4)) / 4
    starts = [(margin + t * step[1], margin + t * step[0]) for t in range(frames)]
    return np.stack([ground[y : y + height, x : x + width] for y, x in starts]).round().astype(np.uint8)


def box_mask(frames: int, height: int, width: int, box: tuple[int, int, int, int]) -> Mask:
    """A mask that is the same box, x0, y0, x1, y1 half-open, in every frame."""
    mask = np.zeros((frames, height, width), bool)
    x0, y0, x1, y1 = box
    mask[:, y0:y1, x0:x1] = True
    return mask


def noisy(frames: Frames, amplitude: int, seed: int = 1) -> Frames:
    """The frames with uniform noise of at most so many steps, clipped to 8 bits."""
    noise = np.random.default_rng(seed).integers(-amplitude, amplitude + 1, frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8)
