"""The files that samples point at: videos, folders of frames, single images, label maps, and members of shards.

A path is relative to a root; `shard.tar::name` names a member of a shard (`shards.py`). Nothing is unpacked to disk.
"""

from __future__ import annotations

import hashlib
import math
import zipfile
from collections.abc import Iterable
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.files import sha256_files, sha256_path
from vivid_bench.images import IMAGE_SUFFIXES, decode_image, image_files, numbered_frames, read_image, read_labels
from vivid_bench.masks import binarise
from vivid_bench.shards import MAX_MEMBER_BYTES, MEMBER, read_member
from vivid_bench.types import Mask, Span
from vivid_bench.video import VideoData, read_video
from vivid_bench.video_reader import FILES_ONLY, FOLDER_FPS, VideoStream, decoded_stream, open_video

ARRAY_SUFFIX = ".npz"
VOID = 255
_UNNAMED = "arr_0.npy"
DOWNLOAD = "download the set again, whole"
_IMAGES = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpg"))


def content_sha256(root: Path, path: str) -> str:
    """Return the hash of a file's content, of a shard's member, or of a folder's images (see `files.sha256_files`).

    What systems add to a folder unasked, `Thumbs.db` and the like, makes no other clip of it.

    Raises:
        InputError: a member, or its shard, that is not there; a folder that cannot be read.
    """
    if MEMBER in path:
        return hashlib.sha256(read_member(root, path)).hexdigest()
    place = root / path
    if not place.is_dir():
        return sha256_path(place)
    return sha256_files(place, (file for file in image_files(place) if file.is_file()))


def check_inside(root: Path, path: str) -> None:
    """Raise `InputError` for a path whose file lies outside its root, by its name or through links."""
    file = root / path.partition(MEMBER)[0]
    if not file.resolve().is_relative_to(root.resolve()):
        fix = "copy or mount what a link points at, or give the folder that holds it all"
        raise InputError(file, expected=f"a path inside {root}", found="one outside", fix=fix)


def read_clip(root: Path, path: str, span: Span | None = None, count: int | None = None) -> VideoData:
    """Decode a clip's pictures.

    Args:
        span, count: which frames, and how many of them; None: all. One image is a clip of one frame.

    Returns:
        (T, H, W, 3) uint8 RGB, its rate and codec.

    Raises:
        InputError: as `video.read_video` and `images.read_image` do, or when the files end before the clip does.
    """
    return _read(root, path, span, count, grey=False)


def read_mask(
    root: Path, path: str, span: Span | None = None, count: int | None = None, labels: tuple[int, ...] | None = None
) -> tuple[Mask, float]:
    """Decode a clip's mask.

    Args:
        span, count: as for `read_clip`.
        labels: those that are True, of a file that holds labels (palette or grey PNG, `.npz`); none of them (`()`): all
            but 0, the background, and 255, which data sets leave void. None: white is True.

    Returns:
        (T, H, W) bool, and the share of mid-grey pixels as `masks.binarise` counts it (0 with labels).

    Raises:
        InputError: as `read_clip` does.
    """
    if labels is None and Path(path).suffix.lower() != ARRAY_SUFFIX:
        return binarise(_read(root, path, span, count, grey=True).frames)
    found = _label_maps(root / path, span, count)
    if labels is None:
        return found > 0, 0.0
    return np.isin(found, labels) if labels else (found != 0) & (found != VOID), 0.0


def _read(root: Path, path: str, span: Span | None, count: int | None, *, grey: bool) -> VideoData:
    place = root / path
    if MEMBER in path:
        return _read_member(place, read_member(root, path), span, count, grey=grey)
    if place.suffix.lower() in IMAGE_SUFFIXES and not place.is_dir():
        return VideoData(read_image(place, grey=grey)[None], FOLDER_FPS, place.suffix.lower().lstrip("."))
    if place.is_dir() and span is not None:
        files = _spanned_files(place, span, count)
        images = _stacked(files, (read_image(file, grey=grey) for file in files))
        return VideoData(images, FOLDER_FPS, files[0].suffix.lower().lstrip("."))
    if span is None and count is None:
        return read_video(place, grey=grey)
    with open_video(place, grey=grey, max_frames=_end(span, count)) as stream:
        return _collected(place, stream, span, count)


def _read_member(place: Path, content: bytes, span: Span | None, count: int | None, *, grey: bool) -> VideoData:
    # A cell of a parquet file has no suffix: what it holds tells what it is.
    for magic, codec in _IMAGES:
        if content.startswith(magic):
            return VideoData(decode_image(place, content, grey=grey)[None], FOLDER_FPS, codec)
    try:
        container = av.open(BytesIO(content), options=FILES_ONLY)
    except av.error.FFmpegError as error:
        expected = "a video, a PNG or a JPEG"
        raise InputError(place, expected=expected, found=str(error.strerror), fix=DOWNLOAD) from error
    with container:
        stream = decoded_stream(place, container, grey=grey, max_frames=_end(span, count))
        return _collected(place, stream, span, count)


