"""What is done with one of the user's videos: it is decoded once, and the stages work on each clip meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vivid_bench.build.clips import CutClip, cut_clips, unreadable
from vivid_bench.build.entity_stages import find_entities
from vivid_bench.build.inputs import Input, path_text
from vivid_bench.build.parts import Parts
from vivid_bench.build.paste_stage import delete_samples
from vivid_bench.build.pool import Stamp, stamps_of
from vivid_bench.build.results import BuiltSample, ClipResult, Reject
from vivid_bench.build.samples import entity_samples, source_path
from vivid_bench.build.suite_writer import place
from vivid_bench.build.timing import Timing
from vivid_bench.build.types import Clip
from vivid_bench.build.work import STAGES, Work, key_of
from vivid_bench.errors import InputError
from vivid_bench.files import sha256_path
from vivid_bench.types import Mask, Task
from vivid_bench.video import read_video, write_lossless

VERSION = 3
"""Raised whenever what clips or samples are made of their inputs can change."""


@dataclass
class InputResult:
    """What one video gave.

    Attributes:
        hashes: of its files.
        stamps: of its entities, for the pool.
    """

    clips: list[ClipResult] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    stamps: list[Stamp] = field(default_factory=list)
    timing: Timing = field(default_factory=Timing)


@dataclass(frozen=True)
class Place:
    """Where one video's part of a build goes on.

    Attributes:
        name: of the video within the build.
        videos: the folder that it lies in.
    """

    entry: Input
    name: str
    videos: Path
    out: Path

    @property
    def work(self) -> Work:
        """The build's intermediate results."""
        return Work(self.out)

    def hashes(self) -> dict[str, str]:
        """Return the sha256 of the user's files, by their paths below `videos`.

        Raises:
            InputError: one that cannot be read.
        """
        hashes = {}
        for path in filter(None, (self.entry.video, self.entry.mask)):
            try:
                hashes[path_text(path, self.videos)] = sha256_path(path)
            except OSError as error:
                fix = "chmod it, or remove the link if it is one"
                raise InputError(path, expected="a readable file", found=str(error.strerror), fix=fix) from error
        return hashes


def build_entities(at: Place, parts: Parts, until: str) -> InputResult:
    """Take one video through all stages up to `until`, but for its delete samples."""
    try:
        result = InputResult(hashes=at.hashes())
    except InputError as error:
        return InputResult(rejects=[unreadable(at.entry, at.videos, error)])
    key = _clips_key(result.hashes, parts)
    tasks: list[Task] = [task for task in parts.settings.tasks if task != "delete"]
    for clip, given in _clips(at, key, parts, result):
        if until == STAGES[0]:
            continue
        text = _text(at, clip, given)
        found = find_entities(clip, given, text, parts, at.work, key, result.timing, until)
        result.stamps += [stamp for one in found.entities for stamp in stamps_of(one.track.masks, clip.video)]
        if until != STAGES[-1]:
            continue
        made = _samples(at, clip, "entities", key_of(found.key, tasks), parts, result.timing,
                        entity_samples(clip, found.entities, tasks, parts.settings, at.out))  # fmt: skip
        if not found.entities:
            none = Reject(stage="entities", name=clip.id, reason="no entity", detail=found.problem)
            made = made.model_copy(update={"rejects": (none,)})
        result.clips.append(made)
    return result


def build_deletes(at: Place, parts: Parts, pool: Sequence[Stamp], pool_key: str) -> InputResult:
    """Make one video's delete samples, after every video's entities were found."""
    result = InputResult()
    try:
        key = _clips_key(at.hashes(), parts)
    except InputError:  # counted with its entities
        return result
    for clip, given in _clips(at, key, parts, InputResult()):
        found = find_entities(clip, given, _text(at, clip, given), parts, at.work, key, result.timing)
        made_key = key_of(found.key, pool_key, parts.settings.motion, parts.weights.get("motion"))
        pieces = delete_samples(clip, found.entities, pool, parts, at.out)
        made = _samples(at, clip, "delete", made_key, parts, result.timing, pieces)
        result.clips.append(made)
    return result


