"""Video in, one frame at a time. Whole clips, and video out, are in `video.py`.

Input is never repaired: whatever is not constant-rate 8-bit colour (or, for masks, 8-bit) raises `InputError`. What can
only be known at a file's end, a missing rest or an irregular frame rate, is raised there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.images import IMAGE_SUFFIXES, frame_files, read_image

FOLDER_FPS = 24.0
"""Frame rate given to folders of images, which have none; no metric depends on it."""

MIN_SIDE = 4

# A name with a colon is no protocol, and a text file that names other files is no video.
FILES_ONLY = {"protocol_whitelist": "file", "format_whitelist": "matroska,webm,mov,mp4,avi"}


@dataclass(frozen=True)
class VideoStream:
    """A video being read.

    Attributes:
        frames: yields (H, W, 3) uint8 RGB, or (H, W) uint8 when read as grey; once, from the first to the last.
        fps: frames a second.
        codec: as stored, e.g. `h264`; `png` or `jpg` for a folder of images.
        announced: how many frames the file says it has; 0 where it does not say.
    """

    frames: Iterator[NDArray[np.uint8]]
    fps: float
    codec: str
    announced: int


@contextmanager
def open_video(path: Path, *, grey: bool = False, max_frames: int | None = None) -> Iterator[VideoStream]:
    """Open a video file or a folder of numbered PNG or JPEG frames, to be read one frame at a time.

    Args:
        path: file or folder.
        grey: read luma only, as masks are; grey input is an error otherwise.
        max_frames: stop after so many frames.

    Raises:
        InputError: missing, unreadable, truncated, empty, of variable frame rate or size, stored turned, more than 8
            bits, alpha, or grey where colour is needed. From here or from the frames, as soon as it is known.
    """
    if not path.exists():
        raise InputError(path, expected="a video or a folder of frames", found="nothing", fix="check the path")
    if path.is_dir():
        files = frame_files(path)
        suffix = files[0].suffix.lower().lstrip(".")
        yield VideoStream(_images(files[:max_frames], grey), FOLDER_FPS, suffix, len(files))
        return
    if path.suffix.lower() in IMAGE_SUFFIXES:
        fix = "put it into a folder of its own, as 0.png, and give that"
        raise InputError(path, expected="a video or a folder of frames", found="one image", fix=fix)
    with decoding_errors_named(path):
        container = av.open(f"file:{path}", options=FILES_ONLY)
    with container:
        yield decoded_stream(path, container, grey=grey, max_frames=max_frames)


def decoded_stream(path: Path, container: Any, *, grey: bool = False, max_frames: int | None = None) -> VideoStream:
    """Return the stream of an open PyAV container; `path` names it in errors."""
    if not container.streams.video:
        raise InputError(path, expected="a video stream", found="none", fix="give a file with pictures")
    stream = container.streams.video[0]
    _check_format(path, stream.codec_context.format, grey)
    stream.thread_type = "AUTO"
    # Without it h264 conceals missing data and the clip silently holds invented pixels.
    stream.codec_context.options = {"err_detect": "explode"}
    announced = _announced_frames(container, stream)
    frames = _decode(path, container, grey, max_frames, announced)
    return VideoStream(frames, float(stream.average_rate or FOLDER_FPS), stream.codec_context.name, announced)


def _decode(
    path: Path, container: Any, grey: bool, max_frames: int | None, announced: int
) -> Iterator[NDArray[np.uint8]]:
    count, shape = 0, None
    rate = _RateCheck(path)
    with decoding_errors_named(path):
        for frame in container.decode(container.streams.video[0]):
            if frame.is_corrupt:
                raise InputError(path, expected="whole frames", found=f"frame {count} damaged", fix="make it again")
            if not count and frame.rotation:
                found = f"frames that players turn by {frame.rotation} degrees"
                raise InputError(path, expected="upright frames", found=found, fix="turn them: `ffmpeg -i IN OUT` does")
            array: NDArray[np.uint8] = frame.to_ndarray(format="gray" if grey else "rgb24")
            shape = shape or array.shape
            _check_size(path, array.shape, shape, count)
            rate.add(frame.pts)
            yield array
            count += 1
            if count == max_frames:
                break
    if not count:
        raise InputError(path, expected="at least one frame", found="0 frames", fix="make it again")
    rate.check()
    if max_frames is None and count < announced - 1:
        found = f"{count} of {announced} frames"
        raise InputError(path, expected="a whole video", found=found, fix="it is truncated; make it again")


def _images(files: list[Path], grey: bool) -> Iterator[NDArray[np.uint8]]:
    shape = None
    for file in files:
        image = read_image(file, grey=grey)
        shape = shape or image.shape
        if image.shape != shape:
            found = f"{image.shape[1]}x{image.shape[0]}"
            raise InputError(file, expected="the size of the frames before it", found=found, fix="use one size")
        yield image


@contextmanager
def decoding_errors_named(path: Path) -> Iterator[None]:
    """Turn what FFmpeg raises inside the block into an `InputError` about `path`."""
    try:
        yield
    except PermissionError as error:
        raise InputError(path, expected="a readable file", found="no permission", fix="chmod it") from error
    except av.error.EOFError as error:
        raise InputError(path, expected="at least one frame", found="0 frames", fix="make it again") from error
    except av.error.FFmpegError as error:
        raise InputError(
            path,
            expected="a whole video",
            found=f"one that cannot be decoded ({error.strerror})",
            fix="it is truncated, damaged, encrypted or no video; make it again",
        ) from error


def _check_size(path: Path, found: tuple[int, ...], first: tuple[int, ...], index: int) -> None:
    if min(found[:2]) < MIN_SIDE:
        size = f"{found[1]}x{found[0]}"
        raise InputError(path, expected=f"sides of at least {MIN_SIDE} px", found=size, fix="use larger frames")
    if found != first:
        size = f"{found[1]}x{found[0]} at frame {index}"
        raise InputError(path, expected="one frame size", found=size, fix="re-encode it at one size")


def _announced_frames(container: Any, stream: Any) -> int:
    if stream.frames:
        return int(stream.frames)
    seconds = stored_seconds(container, stream)
    return round(seconds * float(stream.average_rate)) if seconds and stream.average_rate else 0


def stored_seconds(container: Any, stream: Any) -> float | None:
    """Return the seconds of video that a file without a count of frames states; None where it states none."""
    # Matroska stores no count of frames but a duration, often as a tag of the stream …
    match = re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", stream.metadata.get("DURATION", ""))
    if match:
        hours, minutes, seconds = map(float, match.groups())
        return 3600 * hours + 60 * minutes + seconds
    # … and of the whole file, which with sound says nothing of the pictures.
    if container.duration and len(container.streams) == 1:
        return float(container.duration) / float(av.time_base)
    return None


def _check_format(path: Path, pixel_format: Any, grey: bool) -> None:
    if pixel_format is None:
        raise InputError(path, expected="a video", found="an unknown pixel format", fix="re-encode it")
    name, depth = pixel_format.name, max(c.bits for c in pixel_format.components)
    if depth > 8:
        raise InputError(path, expected="8 bits a channel", found=f"{depth} ({name})", fix="re-encode it with 8 bits")
    has_alpha = any(c.is_alpha for c in pixel_format.components) and name not in ("bgr0", "rgb0", "0rgb", "0bgr")
    if has_alpha and not grey:
        raise InputError(path, expected="no alpha channel", found=name, fix="flatten it onto a background")
    if name.startswith(("gray", "mono")) and not grey:
        raise InputError(path, expected="RGB or YUV colour", found=f"grey ({name})", fix="save it in colour")


class _RateCheck:
    """Collects the steps between time stamps: how many there are of each length, not every one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: int | None = None
        self._steps: dict[int, tuple[int, int]] = {}  # length -> (index of the first, how many)
        self._count = 0

    def add(self, time: int | None) -> None:
        if time is None:
            return
        if self._last is not None:
            first, many = self._steps.get(time - self._last, (self._count, 0))
            self._steps[time - self._last] = first, many + 1
            self._count += 1
        self._last = time

    def check(self) -> None:
        if not self._steps:
            return
        usual = self._median()
        # One tick of rounding either way is how containers with coarse clocks store a constant rate.
        odd = [self._steps[s] for s in self._steps if abs(s - usual) > max(1.01, 0.02 * usual)]
        if odd:
            found = f"{sum(many for _, many in odd)} irregular steps, the first after frame {min(odd)[0]}"
            fix = "re-encode with `ffmpeg -i IN -vf fps=24 OUT`"
            raise InputError(self._path, expected="a constant frame rate", found=found, fix=fix)

    def _median(self) -> float:
        seen, lower = 0, None
        for step in sorted(self._steps):
            seen += self._steps[step][1]
            if lower is None and 2 * seen >= self._count:
                lower = step
            if 2 * seen > self._count:
                assert lower is not None
                return (lower + step) / 2
        raise AssertionError("a median needs a step")
