"""The site's videos and pictures: previews as they are, and what the page shows beside them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vivid_bench.errors import InputError
from vivid_bench.files import atomic_path, sha256_path, sha256_text
from vivid_bench.leaderboard.rows import Row
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import EditedClip, Frames, Mask, Sample
from vivid_bench.video import read_video, resize, write_preview
from vivid_bench.video_reader import open_video

MARKED_SIDE = 288
"""Small clips are enlarged to at least so many pixels before the hole's outline is drawn."""

POSTER_SIDE = 192

_HOLE_COLOUR = np.array([255, 45, 150], np.uint8)
_TINT = 0.3


@dataclass(frozen=True)
class ClipFiles:
    """A sample's own files, as names inside the media folder.

    Attributes:
        source, reference: previews; the reference is None where there is none.
        marked: the source with its hole tinted and outlined.
        outside: white outside the hole, black inside: what the difference from the source is multiplied by.
        poster: one frame of `marked`, JPEG.
    """

    source: str
    marked: str
    outside: str
    reference: str | None
    poster: str


class MediaFolder:
    """The folder that videos and pictures are collected in; equal content is stored once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: set[str] = set()
        self._clips: dict[tuple[str, str, str | None, float], ClipFiles] = {}

    def add_clip(self, loaded: LoadedSplit, sample: Sample) -> ClipFiles:
        """Make a sample's own files; raises `InputError` where its data are not as pinned."""
        reference = sample.reference.sha256 if sample.reference else None
        key = (sample.source.sha256, sample.mask.sha256, reference, sample.fps)
        if key not in self._clips:
            arrays = loaded.read(sample)
            marked = mark_hole(arrays.source, arrays.mask)
            outside = np.repeat(np.where(arrays.mask, np.uint8(0), np.uint8(255))[..., None], 3, axis=-1)
            self._clips[key] = ClipFiles(
                source=self._video(f"source {key}", arrays.source, sample.fps),
                marked=self._video(f"marked {key}", marked, sample.fps),
                outside=self._video(f"outside {key}", outside, sample.fps),
                reference=None
                if arrays.reference is None
                else self._video(f"reference {key}", arrays.reference, sample.fps),
                poster=self._poster(f"poster {key}", marked[largest_hole(arrays.mask)]),
            )
        return self._clips[key]

    def add_edit(self, row: Row, edit: EditedClip) -> str | None:
        """Add a method's edit: its preview, or one made from the lossless edit; None where neither is at hand.

        Raises:
            InputError: the file at hand is not the edit that was scored, or a preview that cannot play in step.
        """
        folder = row.runs[0]
        preview = folder.previews_dir / f"{edit.sample_id}.mp4"
        if preview.is_file():
            _check_preview(preview, edit)
            name = f"{sha256_path(preview)[:20]}.mp4"
            if name not in self.files:
                with atomic_path(self.path / name) as temporary:
                    shutil.copyfile(preview, temporary)
                self.files.add(name)
            return name
        if edit.video is None or edit.fps is None or not (folder.path / edit.video.path).is_file():
            return None
        path = folder.path / edit.video.path
        if sha256_path(path) != edit.video.sha256:
            raise InputError(path, expected="the edit that was scored", found="another", fix="make the run again")
        return self._video(f"edit {edit.video.sha256}", read_video(path).frames, edit.fps)

    def _video(self, made_from: str, frames: Frames, fps: float) -> str:
        name = f"{sha256_text(made_from)[:20]}.mp4"
        if name not in self.files:
            write_preview(self.path / name, frames, fps)
            self.files.add(name)
        return name

    def _poster(self, made_from: str, frame: Frames) -> str:
        name = f"{sha256_text(made_from)[:20]}.jpg"
        height, width = frame.shape[:2]
        scale = POSTER_SIDE / max(height, width)
        small = resize(frame[None], max(1, round(height * scale)), max(1, round(width * scale)))[0]
        _, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
        with atomic_path(self.path / name) as temporary:
            temporary.write_bytes(data.tobytes())
        self.files.add(name)
        return name


def mark_hole(frames: Frames, mask: Mask) -> Frames:
    """Return the (T, H, W, 3) uint8 frames with the (T, H, W) bool mask tinted and outlined, small clips enlarged."""
    height, width = frames.shape[1:3]
    factor = max(1, -(-MARKED_SIDE // max(height, width)))
    large = resize(frames, height * factor, width * factor)
    grey = resize(np.where(mask, np.uint8(255), np.uint8(0)), height * factor, width * factor)
    marked = np.empty_like(large)
    for index, (frame, soft) in enumerate(zip(large, grey, strict=True)):
        hole = (soft >= 128).astype(np.uint8)
        tinted = (frame * (1 - _TINT) + _HOLE_COLOUR * _TINT).astype(np.uint8)
        picture = np.where(hole[..., None].astype(bool), tinted, frame)
        outline, _ = cv2.findContours(hole, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outline, -1, _HOLE_COLOUR.tolist(), max(2, round(max(picture.shape) / 250)))
        marked[index] = picture
    return marked


def largest_hole(mask: Mask) -> int:
    """Return the index of the frame whose mask covers most, the one nearest to the middle among equals."""
    areas = mask.sum(axis=(1, 2))
    middle = len(mask) // 2
    return min(np.flatnonzero(areas == areas.max()).tolist(), key=lambda index: abs(index - middle))


def _check_preview(path: Path, edit: EditedClip) -> None:
    with open_video(path) as stream:
        found = f"{stream.codec}, {stream.announced} frames at {stream.fps:.6g} a second"
    expected = f"h264, {edit.frames} frames at {edit.fps:.6g} a second"
    if found != expected:
        raise InputError(path, expected=expected, found=found, fix="remove it and start the same run again")
