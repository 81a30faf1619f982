"""The background's motion from frame to frame: optical flow outside the hole, an affine fit of it inside."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.flow import Flow, clip_flow, consistency, parallel, warp
from vivid_bench.types import Frames, Mask

Affine = NDArray[np.float64]  # (3, 3), acts on (x, y, 1)

_HOLE_MARGIN_PX = 2  # DIS smooths across the hole's edge: so far around it the flow is not trusted
_MIN_POINTS = 12
_MAX_POINTS = 20000
_ROBUST_STEPS = 10
_FINEST_SCALE_PX = 0.25


def background_motion(filled: Frames, mask: Mask) -> tuple[list[Affine], list[Affine]]:
    """Fit the background's motion between consecutive frames, in both directions.

    Args:
        filled: (T, H, W, 3) uint8 RGB whose hole holds a smooth fill, so that nothing in it moves on its own.
        mask: (T, H, W) bool, True = hole.

    Returns:
        T-1 maps from frame t to t+1, and T-1 maps from frame t+1 to t, pixels. A pair with too little trusted flow,
        such as one with a fully masked frame, gets the identity: its background is taken to stand still.
    """
    forward, backward = clip_flow(filled), clip_flow(filled, backward=True)
    kernel = np.ones((2 * _HOLE_MARGIN_PX + 1,) * 2, np.uint8)
    holes = [cv2.dilate(hole.astype(np.uint8), kernel) for hole in mask]

    def fit(t: int) -> tuple[Affine, Affine]:
        ahead = _trusted(forward[t], backward[t], holes[t], holes[t + 1])
        back = _trusted(backward[t], forward[t], holes[t + 1], holes[t])
        return fit_affine(forward[t], ahead), fit_affine(backward[t], back)

    pairs = parallel(fit, range(len(forward)))
    return [ahead for ahead, _ in pairs], [back for _, back in pairs]


def _trusted(flow: Flow, returning: Flow, hole: NDArray[np.uint8], hole_there: NDArray[np.uint8]) -> NDArray[np.bool_]:
    lands_in_hole = warp(hole_there.astype(np.float32), flow) > 0
    return np.asarray(consistency(flow, returning) & (hole == 0) & ~lands_in_hole)


def fit_affine(flow: Flow, trusted: NDArray[np.bool_]) -> Affine:
    """Fit an affine map to a flow, robustly: what most pixels do counts, other movers do not.

    Iteratively reweighted least squares with Geman-McClure weights whose scale shrinks from step to step
    (Black and Anandan, The robust estimation of multiple motions, 1996).

    Args:
        flow: (H, W, 2) float32, pixels.
        trusted: (H, W) bool, the pixels to fit; fewer than 12 give the identity.
    """
    y, x = np.nonzero(trusted)
    if len(x) < _MIN_POINTS:
        return np.eye(3)
    stride = -(-len(x) // _MAX_POINTS)
    x, y = x[::stride], y[::stride]
    centre, size = np.array([x.mean(), y.mean()]), max(trusted.shape)
    basis = np.stack([(x - centre[0]) / size, (y - centre[1]) / size, np.ones(len(x))], axis=1)
    moved = flow[y, x].astype(np.float64)
    solution = np.stack([np.zeros(2), np.zeros(2), np.median(moved, axis=0)])
    residual = np.hypot(*(basis @ solution - moved).T)
    scale = max(1.0, 2 * float(np.median(residual)))
    for _ in range(_ROBUST_STEPS):
        weighted = basis * (1 / (1 + (residual / scale) ** 2) ** 2)[:, None]
        # The ridge keeps points on one line solvable; elsewhere it is far below the flow's accuracy.
        solution = np.linalg.solve(weighted.T @ basis + 1e-9 * np.eye(3), weighted.T @ moved)
        residual = np.hypot(*(basis @ solution - moved).T)
        scale = max(_FINEST_SCALE_PX, 0.6 * scale)
    linear = np.eye(2) + solution[:2].T / size
    motion = np.eye(3)
    motion[:2, :2] = linear
    motion[:2, 2] = solution[2] + centre - linear @ centre
    return motion
