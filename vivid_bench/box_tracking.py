"""A mask from a box in the first frame, which optical flow follows through the video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import VividBenchError
from vivid_bench.flow import consistency, flow
from vivid_bench.video import write_stream
from vivid_bench.video_reader import open_video

LEAST_BOX = 4
"""Smallest side of a box in pixels."""
CORE = 0.6
"""Share of a box's width and height that is followed, about its middle."""
LEAST_CONSISTENT = 0.3
"""Share of those pixels whose flow must be consistent for a step to count as seen. Measured on real 720x480 clips: 0.50
and up where an entity is followed, 0.14 and less between unrelated pictures."""

Frame = NDArray[np.uint8]  # (H, W, 3) RGB
FrameMask = NDArray[np.bool_]  # (H, W), True = edit


@dataclass(frozen=True)
class Box:
    """A rectangle in a frame, in pixels: x to the right and y down from the frame's top left corner."""

    x: float
    y: float
    width: float
    height: float

    def mask(self, height: int, width: int) -> FrameMask:
        """Return the frame's pixels inside the box, rounded to whole pixels, (height, width) bool."""
        mask = np.zeros((height, width), np.bool_)
        x0, y0, x1, y1 = self.corners(height, width)
        mask[y0:y1, x0:x1] = True
        return mask

    def corners(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return x0, y0, x1, y1 of the part inside a frame, half-open and rounded to whole pixels."""
        x0, x1 = (min(max(round(x), 0), width) for x in (self.x, self.x + self.width))
        y0, y1 = (min(max(round(y), 0), height) for y in (self.y, self.y + self.height))
        return x0, y0, x1, y1


@dataclass(frozen=True)
class TrackedBox:
    """A frame's box.

    Attributes:
        mask: the frame's pixels inside the box, (H, W) bool.
        seen: False where too little of the box could be followed from the frame before: the box stands still there.
    """

    box: Box
    mask: FrameMask
    seen: bool


def parse_box(text: str) -> Box:
    """Read `x,y,w,h` in whole pixels.

    Raises:
        VividBenchError: when it is anything else, or too small.
    """
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise VividBenchError(f"--box {text}: expected x,y,w,h in whole pixels, e.g. 120,80,64,48") from error
    if width < LEAST_BOX or height < LEAST_BOX:
        raise VividBenchError(f"--box {text}: expected sides of at least {LEAST_BOX} px, found {width}x{height}")
    return Box(x, y, width, height)


def track_box(frames: Iterable[Frame], box: Box) -> Iterator[TrackedBox]:
    """Follow a box from the first frame on; only two frames are held at a time.

    The box keeps its size and moves by the median displacement of the pixels in its middle whose forward and backward
    flow agree, as in median flow (Kalal, Mikolajczyk, Matas, "Forward-Backward Error", ICPR 2010) with dense flow in
    place of points. What fills less than half of the box's middle is not followed.

    Raises:
        VividBenchError: when the box does not lie inside the first frame.
    """
    previous: Frame | None = None
    seen = True
    for frame in frames:
        if previous is None:
            _check_inside(box, *frame.shape[:2])
        else:
            box, seen = _follow(previous, frame, box)
        yield TrackedBox(box, box.mask(*frame.shape[:2]), seen)
        previous = frame


def _check_inside(box: Box, height: int, width: int) -> None:
    if box.x < 0 or box.y < 0 or box.x + box.width > width or box.y + box.height > height:
        found = f"{box.x:.0f},{box.y:.0f} to {box.x + box.width:.0f},{box.y + box.height:.0f}"
        raise VividBenchError(f"the box reaches from {found}: expected it inside the first frame, {width}x{height}")


def _follow(first: Frame, second: Frame, box: Box) -> tuple[Box, bool]:
    height, width = first.shape[:2]
    x0, y0, x1, y1 = box.corners(height, width)
    if x1 - x0 < LEAST_BOX or y1 - y0 < LEAST_BOX:
        return box, False
    # Flow is estimated in the box and as much again on each side: fast motion stays inside, large frames cost no more.
    left, top = max(0, x0 - (x1 - x0)), max(0, y0 - (y1 - y0))
    region = np.s_[top : y1 + (y1 - y0), left : x1 + (x1 - x0)]
    there, back = flow(first[region], second[region]), flow(second[region], first[region])
    # An entity seldom fills the corners of its box; what moves there is the background.
    dx, dy = round((x1 - x0) * (1 - CORE) / 2), round((y1 - y0) * (1 - CORE) / 2)
    core = np.s_[y0 + dy - top : y1 - dy - top, x0 + dx - left : x1 - dx - left]
    usable = consistency(there, back)[core]
    if usable.mean() < LEAST_CONSISTENT:
        return box, False
    moved = np.median(there[core][usable], axis=0)
    return Box(box.x + float(moved[0]), box.y + float(moved[1]), box.width, box.height), True


@dataclass(frozen=True)
class TrackReport:
    """How a box was followed through a video.

    Attributes:
        unseen: indices of the frames whose box stands still because it could not be followed.
        empty: how many frames the box lies outside of.
    """

    unseen: tuple[int, ...]
    empty: int


def track_to_file(video: Path, box: Box, out: Path) -> TrackReport:
    """Follow a box through a video and write its masks, a lossless grey `.mkv`.

    Raises:
        InputError: as `video_reader.open_video` does.
        VividBenchError: when the box does not lie inside the first frame.
    """
    unseen: list[int] = []
    empty = 0
    with open_video(video) as stream, write_stream(out, stream.fps) as write:
        for index, tracked in enumerate(track_box(stream.frames, box)):
            write(tracked.mask * np.uint8(255))
            empty += not tracked.mask.any()
            if not tracked.seen:
                unseen.append(index)
    return TrackReport(tuple(unseen), empty)
