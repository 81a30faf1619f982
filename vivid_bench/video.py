"""Whole clips in, and video out. All that decodes, encodes or resizes is here, in `video_reader.py` and in `images.py`;
a user study's clips, which must not tell who made them, are encoded by `study/media.py`.

Input is never repaired: whatever is not constant-rate 8-bit colour (or, for masks, 8-bit) raises `InputError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.files import atomic_path
from vivid_bench.types import Frames
from vivid_bench.video_reader import VideoStream, decoded_stream, open_video

VIDEO_SUFFIXES = (".mkv", ".mp4", ".mov", ".webm", ".avi")

_SPELLINGS = {
    suffix: tuple(dict.fromkeys("".join(letters) for letters in product(*zip(suffix, suffix.upper(), strict=True))))
    for suffix in VIDEO_SUFFIXES
}

_FFV1 = {"level": "3", "slices": "4"}
# One slice, a range coder and large contexts that all frames share: a fifth smaller for tiny clips, and slower.
_FFV1_COMPACT = {"level": "3", "slices": "1", "coder": "1", "context": "1", "g": "600"}
_H264_PREVIEW = {"crf": "20", "preset": "fast"}

_PIXELS = {"libx264": "yuv420p", "libx264rgb": "rgb24"}
_H264_LOSSLESS = {"qp": "0", "preset": "ultrafast"}

Write = Callable[[NDArray[np.uint8]], None]
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class VideoData:
    """A decoded clip.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB, or (T, H, W) uint8 when read as grey.
        fps: frames a second.
        codec: as stored, e.g. `h264`; `png` or `jpg` for a folder of images.
    """

    frames: NDArray[np.uint8]
    fps: float
    codec: str


def one_ahead(read: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield what `read` gives for each item, in order, reading the next one while the last is in use."""
    with ThreadPoolExecutor(1) as pool:
        waiting: list[Future[Result]] = []
        for item in items:
            waiting.append(pool.submit(read, item))
            if len(waiting) > 1:
                yield waiting.pop(0).result()
        yield from (future.result() for future in waiting)


def read_video(path: Path, *, grey: bool = False, max_frames: int | None = None) -> VideoData:
    """Decode a video file or a folder of numbered PNG or JPEG frames.

    Args:
        path: file or folder.
        grey: read luma only, as masks are; grey input is an error otherwise.
        max_frames: stop after so many frames.

    Raises:
        InputError: missing, unreadable, truncated, empty, of variable frame rate or size, more than 8 bits, alpha,
            or grey where colour is needed.
    """
    with open_video(path, grey=grey, max_frames=max_frames) as stream:
        return VideoData(_collect(stream, max_frames), stream.fps, stream.codec)


