"""The weight-free metrics the plain way: whole frames, float64, SciPy's filters, OpenCV's flow."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, gaussian_filter

from vivid_bench.masks import boundary_band
from vivid_bench.types import Frames, Mask

Figures = dict[str, float]


def numpy_figures(source: Frames, mask: Mask, reference: Frames, edited: Frames) -> Figures:
    """Compute the same figures the plain way: whole frames, float64, SciPy's filters, OpenCV's flow."""
    regions = {"background": ~mask, "edit": mask, "boundary": boundary_band(mask)}
    sums = {name: np.zeros(5) for name in regions}
    for t, y in enumerate(edited):
        to_source, to_reference = difference_maps(y, source[t]), difference_maps(y, reference[t])
        for name, region in regions.items():
            squared, absolute, similarity = to_source if name == "background" else to_reference
            inside = kept = region[t]
            if name == "background":
                kept = binary_erosion(inside, np.ones((11, 11), bool), border_value=1)
            errors, values = squared[inside], similarity[kept]
            sums[name] += (errors.sum(), absolute[inside].sum(), errors.size, values.sum(), values.size)
    figures: Figures = {}
    for name in regions:
        squared_sum, absolute_sum, count, ssim_sum, ssim_count = map(float, sums[name])
        figures[f"{name}_mse"] = squared_sum / count
        figures[f"{name}_psnr"] = -10 * math.log10(squared_sum / count)
        figures[f"{name}_l1"] = absolute_sum / count
        figures[f"{name}_ssim"] = ssim_sum / ssim_count
    figures["background_warp_error"] = warp_error(edited, source, ~mask)
    figures["edit_warp_error"] = warp_error(edited, reference, mask)
    return figures


def difference_maps(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> tuple[NDArray[np.float64], ...]:
    difference = (first.astype(np.float64) - second) / 255
    return np.square(difference), np.abs(difference), ssim(first, second)


def ssim(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    a, b = first.astype(np.float64), second.astype(np.float64)
    mean_a, mean_b, aa, bb, ab = (
        gaussian_filter(values, (1.5, 1.5, 0), mode="mirror", radius=(5, 5, 0))
        for values in (a, b, a * a, b * b, a * b)
    )
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * (ab - mean_a * mean_b) + c2)
    return np.asarray(above / ((mean_a**2 + mean_b**2 + c1) * (aa - mean_a**2 + bb - mean_b**2 + c2)))


def warp_error(edited: Frames, motion: Frames, region: Mask) -> float:
    estimator = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in motion]
    y, x = np.mgrid[: motion.shape[1], : motion.shape[2]].astype(np.float32)
    total, count = 0.0, 0
    for t in range(len(motion) - 1):
        forward = estimator.calc(grey[t], grey[t + 1], None)
        backward = estimator.calc(grey[t + 1], grey[t], None)
        to = (x + forward[..., 0], y + forward[..., 1])
        back = cv2.remap(backward, *to, cv2.INTER_LINEAR)
        length = (forward**2).sum(axis=2) + (back**2).sum(axis=2)
        valid = ((forward + back) ** 2).sum(axis=2) < 0.01 * length + 0.5
        valid &= (to[0] >= 0) & (to[0] <= x.max()) & (to[1] >= 0) & (to[1] <= y.max())
        rounded = np.rint(forward * 32) / 32
        to = (x + rounded[..., 0], y + rounded[..., 1])
        valid &= region[t] & (cv2.remap(region[t + 1].astype(np.float32), *to, cv2.INTER_LINEAR) > 1 - 1e-4)
        warped = cv2.remap(edited[t + 1].astype(np.float32), *to, cv2.INTER_LINEAR)
        difference = ((warped - edited[t]) / 255)[valid].astype(np.float64)
        total += np.square(difference).sum()
        count += difference.size
    return total / count
