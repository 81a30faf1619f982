"""Pixels in and out of the hole: hiding it from a method, pasting the source back outside it."""

from __future__ import annotations

import cv2
import numpy as np

from vivid_bench.types import HOLE_GREY, Composite, Frames, Mask


def hide_hole(frames: Frames, mask: Mask) -> Frames:
    """Return a copy of (T, H, W, 3) uint8 frames with mid-grey under the (T, H, W) mask."""
    hidden = frames.copy()
    hidden[mask] = HOLE_GREY
    return hidden


def feather_width(height: int) -> int:
    """Return the feather's width in pixels at a frame height: 8 at 480 lines, at least 2."""
    return max(2, round(8 * height / 480))


def composite(source: Frames, edited: Frames, mask: Mask, mode: Composite) -> Frames:
    """Paste the source back outside the mask.

    Args:
        source, edited: (T, H, W, 3) uint8.
        mask: (T, H, W) bool, True = edit.
        mode: `none` returns the edit as it is; `hard` cuts at the mask's edge; `feather` fades from edit to source over
            `feather_width` pixels outside the mask, so that no source pixel under the mask is ever used.
    """
    if mode == "none":
        return edited
    if mode == "hard":
        return np.where(mask[..., None], edited, source)
    width = feather_width(source.shape[1])
    out = np.empty_like(source)
    for t in range(len(source)):
        distance = cv2.distanceTransform((~mask[t]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        if not mask[t].any():
            distance = np.full(mask[t].shape, width + 1, np.float32)
        weight = np.clip(1 - distance / (width + 1), 0, 1)[..., None]
        out[t] = np.rint(weight * edited[t] + (1 - weight) * source[t])
    return out
