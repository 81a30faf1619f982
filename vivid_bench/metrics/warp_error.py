"""Warp error: how much an edit changes along the motion that it should follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vivid_bench.flow import Preset, consistency, flow, parallel, warp
from vivid_bench.masks import bounding_box
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import TASKS, Frames, Mask, MetricInfo, Region, Score, Task

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip

PRESET: Preset = "medium"
STEPS_PER_PX = 32
"""Flow is kept in whole steps of 1/32 px: half the memory, and the step to which OpenCV 4 rounds when it warps."""

_WHOLLY_INSIDE = 1 - 1e-4


@dataclass(frozen=True)
class PairWarp:
    """Where the pixels of frame t are in frame t+1.

    Attributes:
        box: x0, y0, x1, y1 (half-open): the bounding box of the valid pixels.
        steps: (h, w, 2) int16, the flow inside the box, in 1/32 px.
        valid: (h, w) bool, the pixels to compare.
    """

    box: tuple[int, int, int, int]
    steps: NDArray[np.int16]
    valid: NDArray[np.bool_]


PairWarps = tuple[PairWarp | None, ...]


def pair_warps(frames: Frames, regions: Mapping[Region, Mask]) -> dict[Region, PairWarps]:
    """Estimate the flow of consecutive frames (DIS, `medium`) and keep what passes the checks.

    A pixel of frame t is valid when the forward-backward check passes (`vivid_bench.flow.consistency`), the pixel is in
    the region, and so are all pixels of frame t+1 that it is interpolated from.

    Args:
        frames: (T, H, W, 3) uint8 RGB, the clip whose motion counts.
        regions: (T, H, W) bool each.

    Returns:
        T-1 items for each region; None for a pair without a valid pixel.
    """

    def pair(t: int) -> list[PairWarp | None]:
        forward = flow(frames[t], frames[t + 1], PRESET)
        consistent = consistency(forward, flow(frames[t + 1], frames[t], PRESET))
        limits = np.iinfo(np.int16)
        steps = np.clip(np.rint(forward * STEPS_PER_PX), limits.min, limits.max).astype(np.int16)
        return [_restrict(steps, consistent, region[t], region[t + 1]) for region in regions.values()]

    by_pair = parallel(pair, range(len(frames) - 1))
    return {name: tuple(warps[index] for warps in by_pair) for index, name in enumerate(regions)}


def _restrict(
    steps: NDArray[np.int16],
    consistent: NDArray[np.bool_],
    region: NDArray[np.bool_],
    next_region: NDArray[np.bool_],
) -> PairWarp | None:
    start = consistent & region
    box = bounding_box(start)
    if box is None:
        return None
    target = warp(next_region.astype(np.float32), steps.astype(np.float32) / np.float32(STEPS_PER_PX))
    valid = start & (target > _WHOLLY_INSIDE)
    box = bounding_box(valid)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    return PairWarp(box, steps[y0:y1, x0:x1].copy(), valid[y0:y1, x0:x1].copy())


def pair_error(first: NDArray[np.uint8], second: NDArray[np.uint8], pair: PairWarp) -> tuple[float, int]:
    """Sum the squared differences between a frame and the next one warped back to it.

    Args:
        first, second: (H, W, 3) uint8.
        pair: the flow from one to the other.

    Returns:
        sum over valid pixels and channels of squared differences of values in [0, 1], and how many were summed.
    """
    x0, y0, x1, y1 = pair.box
    displacement = pair.steps.astype(np.float32) / np.float32(STEPS_PER_PX)
    difference = warp(second.astype(np.float32), displacement, (x0, y0))
    difference -= first[y0:y1, x0:x1]
    difference /= 255
    valid = difference[pair.valid]
    # Not a dot product: BLAS splits those by its number of threads, which moves the last bits.
    return float(np.sum(np.square(valid), dtype=np.float64)), valid.size


def warp_error(edited: Frames, motion: Frames, region: Mask) -> float | None:
    """Mean squared difference between each frame and the next one, warped back along the flow of another clip.

    E = sum over pairs t, valid pixels p and channels of (y_t(p) - y_{t+1}(p + f_t(p)))^2, divided by their number;
    f_t is the flow of `motion` from t to t+1; see `pair_warps` for which pixels are valid. Lower is better; even the
    clip `motion` itself does not reach 0, for flow and interpolation are not perfect.
    Source: after Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, with DIS in place of FlowNet 2.

    Args:
        edited: (T, H, W, 3) uint8.
        motion: (T, H, W, 3) uint8, the clip whose motion the edit has to follow.
        region: (T, H, W) bool.

    Returns:
        0 to 1; None where no pixel is valid.

    Example:
        >>> import numpy as np
        >>> still = np.zeros((2, 16, 16, 3), np.uint8)
        >>> blinking = np.stack([still[0], still[0] + 51])
        >>> round(warp_error(blinking, still, np.ones((2, 16, 16), bool)), 6)  # (51 / 255)^2
        0.04
    """
    pairs = pair_warps(motion, {"full": region})["full"]
    return mean_error([pair_error(edited[t], edited[t + 1], pair) for t, pair in enumerate(pairs) if pair])


def mean_error(errors: Iterable[tuple[float, int] | None]) -> float | None:
    """Mean over all pairs' sums and counts; None when nothing was counted."""
    counted = [error for error in errors if error is not None]
    count = sum(number for _, number in counted)
    return sum(total for total, _ in counted) / count if count else None


class WarpError:
    """Warp error inside a region. Lower is better.

    `background_warp_error` follows the source; `edit_warp_error` follows the reference, for delete only, since an added
    object moves as it likes. `details["valid_share"]` is the share of the region's pixels that could be compared.
    """

    def __init__(self, region: Region, tasks: tuple[Task, ...]) -> None:
        self.info = MetricInfo(
            name=f"{region}_warp_error",
            version="1",
            unit="",
            range=(0.0, 1.0),
            higher_is_better=False,
            tasks=tasks,
            region=region,
            needs_reference=region != "background",
            shown_times=1e3,
            citation="after Lai et al., ECCV 2018; DIS flow (medium), checked as in Sundaram et al., ECCV 2010",
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; value t of `per_frame` is that of frames t and t+1, None where one is a keyframe."""
        if reason := self._why_not(clip):
            return not_applicable(self.info, clip.sample_id, reason)
        errors = clip.warp_errors(self.info.region)
        value = mean_error(errors)
        if value is None:
            reason = f"no {self.info.region} pixel has a flow that passes the forward-backward check"
            return not_applicable(self.info, clip.sample_id, reason)
        pixels = sum(int(clip.sample.region(self.info.region, t).sum()) for t in clip.sample.scored_pairs)
        valid = sum(error[1] for error in errors if error is not None) // clip.edited.shape[-1]
        per_frame = [*(mean_error([error]) for error in errors), None]
        return scored(self.info, clip.sample_id, value, per_frame=per_frame, details={"valid_share": valid / pixels})

    def _why_not(self, clip: EditClip) -> str | None:
        task = clip.sample.sample.task
        if task not in self.info.tasks:
            return f"defined for {', '.join(self.info.tasks)} only, the task is {task}"
        if len(clip.edited) < 2:
            return "the clip has one frame"
        if not clip.sample.scored_pairs:
            return "no two scored frames follow each other"
        return clip.sample.why_missing(self.info.region)


BackgroundWarpError = partial(WarpError, "background", TASKS)
EditWarpError = partial(WarpError, "edit", ("delete",))
