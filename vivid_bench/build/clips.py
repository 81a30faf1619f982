"""Clips out of a user's video: shots are found, and clips are chosen inside them, while it is decoded once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vivid_bench.build.frame_rate import Shown, rate_note, unevenness
from vivid_bench.build.inputs import Input, error_text, path_text
from vivid_bench.build.quality import CLIP_LIMITS, clip_reject_reason, measure_clip
from vivid_bench.build.reading import RawVideo, open_raw
from vivid_bench.build.results import Reject
from vivid_bench.build.settings import BuildSettings
from vivid_bench.build.shots import WINDOW, ShotDetector
from vivid_bench.build.types import Clip
from vivid_bench.errors import InputError
from vivid_bench.masks import binarise
from vivid_bench.types import Mask

MID_GREY_NOTED = 0.01
"""Share of a mask's pixels; fewer that are neither near black nor near white are what lossy coding leaves at edges."""


@dataclass(frozen=True)
class CutClip:
    """A clip, and its part of the mask that the user gave with the video: (T, H, W) bool, or None."""

    clip: Clip
    mask: Mask | None


def cut_clips(entry: Input, name: str, videos: Path, settings: BuildSettings) -> Iterator[CutClip | Reject]:
    """Decode a video once and yield its clips, in order, with every stretch that was looked at and rejected.

    Clips lie end to end from the first frame of each shot, none across a cut. The video is divided into
    `clips_per_video` equal parts by its stated length, and each part gives the first clip beginning in it that passes
    the limits of `quality.py`; decoding stops with the last one. Of a video that does not state its length the first
    clips that pass are taken. Memory holds two clips at most.

    A video that is damaged, or whose mask does not fit, ends with a `Reject`; clips from before the damage are whole,
    and stay. What comes after the last clip is never read, nor is damage there noticed.

    Args:
        entry: the video, and its mask where the user gave one; see `reading.open_raw` for what is done to them.
        name: begins the clips' ids: `<name>-c0000`, … .
        videos: the folder that `Clip.video` is relative to.
        settings: `frames`, `side` and `clips_per_video` are used.
    """
    try:
        with open_raw(entry.video, side=settings.side, mask=entry.mask) as raw:
            yield from _Cutter(path_text(entry.video, videos), name, raw, settings).cut()
    except InputError as error:
        yield unreadable(entry, videos, error)


def unreadable(entry: Input, videos: Path, error: InputError) -> Reject:
    """Return the reject of a video that cannot be read."""
    detail = error_text(error, entry.video, videos)
    return Reject(stage="clips", name=path_text(entry.video, videos), reason="cannot be read", detail=detail)


@dataclass
class _Cutter:
    """One pass over a video.

    `held` are the frames from `begin` on: those of the next clip, and up to WINDOW more, for so much later is it known
    whether a frame began a new shot.
    """

    video: str
    name: str
    raw: RawVideo
    settings: BuildSettings
    held: list[Shown] = field(default_factory=list)
    begin: int = 0
    shot: int = 0
    part: int = 0
    made: int = 0
    first_shot: int = 0

    def cut(self) -> Iterator[CutClip | Reject]:
        detector = ShotDetector()
        count = 0
        for shown in self.raw.frames:
            self.held.append(shown)
            cut = detector.add(shown.picture.pixels)
            count += 1
            yield from self._advance(count - WINDOW, [] if cut is None else [cut])
            if self._is_done:
                return
        yield from self._advance(count, detector.finish())
        yield from self._end_shot(count)

    @property
    def _is_done(self) -> bool:
        return self.part == self.settings.clips_per_video

    def _advance(self, known: int, cuts: list[int]) -> Iterator[CutClip | Reject]:
        """Make what clips can be made of the frames before index `known`, `cuts` among which begin new shots."""
        for cut in cuts:
            yield from self._clips(cut)
            yield from self._end_shot(cut)
        yield from self._clips(known)

    def _clips(self, until: int) -> Iterator[CutClip | Reject]:
        length = self.settings.frames
        while until - self.begin >= length and not self._is_done:
            frames, self.held = self.held[:length], self.held[length:]
            first, self.begin = self.begin, self.begin + length
            if self._part_of(first) < self.part:
                continue
            piece = self._clip(first, frames)
            if isinstance(piece, CutClip):
                self.part = self._part_of(first) + 1
                self.made += 1
            yield piece

    def _part_of(self, first: int) -> int:
        """Return which part of the video a frame lies in, of as many as there are clips to make."""
        parts, announced = self.settings.clips_per_video, self.raw.announced
        return min(first * parts // announced, parts - 1) if announced else self.part

    def _end_shot(self, cut: int) -> Iterator[Reject]:
        """Leave the shot that ends before frame `cut`, whose last frames are too few for a clip."""
        length = cut - self.shot
        if length < self.settings.frames and not self._is_done and self._part_of(self.shot) >= self.part:
            yield self._rejected(self.shot, length, "short shot", f"{length} of {self.settings.frames} frames")
        self.held = self.held[cut - self.begin :]
        self.begin = self.shot = cut

    def _clip(self, first: int, shown: list[Shown]) -> CutClip | Reject:
        frames = np.stack([one.picture.pixels for one in shown])
        measures = measure_clip(frames)
        reason = clip_reject_reason(measures, len(frames))
        if reason is not None:
            return self._rejected(first, len(frames), reason, str(measures))
        note = rate_note(shown, self.raw.stored_fps, self.raw.fps)
        if unevenness(shown) > CLIP_LIMITS.max_uneven:
            return self._rejected(first, len(frames), "uneven frame rate", note or "")
        notes = (*self.raw.notes, *((note,) if note else ()))
        masks = [one.picture.mask for one in shown if one.picture.mask is not None]
        mask = None
        if masks:
            mask, grey = binarise(np.stack(masks))
            if not mask.any():
                return self._rejected(first, len(frames), "empty mask", "nothing of it is white")
            if grey > MID_GREY_NOTED:
                notes = (*notes, f"{100 * grey:.1f} % of the mask mid-grey, cut at half")
        clip_id = f"{self.name}-c{self.made:04d}"
        if not self.made:
            self.first_shot = self.shot
        in_first = self.shot == self.first_shot
        return CutClip(Clip(clip_id, self.video, frames, self.raw.fps, measures.keyframe, notes, in_first), mask)

    def _rejected(self, first: int, length: int, reason: str, detail: str) -> Reject:
        where = f"{self.video}, frames {first}-{first + length - 1}"
        detail = f"{detail}; from {first / self.raw.fps:.2f} s on"
        return Reject(stage="clips", name=where, reason=reason, detail=detail)
