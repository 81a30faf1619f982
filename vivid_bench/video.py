"""Video in and out: the only code that decodes, encodes and resizes.

Input is never repaired: whatever is not constant-rate 8-bit colour (or, for masks, 8-bit) raises `InputError`.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.files import atomic_path
from vivid_bench.types import Frames

VIDEO_SUFFIXES = (".mkv", ".mp4", ".mov", ".webm", ".avi")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
FOLDER_FPS = 24.0
"""Frame rate given to folders of images, which have none; no metric depends on it."""

_FFV1 = {"level": "3", "slices": "4"}
# One slice, a range coder and large contexts that all frames share: a fifth smaller for tiny clips, and slower.
_FFV1_COMPACT = {"level": "3", "slices": "1", "coder": "1", "context": "1", "g": "600"}


# A name with a colon is no protocol, and a text file that names other files is no video.
_FILES_ONLY = {"protocol_whitelist": "file", "format_whitelist": "matroska,webm,mov,mp4,avi"}
MIN_SIDE = 4
MAX_COLOUR_OF_GREY = 32
"""How far apart a mask's channels may lie, of 255: JPEG moves them a little."""


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
    if not path.exists():
        raise InputError(path, expected="a video or a folder of frames", found="nothing", fix="check the path")
    if path.is_dir():
        return _read_folder(path, grey, max_frames)
    try:
        with av.open(f"file:{path}", options=_FILES_ONLY) as container:
            return _decode(path, container, grey, max_frames)
    except PermissionError as error:
        raise InputError(path, expected="a readable file", found="no permission", fix="chmod it") from error
    except av.error.EOFError as error:
        raise InputError(path, expected="at least one frame", found="0 frames", fix="make it again") from error
    except av.error.FFmpegError as error:
        raise InputError(
            path,
            expected="a whole video",
            found=f"one that cannot be decoded ({error.strerror})",
            fix="it is truncated or no video; make it again",
        ) from error


def _decode(path: Path, container: Any, grey: bool, max_frames: int | None) -> VideoData:
    if not container.streams.video:
        raise InputError(path, expected="a video stream", found="none", fix="give a file with pictures")
    stream = container.streams.video[0]
    _check_format(path, stream.codec_context.format, grey)
    stream.thread_type = "AUTO"
    # Without it h264 conceals missing data and the clip silently holds invented pixels.
    stream.codec_context.options = {"err_detect": "explode"}
    announced = _announced_frames(container, stream)
    frames = _FrameStore(announced if max_frames is None else min(announced, max_frames))
    times: list[int] = []
    for frame in container.decode(stream):
        if frame.is_corrupt:
            raise InputError(path, expected="whole frames", found=f"frame {len(times)} damaged", fix="make it again")
        array = frame.to_ndarray(format="gray" if grey else "rgb24")
        if not frames.add(array):
            found = f"{array.shape[1]}x{array.shape[0]} at frame {len(times)}"
            raise InputError(path, expected="one frame size", found=found, fix="re-encode it at one size")
        if frame.pts is not None:
            times.append(frame.pts)
        if len(frames) == max_frames:
            break
    if not len(frames):
        raise InputError(path, expected="at least one frame", found="0 frames", fix="make it again")
    height, width = frames.array().shape[1:3]
    if min(height, width) < MIN_SIDE:
        found = f"{width}x{height}"
        raise InputError(path, expected=f"sides of at least {MIN_SIDE} px", found=found, fix="use larger frames")
    _check_constant_rate(path, times)
    if max_frames is None and len(frames) < announced - 1:
        found = f"{len(frames)} of {announced} frames"
        raise InputError(path, expected="a whole video", found=found, fix="it is truncated; make it again")
    return VideoData(frames.array(), float(stream.average_rate or FOLDER_FPS), stream.codec_context.name)