def _text(at: Place, clip: Clip, given: Mask | None) -> str | None:
    """Return the user's caption; none for what is found after a cut, which may be anything."""
    return at.entry.caption if given is not None or clip.in_first_shot else None


def _clips_key(hashes: dict[str, str], parts: Parts) -> str:
    settings = parts.settings
    return key_of("clips", VERSION, hashes, settings.frames, settings.side, settings.clips_per_video)


def _clips(at: Place, key: str, parts: Parts, result: InputResult) -> Iterator[tuple[Clip, Mask | None]]:
    """Yield a video's clips, from disk where it was cut before; rejects are added to the result."""
    stored = at.work.read("clips", at.name, key)
    if stored is None:
        yield from _cut(at, key, parts, result)
        return
    result.rejects += [Reject(**reject) for reject in stored["rejects"]]
    for facts in stored["clips"]:
        frames = read_video(_source(at, facts["id"])).frames
        clip = Clip(facts["id"], facts["video"], frames, facts["fps"], facts["keyframe"], tuple(facts["notes"]),
                    facts["in_first_shot"])  # fmt: skip
        yield clip, at.work.read_masks("clips", clip.id, 0) if facts["has_mask"] else None


def _cut(at: Place, key: str, parts: Parts, result: InputResult) -> Iterator[tuple[Clip, Mask | None]]:
    at.work.begin("clips", at.name)
    facts: list[dict[str, Any]] = []
    files: list[Path] = []
    pieces = cut_clips(at.entry, at.name, at.videos, parts.settings)
    for piece in result.timing.watched("clips", pieces, _length):
        if isinstance(piece, Reject):
            result.rejects.append(piece)
            continue
        clip = piece.clip
        files.append(_source(at, clip.id))
        write_lossless(files[-1], clip.frames, clip.fps)
        if piece.mask is not None:
            files.append(at.work.write_masks("clips", clip.id, 0, piece.mask, clip.fps))
        facts.append({"id": clip.id, "video": clip.video, "fps": clip.fps, "keyframe": clip.keyframe,
                      "notes": clip.notes, "in_first_shot": clip.in_first_shot,
                      "has_mask": piece.mask is not None})  # fmt: skip
        yield clip, piece.mask
    rejects = [reject.model_dump() for reject in result.rejects]
    at.work.write("clips", at.name, key, {"clips": facts, "rejects": rejects}, files)


def _length(piece: CutClip | Reject) -> int:
    return 0 if isinstance(piece, Reject) else len(piece.clip.frames)


def _source(at: Place, clip_id: str) -> Path:
    return at.work.folder / "clips" / clip_id / "source.mkv"


def _samples(
    at: Place, clip: Clip, kind: str, key: str, parts: Parts, timing: Timing, made: Iterable[BuiltSample | Reject]
) -> ClipResult:
    """Return a clip's samples of one kind, from disk where they were made before."""
    settings = parts.settings
    decided = settings.model_dump(mode="json", include={"seed", "masks_per_clip", "detail", "licence"})
    key = key_of(kind, VERSION, key, decided)
    name = f"{clip.id}-{kind}"
    stored = at.work.read("samples", name, key)
    if stored is not None:
        return ClipResult(**stored)
    at.work.begin("samples", name)
    place(_source(at, clip.id), at.out / source_path(clip.id))
    with timing.stage(f"samples: {kind}", len(clip.frames)):
        pieces = list(made)
    result = ClipResult(
        clip=clip.id, video=clip.video, notes=clip.notes,
        samples=tuple(piece for piece in pieces if isinstance(piece, BuiltSample)),
        rejects=tuple(piece for piece in pieces if isinstance(piece, Reject)),
    )  # fmt: skip
    files = {at.out / ref.path for built in result.samples for ref in (built.sample.source, built.sample.mask)}
    at.work.write("samples", name, key, result.model_dump(mode="json"), files)
    return result
