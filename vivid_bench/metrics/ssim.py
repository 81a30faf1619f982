"""Structural similarity inside a region."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import TASKS, MetricInfo, Region, Score

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip

WINDOW = 11
WINDOW_RADIUS = WINDOW // 2
SIGMA = 1.5
C1 = (0.01 * 255) ** 2
C2 = (0.03 * 255) ** 2
_CENTRE = 128.0


def ssim_map(
    first: NDArray[np.uint8], second: NDArray[np.uint8], box: tuple[int, int, int, int] | None = None
) -> NDArray[np.float32]:
    """Structural similarity of two frames at every pixel, mean over the colour channels. Higher is better.

    SSIM = (2 m_a m_b + C1) (2 s_ab + C2) / ((m_a^2 + m_b^2 + C1) (s_a^2 + s_b^2 + C2)) with means, variances and
    covariance under an 11x11 Gaussian window of sigma 1.5; C1 = (0.01 * 255)^2, C2 = (0.03 * 255)^2.
    Source: Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004.

    At the frame's border the window sees the frame mirrored (the border pixel not repeated), so every pixel has a
    value. The map's mean is then what torchmetrics computes; scikit-image (gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False) leaves the outer 5 px out of the same map's mean.

    Args:
        first, second: (H, W, 3) uint8.
        box: x0, y0, x1, y1 (half-open) of the part to compute; the whole frame if None.

    Returns:
        (y1-y0, x1-x0) float32, -1 to 1; exactly 1 where the window sees equal pixels.

    Example:
        >>> import numpy as np
        >>> frame = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
        >>> float(ssim_map(frame, frame).min())
        1.0
    """
    height, width = first.shape[:2]
    x0, y0, x1, y1 = box or (0, 0, width, height)
    # With the pixels that the windows of the box reach; mirroring happens only at the frame's own border.
    left, top = max(0, x0 - WINDOW_RADIUS), max(0, y0 - WINDOW_RADIUS)
    seen = slice(top, y1 + WINDOW_RADIUS), slice(left, x1 + WINDOW_RADIUS)
    # One contiguous plane at a time stays in the processor's cache: four times as fast as all channels at once.
    planes = [_plane_ssim(first[seen][..., c], second[seen][..., c]) for c in range(first.shape[2])]
    mean = sum(planes[1:], start=planes[0]) / np.float32(len(planes))
    return np.asarray(mean[y0 - top : y1 - top, x0 - left : x1 - left], dtype=np.float32)


def _plane_ssim(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    # Centred values keep E[x^2] - E[x]^2 accurate in float32: within 1e-5 at a pixel.
    a = np.subtract(first, np.float32(_CENTRE), dtype=np.float32)
    b = np.subtract(second, np.float32(_CENTRE), dtype=np.float32)
    mean_a, mean_b = _window_mean(a), _window_mean(b)
    product = mean_a * mean_b
    squares = mean_a * mean_a + mean_b * mean_b
    covariance = _window_mean(a * b) - product
    variances = _window_mean(a * a + b * b) - squares
    # Undo the centring: (m_a + c)(m_b + c) and (m_a + c)^2 + (m_b + c)^2.
    shift = (mean_a + mean_b) * np.float32(_CENTRE)
    product += shift
    product += np.float32(_CENTRE**2)
    squares += 2 * shift
    squares += np.float32(2 * _CENTRE**2)
    # Each factor is formed the same way above and below the line, so equal pixels give exactly 1.
    above = (2 * product + np.float32(C1)) * (2 * covariance + np.float32(C2))
    below = (squares + np.float32(C1)) * (variances + np.float32(C2))
    return np.asarray(above / below, dtype=np.float32)


def _window_mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    weights = cv2.getGaussianKernel(WINDOW, SIGMA, cv2.CV_32F)
    return np.asarray(cv2.sepFilter2D(values, -1, weights, weights, borderType=cv2.BORDER_REFLECT_101))


def erode(region: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Keep the pixels whose square window of that radius lies in the region; the frame's border is no edge.

    Args:
        region: (H, W) bool.
        radius: pixels.

    Returns:
        (H, W) bool.
    """
    window = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    kept = cv2.erode(region.view(np.uint8), window, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(kept, dtype=np.bool_)


class Ssim:
    """Mean of the SSIM map over a region of the whole clip. Higher is better.

    The background is eroded by the window's radius, so that no window reaches into the mask; the edit region and the
    boundary are taken as they are.
    """

    def __init__(self, region: Region) -> None:
        self.info = MetricInfo(
            name=f"{region}_ssim",
            version="1",
            unit="",
            range=(-1.0, 1.0),
            higher_is_better=True,
            tasks=TASKS,
            region=region,
            needs_reference=region != "background",
            citation="Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004; RGB, Gaussian 11x11, sigma 1.5",
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit."""
        region = self.info.region
        if reason := clip.sample.why_missing(region):
            return not_applicable(self.info, clip.sample_id, reason)
        sums, counts = clip.ssim_sums(region)
        total = int(counts.sum())
        if not total:
            reason = f"no {region} pixel is more than {WINDOW_RADIUS} px away from the mask in any frame"
            return not_applicable(self.info, clip.sample_id, reason)
        per_frame = [float(s) / int(n) if n else None for s, n in zip(sums, counts, strict=True)]
        return scored(self.info, clip.sample_id, float(sums.sum()) / total, per_frame=per_frame)


BackgroundSsim = partial(Ssim, "background")
EditSsim = partial(Ssim, "edit")
BoundarySsim = partial(Ssim, "boundary")
