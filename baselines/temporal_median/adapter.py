"""The median over the frames in which a pixel is seen: exact where camera and background stand still."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.types import EditRequest, Frames

from ..telea.adapter import inpaint_frames, require_delete

PIXELS_AT_ONCE = 65536
"""Bounds the memory: about 75 MB of float32 for 96 frames."""


def masked_median(values: NDArray[np.uint8], hidden: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Median over time of each pixel's seen values.

    Args:
        values: (T, N, 3) uint8.
        hidden: (T, N) bool, True = not seen in that frame.

    Returns:
        (N, 3) uint8: the mean of the two middle values, halves rounded to even; 0 for a pixel never seen.
    """
    # Hidden values sort behind all real ones: the first `seen` of each column are the seen values in order.
    ordered = np.sort(np.where(hidden[..., None], np.uint16(256), values), axis=0)
    seen = (~hidden).sum(axis=0)
    pixels = np.arange(values.shape[1])
    low = ordered[np.maximum(seen - 1, 0) // 2, pixels]
    high = ordered[np.minimum(seen // 2, len(values) - 1), pixels]
    middle: NDArray[np.uint8] = np.rint((low + high) / 2).astype(np.uint8)
    middle[seen == 0] = 0
    return middle


class TemporalMedian:
    """Per-pixel median over time; pixels that no frame shows are filled by Telea's inpainting.

    Args:
        device: accepted like every method's; the work is done on the CPU.
        radius: Telea's neighbourhood, in pixels.
    """

    def __init__(self, device: str = "cpu", radius: float = 3.0) -> None:
        self.radius = radius

    def edit(self, request: EditRequest) -> Frames:
        """Return the frames with the hole filled; raises `MethodError` for add and modify."""
        require_delete(request, "temporal-median")
        edited = request.frames.copy()
        never_seen = request.mask.all(axis=0)
        rows, columns = np.nonzero(request.mask.any(axis=0) & ~never_seen)
        for start in range(0, len(rows), PIXELS_AT_ONCE):
            y, x = rows[start : start + PIXELS_AT_ONCE], columns[start : start + PIXELS_AT_ONCE]
            hidden = request.mask[:, y, x]
            values = request.frames[:, y, x]
            edited[:, y, x] = np.where(hidden[..., None], masked_median(values, hidden), values)
        unknown = np.broadcast_to(never_seen, request.mask.shape)
        return inpaint_frames(edited, unknown, self.radius, cv2.INPAINT_TELEA)
