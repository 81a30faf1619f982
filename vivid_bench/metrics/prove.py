"""PROVE's removal coherence: does the filled hole look like what is around it (RC-S), and stay the same (RC-T)?

Source: Li et al., "PROVE: A Perceptual RemOVal cohErence Benchmark for Visual Media", ACM MM 2026, arXiv 2605.14534;
this follows its code (xiaomi-research/prove, commit 7ca299a7) in all that its prose leaves open or says otherwise:

- a crop is 448 px wide, 32 x 32 patches of DINOv2, so "windows of 16, stride 8" (meant for 64 patches) are 8 and 4;
- the discrepancy is the biased estimate with one Gaussian kernel, sigma 10, on features of unit length, times 1000;
- components below 200 px are left out only beside a larger one; a frame with a component that has no window of both
  kinds has no RC-S; a window wholly inside the mask is compared with all patches outside it in the crop;
- only the first 81 frames count.

Two things differ: masks are exact here (PROVE's code takes any grey level above 0 in a decoded mask for the hole), and
sums are made in float64 (in float32 its kernel means are close to 1 and lose about four digits).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.masks import bounding_box
from vivid_bench.metrics.patch_features import Crop, CropFeatures, batch_size, load_network, pixel_values
from vivid_bench.metrics.prove_windows import (
    GRID,
    SIDE,
    component_boxes,
    patch_mask,
    resized_side,
    shared_weights,
    spatial_weights,
    square_around,
)
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import MetricInfo, Score
from vivid_bench.weights import locate

if TYPE_CHECKING:
    from torch import Tensor

    from vivid_bench.metrics.sample_clip import EditClip, SampleClip

MAX_FRAMES = 81
SIGMA, SCALE, TAU = 10.0, 1000.0, 3.0
MAX_DISCREPANCY = 2 * SCALE * -math.expm1(-2 / SIGMA**2)
PADDING = (123, 116, 103)

Measure = Literal["rc_s", "rc_t"]


@dataclass(frozen=True)
class Comparison:
    """What is compared in one crop of a frame (RC-S), or in the same crop of two frames (RC-T).

    Attributes:
        crops: one or two.
        inside: (1024,) bool, patches that touch the mask, in both frames where there are two.
    """

    crops: tuple[Crop, ...]
    inside: NDArray[np.bool_]


Plan = dict[int, tuple[Comparison, ...]]
"""By frame, or first frame of a pair: the comparisons whose mean is its value."""


def discrepancies(features: Tensor, weights: NDArray[np.float64]) -> Tensor:
    """Squared maximum mean discrepancy of two sets of patches, for several pairs of sets, times 1000.

    1000 (mean k(a, a') + mean k(b, b') - 2 mean k(a, b)), all pairs counted, k(u, v) = exp(-|u - v|^2 / (2 sigma^2)),
    sigma = 10, features scaled to unit length. With w = 1/|A| on A, -1/|B| on B and 0 elsewhere it is 1000 w' K w.

    Args:
        features: (n, channels).
        weights: (pairs, n), the w of each pair: rows that sum to 0.

    Returns:
        (pairs,) float64, 0 (the same distribution) to 39.6 (opposite directions); NaN where a feature is.

    Example:
        >>> import torch
        >>> w = np.array([[1.0, -1.0]])
        >>> f"{float(discrepancies(torch.tensor([[2.0, 0.0], [0.0, 3.0]]), w)):.3f}"  # 2000 (1 - exp(-2 / 200))
        '19.900'
    """
    import torch

    unit = torch.nn.functional.normalize(features.double(), dim=1)
    # k - 1 in place of k: the rows of w sum to 0, and nothing is lost to rounding near 1.
    kernel = torch.expm1((unit @ unit.T - 1) / SIGMA**2)
    w = torch.from_numpy(weights).to(features.device)
    return SCALE * ((w @ kernel) * w).sum(dim=1).clamp(min=0)


def spatial_coherence(features: Tensor, inside: NDArray[np.bool_]) -> float:
    """RC-S of one crop: exp(-D / 3), D the mean discrepancy over windows. Higher is better.

    Args:
        features: (1024, channels), the crop's patch features.
        inside: (1024,) bool, patches that touch the mask; at least one window must be usable.

    Returns:
        0 to 1 (inside as outside).

    Example:
        >>> import torch
        >>> inside = np.arange(1024) % 32 < 16  # the left half
        >>> spatial_coherence(torch.ones(1024, 2), inside)
        1.0
    """
    return float((-discrepancies(features, spatial_weights(inside)).mean() / TAU).exp())


def temporal_drift(first: Tensor, second: Tensor, shared: NDArray[np.bool_]) -> float:
    """RC-T of one pair of crops at the same place: the mean discrepancy over windows. Lower is better.

    Args:
        first, second: (1024, channels), patch features of the two frames.
        shared: (1024,) bool, patches that touch the mask in both frames; at least one window must be usable.

    Returns:
        0 (nothing changes) to 39.6.

    Example:
        >>> import torch
        >>> before, after = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
        >>> drift = temporal_drift(before.expand(1024, 2), after.expand(1024, 2), np.ones(1024, bool))
        >>> f"{drift:.3f}"  # 2000 (1 - exp(-2 / 200))
        '19.900'
    """
    import torch

    both = torch.cat([features[torch.from_numpy(shared).to(features.device)] for features in (first, second)])
    weights = shared_weights(shared)
    return float(discrepancies(both, np.concatenate([weights, -weights], axis=1)).mean())


def spatial_plan(mask: NDArray[np.bool_], frames: Sequence[int]) -> Plan:
    """RC-S's comparisons of each frame, one a component; frames without a mask, or with an unusable part, left out."""
    plan: Plan = {}
    for t in frames:
        boxes = [square_around(box, *mask.shape[1:]) for box in component_boxes(mask[t])]
        parts = tuple(Comparison(((t, box),), patch_mask(mask[t], box)) for box in boxes)
        if parts and all(len(spatial_weights(part.inside)) for part in parts):
            plan[t] = parts
    return plan


