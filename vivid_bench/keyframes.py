"""The keyframe track: some frames of the reference are given to the methods that take them, the others are scored.

A split whose samples have keyframes is a split of its own, with a hash of its own. What a method returns at a keyframe
must exist but enters no metric, so that it makes no difference whether a method repeats the keyframe, refines it, or
ignores it. Pairs of frames that touch a keyframe leave the warp errors for the same reason: they would score that
frame. What a break between a keyframe and its neighbour costs is in the neighbour's own error against the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.types import Sample


def parse_keyframes(text: str | None) -> tuple[int, ...] | None:
    """Return the frame indices of a comma list, rising; None for None.

    Raises:
        VividBenchError: for anything but different whole numbers from 0 up.
    """
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise VividBenchError(
            f'--keyframes "{text}": expected frame indices from 0 up, with commas between, as 0 or 0,8'
        )
    indices = sorted({int(word) for word in words})
    if len(indices) < len(words):
        raise VividBenchError(f'--keyframes "{text}": an index is there twice')
    return tuple(indices)


def with_keyframes(samples: Sequence[Sample], keyframes: tuple[int, ...] | None) -> list[Sample]:
    """Return the samples with these keyframes in place of those pinned in the suite; None keeps the suite's."""
    if keyframes is None:
        return list(samples)
    return [sample.model_copy(update={"keyframes": keyframes}) for sample in samples]


def keyframe_problems(root: Path, samples: Sequence[Sample]) -> list[VividBenchError]:
    """Return what is wrong with the samples' keyframes, one error a sample.

    Either no sample has keyframes, or all have: rising indices within the clip, at least one frame left to score, and a
    reference to take them from.

    Args:
        root: the folder that the samples' paths are relative to.
        samples: of one split.
    """
    if all(sample.keyframes is None for sample in samples):
        return []
    found = [(sample, _what_is_wrong(sample)) for sample in samples]
    return [
        InputError(root / sample.source.path, expected=wrong[0], found=wrong[1], fix=wrong[2])
        for sample, wrong in found
        if wrong is not None
    ]


def _what_is_wrong(sample: Sample) -> tuple[str, str, str] | None:
    keyframes = sample.keyframes
    if not keyframes:
        return (
            "keyframes, as other samples have",
            f"none for sample {sample.id}",
            "list them in every sample or in none",
        )
    if keyframes[0] < 0 or any(a >= b for a, b in pairwise(keyframes)):
        return f"rising keyframes from 0 up (sample {sample.id})", _listed(keyframes), "correct the suite"
    if keyframes[-1] >= sample.frames:
        expected = f"keyframes below {sample.frames}, the frames of sample {sample.id}"
        return expected, _listed(keyframes), "name frames that every clip has"
    if len(keyframes) == sample.frames:
        return f"a frame left to score in sample {sample.id}", "a keyframe at every one", "name fewer keyframes"
    if sample.reference is None:
        found = f"none for sample {sample.id}"
        return "a reference, whose frames are the keyframes", found, "add one, or go without keyframes"
    return None


def _listed(keyframes: tuple[int, ...]) -> str:
    return ", ".join(map(str, keyframes))
