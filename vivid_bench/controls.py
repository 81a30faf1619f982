"""Control rows: no methods, but outputs whose figures show what a metric can and cannot see.

Each gets the same `EditRequest` as any method; where the hole is hidden, its pixels are already mid-grey.
"""

from __future__ import annotations

import re

import numpy as np

from vivid_bench.errors import MethodError
from vivid_bench.scenes import COLOURS
from vivid_bench.types import HOLE_GREY, EditRequest, Frames
from vivid_bench.video import codec_round_trip


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


def caption_colour(caption: str) -> tuple[int, int, int]:
    """Return the 8-bit RGB of the first colour word in a caption; raises `MethodError` without one."""
    for word in re.findall(r"[a-z]+", caption.lower()):
        if word in COLOURS:
            return COLOURS[word]
    raise MethodError(f'no colour word in the caption "{caption}"; known: {", ".join(sorted(COLOURS))}')
