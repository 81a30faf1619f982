"""What ProPainter's evaluation of video completion prints: core/metrics.py, called by scripts/evaluate_propainter.py.

Only the hole can differ, and errors are divided by all pixels: the figures follow the mask's area. Left out: VFID
(I3D), and what is its model's own (frames that two windows have in common are averaged).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivid_bench.compat import pixels
from vivid_bench.compat.preset import Measure, Preset
from vivid_bench.types import Frames, Mask

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip

SIZE = 432, 240
"""Width and height of all frames."""
DILATIONS = 4
WINDOW = 65
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

COMPOSITE = (
    "all at 432x240, mask grown by 4 px, the truth pasted outside it, divided by all pixels, so a smaller mask scores "
    "better; the truth is the reference, or the source where there is none"
)


def composites(truth: Frames, edited: Frames, mask: Mask) -> Iterator[tuple[pixels.Frame, pixels.Frame]]:
    """Yield what is compared: a frame of the truth, and the edit's with the truth outside the mask, at 432x240.

    Args:
        truth, edited: (T, H, W, 3) uint8.
        mask: (T, H, W) bool, True = edit.
    """
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for x, y, m in zip(truth, edited, mask, strict=True):
        small_x, small_y = (cv2.resize(frame, SIZE, interpolation=cv2.INTER_LINEAR) for frame in (x, y))
        hole = np.asarray(Image.fromarray(m.astype(np.uint8)).resize(SIZE, Image.Resampling.NEAREST))
        grown = cv2.dilate(hole, cross, iterations=DILATIONS).astype(np.bool_)[..., None]
        yield small_x, np.where(grown, small_y, small_x)


def uniform_ssim(first: pixels.Frame, second: pixels.Frame) -> float:
    """Mean SSIM of two frames as scikit-image's default: a flat 65x65 window, sample covariance, no border.

    Args:
        first, second: (H, W, 3) uint8, at least 65 pixels each way.

    Returns:
        -1 to 1.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    inner = WINDOW // 2

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        blurred = cv2.blur(values, (WINDOW, WINDOW))
        return np.asarray(blurred[inner:-inner, inner:-inner])

    mean_a, mean_b = mean(a), mean(b)
    unbiased = WINDOW**2 / (WINDOW**2 - 1)
    variances = unbiased * (mean(a * a) + mean(b * b) - mean_a**2 - mean_b**2)
    covariance = unbiased * (mean(a * b) - mean_a * mean_b)
    above = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    return float(np.mean(above / ((mean_a**2 + mean_b**2 + C1) * (variances + C2))))


def _frames(clip: EditClip, *, measure: Callable[[pixels.Frame, pixels.Frame], float]) -> list[float]:
    truth = clip.sample.source if clip.sample.reference is None else clip.sample.reference
    return [measure(x, y) for x, y in composites(truth, clip.edited, clip.sample.mask)]


PRESET = Preset(
    name="propainter",
    source="sczhou/ProPainter e870e793: core/metrics.py, core/dataset.py, scripts/evaluate_propainter.py",
    measures=(
        Measure(
            "psnr",
            "edit-region PSNR",
            partial(_frames, measure=pixels.psnr),
            f"{COMPOSITE}; mean of the frames' dB",
            unit="dB",
        ),
        Measure(
            "ssim",
            "edit-region SSIM",
            partial(_frames, measure=uniform_ssim),
            f"flat 65x65 window; {COMPOSITE}",
        ),
    ),
)
