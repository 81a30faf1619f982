"""Biharmonic inpainting, frame by frame: the smoothest surface in value and slope, no time, no learning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivid_bench.flow import parallel
from vivid_bench.types import HOLE_GREY, EditRequest, Frames

from ..telea.adapter import require_delete


class Biharmonic:
    """Biharmonic inpainting of each frame, region by region (scikit-image).

    Args:
        device: accepted like every method's; the work is done on the CPU.

    Source: Damelin and Hoang, On surface completion and image inpainting by biharmonic functions, 2018.
    """

    def __init__(self, device: str = "cpu") -> None:
        pass

    def edit(self, request: EditRequest) -> Frames:
        """Return the frames with the hole filled; raises `MethodError` for add and modify."""
        require_delete(request, "biharmonic")
        filled = request.frames.copy()

        def fill(t: int) -> None:
            filled[t][request.mask[t]] = fill_hole(request.frames[t], request.mask[t])

        parallel(fill, np.flatnonzero(request.mask.any(axis=(1, 2))).tolist())
        return filled


def fill_hole(frame: NDArray[np.uint8], hole: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the hole's pixels.

    Args:
        frame: (H, W, 3) uint8; what lies under the hole is never looked at.
        hole: (H, W) bool, True = fill.

    Returns:
        (N, 3) uint8; mid-grey where no pixel is known.
    """
    from skimage.restoration import inpaint_biharmonic

    if hole.all():
        return np.full((int(hole.sum()), 3), HOLE_GREY, np.uint8)
    surface = inpaint_biharmonic(frame / 255.0, hole, channel_axis=-1, split_into_regions=True)
    return np.asarray(np.rint(surface[hole] * 255), np.uint8)
