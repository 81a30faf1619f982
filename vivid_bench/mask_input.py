"""A video and the mask a user gives with it, read together: a video, a folder of frames, or one image for all frames.

White (128 and up) = edit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.images import IMAGE_SUFFIXES, read_image
from vivid_bench.masks import binarise
from vivid_bench.video import check_shape
from vivid_bench.video_reader import open_video

Frame = NDArray[np.uint8]  # (H, W, 3) RGB
FrameMask = NDArray[np.bool_]  # (H, W), True = edit
MaskedFrame = tuple[Frame, FrameMask]


@dataclass(frozen=True)
class MaskedVideo:
    """A video being read together with its mask.

    Attributes:
        fps: frames a second, the video's.
        frames: yields ((H, W, 3) uint8 RGB, (H, W) bool) pairs, once, from the first to the last.
    """

    fps: float
    frames: Iterator[MaskedFrame]


@contextmanager
def open_masked_video(video: Path, mask: Path) -> Iterator[MaskedVideo]:
    """Open a video and its mask, to be read one frame at a time.

    Args:
        video: a video or a folder of numbered frames.
        mask: the same, or one PNG or JPEG image, the mask of every frame; white = edit.

    Raises:
        InputError: as `video_reader.open_video` and `images.read_image` do; from the frames, when the two differ in
            size or length.
    """
    with open_video(video) as source:
        if mask.suffix.lower() in IMAGE_SUFFIXES and not mask.is_dir():
            still = _binary(read_image(mask, grey=True))
            yield MaskedVideo(source.fps, ((frame, _fitting(still, frame, mask)) for frame in source.frames))
            return
        with open_video(mask, grey=True) as masks:
            yield MaskedVideo(source.fps, _paired(source.frames, masks.frames, mask))


def _paired(frames: Iterator[Frame], masks: Iterator[NDArray[np.uint8]], path: Path) -> Iterator[MaskedFrame]:
    count = 0
    for frame in frames:
        mask = next(masks, None)
        if mask is None:
            total = count + 1 + sum(1 for _ in frames)
            check_shape(path, (count, *frame.shape[:2]), (total, *frame.shape[:2]), "the video")
        else:
            yield frame, _fitting(_binary(mask), frame, path)
            count += 1
    if rest := sum(1 for _ in masks):
        check_shape(path, (count + rest, 0, 0), (count, 0, 0), "the video")


def _fitting(mask: FrameMask, frame: Frame, path: Path) -> FrameMask:
    check_shape(path, (1, *mask.shape), (1, *frame.shape[:2]), "the video")
    return mask


def _binary(grey: NDArray[np.uint8]) -> FrameMask:
    mask, _ = binarise(grey)
    return mask


@dataclass(frozen=True)
class Survey:
    """What a first pass over a video and its mask found.

    Attributes:
        masked_frames: frames in which there is something to edit.
        mask_share: mean share of a frame under the mask, 0 to 1.
        picked: the frames that were asked for, with their masks.
    """

    frames: int
    height: int
    width: int
    fps: float
    masked_frames: int
    mask_share: float
    picked: dict[int, MaskedFrame]


def survey(video: Path, mask: Path, wanted: Collection[int] = ()) -> Survey:
    """Read a video and its mask once from end to end, so that whatever is wrong with them is known before any work.

    Args:
        wanted: indices of frames to return.

    Raises:
        InputError: as `open_masked_video` does, and for a mask that is empty in all frames.
        VividBenchError: when the video ends before a wanted frame.
    """
    picked: dict[int, MaskedFrame] = {}
    count = masked_frames = 0
    share = 0.0
    shape = (0, 0)
    with open_masked_video(video, mask) as opened:
        for frame, hole in opened.frames:
            if count in wanted:
                picked[count] = frame, hole
            shape = hole.shape
            masked_frames += bool(hole.any())
            share += float(hole.mean())
            count += 1
        fps = opened.fps
    if not masked_frames:
        fix = "redraw it; white means edit"
        raise InputError(mask, expected="white (255) where to edit", found="an empty mask in all frames", fix=fix)
    for index in wanted:
        if index not in picked:
            raise VividBenchError(
                f"keyframe {index}: expected an index from 0 to {count - 1}: {video} has {count} frames"
            )
    return Survey(count, *shape, fps, masked_frames, share / count, picked)
