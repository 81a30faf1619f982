"""Editing videos larger or longer than the model was trained on: windows in time, a resized crop in space.

A window is edited in a crop around its holes, shrunk to the working size; what was made is enlarged and pasted under
the mask alone, so that the sharp source stays everywhere else. Windows overlap by one frame, and the last edited frame
of one is the first keyframe of the next (VIVID's long video). Memory does not grow with the length beyond the frames
themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.types import Frames, Mask

Keyframes = Mapping[int, NDArray[np.uint8]]
EditWindow = Callable[[Frames, Mask, Keyframes], Frames]

CONTEXT = 0.5
"""Visible surroundings on each side of a crop, as a share of the holes' bounding box."""


def edit_in_windows(edit: EditWindow, frames: Frames, mask: Mask, keyframes: Keyframes, length: int) -> Frames:
    """Edit windows of at most `length` frames one after the other, each led by the last frame before it.

    Args:
        edit: edits one window: (frames, mask, keyframes) -> frames of the same shape.
        frames, mask: (T, H, W, 3) uint8 and (T, H, W) bool.
        keyframes: accepted frames by their index in the whole video.
        length: at least 2.
    """
    out = frames.copy()
    for start in range(0, max(1, len(frames) - 1), length - 1):
        stop = min(start + length, len(frames))
        known = {i - start: frame for i, frame in keyframes.items() if start <= i < stop}
        if start > 0:
            known.setdefault(0, out[start].copy())
        edited = edit(frames[start:stop], mask[start:stop], known)
        first = start if start == 0 else start + 1
        out[first:stop] = edited[first - start :]
    return out


def edit_in_crop(edit: EditWindow, frames: Frames, mask: Mask, keyframes: Keyframes, side: int) -> Frames:
    """Edit a crop around the holes, at most `side` pixels long, and paste the result under the mask.

    Frames that fit into `side` are edited whole, and what the model makes outside the mask is kept.
    """
    if max(frames.shape[1:3]) <= side:
        return edit(frames, mask, keyframes)
    if not mask.any():
        return frames.copy()
    rows, columns = crop_around(mask)
    crop, hole = frames[:, rows, columns], mask[:, rows, columns]
    height, width = crop.shape[1:3]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = edit(
        _resize(crop, size),
        # A pixel that holds any part of the hole is hole: nothing under the mask reaches the model.
        np.stack([cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0 for m in hole]),
        {i: _resize(k[None, rows, columns], size)[0] for i, k in keyframes.items()},
    )
    large = np.stack([cv2.resize(f, (width, height), interpolation=cv2.INTER_LINEAR) for f in small])
    out = frames.copy()
    for index, frame in keyframes.items():
        out[index] = frame
    open_hole = hole.copy()
    open_hole[list(keyframes)] = False
    out[:, rows, columns][open_hole] = large[open_hole]
    return out


def crop_around(mask: Mask) -> tuple[slice, slice]:
    """Return rows and columns of the holes' bounding box over the whole clip, with surroundings, inside the frame."""
    ranges = []
    for axes, limit in (((0, 2), mask.shape[1]), ((0, 1), mask.shape[2])):
        hit = np.flatnonzero(mask.any(axis=axes))
        low, high = int(hit[0]), int(hit[-1]) + 1
        margin = max(8, round(CONTEXT * (high - low)))
        ranges.append(slice(max(0, low - margin), min(limit, high + margin)))
    return ranges[0], ranges[1]


def _resize(frames: Frames, size: tuple[int, int]) -> Frames:
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])
