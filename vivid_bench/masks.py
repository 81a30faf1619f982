"""Regions of a mask sequence: boxes, boundary bands, the six augmentations of VIVID-10M, thresholding."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import UnknownNameError
from vivid_bench.types import Mask

MASK_KINDS = ("original", "expand", "hull", "hull+expand", "rect", "rect+expand")
"""The mask augmentations of VIVID-10M (arXiv 2411.15260); the parts of a name apply from left to right."""

NEAR_BLACK, NEAR_WHITE = 32, 223
BOUNDARY_PX_AT_480 = 8


def augment(mask: Mask, kind: str, radius: int) -> Mask:
    """Make a mask looser, frame by frame, in one of VIVID-10M's six ways.

    Args:
        mask: (T, H, W) bool, True = edit.
        kind: one of MASK_KINDS.
        radius: pixels by which `expand` dilates: every pixel at most this far from the mask joins it.

    Returns:
        (T, H, W) bool; holds the input mask, and empty frames stay empty.

    Raises:
        UnknownNameError: for a kind that does not exist.
        ValueError: for a negative radius.
    """
    if kind not in MASK_KINDS:
        raise UnknownNameError("mask kind", kind, MASK_KINDS)
    if radius < 0:
        raise ValueError(f"radius must be at least 0, got {radius}")
    augmented = mask.copy()
    for part in kind.split("+"):
        if part == "expand":
            augmented = dilate(augmented, radius)
        elif part == "hull":
            augmented = np.stack([_convex_hull(frame) for frame in augmented])
        elif part == "rect":
            augmented = np.stack([_filled_box(frame) for frame in augmented])
    return augmented


def bounding_box(mask2d: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Smallest box around a frame's mask.

    Args:
        mask2d: (H, W) bool.

    Returns:
        x0, y0, x1, y1 in pixels, half-open (x1 and y1 lie outside); None for an empty mask.
    """
    columns = np.flatnonzero(mask2d.any(axis=0))
    rows = np.flatnonzero(mask2d.any(axis=1))
    if not rows.size:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def boundary_band(mask: Mask, height: int | None = None) -> Mask:
    """Pixels on both sides of the mask's edge: dilation minus erosion. The frame's border is no edge.

    Args:
        mask: (T, H, W) bool.
        height: h in pixels, H if None; the band is max(2, round(8 h / 480)) pixels wide each side.

    Returns:
        (T, H, W) bool; empty where a frame's mask is empty or full.
    """
    px = max(2, round(BOUNDARY_PX_AT_480 * (height or mask.shape[-2]) / 480))
    return dilate(mask, px) & dilate(~mask, px)


def binarise(grey: NDArray[np.uint8]) -> tuple[Mask, float]:
    """Threshold a decoded mask once, at half.

    Args:
        grey: (T, H, W) uint8, white = edit.

    Returns:
        (T, H, W) bool, True from 128 up; and the share (0 to 1) of pixels neither near black nor near white
        (32 to 223), which lossy masks have at their edges and wrong files have everywhere.

    Raises:
        ValueError: when the array is not uint8.
    """
    if grey.dtype != np.uint8:
        raise ValueError(f"expected a uint8 mask, got {grey.dtype}")
    mid_grey = (grey >= NEAR_BLACK) & (grey <= NEAR_WHITE)
    return grey >= 128, float(mid_grey.mean()) if grey.size else 0.0


def dilate(mask: Mask, radius: float) -> Mask:
    """Grow a mask by a disc, frame by frame.

    Args:
        mask: (T, H, W) bool.
        radius: pixels, Euclidean; centres at most this far from a mask pixel's centre join.

    Returns:
        (T, H, W) bool.
    """
    return np.stack([_dilate_frame(frame, radius) for frame in mask])


def _dilate_frame(mask2d: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    if not mask2d.any():  # without a zero pixel the distance transform is undefined
        return mask2d.copy()
    outside = np.logical_not(mask2d).view(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= radius + 1e-3, dtype=np.bool_)


def _convex_hull(mask2d: NDArray[np.bool_]) -> NDArray[np.bool_]:
    box = bounding_box(mask2d)
    if box is None:
        return mask2d.copy()
    x0, y0, x1, y1 = box
    points = np.argwhere(mask2d[y0:y1, x0:x1])[:, ::-1].astype(np.int32)
    corners = cv2.convexHull(points)[:, 0].astype(np.int64)
    # Half-plane tests on integers: cv2.fillConvexPoly also paints pixels whose centres lie outside.
    step = np.roll(corners, -1, axis=0) - corners
    across = step[:, 0, None] * (np.arange(y1 - y0) - corners[:, 1, None])
    along = step[:, 1, None] * (np.arange(x1 - x0) - corners[:, 0, None])
    side = across[:, :, None] - along[:, None, :]
    same_side = (side >= 0).all(axis=0) | (side <= 0).all(axis=0)
    hull = np.zeros_like(mask2d)
    hull[y0:y1, x0:x1] = same_side
    return hull


def _filled_box(mask2d: NDArray[np.bool_]) -> NDArray[np.bool_]:
    filled = np.zeros_like(mask2d)
    box = bounding_box(mask2d)
    if box is not None:
        x0, y0, x1, y1 = box
        filled[y0:y1, x0:x1] = True
    return filled
