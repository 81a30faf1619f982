"""What a study makes of pixels before they are encoded: the source as raters see it, and the broken clip."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from vivid_bench.types import Frames, Mask
from vivid_bench.video import resize

MARKED_SIDE = 288
"""Small clips are enlarged to at least so many pixels: H.264 halves the colour of a line that is a pixel wide."""

OUTLINE_COLOUR = (255, 45, 150)
BLOCKS = 8
"""Blocks that the broken clip's picture is cut into, along either side."""


def enlarge_small(frames: Frames, mask: Mask) -> tuple[Frames, Mask]:
    """Return (T, H, W, 3) uint8 frames and their (T, H, W) bool mask, small ones enlarged by a whole factor."""
    height, width = frames.shape[1:3]
    factor = max(1, -(-MARKED_SIDE // max(height, width)))
    return resize(frames, height * factor, width * factor), mask.repeat(factor, axis=1).repeat(factor, axis=2)


def outline_hole(frames: Frames, mask: Mask) -> Frames:
    """Return a copy of (T, H, W, 3) uint8 RGB frames with a line around the (T, H, W) bool mask.

    The line is drawn just outside the mask, so that it hides nothing of what was to be edited; only where the mask
    reaches the frame's edge is it drawn inside. It is a 250th of the larger side wide.
    """
    marked = frames.copy()
    height, width = mask.shape[1:]
    line = -(-max(height, width) // 250)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * line + 1, 2 * line + 1))
    at_edge = np.ones((height, width), bool)
    at_edge[line : height - line, line : width - line] = False
    for picture, hole in zip(marked, mask, strict=True):
        grown = cv2.dilate(hole.astype(np.uint8), kernel).astype(bool)
        picture[(grown & ~hole) | (hole & at_edge)] = OUTLINE_COLOUR
    return marked


def break_clip(frames: Frames, rng: Random) -> Frames:
    """Return (T, H, W, 3) uint8 frames blurred, in inverted colours, their blocks in another order in every frame.

    No edit should lose to it: it shows nothing that was asked for, is steady nowhere and keeps no pixel of the source.
    """
    height, width = frames.shape[1:3]
    rows, columns = height // BLOCKS, width // BLOCKS
    # Sharp blocks would make its file twice as large as an edit's, and so all files of the comparison.
    blur = max(1, round(max(height, width) / 60))
    broken: Frames = np.stack([255 - cv2.blur(frame, (blur, blur)) for frame in frames])
    for picture in broken:
        grid = picture[: rows * BLOCKS, : columns * BLOCKS].reshape(BLOCKS, rows, BLOCKS, columns, 3)
        blocks = grid.transpose(0, 2, 1, 3, 4).reshape(BLOCKS * BLOCKS, rows, columns, 3)
        blocks = blocks[rng.sample(range(BLOCKS * BLOCKS), BLOCKS * BLOCKS)]
        shuffled = blocks.reshape(BLOCKS, BLOCKS, rows, columns, 3).transpose(0, 2, 1, 3, 4)
        picture[: rows * BLOCKS, : columns * BLOCKS] = shuffled.reshape(rows * BLOCKS, columns * BLOCKS, 3)
    return broken
