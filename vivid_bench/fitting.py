"""Clips brought to the size and length that a method takes, and its edit brought back; nothing happens unsaid."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from vivid_bench.errors import MethodError
from vivid_bench.types import Frames, Mask
from vivid_bench.video import resize


@dataclass(frozen=True)
class ClipRule:
    """What sizes and lengths a method takes.

    Attributes:
        frame_step, frame_offset: lengths are `frame_step` * k + `frame_offset`.
        min_frames, max_frames: shorter clips are padded, longer ones refused.
        size_multiple: height and width are multiples of it.
        min_side: height and width at least; smaller frames are padded like those off the multiple.
        height, width: the one size it takes, whatever the clip's shape.
        area: pixels of a frame that it was made for: the clip's shape is kept, as nearly as `size_multiple` lets it.
    """

    frame_step: int = 1
    frame_offset: int = 0
    min_frames: int = 1
    max_frames: int | None = None
    size_multiple: int = 1
    min_side: int = 1
    height: int | None = None
    width: int | None = None
    area: int | None = None

    def length(self, frames: int) -> int:
        """Return the shortest length that it takes and that holds so many frames; raises `MethodError` for too many."""
        steps = -(-(max(frames, self.min_frames) - self.frame_offset) // self.frame_step)
        length = max(steps, 0) * self.frame_step + self.frame_offset
        if self.max_frames is not None and length > self.max_frames:
            raise MethodError(
                f"the clip has {frames} frames and the method takes at most {self.max_frames}; cut the clip into "
                "shorter ones"
            )
        return length

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) that a clip is resized to; its own when nothing but a multiple is asked."""
        if self.height is not None and self.width is not None:
            return self.height, self.width
        if self.area is None:
            return height, width
        scale = sqrt(self.area / (height * width))
        return self._nearest(height * scale), self._nearest(width * scale)

    def _nearest(self, side: float) -> int:
        return max(1, round(side / self.size_multiple)) * self.size_multiple


@dataclass(frozen=True)
class FittedClip:
    """A clip as a method takes it.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        mask: (T, H, W) bool; True wherever a pixel of the hole has a share in the resized pixel.
        notes: what was done, in words; empty when nothing was.
        source_shape: (T, H, W) of the clip that it was made from.
        resized: (H, W) after resizing and before padding.
    """

    frames: Frames
    mask: Mask
    notes: tuple[str, ...]
    source_shape: tuple[int, int, int]
    resized: tuple[int, int]

    def back(self, edited: Frames) -> Frames:
        """Undo the fitting on an edit.

        Args:
            edited: uint8, of the fitted frames' shape.

        Returns:
            (T, H, W, 3) uint8 of the source's shape.

        Raises:
            MethodError: for another shape or type.
        """
        if edited.shape != self.frames.shape or edited.dtype != np.uint8:
            raise MethodError(
                f"expected a uint8 edit of shape {self.frames.shape}, found {edited.dtype} of {edited.shape}"
            )
        length, height, width = self.source_shape
        return resize(edited[:length, : self.resized[0], : self.resized[1]], height, width)


def fit_clip(frames: Frames, mask: Mask, rule: ClipRule) -> FittedClip:
    """Resize, pad to a multiple by repeating the edge, and pad in time by repeating the last frame, as far as needed.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        mask: (T, H, W) bool, True = edit.
        rule: what the method takes.

    Raises:
        MethodError: the clip is longer than the method takes.
    """
    source_shape = (mask.shape[0], mask.shape[1], mask.shape[2])
    length = rule.length(len(frames))
    frames, mask, size_note = _fit_size(frames, mask, rule)
    resized = (mask.shape[1], mask.shape[2])
    frames, mask, edge_note = _pad_edges(frames, mask, rule)
    frames, mask, time_note = pad_frames(frames, mask, length)
    notes = tuple(note for note in (size_note, edge_note, time_note) if note)
    return FittedClip(frames, mask, notes, source_shape, resized)


def pad_frames(frames: Frames, mask: Mask, length: int) -> tuple[Frames, Mask, str | None]:
    """Repeat the last frame and its mask up to a length; the note is None when nothing was to be done."""
    missing = length - len(frames)
    if missing <= 0:
        return frames, mask, None
    note = f"{len(frames)} -> {length} frames by repeating the last, cut back"
    padded = np.concatenate([frames, np.repeat(frames[-1:], missing, axis=0)])
    return padded, np.concatenate([mask, np.repeat(mask[-1:], missing, axis=0)]), note


def resize_mask(mask: Mask, height: int, width: int) -> Mask:
    """Resize a (T, H, W) mask so that it holds every pixel into which `video.resize` mixes one of the hole's."""
    if mask.shape[1:] == (height, width):
        return mask
    # A pixel without a share of the hole keeps its 128; cubic weights may be negative, so that it may rise as well.
    known = resize((~mask).astype(np.uint8) * np.uint8(128), height, width)
    return np.asarray(known != 128)


def _fit_size(frames: Frames, mask: Mask, rule: ClipRule) -> tuple[Frames, Mask, str | None]:
    height, width = mask.shape[1:]
    new_height, new_width = rule.size(height, width)
    if (new_height, new_width) == (height, width):
        return frames, mask, None
    way = "area" if new_height * new_width < height * width else "cubic"
    note = f"{width}x{height} -> {new_width}x{new_height} ({way}) and back; mask: every pixel that the hole touches"
    return resize(frames, new_height, new_width), resize_mask(mask, new_height, new_width), note


def _pad_edges(frames: Frames, mask: Mask, rule: ClipRule) -> tuple[Frames, Mask, str | None]:
    height, width = mask.shape[1:]
    below, right = (
        -(-max(side, rule.min_side) // rule.size_multiple) * rule.size_multiple - side for side in (height, width)
    )
    if not below and not right:
        return frames, mask, None
    note = f"{width}x{height} -> {width + right}x{height + below} by repeating the edge, cut back"
    edges = ((0, 0), (0, below), (0, right))
    return np.pad(frames, (*edges, (0, 0)), mode="edge"), np.pad(mask, edges, mode="edge"), note
