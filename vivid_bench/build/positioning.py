"""Background positioning: where in a keyframe a stamp can lie without coming near an entity."""

from __future__ import annotations

import numpy as np

from vivid_bench.build.types import FrameMask
from vivid_bench.masks import BOUNDARY_PX_AT_480, dilate
from vivid_bench.types import Mask


def keep_out(entities: Mask) -> Mask:
    """Grow entities' masks by the distance that pasted masks keep from them.

    Args:
        entities: (T, H, W) bool, all entities of a clip.

    Returns:
        (T, H, W) bool, grown by max(2, round(8 H / 480)) pixels: 8 at 480 lines.
    """
    return dilate(entities, max(2, round(BOUNDARY_PX_AT_480 * entities.shape[1] / 480)))


def place(stamp: FrameMask, forbidden: FrameMask, rng: np.random.Generator) -> FrameMask | None:
    """Put a stamp somewhere in a frame, each place where it lies inside and clear with the same probability.

    Clear places are those where the correlation of `forbidden` with the stamp, an exact count of shared pixels, is 0.

    Args:
        stamp: (h, w) bool, not empty.
        forbidden: (H, W) bool, pixels that the stamp must not cover.

    Returns:
        (H, W) bool; None where there is no such place.
    """
    from scipy.signal import fftconvolve

    (height, width), (rows, columns) = forbidden.shape, stamp.shape
    if rows > height or columns > width:
        return None
    # Counts of pixels are whole numbers, which the transform's rounding (below 1e-6) cannot blur.
    shared = fftconvolve(forbidden.astype(np.float64), stamp[::-1, ::-1].astype(np.float64), mode="valid")
    clear = np.flatnonzero(shared < 0.5)
    if not clear.size:
        return None
    top, left = divmod(int(clear[rng.integers(clear.size)]), width - columns + 1)
    placed = np.zeros_like(forbidden)
    placed[top : top + rows, left : left + columns] = stamp
    return placed
