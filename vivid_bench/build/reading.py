"""Raw video in, whatever people have: one frame at a time, upright 8-bit RGB of one size, at a constant rate.

The benchmark's own reader (`video_reader.py`) refuses what is odd; this one makes it even and says in words
what it did. What cannot be made even without inventing pixels is refused here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.frame_rate import Picture, Shown, constant_rate
from vivid_bench.build.layout import Layout
from vivid_bench.build.raw_images import read_raw_image
from vivid_bench.errors import InputError
from vivid_bench.images import IMAGE_SUFFIXES, frame_files, read_image
from vivid_bench.video_reader import FOLDER_FPS, decoding_errors_named, stored_seconds

# A name with a colon is no protocol, and a text file that names other files is no video.
_FILES_ONLY = {
    "protocol_whitelist": "file",
    "format_whitelist": "matroska,webm,mov,mp4,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg",
}

_RATE_FRAMES = 600
_PAUSE = 5  # times the usual step from one frame to the next
_SPOILT = 1.25  # by so much an average differs from what is usual only where something is wrong with it

_HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics of ITU-T H.273

_Stamped = tuple[NDArray[np.uint8], float]  # pixels, and seconds


@dataclass(frozen=True)
class RawVideo:
    """A video being read.

    Attributes:
        frames: yields them once, from the first to the last; their pixels are (H, W, 3) uint8 RGB.
        fps: the constant rate that they come at.
        stored_fps: the file's average rate.
        announced: how many frames there will be, by what the file says of its length; 0 where it says nothing.
        notes: what was done to every frame, in words, e.g. `10 -> 8 bits`; see `frame_rate.rate_note` for
            what the rate did.
    """

    frames: Iterator[Shown]
    fps: float
    stored_fps: float
    announced: int
    notes: tuple[str, ...]


@contextmanager
def open_raw(path: Path, *, side: int = 480, fps: float | None = None, mask: Path | None = None) -> Iterator[RawVideo]:
    """Open any video, or a folder of numbered PNG or JPEG frames, to be read one frame at a time.

    More than 8 bits become 8 and grey becomes RGB; rotation and non-square pixels are applied; larger frames shrink, by
    area averaging, until their shorter side is `side`; both sides become even; uneven frame rates become constant.

    Args:
        side: pixels of the shorter side; smaller videos are not enlarged.
        fps: the rate to give; None: the file's average, and 24 for folders.
        mask: a video or folder with a frame for each of the video's, or one image for all; white = the entity. It goes
            through the same steps, sizes by nearest neighbour.

    Raises:
        InputError: missing, no video, no frames, sound only, cut off, damaged, encrypted, alpha, frames of several
            sizes, or a mask that differs in size or length. From here or from the frames, as soon as it is known. Not
            noticed: a missing end where the file states no length (MPEG-TS), and changed bits that still decode.
    """
    with ExitStack() as stack:
        source = stack.enter_context(_open(path, side, grey=False))
        if mask is None:
            pictures: Iterator[Picture] = (Picture(pixels, time) for pixels, time in source.frames)
        else:
            pictures = _masked(source, stack.enter_context(_open(mask, None, grey=True)), mask)
        rate = fps or source.fps
        frames = constant_rate(path, pictures, source.fps, rate)
        yield RawVideo(frames, rate, source.fps, round(source.seconds * rate), source.notes)


@dataclass(frozen=True)
class _Stored:
    """Frames as they come: upright and of one size, at any times; a still image has one, and no length."""

    frames: Iterator[_Stamped]
    layout: Layout
    fps: float
    seconds: float
    notes: tuple[str, ...]
    is_still: bool = False


@contextmanager
def _open(path: Path, side: int | None, *, grey: bool) -> Iterator[_Stored]:
    if not path.exists():
        raise InputError(path, expected="a video or a folder of frames", found="nothing", fix="check the path")
    is_still = grey and path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
    if path.is_dir() or is_still:
        yield _images(path, [path] if is_still else frame_files(path), side, grey)
        return
    if path.stat().st_size == 0:
        raise InputError(path, expected="a video", found="a file of zero bytes", fix="make it again")
    with decoding_errors_named(path):
        container = av.open(f"file:{path}", options=_FILES_ONLY, metadata_errors="replace")
    with container:
        yield _stored(path, container, side, grey)


def _stored(path: Path, container: Any, side: int | None, grey: bool) -> _Stored:
    # A cover picture of a sound file is a video stream too.
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        found = "sound only" if container.streams.audio else "none"
        raise InputError(path, expected="a video stream", found=found, fix="give a file with pictures")
    stream = streams[0]
    if stream.codec_context is None or stream.codec_context.format is None:
        # Encrypted pictures may look so, or be found out only by their packets.
        with decoding_errors_named(path):
            _refuse_encrypted(path, next(container.demux(stream)))
        raise InputError(path, expected="a codec and pixels that FFmpeg knows", found="others", fix="re-encode it")
    if not grey:
        _refuse_alpha(path, stream)
    stream.thread_type = "AUTO"
    # Without it h264 conceals missing data and the clip silently holds invented pixels.
    stream.codec_context.options = {"err_detect": "explode"}
    decoded = _decode(path, container, stream)
    first = next(decoded)
    layout = Layout.of_frame(path, first, stream.sample_aspect_ratio, side)
    # AVI has frames at a constant rate and no time stamps: those that FFmpeg makes up are wrong where H.264 reorders.
    has_clock = container.format.name != "avi"
    average = float(stream.average_rate or 0)
    fps = _usual_rate(path, stream.index, average) if has_clock else average or FOLDER_FPS
    seconds = _stated_seconds(container, stream) or (container.duration or 0) / av.time_base
    frames = _upright(path, chain([first], decoded), layout, fps, has_clock, grey)
    return _Stored(frames, layout, fps, seconds, (*_pixel_notes(first), *layout.notes))


def _usual_rate(path: Path, index: int, average: float) -> float:
    """Return a file's average rate; that of its first frames without pauses where it is not stated, or far from it.

    A pause spoils the average, and browsers' recordings state their clock's thousandths instead.
    """
    times = []
    with decoding_errors_named(path), av.open(f"file:{path}", options=_FILES_ONLY, metadata_errors="replace") as again:
        for packet in again.demux(again.streams[index]):
            if packet.pts is not None:
                times.append(float(packet.pts * packet.time_base))
            if len(times) == _RATE_FRAMES:
                break
    steps = np.diff(np.sort(times))
    steps = steps[steps > 0]
    if not len(steps):
        return average or FOLDER_FPS
    step = float(np.median(steps))
    usual = 1 / float(steps[steps < _PAUSE * step].mean())
    return average if any(rate / _SPOILT <= average <= rate * _SPOILT for rate in (usual, 1 / step)) else usual


def _refuse_alpha(path: Path, stream: Any) -> None:
    pixel_format = stream.codec_context.format
    # VP8 and VP9 keep theirs in a second picture that only a tag tells of.
    tagged = {key.lower(): value for key, value in stream.metadata.items()}.get("alpha_mode") == "1"
    if tagged or any(c.is_alpha for c in pixel_format.components):
        found = "alpha_mode 1" if tagged else pixel_format.name
        fix = "flatten it onto a background"
        raise InputError(path, expected="no alpha channel", found=f"one ({found})", fix=fix)


def _refuse_encrypted(path: Path, packet: Any) -> None:
    # What they decode to, or fail with, is chance.
    if packet.has_sidedata("encryption_info"):
        raise InputError(path, expected="pictures that can be read", found="encrypted ones", fix="decrypt it first")


def _decode(path: Path, container: Any, stream: Any) -> Iterator[Any]:
    """Yield PyAV's frames; a file without any, or that ends before it should, raises."""
    count, begin, end = 0, None, 0.0
    fix = "it is cut off or damaged; make it again"
    with decoding_errors_named(path):
        for packet in container.demux(stream):
            _refuse_encrypted(path, packet)
            if packet.is_corrupt:  # the decoder would show its neighbours' pixels in its place
                raise InputError(path, expected="whole frames", found=f"damage at frame {count}", fix=fix)
            if packet.pts is not None:
                time = float(packet.pts * packet.time_base)
                begin = time if begin is None else min(begin, time)
                end = max(end, time + float((packet.duration or 0) * packet.time_base))
            for frame in packet.decode():
                if frame.is_corrupt:
                    raise InputError(path, expected="whole frames", found=f"damage at frame {count}", fix=fix)
                yield frame
                count += 1
    if not count:
        raise InputError(path, expected="at least one frame", found="0 frames", fix="make it again")
    stated, found = _stated_seconds(container, stream), end - (begin or 0.0)
    # A stream's length is stated in coarse units, and its last frame's is not always known.
    if stated and begin is not None and found < 0.98 * stated - 1.5 / float(stream.average_rate or FOLDER_FPS):
        raise InputError(path, expected=f"{stated:.1f} s of video, as it says", found=f"{found:.1f} s", fix=fix)


