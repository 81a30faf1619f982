"""The pool of masks to paste: entities' masks cut out of single frames, drawn at random, scaled and mirrored.

VIVID-10M's delete samples are made by pasting a random mask of its add and modify samples on the background
(arXiv 2411.15260). How it scales them is not stated; the limits here are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vivid_bench.build.types import FrameMask
from vivid_bench.clip_files import read_mask
from vivid_bench.masks import bounding_box
from vivid_bench.types import Mask, Sample

STAMPS_PER_CLIP = 3
LEAST_SHARE = 0.0005
"""Masks below this share of their own frame are specks and no stamps."""

AREA_FACTOR = 1.5
"""A drawn stamp covers its own frame's share of the new frame, times or divided by up to this."""
AREA_SHARE = (0.01, 0.2)
"""Smallest and largest share of the frame that a drawn stamp covers, where its box allows it."""
BOX_SHARE = 0.8
"""Largest part of the frame's height or width that a drawn stamp spans; a longer one is made smaller."""


@dataclass(frozen=True)
class Stamp:
    """One frame's mask, cut to its bounding box.

    Attributes:
        mask: (h, w) bool, not empty.
        share: of its own frame's area, 0 to 1.
        origin: the clip or sample it was taken from.
    """

    mask: FrameMask
    share: float
    origin: str


def stamps_of(masks: Mask, origin: str) -> list[Stamp]:
    """Cut stamps out of a mask sequence: up to STAMPS_PER_CLIP, from frames spread evenly over those that have one.

    A mask that the frame's border cuts off is taken as it is: many entities stand on the frame's lower edge throughout.

    Args:
        masks: (T, H, W) bool; of an entity's track, only frames in which it is trusted have one.
        origin: what the stamps are called after.
    """
    shares = masks.mean(axis=(1, 2))
    usable = np.flatnonzero(shares >= LEAST_SHARE)
    if not usable.size:
        return []
    count = min(STAMPS_PER_CLIP, usable.size)
    middles = ((2 * np.arange(count) + 1) * usable.size) // (2 * count)
    return [Stamp(_cut_out(masks[t]), float(shares[t]), origin) for t in usable[middles]]


def stamps_of_sample(root: Path, sample: Sample) -> list[Stamp]:
    """Cut stamps out of a sample's mask, of any suite or data folder.

    Args:
        root: what the sample's paths are relative to.

    Raises:
        InputError: a mask that cannot be read, see `clip_files.read_mask`.
    """
    count = sample.frames if sample.span else None
    masks, _ = read_mask(root, sample.mask.path, sample.span, count, sample.labels)
    return stamps_of(masks, sample.id)


def draw(pool: Sequence[Stamp], rng: np.random.Generator, height: int, width: int) -> FrameMask:
    """Draw a stamp, each with the same probability, scale it for a frame and mirror it half of the time.

    Its share of the frame is that of its own frame times AREA_FACTOR^u, -1 <= u <= 1, kept within AREA_SHARE; then
    BOX_SHARE holds.

    Args:
        height, width: the frame's size in pixels.

    Returns:
        (h, w) bool, cut to its bounding box, smaller than the frame.

    Raises:
        ValueError: for an empty pool.
    """
    if not pool:
        raise ValueError("the pool holds no stamps")
    stamp = pool[int(rng.integers(len(pool)))]
    change = AREA_FACTOR ** rng.uniform(-1, 1)
    mirrored = bool(rng.random() < 0.5)
    area = float(np.clip(stamp.share * change, *AREA_SHARE)) * height * width
    rows, columns = stamp.mask.shape
    scale = min(np.sqrt(area / stamp.mask.sum()), BOX_SHARE * height / rows, BOX_SHARE * width / columns)
    scaled = _scaled(stamp.mask, max(1, int(rows * scale)), max(1, int(columns * scale)))
    return np.ascontiguousarray(scaled[:, ::-1]) if mirrored else scaled


def _scaled(mask: FrameMask, rows: int, columns: int) -> FrameMask:
    shrinks = rows * columns < mask.size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    soft = cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=interpolation)
    # A hairline that is made smaller covers no pixel by half.
    return _cut_out(np.asarray(soft >= min(1.0, float(soft.max())) / 2, dtype=np.bool_))


def _cut_out(mask2d: FrameMask) -> FrameMask:
    box = bounding_box(mask2d)
    assert box is not None
    x0, y0, x1, y1 = box
    return mask2d[y0:y1, x0:x1].copy()
