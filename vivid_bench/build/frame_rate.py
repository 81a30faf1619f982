"""Frames at a constant rate out of frames at any times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError

ON_TIME = 0.25
"""Share of a frame's duration by which it may come late and still counts as on time: containers round their clocks."""

LONGEST_STEP = 600.0
"""Seconds; a longer step between two frames is a clock that was set, not a picture that was shown."""

_ROUNDING = 0.0011  # seconds; Matroska and FLV count milliseconds


@dataclass(frozen=True)
class Picture:
    """A decoded frame.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        time: seconds.
        mask: (H, W) uint8, white = the entity, where the user gives one.
    """

    pixels: NDArray[np.uint8]
    time: float
    mask: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Shown:
    """A frame of the constant rate.

    Attributes:
        lag: seconds since its picture began.
        is_repeated: whether the frame before it shows the same picture.
        skipped: pictures between it and the frame before that are not shown at all.
    """

    picture: Picture
    lag: float
    is_repeated: bool = False
    skipped: int = 0


def constant_rate(path: Path, pictures: Iterable[Picture], stored_fps: float, fps: float) -> Iterator[Shown]:
    """Show at each moment n / fps after the first picture the last picture that had begun by then.

    Args:
        path: named in errors.
        pictures: in the order in which they are shown.
        stored_fps: the file's average rate, by which the last picture's duration is known.
        fps: the rate to give.

    Raises:
        InputError: time stamps that go back by more than a frame, or on by more than LONGEST_STEP.
    """
    pictures = iter(pictures)
    first = next(pictures, None)
    if first is None:
        return
    count, start, last, held = 0, first.time, first.time, Shown(first, 0.0)

    def moments(until: float) -> Iterator[Shown]:
        nonlocal count, held
        while start + (count + ON_TIME) / fps < until:
            yield replace(held, lag=start + count / fps - held.picture.time)
            held = replace(held, is_repeated=True, skipped=0)
            count += 1

    for index, picture in enumerate(pictures, start=1):
        _check_step(path, picture.time - last, index, 1 / stored_fps)
        last = max(last, picture.time)
        yield from moments(picture.time)
        held = Shown(picture, 0.0, skipped=0 if held.is_repeated else held.skipped + 1)
    yield from moments(last + 1 / stored_fps)


def unevenness(frames: Sequence[Shown]) -> float:
    """Return how many of a clip's frames are repeats or stand for one left out, as a share of them."""
    changed = sum(frame.is_repeated + frame.skipped for frame in frames[1:])
    return changed / len(frames)


def rate_note(frames: Sequence[Shown], stored_fps: float, fps: float) -> str | None:
    """Say what the constant rate did to a clip's frames; None where it took them as they were."""
    repeated = sum(frame.is_repeated for frame in frames[1:])
    skipped = sum(frame.skipped for frame in frames[1:])
    lags = [frame.lag for frame in frames if not frame.is_repeated]
    moved = max(lags, default=0.0) - min(lags, default=0.0)
    changed = abs(fps - stored_fps) > 1e-3 * fps
    if not (changed or repeated or skipped) and moved <= max(_ROUNDING, 0.02 / fps):
        return None
    what = f"{stored_fps:.5g} -> {fps:.5g} fps" if changed else f"uneven frame rate -> {fps:.5g} fps"
    return f"{what} (repeated {repeated}, left out {skipped}, the others moved by up to {1000 * moved:.0f} ms)"


def _check_step(path: Path, step: float, index: int, frame: float) -> None:
    if -frame <= step <= LONGEST_STEP:
        return
    found = f"a jump of {step:.1f} s before frame {index}"
    raise InputError(path, expected="time stamps that go on", found=found, fix="re-encode it: `ffmpeg -i IN OUT`")
