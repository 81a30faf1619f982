"""Telea's fast-marching inpainting, frame by frame: no time, no learning."""

from __future__ import annotations

import cv2
import numpy as np

from vivid_bench.errors import MethodError
from vivid_bench.types import HOLE_GREY, EditRequest, Frames, Mask


def inpaint_frames(frames: Frames, mask: Mask, radius: float, algorithm: int) -> Frames:
    """Fill the hole of every frame on its own with OpenCV's inpainting.

    Args:
        frames: (T, H, W, 3) uint8 RGB; what lies under the mask is never looked at.
        mask: (T, H, W) bool, True = fill.
        radius: neighbourhood of a pixel, in pixels.
        algorithm: `cv2.INPAINT_TELEA` or `cv2.INPAINT_NS`.

    Returns:
        (T, H, W, 3) uint8, equal to `frames` outside the mask; a frame without a known pixel is mid-grey.
    """
    filled = frames.copy()
    # OpenCV hands back its input where it has nothing to start from: the hole's own pixels must not be there.
    filled[mask] = HOLE_GREY
    for frame, hole in zip(filled, mask, strict=True):
        if hole.any():
            frame[...] = cv2.inpaint(frame, hole.astype(np.uint8), radius, algorithm)
    return filled


def require_delete(request: EditRequest, method: str) -> None:
    """Raise `MethodError` for the tasks that need something painted into the hole."""
    if request.task != "delete":
        raise MethodError(f'{method} can only delete, sample "{request.sample_id}" asks for {request.task}')


class Telea:
    """Telea's inpainting of each frame.

    Args:
        device: accepted like every method's; the work is done on the CPU.
        radius: neighbourhood that a filled pixel is made from, in pixels.

    Source: Telea, An image inpainting technique based on the fast marching method, 2004.
    """

    def __init__(self, device: str = "cpu", radius: float = 3.0) -> None:
        self.radius = radius

    def edit(self, request: EditRequest) -> Frames:
        """Return the frames with the hole filled; raises `MethodError` for add and modify."""
        require_delete(request, "telea")
        return inpaint_frames(request.frames, request.mask, self.radius, cv2.INPAINT_TELEA)