def temporal_plan(mask: NDArray[np.bool_], pairs: Sequence[int]) -> Plan:
    """RC-T's comparison of frames t and t+1: one crop around both masks; pairs without a usable window left out."""
    plan: Plan = {}
    for t in pairs:
        around = bounding_box(mask[t] | mask[t + 1])
        if around is None:
            continue
        box = square_around(around, *mask.shape[1:])
        shared = patch_mask(mask[t], box) & patch_mask(mask[t + 1], box)
        if len(shared_weights(shared)):
            plan[t] = (Comparison(((t, box), (t + 1, box)), shared),)
    return plan


def _plans(sample: SampleClip) -> dict[Measure, Plan]:
    def make() -> dict[Measure, Plan]:
        frames = np.flatnonzero(sample.scored[:MAX_FRAMES]).tolist()
        pairs = [t for t in sample.scored_pairs if t + 1 < MAX_FRAMES]
        return {"rc_s": spatial_plan(sample.mask, frames), "rc_t": temporal_plan(sample.mask, pairs)}

    return sample.once("prove plans", make)


def embed_crops(images: Sequence[NDArray[np.uint8]], weights: str, device: str) -> Tensor:
    """Patch features of square images by a DINOv2, as PROVE prepares them: (n, 1024, channels) float32.

    Args:
        images: (s, s, 3) uint8 RGB each; scaled to 448 px without smoothing.
        weights: name of a folder that transformers loads.

    Raises:
        MissingWeightsError: the weights are not on this machine.
        InputError: they are not those of a DINOv2 with patches of 14 px.
    """
    import torch

    folder = locate(weights)
    network = load_network("Dinov2Model", folder, device)
    with torch.inference_mode():
        tokens = network(pixel_values(np.stack([_scaled(image) for image in images]), device)).last_hidden_state
    patches: Tensor = tokens[:, 1:]
    if patches.shape[1] != GRID**2:
        found = f"{patches.shape[1]} patches of an image of {SIDE} px"
        raise InputError(folder, expected=f"{GRID**2} (patches of 14 px)", found=found, fix="use a DINOv2's weights")
    return patches