def _end(span: Span | None, count: int | None) -> int | None:
    if count is None:
        return None
    return count if span is None else span.first + (count - 1) * span.step + 1


def _collected(place: Path, stream: VideoStream, span: Span | None, count: int | None) -> VideoData:
    first, step = (span.first, span.step) if span else (0, 1)
    frames = list(islice(stream.frames, first, None, step))
    _check_count(place, len(frames), count)
    return VideoData(np.stack(frames), stream.fps, stream.codec)


def _label_maps(place: Path, span: Span | None, count: int | None) -> NDArray[Any]:
    if place.suffix.lower() == ARRAY_SUFFIX:
        return _array(place, span, count)
    if place.is_dir():
        files = _spanned_files(place, span, count)
        return _stacked(files, (read_labels(file) for file in files))
    return read_labels(place)[None]


def _stacked(files: list[Path], images: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return the images of files as one array; raises `InputError` where their sizes differ."""
    stacked: list[NDArray[np.uint8]] = []
    for file, image in zip(files, images, strict=True):
        if stacked and image.shape != stacked[0].shape:
            found = f"{image.shape[1]}x{image.shape[0]}"
            raise InputError(file, expected="the size of the frames before it", found=found, fix="use one size")
        stacked.append(image)
    return np.stack(stacked)


def _array(place: Path, span: Span | None, count: int | None) -> NDArray[Any]:
    """Return the (T, H, W) labels of an `.npz`; of an array longer than the clip no more than that is kept.

    It holds one array, or one without a name beside others, which VPBench's makers read (TencentARC/VideoPainter,
    evaluate/dataset.py).
    """
    try:
        with zipfile.ZipFile(place) as archive:
            names = archive.namelist()
            names = [_UNNAMED] if _UNNAMED in names else names
            if len(names) != 1:
                raise ValueError(f"{len(names)} arrays")
            with archive.open(names[0]) as file:
                maps = _frames_of_array(file, span, count)
    except FileNotFoundError as error:
        raise InputError(place, expected="a file of label maps", found="nothing", fix=DOWNLOAD) from error
    except Exception as error:  # whatever a damaged zip or a header made up makes zipfile and numpy raise
        expected = "one array (frames, height, width) of labels"
        raise InputError(place, expected=expected, found=str(error), fix=DOWNLOAD) from error
    _check_count(place, len(maps), count)
    return np.stack(maps)


def _frames_of_array(file: IO[bytes], span: Span | None, count: int | None) -> list[NDArray[Any]]:
    """Return a clip's frames of an open `.npy`; raises `ValueError` where it holds no labels or is cut off."""
    numpy = np.lib.format
    is_first = numpy.read_magic(file) == (1, 0)
    shape, by_columns, dtype = numpy.read_array_header_1_0(file) if is_first else numpy.read_array_header_2_0(file)
    if len(shape) != 3 or dtype.kind not in "biu" or math.prod(shape[1:]) > MAX_MEMBER_BYTES:
        raise ValueError(f"{dtype} of shape {shape}")
    wanted = range(span.first if span else 0, shape[0], span.step if span else 1)[:count]
    if by_columns:  # a frame's pixels lie apart
        whole = np.frombuffer(file.read(), dtype).reshape(shape, order="F")
        return [whole[number] for number in wanted]
    found, size = [], math.prod(shape[1:]) * dtype.itemsize
    for number in range(shape[0]):
        content = file.read(size)
        if number in wanted:
            found.append(np.frombuffer(content, dtype).reshape(shape[1:]))
    if file.read(1):  # at its end the zip's checksum is looked at
        raise ValueError(f"more than an array of shape {shape}")
    return found


def _spanned_files(folder: Path, span: Span | None, count: int | None) -> list[Path]:
    numbered = numbered_frames(folder)
    if span is None:
        files = [numbered[number] for number in sorted(numbered)][:count]
        _check_count(folder, len(files), count)
        return files
    last = max(numbered)
    numbers = range(span.first, last + 1 if count is None else span.first + count * span.step, span.step)
    if missing := [number for number in numbers if number not in numbered]:
        found = f"no frame {missing[0]}" + (f" ({len(missing)} missing)" if len(missing) > 1 else "")
        raise InputError(folder, expected=f"{len(numbers)} frames", found=found, fix=DOWNLOAD)
    return [numbered[number] for number in numbers]


def _check_count(place: Path, found: int, expected: int | None) -> None:
    if not found or (expected is not None and found < expected):
        wanted = "at least one frame" if expected is None else f"{expected} frames of the clip"
        raise InputError(place, expected=wanted, found=f"{found}", fix=DOWNLOAD)
