"""Groups of clips that are alike in one respect: kind of mask or hole, size of the mask, motion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vivid_bench.flow import Preset, clip_flow
from vivid_bench.suites import LoadedSplit, SampleArrays
from vivid_bench.types import Frames, Mask, Sample

FLOW_PRESET: Preset = "fast"


@dataclass(frozen=True)
class ClipFacts:
    """What a clip is grouped by.

    Attributes:
        mask_share: share of the frame (0 to 1) under the mask, mean over the frames with a mask; None where none has.
        mask_motion: how far the mask's centre moves from frame to frame, mean, in per cent of the frame's diagonal;
            None where no two consecutive frames have a mask.
        background_motion: length of the source's optical flow outside the mask, median over pixels and pairs of
            frames, in per cent of the diagonal; None for a single frame or one that is masked whole.
    """

    mask_kind: str | None
    hole: str
    mask_share: float | None
    mask_motion: float | None
    background_motion: float | None


@dataclass(frozen=True)
class Grouping:
    """One respect and its groups: label -> places of the clips in the split's order."""

    title: str
    meaning: str
    groups: dict[str, tuple[int, ...]]


def clip_facts(loaded: LoadedSplit) -> list[ClipFacts]:
    """Read every clip of a split; raises `InputError` for a file that changed."""
    return [_facts(sample, loaded.read(sample)) for sample in loaded.split.samples]


def _facts(sample: Sample, arrays: SampleArrays) -> ClipFacts:
    return ClipFacts(
        mask_kind=sample.mask_kind,
        hole=sample.hole,
        mask_share=mask_share(arrays.mask),
        mask_motion=mask_motion(arrays.mask),
        background_motion=background_motion(arrays.source, arrays.mask),
    )


def mask_share(mask: Mask) -> float | None:
    """Return the mean share (0 to 1) of the frame that a (T, H, W) mask covers, over frames that have one."""
    shares = mask.mean(axis=(1, 2))
    return float(shares[shares > 0].mean()) if shares.any() else None


def mask_motion(mask: Mask) -> float | None:
    """Return how far the centre of a (T, H, W) mask moves a frame, in per cent of the frame's diagonal."""
    centres = np.array([np.argwhere(frame).mean(axis=0) if frame.any() else (np.nan, np.nan) for frame in mask])
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    steps = steps[~np.isnan(steps)]
    return float(100 * steps.mean() / math.hypot(*mask.shape[1:])) if steps.size else None


def background_motion(source: Frames, mask: Mask) -> float | None:
    """Return the median length of the flow of (T, H, W, 3) frames outside the mask, in per cent of the diagonal."""
    if len(source) < 2:
        return None
    lengths = np.linalg.norm(clip_flow(source, FLOW_PRESET), axis=-1)[~mask[:-1]]
    return float(100 * np.median(lengths) / math.hypot(*mask.shape[1:])) if lengths.size else None


def group_clips(facts: Sequence[ClipFacts]) -> list[Grouping]:
    """Return the clips of a split, grouped in each respect; one with a single group tells nothing and is left out."""
    groupings = (
        Grouping("mask kind", "how the mask was augmented", _by_name([f.mask_kind or "not known" for f in facts])),
        Grouping(
            "hole",
            "visible: the source shows what is to be edited; hidden: the hole was greyed before the method saw it",
            _by_name([f.hole for f in facts]),
        ),
        Grouping(
            "mask size",
            "share of the frame, mean over frames; thirds of the clips",
            thirds([None if f.mask_share is None else 100 * f.mask_share for f in facts], "%"),
        ),
        Grouping(
            "motion of the mask",
            "how far its centre moves a frame, in per cent of the frame's diagonal; thirds of the clips",
            thirds([f.mask_motion for f in facts], "%"),
        ),
        Grouping(
            "motion of the background",
            "median length of the source's optical flow outside the mask, a frame, in per cent of the diagonal; "
            "thirds of the clips",
            thirds([f.background_motion for f in facts], "%"),
        ),
    )
    return [grouping for grouping in groupings if len(grouping.groups) > 1]


def _by_name(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(i for i, own in enumerate(names) if own == name) for name in dict.fromkeys(names)}


def thirds(values: Sequence[float | None], unit: str) -> dict[str, tuple[int, ...]]:
    """Return the places of the low, middle and high third of some values; equal values are never parted.

    Example:
        >>> thirds([5.0, 1.0, None, 3.0], "%")
        {'up to 1 %': (1,), '1 to 3 %': (3,), 'above 3 %': (0,), 'not known': (2,)}
    """
    known = sorted(value for value in values if value is not None)
    groups: dict[str, tuple[int, ...]] = {}
    if known:
        low, high = known[-(-len(known) // 3) - 1], known[-(-2 * len(known) // 3) - 1]
        cuts = (
            (f"up to {low:.3g} {unit}", -math.inf, low),
            (f"{low:.3g} to {high:.3g} {unit}", low, high),
            (f"above {high:.3g} {unit}", high, math.inf),
        )
        for name, above, up_to in cuts:
            groups[name] = tuple(i for i, value in enumerate(values) if value is not None and above < value <= up_to)
    groups["not known"] = tuple(i for i, value in enumerate(values) if value is None)
    return {name: places for name, places in groups.items() if places}