def _stated_seconds(container: Any, stream: Any) -> float | None:
    if container.format.name == "asf":  # gives the file's length, sound and all, as the stream's
        return None
    return float(stream.duration * stream.time_base) if stream.duration else stored_seconds(container, stream)


def _upright(
    path: Path, frames: Iterator[Any], layout: Layout, fps: float, has_clock: bool, grey: bool
) -> Iterator[_Stamped]:
    time = 0.0
    for index, frame in enumerate(frames):
        layout.check(path, (frame.height, frame.width), index)
        if frame.time is not None and has_clock:
            time = frame.time
        elif index:
            time += 1 / fps
        yield layout.pixels(frame, grey), time


def _images(path: Path, files: list[Path], side: int | None, grey: bool) -> _Stored:
    first, notes = _image(files[0], grey)
    layout = Layout.of_image(path, first.shape[0], first.shape[1], side)

    def read() -> Iterator[_Stamped]:
        for index, file in enumerate(files):
            image = first if index == 0 else _image(file, grey)[0]
            layout.check(file, (image.shape[0], image.shape[1]), index)
            yield layout.resized(image), index / FOLDER_FPS

    seconds = len(files) / FOLDER_FPS
    return _Stored(read(), layout, FOLDER_FPS, seconds, (*notes, *layout.notes), is_still=path.is_file())


