"""Stages 6 and 7 for one clip: masks augmented, held to the limits, and written as samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vivid_bench.build.entity_stages import FoundEntity
from vivid_bench.build.filters import LIMITS, measure, reject_reason
from vivid_bench.build.results import BuiltSample, Reject
from vivid_bench.build.settings import BuildSettings
from vivid_bench.build.suite_writer import CLIPS, file_ref
from vivid_bench.build.types import Clip, Track
from vivid_bench.masks import MASK_KINDS, augment
from vivid_bench.types import Frames, Mask, Sample, Task
from vivid_bench.video import write_lossless

EXPAND_SHARES = 0.03, 0.07
"""Of the shorter side: between which `expand` draws its radius."""


def generator(settings: BuildSettings, *names: str) -> np.random.Generator:
    """Return the random numbers of something named: no other thing of the build has the same."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng([settings.seed, *np.frombuffer(digest, np.uint32)])


def draw_augmentation(rng: np.random.Generator, frames: Frames) -> tuple[str, int]:
    """Return one of the six kinds of masks, all as likely, and the radius of `expand` in pixels."""
    kind = MASK_KINDS[rng.integers(len(MASK_KINDS))]
    return kind, max(2, round(float(rng.uniform(*EXPAND_SHARES)) * min(frames.shape[1:3])))


def entity_samples(
    clip: Clip, found: Sequence[FoundEntity], tasks: Sequence[Task], settings: BuildSettings, out: Path
) -> Iterator[BuiltSample | Reject]:
    """Yield the add and modify samples of a clip's entities, at most `masks_per_clip` a task.

    An entity's mask is cut out of the source, which is its own exact reference; the caption says what was there.
    """
    for task in tasks:
        kept = 0
        for index, one in enumerate(found):
            if kept == settings.masks_per_clip:
                break
            name = f"{clip.id}-{task}-{index}"
            made = _entity_sample(clip, one, task, name, settings, out)
            kept += isinstance(made, BuiltSample)
            yield made


def _entity_sample(
    clip: Clip, found: FoundEntity, task: Task, name: str, settings: BuildSettings, out: Path
) -> BuiltSample | Reject:
    if found.captions is None:
        return Reject(stage=task, name=name, reason="no caption", detail=found.problem)
    measures = measure(found.track)
    if reason := reject_reason(found.track, measures, is_given=found.given):
        return Reject(stage=task, name=name, reason=reason, detail=f"{tracked(found.track)}; {measures}")
    kind, radius = draw_augmentation(generator(settings, name), clip.frames)
    mask = augment(found.track.masks, kind, radius)
    if mask.mean() > LIMITS.max_area:  # a form that leaves too little of the frame
        kind, mask = "original", found.track.masks
    measures = replace(measures, area=float(mask.mean()))
    prompt = getattr(found.captions, settings.detail)
    built = write_sample(out, clip, name, task, mask, prompt, kind, settings)
    captions = found.captions
    return BuiltSample(
        sample=built, measures=measures.rounded(), label=found.entity.label,
        captions=(captions.short, captions.medium, captions.long),
    )  # fmt: skip


def tracked(track: Track) -> str:
    """Say how much of a clip a track holds."""
    return f"held in frames {track.first} to {track.last} of {len(track.masks)}"


def write_sample(
    out: Path, clip: Clip, name: str, task: Task, mask: Mask, prompt: str, kind: str, settings: BuildSettings
) -> Sample:
    """Write a sample's mask beside its clip's source, and return the sample."""
    path = f"{CLIPS}/{clip.id}/{name}.mkv"
    write_lossless(out / path, mask.astype(np.uint8) * np.uint8(255), clip.fps)
    source = file_ref(out, source_path(clip.id))
    frames, height, width = mask.shape
    return Sample(
        id=name, task=task, source=source, mask=file_ref(out, path), reference=source, prompt=prompt, frames=frames,
        height=height, width=width, fps=clip.fps, hole="hidden", source_video=clip.video, licence=settings.licence,
        mask_kind=kind,
    )  # fmt: skip


def source_path(clip_id: str) -> str:
    """Return where a clip's source lies in the suite."""
    return f"{CLIPS}/{clip_id}/source.mkv"
