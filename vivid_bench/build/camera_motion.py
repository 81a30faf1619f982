"""The camera's motion between a keyframe and frames around it, and what moves against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.outlines import Picture, grid
from vivid_bench.build.types import FrameMask
from vivid_bench.flow import Flow

NOISE_FLOOR = 0.1
"""Least noise of a flow in pixels: on still, clean pictures it would else be 0."""
LEAST_INLIERS = 0.3
"""Share of the flow that the camera has to explain; below, the two frames do not belong together (a cut)."""

_GRID = 8  # pixels between the flow vectors that the camera is fitted to
_LEAST_VECTORS = 16
_INLIER_PX = 1.0
_BORDER = 8  # flow is not to be trusted nearer to the frame's border than DIS' patches are wide


@dataclass(frozen=True)
class View:
    """The keyframe as another frame sees it.

    Attributes:
        offset: frames from the keyframe to the other.
        other: the other frame.
        flow: from the keyframe to it, (H, W, 2) float32 pixels.
        camera: that of the camera's motion alone.
        against: length of the difference, (H, W) pixels.
        noise: robust standard deviation of it over the frame.
        known: where the camera's motion stays inside the other frame.
    """

    offset: int
    other: Picture
    flow: Flow
    camera: Flow
    against: NDArray[np.float32]
    noise: float
    known: FrameMask


def against_camera(offset: int, other: Picture, found: Flow) -> View | None:
    """Compare a flow with the camera's motion; None where no such motion explains it."""
    camera = _camera_flow(found)
    if camera is None:
        return None
    height, width = found.shape[:2]
    against = np.hypot(*np.moveaxis(found - camera, 2, 0))
    x, y = np.moveaxis(grid(height, width) + camera, 2, 0)
    known = (x >= _BORDER) & (x < width - _BORDER) & (y >= _BORDER) & (y < height - _BORDER)
    noise = max(NOISE_FLOOR, 1.4826 * float(np.median(against)))  # of a normal distribution: its deviation
    return View(offset, other, found, camera, against, noise, known)


def _camera_flow(found: Flow) -> Flow | None:
    """The flow of the homography that most of a flow agrees with; None where too little does."""
    height, width = found.shape[:2]
    ys, xs = (axis.ravel() for axis in np.mgrid[_GRID // 2 : height : _GRID, _GRID // 2 : width : _GRID])
    if len(ys) < _LEAST_VECTORS:
        return None
    start = np.stack([xs, ys], axis=1).astype(np.float32)
    homography, inliers = cv2.findHomography(start, start + found[ys, xs], cv2.RANSAC, _INLIER_PX)
    if homography is None or inliers.mean() < LEAST_INLIERS:
        return None
    camera = moved_by(homography, height, width)
    return camera if np.isfinite(camera).all() else None


def moved_by(matrix: NDArray[np.float64], height: int, width: int) -> Flow:
    """The flow of a homography (3, 3) or an affine map (2, 3) at every pixel, (H, W, 2) float32."""
    place = grid(height, width)
    moved = [row[0] * place[..., 0] + row[1] * place[..., 1] + row[2] for row in matrix.astype(np.float32)]
    scale = moved[2] if len(moved) == 3 else np.float32(1)
    return np.stack([moved[0] / scale, moved[1] / scale], axis=2) - place


def both_sides(views: Sequence[View]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Motion against the camera in units of its noise, and in pixels: the lesser of later and earlier frames' means.

    The lesser, because the flow of pixels that are about to be covered is wrong on one side only. A side counts where
    all of its frames know; where neither does, both results are 0.

    Returns:
        (H, W) float32 each.
    """
    strengths, motions = [], []
    for side in ([v for v in views if v.offset > 0], [v for v in views if v.offset < 0]):
        if side:
            known = np.logical_and.reduce([view.known for view in side])
            total = np.sum([view.against for view in side], axis=0)
            strengths.append(np.where(known, total / np.float32(sum(view.noise for view in side)), np.inf))
            motions.append(np.where(known, total / np.float32(len(side)), np.inf))
    strength, motion = (np.min(values, axis=0) for values in (strengths, motions))
    known_anywhere = np.isfinite(strength)
    return np.where(known_anywhere, strength, np.float32(0)), np.where(known_anywhere, motion, np.float32(0))
