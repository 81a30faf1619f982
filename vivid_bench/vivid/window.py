"""Where in the frames VIVID works: the whole of small frames, else a window around the hole.

A small model's window is square and follows the hole, so that what is made lies at the same place in every frame and a
keyframe's pixels have a short way to the other frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vivid_bench.types import Mask

Array = TypeVar("Array", bound=NDArray[np.generic])

CONTEXT = 0.25
"""Visible surroundings on each side of a window, as a share of the hole's extent; at least `LEAST_CONTEXT` pixels."""
LEAST_CONTEXT = 12
SQUARE_STEP = 16
"""Square windows are multiples of this: a few sizes, which the model has seen in training."""
LEAST_SQUARE = 48


@dataclass(frozen=True)
class Window:
    """A rectangle in every frame. It may reach beyond the frame.

    Attributes:
        corners: (T, 2) int, row and column of the top left corner.
        height, width: pixels.
    """

    corners: NDArray[np.int64]
    height: int
    width: int

    def cut(self, array: Array, times: NDArray[np.int64] | None = None) -> Array:
        """Return the window's pixels of (T, H, W, ...), (T, height, width, ...).

        Beyond the frame its border is repeated, a mask's as well as a picture's.

        Args:
            times: which frames `array` holds; None = all.
        """
        corners = self.corners if times is None else self.corners[times]
        rows, columns = (
            corners[:, axis, None] + np.arange(size) for axis, size in enumerate((self.height, self.width))
        )
        height, width = array.shape[1:3]
        index = np.arange(len(array))[:, None, None]
        cut: Array = array[index, rows.clip(0, height - 1)[:, :, None], columns.clip(0, width - 1)[:, None, :]]
        return cut

    def paste(self, frames: Array, made: Array, where: Mask | None = None) -> None:
        """Put what was made in the window back into (T, H, W, ...) frames, in place.

        Args:
            where: (T, height, width) pixels to put back; None = all. Those beyond the frame are dropped.
        """
        for t, (top, left) in enumerate(self.corners):
            height, width = frames.shape[1:3]
            inside = (
                slice(max(0, -top), max(0, min(self.height, height - top))),
                slice(max(0, -left), max(0, min(self.width, width - left))),
            )
            target = frames[t, max(0, top) : max(0, top + self.height), max(0, left) : max(0, left + self.width)]
            chosen = np.ones(target.shape[:2], np.bool_) if where is None else where[t][inside]
            target[chosen] = made[t][inside][chosen]


def square_window(mask: Mask, size: int) -> Window:
    """Return a square of `size` pixels centred on each frame's hole; mask is (T, H, W) bool."""
    return Window(np.rint(hole_centres(mask) - size / 2).astype(np.int64), size, size)


def square_around(mask: Mask) -> Window:
    """Return the smallest square that holds each frame's hole and its surroundings."""
    boxes = [hole_box(frame[None]) for frame in mask if frame.any()] or [hole_box(mask)]
    extent = max(int((high - low).max()) for low, high in boxes)
    size = max(LEAST_SQUARE, extent + 2 * max(LEAST_CONTEXT, round(CONTEXT * extent)))
    return square_window(mask, -(-size // SQUARE_STEP) * SQUARE_STEP)


def rectangle_around(mask: Mask) -> Window:
    """Return the rectangle around the holes of all frames with its surroundings, cut at the frame's border."""
    low, high = hole_box(mask)
    margin = np.maximum(LEAST_CONTEXT, np.rint(2 * CONTEXT * (high - low)).astype(np.int64))
    low, high = np.maximum(low - margin, 0), np.minimum(high + margin, mask.shape[1:])
    return Window(np.repeat(low[None], len(mask), axis=0), *(int(x) for x in high - low))


def whole_frames(mask: Mask) -> Window:
    """Return the window that is the frame."""
    return Window(np.zeros((len(mask), 2), np.int64), *mask.shape[1:])


def hole_box(mask: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last + 1 (row, column) of all frames' holes together; without any, the whole frame."""
    if not mask.any():
        return np.zeros(2, np.int64), np.array(mask.shape[1:])
    hits = [np.flatnonzero(mask.any(axis=axes)) for axes in ((0, 2), (0, 1))]
    return np.array([h[0] for h in hits]), np.array([h[-1] + 1 for h in hits])


def hole_centres(mask: Mask) -> NDArray[np.float64]:
    """Return the centre (row, column) of each frame's hole, (T, 2); frames without one lie between their neighbours.

    The centre is that of the bounding box, which mask augmentation leaves in place.
    """
    found = np.flatnonzero(mask.any(axis=(1, 2)))
    if not len(found):
        return np.repeat(np.array(mask.shape[1:])[None] / 2, len(mask), axis=0)
    centres = np.array([sum(hole_box(mask[t : t + 1])) / 2 for t in found])
    return np.stack([np.interp(np.arange(len(mask)), found, centres[:, axis]) for axis in (0, 1)], axis=1)
