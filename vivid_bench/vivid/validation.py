"""Figures on rendered validation scenes, for choosing settings; the test fold is never touched."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np
import torch

from vivid_bench.scenes import SceneSample, dominant_colour, render_sample
from vivid_bench.types import TASKS, Frames, Mask
from vivid_bench.vivid.data import fill_frames
from vivid_bench.vivid.pipeline import VividPipeline, to_uint8

Edit = Callable[[SceneSample], Frames]


@cache
def validation_samples(per_task: int, frames: int = 17, size: int = 96) -> tuple[SceneSample, ...]:
    """Render the first `per_task` validation scenes of each task."""
    return tuple(
        render_sample(task, seed, fold="validation", frames=frames, height=size, width=size)
        for task in TASKS
        for seed in range(per_task)
    )


def pipeline_editor(
    pipeline: VividPipeline, steps: int = 4, guidance_scale: float = 1.0, keyframes: Sequence[int] = ()
) -> Edit:
    """Edit with a pipeline, noise seeded with 0; `keyframes` are frames whose reference is given."""

    def edit(sample: SceneSample) -> Frames:
        made = pipeline(
            sample.source,
            sample.mask,
            sample.prompt,
            keyframes={i: sample.reference[i] for i in keyframes},
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            generator=torch.Generator(pipeline.device).manual_seed(0),
        ).frames
        return to_uint8(made)

    return edit


def fill_only(sample: SceneSample) -> Frames:
    """Return the model's input: the hole filled smoothly, nothing generated."""
    return fill_frames(sample.source, sample.mask)


def telea(sample: SceneSample) -> Frames:
    """Return `cv2.inpaint` by Telea, radius 3, frame by frame."""
    frames = zip(sample.source, sample.mask, strict=True)
    return np.stack([cv2.inpaint(f, m.astype(np.uint8), 3, cv2.INPAINT_TELEA) for f, m in frames])


def validation_figures(edit: Edit, samples: Sequence[SceneSample], unscored: Sequence[int] = ()) -> dict[str, float]:
    """Return means over clips: `<task>_edit_psnr`, `<task>_background_psnr` (dB) and `<task>_colour` (0 to 1).

    Args:
        unscored: frames left out of every figure, e.g. keyframes.
    """
    values: dict[str, list[float]] = {}
    scored = np.setdiff1d(np.arange(len(samples[0].mask)), unscored)
    for sample in samples:
        edited, reference = edit(sample)[scored], sample.reference[scored]
        mask = sample.mask[scored]
        figures = {
            "edit_psnr": masked_psnr(edited, reference, mask),
            "background_psnr": masked_psnr(edited, reference, ~mask),
        }
        if sample.entity and sample.entity_mask is not None and sample.entity_mask[scored].any():
            seen = dominant_colour(edited, sample.entity_mask[scored])
            figures["colour"] = float(seen == sample.entity.colour)
        for name, value in figures.items():
            values.setdefault(f"{sample.task}_{name}", []).append(value)
    return {name: sum(group) / len(group) for name, group in values.items()}


def masked_psnr(frames: Frames, reference: Frames, mask: Mask) -> float:
    """PSNR in dB over the pixels under a mask of the whole clip, at most 100 (identical); higher is better."""
    difference = frames[mask].astype(np.float64) - reference[mask]
    error = float(np.square(difference).mean())
    return min(100.0, 10 * math.log10(255**2 / error)) if error else 100.0
