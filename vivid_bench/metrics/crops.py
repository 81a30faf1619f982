"""What a network is shown of a frame: the whole of it, the edit's region, or the edit alone."""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.masks import bounding_box
from vivid_bench.types import Frames, Mask

View = Literal["full", "region", "masked", "steady"]
CONTEXT = 0.1
"""How much of the mask's box is added on each of its sides."""

Image = NDArray[np.uint8]  # (h, w, 3)
Box = tuple[int, int, int, int]  # x0, y0, x1, y1, half-open


def views(frames: Frames, mask: Mask, view: View) -> list[Image | None]:
    """Return what is shown of each frame; None where nothing is.

    - `full`: the frame.
    - `region`: the square around the mask's bounding box, 10 % of the box's longer side added on each side.
    - `masked`: the frame, black outside the mask.
    - `steady`: as `region`, but of one size for the whole clip, that of the largest box, so that a box that grows or
      shrinks does not look like change.

    Squares are moved into the frame; what of them is wider or higher than the frame is black. All but `full` show
    nothing of a frame whose mask is empty.

    Args:
        frames: (T, H, W, 3) uint8.
        mask: (T, H, W) bool.

    Returns:
        T images, (h, w, 3) uint8.
    """
    if view == "full":
        return list(frames)
    if view == "masked":
        return [_masked(frame, pixels) if pixels.any() else None for frame, pixels in zip(frames, mask, strict=True)]
    boxes = [bounding_box(pixels) for pixels in mask]
    sides = [0 if box is None else square_side(box) for box in boxes]
    if view == "steady":
        sides = [max(sides)] * len(sides)
    return [
        None if box is None else cut_square(frame, box, side)
        for frame, box, side in zip(frames, boxes, sides, strict=True)
    ]


def _masked(frame: Image, pixels: NDArray[np.bool_]) -> Image:
    return np.asarray(cv2.bitwise_and(frame, frame, mask=pixels.astype(np.uint8)), dtype=np.uint8)


def square_side(box: Box) -> int:
    """Return the side of the square that holds a box and its context."""
    x0, y0, x1, y1 = box
    return math.ceil((1 + 2 * CONTEXT) * max(x1 - x0, y1 - y0))


def cut_square(frame: Image, box: Box, side: int) -> Image:
    """Cut the square of that side around the middle of a box, (side, side, 3) uint8; see `views`."""
    x0, y0, x1, y1 = box
    height, width = frame.shape[:2]
    columns, into_x = _span((x0 + x1 - side) // 2, side, width)
    rows, into_y = _span((y0 + y1 - side) // 2, side, height)
    square = np.zeros((side, side, frame.shape[2]), frame.dtype)
    square[into_y, into_x] = frame[rows, columns]
    return square


def _span(start: int, side: int, limit: int) -> tuple[slice, slice]:
    """Return which part of a frame's axis is cut, and where it goes in the square."""
    if side >= limit:
        margin = (side - limit) // 2
        return slice(0, limit), slice(margin, margin + limit)
    start = min(max(start, 0), limit - side)
    return slice(start, start + side), slice(0, side)