def _collect(stream: VideoStream, max_frames: int | None) -> NDArray[np.uint8]:
    """Return all frames in one array without ever holding them twice."""
    expected = stream.announced if max_frames is None else min(stream.announced, max_frames)
    buffer: NDArray[np.uint8] | None = None
    count = 0
    for frame in stream.frames:
        if buffer is None:
            buffer = np.empty((max(expected, 1), *frame.shape), np.uint8)
        if count == len(buffer):
            grown = np.empty((count + max(16, count // 4), *frame.shape), np.uint8)
            grown[:count] = buffer
            buffer = grown
        buffer[count] = frame
        count += 1
    assert buffer is not None
    return buffer[:count]


def write_lossless(path: Path, frames: NDArray[np.uint8], fps: float, *, compact: bool = False) -> None:
    """Write FFV1 in Matroska so that `read_video` gives the same bytes back; the file appears whole or not at all.

    Args:
        path: ends in `.mkv`.
        frames: (T, H, W, 3) uint8 RGB, or (T, H, W) uint8 grey for masks.
        fps: frames a second.
        compact: smallest file instead of fastest, for clips that ship.
    """
    with atomic_path(path) as temporary:
        _encode(f"file:{temporary}", frames, fps, "ffv1", _FFV1_COMPACT if compact else _FFV1)


def write_lossless_mp4(path: Path, frames: NDArray[np.uint8], fps: float) -> None:
    """Write lossless H.264 as RGB in MP4, for programs that take nothing else; all that decode by FFmpeg read it.

    Args:
        path: ends in `.mp4`.
        frames: (T, H, W, 3) uint8 RGB, or (T, H, W) uint8 grey for masks.
        fps: frames a second.
    """
    with atomic_path(path) as temporary:
        _encode(f"file:{temporary}", frames, fps, "libx264rgb", _H264_LOSSLESS, "mp4")


def write_preview(path: Path, frames: Frames, fps: float) -> None:
    """Write a browser-safe H.264 preview (yuv420p, CRF 20, even sizes by repeating the last row or column)."""
    with atomic_path(path) as temporary:
        _encode(f"file:{temporary}", frames, fps, "libx264", _H264_PREVIEW, "mp4")


@contextmanager
def write_stream(path: Path, fps: float) -> Iterator[Write]:
    """Give a function that writes one frame after another; the file appears whole when the block ends, or not at all.

    Args:
        path: `.mkv`: as `write_lossless` does, (H, W, 3) or (H, W); `.mp4`: as `write_preview` does, (H, W, 3).
        fps: frames a second.

    Raises:
        InputError: for another suffix.
        ValueError: when no frame was written.
    """
    codecs = {".mkv": ("ffv1", _FFV1, "matroska"), ".mp4": ("libx264", _H264_PREVIEW, "mp4")}
    suffix = path.suffix.lower()
    if suffix not in codecs:
        fix = "choose one of the two"
        raise InputError(
            path, expected="a name in .mkv (lossless) or .mp4 (H.264)", found=suffix or "no suffix", fix=fix
        )
    with atomic_path(path) as temporary, _encoder(f"file:{temporary}", fps, *codecs[suffix]) as write:
        yield write


def codec_round_trip(frames: Frames, fps: float, crf: int) -> Frames:
    """Return the frames after H.264 (yuv420p, preset medium, no mbtree) at a CRF, decoded again; sizes are kept."""
    height, width = frames.shape[1:3]
    file = BytesIO()
    # x264's pixels follow its number of threads; and with macroblock-tree rate control its assembler reads stale
    # memory, so that one process encodes the same small clip in several ways.
    options = {"crf": str(crf), "preset": "medium", "threads": "1", "x264-params": "mbtree=0"}
    _encode(file, frames, fps, "libx264", options)
    file.seek(0)
    with av.open(file) as container:
        decoded = _collect(decoded_stream(Path("codec_round_trip"), container), None)
    return decoded[:, :height, :width]


def _encode(
    file: str | BytesIO,
    frames: NDArray[np.uint8],
    fps: float,
    codec: str,
    options: dict[str, str],
    container_format: str = "matroska",
) -> None:
    with _encoder(file, fps, codec, options, container_format) as write:
        for frame in frames:
            write(frame)


@contextmanager
def _encoder(
    file: str | BytesIO, fps: float, codec: str, options: dict[str, str], container_format: str
) -> Iterator[Write]:
    """Give a function that encodes frames, all of the first one's size; H.264's are padded to even sizes."""
    stream: Any = None
    # bitexact leaves random ids and library versions out, so that equal frames make equal files.
    with av.open(file, "w", format=container_format, container_options={"fflags": "+bitexact"}) as container:

        def write(frame: NDArray[np.uint8]) -> None:
            nonlocal stream
            grey = frame.ndim == 2
            if codec == "libx264":
                height, width = frame.shape[:2]
                frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            if stream is None:
                stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = _PIXELS.get(codec) or ("gray" if grey else "bgr0")
                stream.codec_context.flags |= av.codec.context.Flags.bitexact
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="gray" if grey else "rgb24")
            container.mux(stream.encode(picture))

        yield write
        if stream is None:
            raise ValueError("no frame was written")
        container.mux(stream.encode(None))


def resize(frames: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize (T, H, W, 3) or (T, H, W) uint8 frames: area averaging when shrinking, cubic when growing."""
    if frames.shape[1:3] == (height, width):
        return frames
    shrinks = height * width < frames.shape[1] * frames.shape[2]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.stack([cv2.resize(f, (width, height), interpolation=interpolation) for f in frames]).astype(np.uint8)


def check_shape(path: Path, found: tuple[int, ...], expected: tuple[int, ...], of: str) -> None:
    """Raise `InputError` when a clip's (T, H, W) differs from what it must match."""
    if found[1:3] != expected[1:3]:
        raise InputError(
            path, expected=f"{expected[2]}x{expected[1]} ({of}'s size)", found=f"{found[2]}x{found[1]}",
            fix="make it again at that size; it is not resized for you",
        )  # fmt: skip
    if found[0] != expected[0]:
        raise InputError(
            path, expected=f"{expected[0]} frames (as {of})", found=f"{found[0]}", fix="make it again, whole"
        )


def find_video(folder: Path, stem: str) -> Path | None:
    """Return `folder/stem` with a video suffix in any case, or the folder of frames of that name; None: neither.

    Raises `InputError` when there are several, for nothing says which one is meant.
    """
    # Asked for one by one: a folder of many edits would be listed once for each of them.
    found = [path for suffix in VIDEO_SUFFIXES for path in _spelt(folder, stem, suffix)]
    if (folder / stem).is_dir():
        found.append(folder / stem)
    if len(found) > 1:
        listed = ", ".join(sorted(p.name for p in found))
        raise InputError(folder, expected=f"one video {stem}", found=listed, fix="remove all but one")
    return found.pop() if found else None


def _spelt(folder: Path, stem: str, suffix: str) -> list[Path]:
    """Return the files of that suffix, in any case; where the file system does not tell cases apart, one."""
    paths = [path for spelling in _SPELLINGS[suffix] if (path := folder / f"{stem}{spelling}").is_file()]
    return [path for i, path in enumerate(paths) if not any(path.samefile(before) for before in paths[:i])]


def decoder_versions() -> str:
    """Return the FFmpeg libraries in use, e.g. `libavcodec 62.28.102, …`; they decide the last bit of pixels."""
    names = ("libavcodec", "libavformat", "libswscale")
    return ", ".join(f"{name} {'.'.join(map(str, av.library_versions[name]))}" for name in names)


def missing_codecs() -> list[str]:
    """Return the encoders that vivid-bench needs and this PyAV lacks."""
    return [name for name in ("ffv1", "libx264", "libx264rgb") if name not in av.codecs_available]
