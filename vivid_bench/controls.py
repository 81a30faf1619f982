"""Control rows: no methods, but outputs whose figures show what a metric can and cannot see.

Each gets the same `EditRequest` as any method; where the hole is hidden, its pixels are already mid-grey.
"""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import MethodError
from vivid_bench.scenes import COLOURS
from vivid_bench.types import HOLE_GREY, EditRequest, Frames
from vivid_bench.video import codec_round_trip

INPAINT_RADIUS = 3.0


class CopySource:
    """The frames as they came: what a method scores that does nothing."""

    def __init__(self, device: str = "cpu") -> None:
        pass

    def edit(self, request: EditRequest) -> Frames:
        """Return the request's frames."""
        return request.frames.copy()


class GreyFill:
    """Mid-grey under the mask: what a method scores that only erases."""

    def __init__(self, device: str = "cpu") -> None:
        pass

    def edit(self, request: EditRequest) -> Frames:
        """Return the frames with the hole painted mid-grey."""
        edited = request.frames.copy()
        edited[request.mask] = HOLE_GREY
        return edited


class FrozenFrame:
    """The first frame over and over: perfectly consistent in time, wrong in all else."""

    def __init__(self, device: str = "cpu") -> None:
        pass

    def edit(self, request: EditRequest) -> Frames:
        """Return the first frame, repeated."""
        return np.repeat(request.frames[:1], len(request.frames), axis=0)


class CodecRoundtrip:
    """The frames through H.264 and back: what a lossy file costs a method that changes nothing.

    Args:
        device: accepted like every method's; the work is done on the CPU.
        crf: the encoder's constant rate factor, 0 (lossless) to 51.
    """

    def __init__(self, device: str = "cpu", crf: int = 18) -> None:
        self.crf = crf

    def edit(self, request: EditRequest) -> Frames:
        """Return the decoded frames, same size as the request's."""
        return codec_round_trip(request.frames, request.fps, self.crf)


class ColourFill:
    """The caption's first colour word painted flat into the hole: the least that follows a caption.

    The words and their colours are those of the rendered scenes, `vivid_bench.scenes.COLOURS`.
    """

    def __init__(self, device: str = "cpu") -> None:
        pass

    def edit(self, request: EditRequest) -> Frames:
        """Return the frames with the hole painted; raises `MethodError` for delete or lack of a colour."""
        if request.task == "delete":
            raise MethodError(f'colour-fill can only add and modify, sample "{request.sample_id}" asks for delete')
        edited = request.frames.copy()
        edited[request.mask] = caption_colour(request.prompt)
        return edited


class MovedKeyframe:
    """The nearest keyframe's hole pasted into every other hole, moved and scaled with the mask.

    What pasting reaches without any model: the look of the keyframe, none of the motion inside the mask. Pixels of a
    hole onto which no pixel of the keyframe's hole falls are inpainted (Telea).
    """

    def __init__(self, device: str = "cpu") -> None:
        pass

    def edit(self, request: EditRequest) -> Frames:
        """Return the keyframes, and between them the pasted frames; raises `MethodError` without keyframes."""
        if not request.keyframes:
            raise MethodError(f'moved-keyframe needs keyframes, sample "{request.sample_id}" comes without any')
        # A keyframe whose mask is empty shows nothing to paste.
        useful = [k for k in sorted(request.keyframes) if request.mask[k].any()]
        edited = request.frames.copy()
        for t, hole in enumerate(request.mask):
            if t in request.keyframes:
                edited[t] = request.keyframes[t]
                continue
            unfilled = hole.copy()
            if useful and hole.any():
                nearest = min(useful, key=lambda k: abs(k - t))
                moved, shown = move_with_mask(request.keyframes[nearest], request.mask[nearest], hole)
                edited[t][shown] = moved[shown]
                unfilled &= ~shown
            if unfilled.any():
                edited[t] = cv2.inpaint(edited[t], unfilled.astype(np.uint8), INPAINT_RADIUS, cv2.INPAINT_TELEA)
        return edited


def move_with_mask(
    frame: NDArray[np.uint8], mask: NDArray[np.bool_], target: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Shift and scale a frame so that its mask gets the centroid and the area of another mask.

    Args:
        frame: (H, W, 3) uint8.
        mask, target: (H, W) bool, not empty.

    Returns:
        (H, W, 3) uint8, the moved frame, bilinear; and (H, W) bool, the target's pixels onto which the mask falls.
    """
    (y, x), (to_y, to_x) = (np.argwhere(m).mean(axis=0) for m in (mask, target))
    scale = float(np.sqrt(mask.sum() / target.sum()))
    # With WARP_INVERSE_MAP the matrix leads from a pixel of the result to where it comes from.
    back = np.array([[scale, 0, x - scale * to_x], [0, scale, y - scale * to_y]])
    size = target.shape[::-1]
    moved = cv2.warpAffine(
        frame, back, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    falls = cv2.warpAffine(mask.astype(np.uint8), back, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return np.asarray(moved, dtype=np.uint8), target & (falls > 0)


def caption_colour(caption: str) -> tuple[int, int, int]:
    """Return the 8-bit RGB of the first colour word in a caption; raises `MethodError` without one."""
    for word in re.findall(r"[a-z]+", caption.lower()):
        if word in COLOURS:
            return COLOURS[word]
    raise MethodError(f'no colour word in the caption "{caption}"; known: {", ".join(sorted(COLOURS))}')
