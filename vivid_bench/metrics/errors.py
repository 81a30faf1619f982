"""Histograms of pixel differences: from them PSNR, MSE and L1 follow exactly, in integers."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.masks import bounding_box

LEVELS = 256
CHANNELS = 3


def difference_histogram(
    first: NDArray[np.uint8], second: NDArray[np.uint8], region: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Count the absolute differences of two frames inside a region.

    Args:
        first, second: (H, W, 3) uint8.
        region: (H, W) bool.

    Returns:
        (256,) int64: item v counts the values, pixels times channels, that differ by v.

    Example:
        >>> import numpy as np
        >>> black, grey = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 7, np.uint8)
        >>> int(difference_histogram(black, grey, np.eye(2, dtype=bool))[7])  # 2 pixels x 3 channels
        6
    """
    box = bounding_box(region)
    if box is None:
        return np.zeros(LEVELS, np.int64)
    x0, y0, x1, y1 = box
    difference = cv2.absdiff(first[y0:y1, x0:x1], second[y0:y1, x0:x1])
    inside = np.ascontiguousarray(region[y0:y1, x0:x1]).view(np.uint8)
    # OpenCV counts into float32, exact up to 2^24: enough for one channel of a frame of 16 megapixels.
    counts = [cv2.calcHist([difference], [c], inside, [LEVELS], [0, LEVELS]) for c in range(CHANNELS)]
    return np.asarray(sum(count.astype(np.int64).reshape(LEVELS) for count in counts))


def absolute_sum(histogram: NDArray[np.int64]) -> int:
    """Sum of absolute differences, in 8-bit steps; histogram: (256,) or (T, 256)."""
    return int((histogram * np.arange(LEVELS)).sum())


def squared_sum(histogram: NDArray[np.int64]) -> int:
    """Sum of squared differences, in 8-bit steps squared; histogram: (256,) or (T, 256)."""
    return int((histogram * np.arange(LEVELS) ** 2).sum())
