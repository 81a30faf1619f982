"""A pasted mask goes with the background: VIVID-10M's motion extraction and propagation for delete samples.

VIVID-10M moves a pasted mask by the background's optical flow (arXiv 2411.15260; how exactly is not stated). Here the
flow under and around the mask becomes one affine map a step, and the mask of every frame is the keyframe's, warped once
by the maps' product: its shape does not crumble. A translation a step does not do (3 px off at the 95th percentile on
scenes of 240x426x17, where an affine map is 0.2 off), and on a real wide-angle pan a similarity fits worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.local_motion import Affine, Step, mapped, motion_around
from vivid_bench.build.types import FrameMask, MotionEstimator, Track
from vivid_bench.types import Frames, Mask

INSIDE_SHARE = 0.8
"""Share of a pasted mask's pixels that has to stay in the frame."""

Stop = Literal["leaves the frame", "touches an entity", "motion lost"]


class ClipFlow(NamedTuple):
    """Flow between consecutive frames, both ways, each (T-1, H, W, 2) float32 pixels as of `flow.clip_flow`."""

    forward: NDArray[np.float32]
    backward: NDArray[np.float32]


@dataclass(frozen=True)
class Carried:
    """A mask that went with the background.

    Attributes:
        track: the mask sequence; `confidence` is the share of the mask's pixels whose flow is consistent and agrees
            with the map, on the step that led to each frame.
        transforms: (T, 2, 3) float64, the keyframe's pixels to each frame's; NaN outside first .. last.
        stopped: why the track does not reach both ends of the clip; None where it does.
    """

    track: Track
    transforms: NDArray[np.float64]
    stopped: Stop | None


def estimate_flow(frames: Frames, motion: MotionEstimator) -> ClipFlow:
    """Return a clip's flow in both directions.

    DIS `medium` is the choice: on scenes with known motion its masks are off by a quarter to a half of what those of
    the faster presets are, see `benchmarks/build_pasting.py`.
    """
    return ClipFlow(motion(frames), motion(frames, backward=True))


def carry(mask: FrameMask, keyframe: int, keep_out: Mask, flow: ClipFlow) -> Carried:
    """Move a mask with the background, from the keyframe to both ends of a clip.

    It stops before the frame in which the mask would touch `keep_out`, or have less than INSIDE_SHARE of its pixels in
    the frame, or to which the motion cannot be told (see `local_motion.motion_around`).

    Args:
        mask: (H, W) bool in the keyframe, not empty.
        keyframe: its index.
        keep_out: (T, H, W) bool, entities and their surroundings (`positioning.keep_out`).
        flow: of the clip.

    Raises:
        ValueError: when the mask is empty or touches `keep_out` in the keyframe.
    """
    if not mask.any() or (mask & keep_out[keyframe]).any():
        raise ValueError("a mask to carry must not be empty, nor touch an entity in the keyframe")
    frames = len(keep_out)
    masks = np.zeros_like(keep_out)
    masks[keyframe] = mask
    transforms = np.full((frames, 2, 3), np.nan)
    transforms[keyframe] = np.eye(3)[:2]
    confidence, flow_error = np.zeros((2, frames), np.float32)
    confidence[keyframe] = 1
    ends = {1: keyframe, -1: keyframe}
    stopped: Stop | None = None
    for way in (1, -1):
        for t, found in _steps(mask, keyframe, way, keep_out, flow):
            if isinstance(found, str):
                stopped = stopped or found
                break
            ends[way] = t
            masks[t], transforms[t] = found.mask, found.transform[:2]
            confidence[t], flow_error[t] = found.step.confirmed, found.step.flow_error
    track = Track(masks, ends[-1], ends[1], confidence, flow_error)
    return Carried(track, transforms, stopped)


class _Moved(NamedTuple):
    mask: FrameMask
    transform: Affine
    step: Step


def _steps(
    mask: FrameMask, keyframe: int, way: int, keep_out: Mask, flow: ClipFlow
) -> Iterator[tuple[int, _Moved | Stop]]:
    """Yield, frame by frame away from the keyframe, the mask there or why there is none."""
    transform, current = np.eye(3), mask
    rows, columns = np.nonzero(mask)
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    for t in range(keyframe, len(keep_out) - 1) if way == 1 else range(keyframe, 0, -1):
        there, back = (flow.forward[t], flow.backward[t]) if way == 1 else (flow.backward[t - 1], flow.forward[t - 1])
        step = motion_around(current, keep_out[t], there, back)
        if step is None:
            yield t + way, "motion lost"
            return
        transform = step.affine @ transform
        current = _warped(mask, transform)
        if _share_inside(mapped(transform, points), mask.shape) < INSIDE_SHARE or not current.any():
            yield t + way, "leaves the frame"
            return
        if (current & keep_out[t + way]).any():
            yield t + way, "touches an entity"
            return
        yield t + way, _Moved(current, transform, step)


def _warped(mask: FrameMask, transform: Affine) -> FrameMask:
    """Warp the keyframe's mask, bilinear and cut at half: straight edges stay straight."""
    white = mask.astype(np.uint8) * np.uint8(255)
    return np.asarray(cv2.warpAffine(white, transform[:2], mask.shape[::-1]) >= 128, dtype=np.bool_)


def _share_inside(points: NDArray[np.float64], shape: tuple[int, ...]) -> float:
    """Return which share of points lies on pixels of a frame of (H, W)."""
    size = np.array(shape[::-1])
    return float(((points >= -0.5) & (points < size - 0.5)).all(axis=1).mean())
