"""Where PROVE looks: square crops around a mask, their patches, and the sliding windows over those.

Everything here follows from the mask alone; see `vivid_bench.metrics.prove` for what is done with it.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.patch_features import Box

MIN_AREA = 200
SIDE, PATCH = 448, 14
GRID = SIDE // PATCH
WINDOW, STRIDE = 8, 4
MIN_MIXED, MIN_SHARED = 6, 5
"""Fewest patches on each side of a window for RC-S; fewest in both masks of a window for RC-T."""


def square_around(box: Box, height: int, width: int) -> Box:
    """Square crop around a box: its longer side and a third more on each side, less where the frame ends.

    The margin is the same on all four sides, so a box at the frame's border has none; a box that is longer than the
    frame's shorter side is cut.

    Example:
        >>> square_around((30, 30, 60, 50), height=100, width=100)
        (20, 15, 70, 65)
    """
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0)
    left, top = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2)
    margin = max(0, min(round(side / 3), side // 2, left, top, width - left - side, height - top - side))
    side = min(side + 2 * margin, height, width)
    left = min(max(left - margin, 0), width - side)
    top = min(max(top - margin, 0), height - side)
    return left, top, left + side, top + side


def component_boxes(mask2d: NDArray[np.bool_]) -> list[Box]:
    """Bounding boxes of a frame's connected parts (4 neighbours) of at least 200 px, or of the largest if none is.

    Args:
        mask2d: (H, W) bool.
    """
    _, _, parts, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(mask2d).view(np.uint8), connectivity=4)
    parts = parts[1:]  # the first is what is outside the mask
    areas = parts[:, cv2.CC_STAT_AREA]
    large = parts[areas >= min(MIN_AREA, areas.max(initial=0))]
    return [(int(x), int(y), int(x + w), int(y + h)) for x, y, w, h, _ in large]


def patch_mask(mask2d: NDArray[np.bool_], box: Box) -> NDArray[np.bool_]:
    """Patches of a square crop that touch the mask: (1024,) bool, row by row."""
    x0, y0, x1, y1 = box
    side = resized_side(x1 - x0)
    crop = mask2d[y0:y1, x0:x1].astype(np.float32)
    padded = np.zeros((SIDE, SIDE), np.bool_)
    padded[:side, :side] = cv2.resize(crop, (side, side), interpolation=cv2.INTER_NEAREST) > 0
    return np.asarray(padded.reshape(GRID, PATCH, GRID, PATCH).any(axis=(1, 3)).reshape(-1))


def resized_side(side: int) -> int:
    """Side, in px, to which PROVE scales a square crop: 448, or 447 where its product is a hair below."""
    return int(side * (SIDE / side))


@functools.cache
def windows() -> NDArray[np.bool_]:
    """Patches of each sliding window: (49, 1024) bool."""
    starts = range(0, GRID - WINDOW + 1, STRIDE)
    patches = np.zeros((len(starts), len(starts), GRID, GRID), np.bool_)
    for row, y in enumerate(starts):
        for column, x in enumerate(starts):
            patches[row, column, y : y + WINDOW, x : x + WINDOW] = True
    return patches.reshape(-1, GRID * GRID)


def spatial_weights(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Which patches RC-S compares in each window: inside the mask against outside it.

    A window needs more than 5 patches inside, and more than 5 outside; one that lies wholly inside is compared with all
    patches outside the mask.

    Args:
        inside: (1024,) bool, see `patch_mask`.

    Returns:
        (windows, 1024) float64 for `discrepancies`, unusable windows left out.
    """
    within, around = windows() & inside, windows() & ~inside
    wholly = ~around.any(axis=1)
    around[wholly] = ~inside
    counts = within.sum(axis=1), around.sum(axis=1)
    usable = (counts[0] >= MIN_MIXED) & (counts[1] >= np.where(wholly, 1, MIN_MIXED))
    return _means(within[usable]) - _means(around[usable])


def shared_weights(shared: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Which patches RC-T compares in each window: those in both masks, where there are at least 5.

    Args:
        shared: (1024,) bool, patches that touch the mask in both frames.

    Returns:
        (windows, shared patches) float64, the mean over each window; unusable windows left out.
    """
    within = windows() & shared
    return _means(within[within.sum(axis=1) >= MIN_SHARED])[:, shared]


def _means(sets: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(sets / sets.sum(axis=1, keepdims=True), np.float64)
