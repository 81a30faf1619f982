"""Membrane interpolation: the smoothest surface through known pixels, for what no frame shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.types import HOLE_GREY

Image = NDArray[np.float32]  # (H, W, 3)

_RELAXATIONS = 20
_NEIGHBOURS = np.array([[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]], np.float32)


def membrane(image: Image, hole: NDArray[np.bool_]) -> Image:
    """Fill a hole with an approximate solution of Laplace's equation.

    Pull-push interpolation over a pyramid (Gortler, Grzeszczuk, Szeliski and Cohen, The Lumigraph, 1996), then a
    fixed number of Jacobi steps.

    Args:
        image: (H, W, 3) float32; what lies under the hole is never looked at.
        hole: (H, W) bool, True = fill.

    Returns:
        (H, W, 3) float32, equal to `image` outside the hole; mid-grey where nothing is known.
    """
    if hole.all():
        return np.full_like(image, HOLE_GREY)
    filled = image.copy()
    if not hole.any():
        return filled
    known = (~hole).astype(np.float32)
    filled[hole] = _pull_push(np.where(hole[..., None], np.float32(0), image), known)[hole]
    y, x = np.nonzero(hole)
    box = np.s_[max(0, y.min() - 1) : y.max() + 2, max(0, x.min() - 1) : x.max() + 2]
    inside = hole[box]
    for _ in range(_RELAXATIONS):
        smoothed = cv2.filter2D(filled[box], -1, _NEIGHBOURS, borderType=cv2.BORDER_REPLICATE)
        filled[box][inside] = smoothed[inside]
    return filled


def _pull_push(values: Image, weight: NDArray[np.float32]) -> Image:
    """Keep values where the weight is 1, elsewhere mix in those of ever coarser levels; values are 0 at weight 0."""
    height, width = weight.shape
    if min(height, width) <= 2:
        mean = (values * weight[..., None]).sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
        coarse = np.broadcast_to(mean, values.shape)
    else:
        weight_below = cv2.pyrDown(weight)
        below = cv2.pyrDown(values * weight[..., None]) / np.maximum(weight_below, 1e-6)[..., None]
        # A coarse pixel counts as known as soon as a quarter of its support is.
        smooth = _pull_push(below, np.minimum(4 * weight_below, 1))
        coarse = cv2.pyrUp(smooth, dstsize=(width, height))
    return np.asarray(weight[..., None] * values + (1 - weight[..., None]) * coarse, np.float32)
