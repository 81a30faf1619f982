"""The files that samples point at: videos, folders of frames, single images, label maps, and members of shards.

A path is relative to a root; `shard.tar::name` names a member of a shard (`shards.py`). Nothing is unpacked to disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.files import sha256_path
from vivid_bench.images import IMAGE_SUFFIXES, decode_image, numbered_frames, read_image, read_labels
from vivid_bench.masks import binarise
from vivid_bench.shards import MEMBER, read_member
from vivid_bench.types import Mask, Span
from vivid_bench.video import VideoData, read_video
from vivid_bench.video_reader import FILES_ONLY, FOLDER_FPS, VideoStream, decoded_stream, open_video

ARRAY_SUFFIX = ".npz"
DOWNLOAD = "download the set again, whole"


def content_sha256(root: Path, path: str) -> str:
    """Return the hash of a file's content, of a folder's (see `files.sha256_path`), or of a shard's member.

    Raises:
        InputError: a member, or its shard, that is not there.
    """
    if MEMBER in path:
        return hashlib.sha256(read_member(root, path)).hexdigest()
    return sha256_path(root / path)


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
        labels: those that are True, of a file that holds labels (palette or grey PNG, `.npz`); None: white is True.

    Returns:
        (T, H, W) bool, and the share of mid-grey pixels as `masks.binarise` counts it (0 with labels).

    Raises:
        InputError: as `read_clip` does.
    """
    if labels is None and not path.endswith(ARRAY_SUFFIX):
        return binarise(_read(root, path, span, count, grey=True).frames)
    found = _label_maps(root / path, span, count)
    return np.isin(found, labels) if labels is not None else found > 0, 0.0


def _read(root: Path, path: str, span: Span | None, count: int | None, *, grey: bool) -> VideoData:
    place = root / path
    if Path(path).suffix.lower() in IMAGE_SUFFIXES and not place.is_dir():
        image = (
            decode_image(place, read_member(root, path), grey=grey) if MEMBER in path else read_image(place, grey=grey)
        )
        return VideoData(image[None], FOLDER_FPS, place.suffix.lower().lstrip("."))
    if place.is_dir() and span is not None:
        files = _spanned_files(place, span, count)
        images = np.stack([read_image(file, grey=grey) for file in files])
        return VideoData(images, FOLDER_FPS, files[0].suffix.lower().lstrip("."))
    if span is None and MEMBER not in path:
        return read_video(place, grey=grey)
    first, step = (span.first, span.step) if span else (0, 1)
    end = None if count is None else first + (count - 1) * step + 1
    with _opened(root, path, grey, end) as stream:
        frames = list(islice(stream.frames, first, end, step))
    _check_count(place, len(frames), count)
    return VideoData(np.stack(frames), stream.fps, stream.codec)


@contextmanager
def _opened(root: Path, path: str, grey: bool, end: int | None) -> Iterator[VideoStream]:
    if MEMBER not in path:
        with open_video(root / path, grey=grey, max_frames=end) as stream:
            yield stream
        return
    try:
        container = av.open(BytesIO(read_member(root, path)), options=FILES_ONLY)
    except av.error.FFmpegError as error:
        raise InputError(root / path, expected="a video", found=str(error.strerror), fix=DOWNLOAD) from error
    with container:
        yield decoded_stream(root / path, container, grey=grey, max_frames=end)


def _label_maps(place: Path, span: Span | None, count: int | None) -> NDArray[np.uint8]:
    if place.suffix == ARRAY_SUFFIX:
        return _array(place, span, count)
    if place.is_dir():
        return np.stack([read_labels(file) for file in _spanned_files(place, span, count)])
    return read_labels(place)[None]


def _array(place: Path, span: Span | None, count: int | None) -> NDArray[np.uint8]:
    """Return the (T, H, W) labels of an `.npz` with one array."""
    try:
        with np.load(place, allow_pickle=False) as arrays:
            names = arrays.files
            found = arrays[names[0]] if len(names) == 1 else None
    except FileNotFoundError as error:
        raise InputError(place, expected="a file of label maps", found="nothing", fix=DOWNLOAD) from error
    except Exception as error:  # whatever a damaged zip makes numpy raise
        raise InputError(place, expected="one array of labels", found=str(error), fix=DOWNLOAD) from error
    if found is None or found.ndim != 3 or found.dtype.kind not in "biu":
        what = f"{len(names)} arrays" if found is None else f"{found.dtype} of shape {found.shape}"
        raise InputError(place, expected="one array (frames, height, width) of labels", found=what, fix=DOWNLOAD)
    first, step = (span.first, span.step) if span else (0, 1)
    maps = found[first::step][:count]
    _check_count(place, len(maps), count)
    return np.asarray(maps)


def _spanned_files(folder: Path, span: Span | None, count: int | None) -> list[Path]:
    numbered = numbered_frames(folder)
    if span is None:
        return [numbered[number] for number in sorted(numbered)]
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
