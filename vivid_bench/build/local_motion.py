"""The motion around a mask between two frames: an affine map fitted to optical flow, in which strays do not count."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.box_tracking import LEAST_CONSISTENT
from vivid_bench.build.types import FrameMask
from vivid_bench.flow import CONSISTENCY_ABSOLUTE, CONSISTENCY_RELATIVE, Flow
from vivid_bench.masks import bounding_box

Points = NDArray[np.float64]  # (N, 2): x and y in pixels
Affine = NDArray[np.float64]  # (3, 3): maps (x, y, 1)

REACH = 0.5
"""How far around a mask flow is used, times the square root of its area; at least LEAST_REACH_PX."""
LEAST_REACH_PX = 8
MOST_POINTS = 1500
"""Flow is read at about so many of the mask's pixels, and about as many in the box around it."""
LEAST_POINTS = 16

FIT_ROUNDS = 12
FIT_TOLERANCE = 3.0
"""Residuals that count a quarter in the fit, as a multiple of their median."""
LEAST_TOLERANCE_PX = 0.1


class Step(NamedTuple):
    """The motion from one frame to the next one.

    Attributes:
        affine: (3, 3), this frame's pixels to the next one's.
        confirmed: share of the mask's pixels (0 to 1) whose flow is consistent and agrees with `affine`.
        flow_error: median forward-backward distance of the mask's pixels that stay in the frame, in pixels.
    """

    affine: Affine
    confirmed: float
    flow_error: float


def motion_around(mask: FrameMask, keep_out: FrameMask, there: Flow, back: Flow) -> Step | None:
    """Fit the motion of what lies under and around a mask.

    Args:
        mask: (H, W) bool, not empty, in the first frame.
        keep_out: (H, W) bool, pixels of the first frame that move on their own.
        there: (H, W, 2) flow from the first frame to the second.
        back: (H, W, 2) flow from the second frame to the first.

    Returns:
        The step; None where fewer than LEAST_POINTS pixels, or a share below `box_tracking.LEAST_CONSISTENT`, pass the
        forward-backward check of `flow.consistency`.
    """
    own, around = _pixels(mask), _around(mask, keep_out)
    pixels = np.concatenate([own, around])
    points = pixels.astype(np.float64)
    moved = there[pixels[:, 1], pixels[:, 0]].astype(np.float64)
    ends = points + moved
    returned = _read(back, ends)
    inside = ((ends >= 0) & (ends <= np.array(mask.shape[::-1]) - 1)).all(axis=1)
    usable = inside & _agree(moved, -returned)
    if usable.sum() < LEAST_POINTS or usable.mean() < LEAST_CONSISTENT or not inside[: len(own)].any():
        return None
    affine = fit_affine(points[usable], moved[usable])
    confirmed = (usable & _agree(moved, mapped(affine, points) - points))[: len(own)]
    gaps = np.hypot(*(moved + returned)[: len(own)][inside[: len(own)]].T)
    return Step(affine, float(confirmed.mean()), float(np.median(gaps)))


def fit_affine(points: Points, moved: Points) -> Affine:
    """Fit an affine map to displacements: least median of squares, then reweighted by Geman and McClure's weights.

    Strays may be nearly half. Displacements of 0 give the exact identity.

    Args:
        points: (N, 2) pixels.
        moved: (N, 2) displacements in pixels.

    Returns:
        (3, 3) float64.
    """
    middle = points.mean(axis=0)
    spread = max(float(points.std()), 1.0)
    design = np.column_stack([(points - middle) / spread, np.ones(len(points))])
    start, _ = cv2.estimateAffine2D(points, points + moved, method=cv2.LMEDS)  # its random numbers are always the same
    field = np.zeros((3, 2))
    field[2] = np.median(moved, axis=0)
    if start is not None and np.isfinite(start).all():
        field[:2] = (start[:, :2] - np.eye(2)).T * spread
        field[2] = mapped(start, middle[None])[0] - middle
    for _ in range(FIT_ROUNDS):
        # Products by einsum: those of BLAS can differ in the last bit with its number of threads.
        residual = np.square(moved - np.einsum("ni,ij->nj", design, field)).sum(axis=1)
        tolerance = max(LEAST_TOLERANCE_PX, FIT_TOLERANCE * float(np.sqrt(np.median(residual))))
        weights = (1 + residual / tolerance**2) ** -2
        normal = np.einsum("n,ni,nj->ij", weights, design, design)
        field = np.linalg.lstsq(normal, np.einsum("n,ni,nj->ij", weights, design, moved), rcond=None)[0]
    affine = np.eye(3)
    affine[:2, :2] += field[:2].T / spread
    affine[:2, 2] = field[2] - np.einsum("i,ij->j", middle, field[:2] / spread)
    return affine


def mapped(affine: Affine, points: Points) -> Points:
    """Return where an affine map takes points, (N, 2)."""
    return np.asarray(np.einsum("ij,nj->ni", affine[:2, :2], points) + affine[:2, 2])


def _pixels(mask: FrameMask) -> NDArray[np.intp]:
    """Return x and y of the mask's pixels, thinned evenly, (N, 2)."""
    rows, columns = np.nonzero(mask)
    every = -(-len(rows) // MOST_POINTS)
    return np.stack([columns, rows], axis=1)[::every]


def _around(mask: FrameMask, keep_out: FrameMask) -> NDArray[np.intp]:
    """Return x and y of a grid over the mask's box and its surroundings without what is kept out, (N, 2)."""
    box = bounding_box(mask)
    assert box is not None
    reach = max(LEAST_REACH_PX, round(REACH * float(np.sqrt(mask.sum()))))
    x0, y0 = max(0, box[0] - reach), max(0, box[1] - reach)
    x1, y1 = min(mask.shape[1], box[2] + reach), min(mask.shape[0], box[3] + reach)
    every = max(1, round(float(np.sqrt((x1 - x0) * (y1 - y0) / MOST_POINTS))))
    rows, columns = (axis.ravel() for axis in np.mgrid[y0:y1:every, x0:x1:every])
    free = ~keep_out[rows, columns]
    return np.stack([columns[free], rows[free]], axis=1)


def _agree(first: Points, second: Points) -> NDArray[np.bool_]:
    """Compare displacements as `flow.consistency` does: |a - b|^2 < 0.01 (|a|^2 + |b|^2) + 0.5."""
    length = np.square(first).sum(axis=1) + np.square(second).sum(axis=1)
    gap = np.square(first - second).sum(axis=1)
    return np.asarray(gap < CONSISTENCY_RELATIVE * length + CONSISTENCY_ABSOLUTE, dtype=np.bool_)


def _read(flow: Flow, points: Points) -> Points:
    """Return a flow's values at points between pixels, bilinear, 0 outside the frame."""
    x, y = points.astype(np.float32).T
    return np.asarray(cv2.remap(flow, x[None], y[None], cv2.INTER_LINEAR)[0], dtype=np.float64)
