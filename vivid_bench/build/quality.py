"""Which clips are worth building from, and on which of their frames entities are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.shots import seen
from vivid_bench.types import Frames

SHARPNESS_SIDE = 480
"""Sharpness is measured at this shorter side, at which its limit was chosen; smaller frames are not enlarged."""


@dataclass(frozen=True)
class ClipLimits:
    """Thresholds; a clip that breaks one is rejected for it. Grey levels are of 255.

    Chosen on nine real clips from VIVID-10M's makers and one of DAVIS (240 to 480 lines), whose figures
    were: darkest frame 55 to 174, contrast 36 to 68, sharpness 82 to 561, motion 97 to 250. The same clips blurred by a
    Gaussian of 2 px: sharpness 3 to 11. A still frame of each as H.264 at CRF 23: motion 3 to 11.

    Attributes:
        min_luma: of the mean luma of the clip's darkest frame.
        min_contrast: of the smallest standard deviation of luma in a frame.
        min_sharpness: of the median variance of the Laplacian over the middle third's frames.
        min_motion: of the largest change of a pixel between two consecutive frames, or the first and the last, all
            shrunk to 256 px.
        max_border: of the share of rows at top and bottom, or of columns at left and right, that stay black on both
            sides; black is a luma of at most BLACK.
        max_uneven: of the share of frames that repeat the one before, or are left out, to make the rate constant.
    """

    min_luma: float = 16.0
    min_contrast: float = 10.0
    min_sharpness: float = 20.0
    min_motion: float = 12.0
    max_border: float = 0.02
    max_uneven: float = 0.25


CLIP_LIMITS = ClipLimits()
BLACK = 16


@dataclass(frozen=True)
class ClipMeasures:
    """Figures of a clip, as `ClipLimits` names them, and the frame on which entities are chosen."""

    luma: float
    contrast: float
    sharpness: float
    motion: float
    border: float
    keyframe: int

    def __str__(self) -> str:
        return (
            f"luma {self.luma:.1f}, contrast {self.contrast:.1f}, sharpness {self.sharpness:.1f}, "
            f"motion {self.motion:.0f}, black borders {100 * self.border:.1f} %"
        )


def measure_clip(frames: Frames) -> ClipMeasures:
    """Return a clip's figures.

    The keyframe is the sharpest frame of the middle third; of equally sharp ones the one nearest to the middle, and of
    those the first.

    Args:
        frames: (T, H, W, 3) uint8 RGB, T at least 1.
    """
    count = len(frames)
    small = np.stack([cv2.cvtColor(seen(frame), cv2.COLOR_RGB2GRAY) for frame in frames])
    middle = range(count // 3, count - count // 3)
    sharpness = {index: _sharpness(frames[index]) for index in middle}
    keyframe = min(middle, key=lambda index: (-sharpness[index], abs(2 * index - (count - 1)), index))
    return ClipMeasures(
        luma=float(small.mean(axis=(1, 2)).min()),
        contrast=float(small.std(axis=(1, 2)).min()),
        sharpness=float(np.median(list(sharpness.values()))),
        motion=float(max(cv2.absdiff(a, b).max() for a, b in [*pairwise(small), (small[0], small[-1])])),
        border=_border(small.max(axis=0)),
        keyframe=keyframe,
    )


def clip_reject_reason(measures: ClipMeasures, frames: int, limits: ClipLimits = CLIP_LIMITS) -> str | None:
    """Return why a clip of so many frames is none, one of few phrases so that rejects can be counted; None: it is one.

    A clip of one frame has no motion, and is not held to any.
    """
    checks = {
        "dark": measures.luma < limits.min_luma,
        "flat": measures.contrast < limits.min_contrast,
        "black borders": measures.border > limits.max_border,
        "blurred": measures.sharpness < limits.min_sharpness,
        "still": frames > 1 and measures.motion < limits.min_motion,
    }
    return next((reason for reason, fails in checks.items() if fails), None)


def _sharpness(frame: NDArray[np.uint8]) -> float:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    if (side := min(height, width)) > SHARPNESS_SIDE:
        size = round(width * SHARPNESS_SIDE / side), round(height * SHARPNESS_SIDE / side)
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return float(deviation[0, 0] ** 2)


def _border(brightest: NDArray[np.uint8]) -> float:
    """Return the larger share of black rows or columns, counted on the side that has fewer of them."""
    shares: list[float] = []
    for axis in (0, 1):
        lit = np.flatnonzero(brightest.max(axis=1 - axis) > BLACK)
        if not lit.size:
            return 1.0
        length = brightest.shape[axis]
        shares.append(min(int(lit[0]), length - 1 - int(lit[-1])) / length)
    return max(shares)