def _scaled(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = resized_side(len(image))
    resized = cv2.resize(np.ascontiguousarray(image), (side, side), interpolation=cv2.INTER_LINEAR)
    border = SIDE - side
    return np.asarray(cv2.copyMakeBorder(resized, 0, border, 0, border, cv2.BORDER_CONSTANT, value=PADDING), np.uint8)


class RemovalCoherence:
    """PROVE's RC-S (higher is better) or RC-T (lower is better) of a delete, on the features of one DINOv2.

    RC-S of a frame is the mean over its mask's components, RC-T has one value for two frames that follow each other;
    the clip's value is the mean over frames, or pairs, that have one. `details` holds how many those are.
    """

    def __init__(self, measure: Measure, weights: str) -> None:
        self._measure = measure
        self._weights = weights
        self.info = MetricInfo(
            name=f"{measure}@{weights}",
            version="1",
            unit="",
            range=(0.0, 1.0) if measure == "rc_s" else (0.0, MAX_DISCREPANCY),
            higher_is_better=measure == "rc_s",
            tasks=("delete",),
            region="edit",
            needs_weights=weights,
            citation="Li et al., PROVE, ACM MM 2026, arXiv 2605.14534; as its code computes it",
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; value t of RC-T's `per_frame` is that of frames t and t+1.

        Raises:
            MissingWeightsError: the weights are not on this machine.
            InputError: they are not a DINOv2's.
        """
        if reason := self._why_not(clip.sample):
            return not_applicable(self.info, clip.sample_id, reason)
        plan = _plans(clip.sample)[self._measure]
        parts = [(t, part) for t, parts in plan.items() for part in parts]
        values: dict[int, list[float]] = {t: [] for t in plan}
        for (t, part), features in zip(parts, self._features(clip).of([part.crops for _, part in parts]), strict=True):
            values[t].append(self._value(part, features))
        by_frame = {t: fmean(of_parts) for t, of_parts in values.items()}
        per_frame = [by_frame.get(t) for t in range(len(clip.edited))]
        details = {"frames" if self._measure == "rc_s" else "pairs": len(by_frame)}
        return scored(self.info, clip.sample_id, fmean(by_frame.values()), per_frame=per_frame, details=details)

    def _value(self, part: Comparison, features: tuple[Tensor, ...]) -> float:
        if self._measure == "rc_s":
            return spatial_coherence(features[0], part.inside)
        return temporal_drift(features[0], features[1], part.inside)

    def _features(self, clip: EditClip) -> CropFeatures:
        """The edit's crops, of both measures: where the mask stands still they are the same."""
        device = clip.sample.device

        def make() -> CropFeatures:
            plans = _plans(clip.sample).values()
            uses = [crop for plan in plans for parts in plan.values() for part in parts for crop in part.crops]
            embed = partial(embed_crops, weights=self._weights, device=device)
            return CropFeatures(clip.edited, embed, batch_size(device), uses)

        return clip.once(("prove features", self._weights), make)

    def _why_not(self, sample: SampleClip) -> str | None:
        if sample.sample.task not in self.info.tasks:
            return f"defined for delete only, the task is {sample.sample.task}"
        if self._measure == "rc_t" and len(sample.mask) < 2:
            return "the clip has one frame"
        if not sample.mask[:MAX_FRAMES][sample.scored[:MAX_FRAMES]].any():
            return f"the mask is empty in all scored frames of the first {MAX_FRAMES}"
        if _plans(sample)[self._measure]:
            return None
        if self._measure == "rc_s":
            return "no frame has, for each part of its mask, a window of more than 5 patches inside and 5 outside it"
        return "no two scored frames that follow each other share 5 mask patches in a window"


RcS = partial(RemovalCoherence, "rc_s")
RcT = partial(RemovalCoherence, "rc_t")
