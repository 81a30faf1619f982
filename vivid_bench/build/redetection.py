"""Finding an entity again that flow has lost, by how it looked in the frame before."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from vivid_bench.build.outlines import Picture, around
from vivid_bench.build.types import FrameMask

REACH, REACH_PX = 1.5, 16
"""How far the entity may have gone: so many sides of its bounding box, and so many pixels on top."""
MOST_DIFFERENCE = 20.0
"""Most root mean square difference, of 255, between the entity then and now."""
LEAST_CONTRAST = 2.0
"""By how much its place has to fit better than half of the places around: on what is all alike, every place fits."""


class FoundAgain(NamedTuple):
    """How far an entity went, in pixels, and the share of its pixels (0 to 1) that have kept their colour."""

    x: int
    y: int
    confirmed: float


def find_again(old: Picture, new: Picture, mask: FrameMask, same_colour: int) -> FoundAgain | None:
    """Look for what a mask shows in one frame near the same place in another; it may have moved, but not turned.

    Args:
        old, new: (H, W, 3) uint8 RGB.
        mask: (H, W) bool, of `old`; not empty.
        same_colour: most difference of a colour channel, of 255, for a pixel to have kept its colour.

    Returns:
        Where it fits best; None where it fits nowhere, or many places alike.
    """
    rows, columns = around(mask, 0)
    pattern, weight = old[rows, columns], mask[rows, columns]
    height, width = weight.shape
    down, across = round(REACH * height) + REACH_PX, round(REACH * width) + REACH_PX
    top, left = max(0, rows.start - down), max(0, columns.start - across)
    area = new[top : rows.stop + down, left : columns.stop + across]
    shape = np.repeat(weight[..., None], 3, axis=2).astype(np.float32)
    squares = cv2.matchTemplate(area.astype(np.float32), pattern.astype(np.float32), cv2.TM_SQDIFF, mask=shape)
    difference = np.sqrt(np.maximum(squares, 0) / shape.sum())
    y, x = divmod(int(np.argmin(difference)), difference.shape[1])
    best = float(difference[y, x])
    if best > MOST_DIFFERENCE or float(np.median(difference)) < LEAST_CONTRAST * max(best, 1.0):
        return None
    kept = cv2.absdiff(area[y : y + height, x : x + width], pattern).max(axis=2) < same_colour
    return FoundAgain(left + x - columns.start, top + y - rows.start, float(kept[weight].mean()))