class _FrameStore:
    """Collects frames without ever holding them twice."""

    def __init__(self, expected: int) -> None:
        self._expected = max(expected, 1)
        self._buffer: NDArray[np.uint8] | None = None
        self._count = 0

    def add(self, frame: NDArray[np.uint8]) -> bool:
        if self._buffer is None:
            self._buffer = np.empty((self._expected, *frame.shape), np.uint8)
        if frame.shape != self._buffer.shape[1:]:
            return False
        if self._count == len(self._buffer):
            grown = np.empty((self._count + max(16, self._count // 4), *frame.shape), np.uint8)
            grown[: self._count] = self._buffer
            self._buffer = grown
        self._buffer[self._count] = frame
        self._count += 1
        return True

    def __len__(self) -> int:
        return self._count

    def array(self) -> NDArray[np.uint8]:
        assert self._buffer is not None
        return self._buffer[: self._count]


def _announced_frames(container: Any, stream: Any) -> int:
    if stream.frames:
        return int(stream.frames)
    seconds = _stored_seconds(container, stream)
    return round(seconds * float(stream.average_rate)) if seconds and stream.average_rate else 0


def _stored_seconds(container: Any, stream: Any) -> float | None:
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
    has_alpha = any(c.is_alpha for c in pixel_format.components) and name not in (
        "bgr0",
        "rgb0",
        "0rgb",
        "0bgr",
    )
    if has_alpha and not grey:
        raise InputError(path, expected="no alpha channel", found=name, fix="flatten it onto a background")
    if name.startswith(("gray", "mono")) and not grey:
        raise InputError(path, expected="RGB or YUV colour", found=f"grey ({name})", fix="save it in colour")


def _check_constant_rate(path: Path, times: Sequence[int]) -> None:
    steps = [b - a for a, b in pairwise(times)]
    if not steps:
        return
    usual = statistics.median(steps)
    # One tick of rounding either way is how containers with coarse clocks store a constant rate.
    odd = [i for i, step in enumerate(steps) if abs(step - usual) > max(1.01, 0.02 * usual)]
    if odd:
        found = f"{len(odd)} irregular steps, the first after frame {odd[0]}"
        raise InputError(
            path,
            expected="a constant frame rate",
            found=found,
            fix="re-encode with `ffmpeg -i IN -vf fps=24 OUT`",
        )


def _read_folder(path: Path, grey: bool, max_frames: int | None) -> VideoData:
    try:
        files = [p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != "."]
    except PermissionError as error:
        raise InputError(path, expected="a readable folder", found="no permission", fix="chmod it") from error
    if not files:
        raise InputError(path, expected="PNG or JPEG frames", found="0 frames", fix="name them 00000.png, 00001.png, …")
    files = _in_order(path, files)
    frames = _FrameStore(len(files) if max_frames is None else min(len(files), max_frames))
    for file in files[:max_frames]:
        image = _read_image(file, grey)
        if not frames.add(image):
            found = f"{image.shape[1]}x{image.shape[0]}"
            raise InputError(file, expected="the size of the frames before it", found=found, fix="use one size")
    return VideoData(frames.array(), FOLDER_FPS, files[0].suffix.lower().lstrip("."))


def _in_order(folder: Path, files: list[Path]) -> list[Path]:
    """Sort frames by the number at the end of their names: by name alone 10.png comes before 2.png."""
    numbered: dict[int, Path] = {}
    for file in sorted(files):
        match = re.search(r"(\d+)$", file.stem)
        if match is None:
            raise InputError(file, expected="a number at the end of the name", found="none", fix="name it 00000.png …")
        if (number := int(match[1])) in numbered:
            found = f"two: {numbered[number].name} and {file.name}"
            raise InputError(folder, expected=f"one frame {number}", found=found, fix="remove one")
        numbered[number] = file
    numbers = sorted(numbered)
    if numbers[-1] - numbers[0] + 1 != len(numbers):
        gap = next(a + 1 for a, b in pairwise(numbers) if b != a + 1)
        raise InputError(folder, expected="frames without gaps", found=f"no frame {gap}", fix="add it or renumber")
    return [numbered[number] for number in numbers]


def _read_image(path: Path, grey: bool) -> NDArray[np.uint8]:
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except PermissionError as error:
        raise InputError(path, expected="a readable file", found="no permission", fix="chmod it") from error
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    if image is None:
        raise InputError(path, expected="a whole image", found="a damaged one", fix="it is truncated; make it again")
    if image.dtype != np.uint8:
        raise InputError(path, expected="8 bits a channel", found=f"{image.dtype}", fix="save it with 8 bits")
    if image.ndim == 3 and image.shape[2] == 4:
        raise InputError(path, expected="no alpha channel", found="RGBA", fix="flatten it onto a background")
    if grey:
        return _grey_image(path, image)
    if image.ndim == 2:
        raise InputError(path, expected="a colour image", found="a grey one", fix="save it in colour")
    return np.asarray(image[..., ::-1], np.uint8)


def _grey_image(path: Path, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.ndim == 2:
        return image
    if int((image.max(axis=-1) - image.min(axis=-1)).max()) > MAX_COLOUR_OF_GREY:
        raise InputError(
            path, expected="a black and white mask", found="colours", fix="make white what is to be edited"
        )
    return np.asarray(image[..., 1], np.uint8)


def write_lossless(path: Path, frames: NDArray[np.uint8], fps: float, *, compact: bool = False) -> None:
    """Write FFV1 in Matroska so that `read_video` gives the same bytes back; the file appears whole or not at all.

    Args:
        path: ends in `.mkv`.
        frames: (T, H, W, 3) uint8 RGB, or (T, H, W) uint8 grey for masks.
        fps: frames a second.
        compact: smallest file instead of fastest, for clips that ship.
    """
    with atomic_path(path) as temporary:
        pixel_format = "gray" if frames.ndim == 3 else "bgr0"
        _encode(f"file:{temporary}", frames, fps, "ffv1", pixel_format, _FFV1_COMPACT if compact else _FFV1)


def write_preview(path: Path, frames: Frames, fps: float) -> None:
    """Write a browser-safe H.264 preview (yuv420p, CRF 20, even sizes by repeating the last row or column)."""
    height, width = frames.shape[1:3]
    padded = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    with atomic_path(path) as temporary:
        _encode(f"file:{temporary}", padded, fps, "libx264", "yuv420p", {"crf": "20", "preset": "fast"}, "mp4")


def codec_round_trip(frames: Frames, fps: float, crf: int) -> Frames:
    """Return the frames after H.264 (yuv420p, preset medium, no mbtree) at a CRF, decoded again; sizes are kept."""
    height, width = frames.shape[1:3]
    padded = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    file = BytesIO()
    # x264's pixels follow its number of threads; and with macroblock-tree rate control its assembler reads stale
    # memory, so that one process encodes the same small clip in several ways.
    options = {"crf": str(crf), "preset": "medium", "threads": "1", "x264-params": "mbtree=0"}
    _encode(file, padded, fps, "libx264", "yuv420p", options)
    file.seek(0)
    with av.open(file) as container:
        decoded = _decode(Path("codec_round_trip"), container, False, None).frames
    return decoded[:, :height, :width]


def _encode(
    file: str | BytesIO,
    frames: NDArray[np.uint8],
    fps: float,
    codec: str,
    pixel_format: str,
    options: dict[str, str],
    container_format: str = "matroska",
) -> None:
    # bitexact leaves random ids and library versions out, so that equal frames make equal files.
    with av.open(file, "w", format=container_format, container_options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixel_format
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        source_format = "gray" if frames.ndim == 3 else "rgb24"
        for array in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), format=source_format)
            container.mux(stream.encode(frame))
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
    """Return `folder/stem` with a video suffix, or the folder of frames of that name; None when there is neither.

    Raises `InputError` when there are several, for nothing says which one is meant.
    """
    found = set()
    for suffix in VIDEO_SUFFIXES:
        # Some file systems do not tell the two apart: one name is enough.
        names = (f"{stem}{suffix}", f"{stem}{suffix.upper()}")
        found.update([folder / name for name in names if (folder / name).is_file()][:1])
    if (folder / stem).is_dir():
        found.add(folder / stem)
    if len(found) > 1:
        listed = ", ".join(sorted(p.name for p in found))
        raise InputError(folder, expected=f"one video {stem}", found=listed, fix="remove all but one")
    return found.pop() if found else None


def decoder_versions() -> str:
    """Return the FFmpeg libraries in use, e.g. `libavcodec 62.28.102, …`; they decide the last bit of pixels."""
    names = ("libavcodec", "libavformat", "libswscale")
    return ", ".join(f"{name} {'.'.join(map(str, av.library_versions[name]))}" for name in names)


def missing_codecs() -> list[str]:
    """Return the encoders that vivid-bench needs and this PyAV lacks."""
    return [name for name in ("ffv1", "libx264") if name not in av.codecs_available]
