"""Working size, signed distances and colour cuts, which motion segmentation and flow tracking share.

Colour cuts are GrabCut's: Rother, Kolmogorov, Blake, "GrabCut", SIGGRAPH 2004, as in OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.types import FrameMask
from vivid_bench.flow import parallel
from vivid_bench.masks import bounding_box
from vivid_bench.types import Frames

WORKING_SIDE = 240
"""Shorter side, in pixels, of the frames that are worked on: larger ones cost more than they bring (an outline is then
good to a pixel at 480p), and DIS, which works at half its input's size or less, cannot follow entities of a few pixels
in smaller ones."""
LONGEST_WORKING_SIDE = 640
"""Of frames that are much longer than high: what they may cost has a bound."""

Distance = NDArray[np.float32]  # (H, W) pixels to the outline, negative inside
Picture = NDArray[np.uint8]  # (H, W, 3) RGB
Labels = NDArray[np.uint8]  # (H, W), GrabCut's: cv2.GC_BGD, GC_FGD, GC_PR_BGD, GC_PR_FGD
Slices = tuple[slice, slice]

_Value = TypeVar("_Value", np.uint8, np.float32)

_FAR = np.float32(1e4)


@dataclass(frozen=True)
class Colours:
    """GrabCut's two mixtures of Gaussians: what is outside and what is inside, (1, 65) float64 each."""

    outside: NDArray[np.float64]
    inside: NDArray[np.float64]


def working_size(height: int, width: int) -> tuple[int, int]:
    """Height and width in pixels that frames of a size are worked on at."""
    scale = min(WORKING_SIDE / min(height, width), LONGEST_WORKING_SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def to_working_size(frames: Frames) -> Frames:
    """Resize frames, (T, H, W, 3) uint8 RGB, to their working size."""
    height, width = working_size(*frames.shape[1:3])
    method = cv2.INTER_AREA if height < frames.shape[1] else cv2.INTER_CUBIC

    def resize(frame: Picture) -> Picture:
        return np.asarray(cv2.resize(frame, (width, height), interpolation=method), dtype=np.uint8)

    return np.stack(parallel(resize, frames))


def signed_distance(mask: FrameMask) -> Distance:
    """Distance of each pixel's centre to the mask's outline, which runs between pixels; negative inside.

    Args:
        mask: (H, W) bool.

    Returns:
        (H, W) float32, pixels; very large throughout for an empty mask, and very negative for a full one.

    Example:
        >>> import numpy as np
        >>> signed_distance(np.array([[False, True, True, True, False]])).tolist()
        [[0.5, -0.5, -1.5, -0.5, 0.5]]
    """
    if mask.all() or not mask.any():
        return np.full(mask.shape, -_FAR if mask.any() else _FAR, np.float32)
    inside, outside = (
        cv2.distanceTransform(part.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for part in (mask, ~mask)
    )
    return np.asarray(np.where(mask, np.float32(0.5) - inside, outside - np.float32(0.5)), dtype=np.float32)


def resize_distance(distance: Distance, height: int, width: int) -> Distance:
    """Bring a signed distance to another size, in pixels of the size it comes from.

    Resizing it keeps an outline smooth and to a fraction of a pixel, which resizing a mask does not.
    """
    return np.asarray(cv2.resize(distance, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def largest_part(mask: FrameMask) -> FrameMask:
    """The largest connected part (4 neighbours) of a mask; of parts of one size the first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=4)
    if count <= 2:
        return mask
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def without_holes(mask: FrameMask) -> FrameMask:
    """The mask and whatever it encloses; what reaches the frame's border is not enclosed."""
    _, labels = cv2.connectedComponents(np.logical_not(mask).view(np.uint8), connectivity=4)
    open_labels = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.asarray(mask | ~np.isin(labels, open_labels))


def opened(mask: FrameMask, side: int) -> FrameMask:
    """The mask without what a square of that side does not fit into."""
    square = np.ones((side, side), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, square), dtype=np.bool_)


def around(mask: FrameMask, margin: int) -> Slices:
    """Rows and columns of a mask's bounding box and a margin around it, in the frame; the mask is not empty."""
    box = bounding_box(mask)
    assert box is not None
    x0, y0, x1, y1 = box
    return slice(max(0, y0 - margin), y1 + margin), slice(max(0, x0 - margin), x1 + margin)


def grid(height: int, width: int) -> NDArray[np.float32]:
    """x and y of every pixel, (H, W, 2) float32."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.dstack([x, y])


def sampled(values: NDArray[_Value], at: NDArray[np.float32]) -> NDArray[_Value]:
    """Values at places, bilinear; outside the frame those of its border.

    Args:
        values: (H, W) or (H, W, C), uint8 or float32.
        at: (h, w, 2) float32, x and y.

    Returns:
        (h, w) or (h, w, C), of the values' dtype.
    """
    return np.asarray(cv2.remap(values, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def learn_cut(picture: Picture, labels: Labels, rounds: int) -> tuple[FrameMask, Colours | None]:
    """Learn the colours inside and outside from labels, and cut between them along the picture's edges.

    The same to the bit in any thread, whatever ran before: it seeds the calling thread's OpenCV generator.

    Args:
        picture: (H, W, 3) uint8.
        labels: (H, W) uint8, GrabCut's; `GC_BGD` and `GC_FGD` stay, the probable ones are where learning starts.
        rounds: how often to learn and cut.

    Returns:
        (H, W) bool, inside; and the colours, None where one of the two is nowhere: there is then nothing to cut.
    """
    inside = _is_inside(labels)
    if inside.all() or not inside.any():
        return inside, None
    labels = labels.copy()
    colours = Colours(np.zeros((1, 65)), np.zeros((1, 65)))
    # Its first guess (k-means++) comes from OpenCV's generator, of which every thread has its own.
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, labels, None, colours.outside, colours.inside, rounds, cv2.GC_INIT_WITH_MASK)
    return _is_inside(labels), colours


def cut(picture: Picture, labels: Labels, colours: Colours) -> FrameMask:
    """Cut a picture between colours learnt before; arguments and result as in `learn_cut`."""
    inside = _is_inside(labels)
    if inside.all() or not inside.any():
        return inside
    labels = labels.copy()
    models = colours.outside.copy(), colours.inside.copy()  # OpenCV takes them for writing
    cv2.grabCut(picture, labels, None, *models, 1, cv2.GC_EVAL_FREEZE_MODEL)
    return _is_inside(labels)


def band_labels(distance: Distance, band: float) -> Labels:
    """GrabCut's labels: an outline is uncertain within so many pixels, and certain beyond."""
    labels = np.where(distance < 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[distance < -band] = cv2.GC_FGD
    labels[distance > band] = cv2.GC_BGD
    return labels


def _is_inside(labels: Labels) -> FrameMask:
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))