def _image(file: Path, grey: bool) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    return (read_image(file, grey=True), ()) if grey else read_raw_image(file)


def _masked(source: _Stored, masks: _Stored, path: Path) -> Iterator[Picture]:
    """Pair each frame with its mask before any is dropped: masks are made frame by frame, whatever their clock says."""
    if masks.layout.upright != source.layout.upright:
        (height, width), (h, w) = source.layout.upright, masks.layout.upright
        fix = "make it again at that size"
        raise InputError(path, expected=f"{width}x{height} (the video's size)", found=f"{w}x{h}", fix=fix)
    mask: NDArray[np.uint8] | None = None
    count = 0
    for count, (pixels, time) in enumerate(source.frames):
        if mask is None or not masks.is_still:
            stored, _ = next(masks.frames, (None, 0.0))
            if stored is None:
                raise InputError(path, expected="a mask for each frame", found=f"{count}", fix="make it again, whole")
            mask = source.layout.like(stored)
        yield Picture(pixels, time, mask)
    if not masks.is_still and next(masks.frames, None) is not None:
        found = f"more than the video's {count + 1} frames"
        raise InputError(path, expected="a mask for each frame", found=found, fix="make it again")


def _pixel_notes(frame: Any) -> list[str]:
    notes = []
    depth = max(component.bits for component in frame.format.components)
    if depth > 8:
        notes.append(f"{depth} -> 8 bits")
    if frame.color_trc in _HDR:
        notes.append(f"HDR ({_HDR[frame.color_trc]}) read without tone mapping")
    if frame.format.name.startswith(("gray", "mono")):
        notes.append("grey -> RGB")
    if frame.interlaced_frame:
        notes.append("interlaced fields kept together")
    return notes
