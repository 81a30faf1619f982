"""Long video in memory that does not grow with its length: read, edit and hand on clip by clip.

Clips overlap by one frame, and the last edited frame of one is the first keyframe of the next (VIVID's long video).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from vivid_bench.types import Frames, Mask

Keyframes = Mapping[int, NDArray[np.uint8]]
EditClip = Callable[[Frames, Mask, Keyframes], Frames]
MaskedFrame = tuple[NDArray[np.uint8], NDArray[np.bool_]]


@dataclass(frozen=True)
class ClipEdit:
    """The next frames of an edited video.

    Attributes:
        source, edited: (N, H, W, 3) uint8.
        mask: (N, H, W) bool.
    """

    source: Frames
    mask: Mask
    edited: Frames


def edit_stream(edit: EditClip, frames: Iterable[MaskedFrame], keyframes: Keyframes, length: int) -> Iterator[ClipEdit]:
    """Edit a video of any length in clips of at most `length` frames, each led by the last edited frame before it.

    A clip is read when the one before it has been taken. What is yielded has every frame once, the overlap left out.

    Args:
        edit: edits one clip: (frames, mask, keyframes by their index in the clip) -> frames of the same shape.
        frames: yields ((H, W, 3) uint8, (H, W) bool) pairs.
        keyframes: accepted frames by their index in the whole video; where clips overlap they outrank the chain.
        length: at least 2.
    """
    if length < 2:
        raise ValueError(f"length: expected at least 2 frames, found {length}")
    stream, start = iter(frames), 0
    overlap: list[MaskedFrame] = []
    led_by: dict[int, NDArray[np.uint8]] = {}
    while True:
        following = list(islice(stream, length - len(overlap)))
        if not following:
            return
        source, mask = (np.stack(arrays) for arrays in zip(*overlap, *following, strict=True))
        del following
        known = {i - start: frame for i, frame in keyframes.items() if start <= i < start + len(source)}
        edited = edit(source, mask, led_by | known)
        new = len(overlap)
        yield ClipEdit(source[new:], mask[new:], edited[new:])
        overlap, led_by = [(source[-1].copy(), mask[-1].copy())], {0: edited[-1].copy()}
        start += len(source) - 1
        del source, mask, edited
