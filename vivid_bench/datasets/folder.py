"""Reader of the `folder` suite: the user's own clips, one folder a sample.

Layout below the data folder, each video a file or a folder of PNG or JPEG frames:

    <id>/source.mp4  <id>/mask.mp4  [<id>/reference.mp4]  [<id>/caption.txt]
    [clips.json]     a list of objects that give each sample its task, caption, hole and reference
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.files import sha256_path
from vivid_bench.masks import binarise
from vivid_bench.types import DELETE_PROMPT, SAMPLE_ID_PATTERN, FileRef, Hole, Sample, Task
from vivid_bench.video import check_shape, find_video, read_video

INVERTED_SHARE = 0.9
"""A mask that covers more than this share of the clip is probably inverted (white must mean edit)."""

GREY_SHARE = 0.01
"""Share of mid-grey mask pixels from which a warning is given: the mask is lossy or soft."""


class ClipEntry(BaseModel):
    """One object of `clips.json`; all but `id` may be left out.

    Attributes:
        frames: checked against the source.
        empty_mask_frames, mask_area: for the reader of the file; not used.
        reference: file name below the sample's folder; `source.mp4` where the source is its own reference.
    """

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=SAMPLE_ID_PATTERN)
    task: Task | None = None
    caption: str | None = None
    negative_prompt: str | None = None
    frames: int | None = None
    empty_mask_frames: int | None = None
    mask_area: float | None = None
    hole: Hole | None = None
    reference: str | None = None
    source_video: str | None = None
    licence: str | None = None


@dataclass
class FolderReport:
    """What a pass over a data folder found: usable samples, problems that stop a run, and warnings."""

    samples: list[Sample] = field(default_factory=list)
    problems: list[VividBenchError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_folder(data: Path, task: Task | None, limit: int | None = None) -> FolderReport:
    """Decode and check every sample of a data folder, one clip in memory at a time.

    Args:
        data: the folder.
        task: keep the samples of this task; gives samples without one their task. None keeps all.
        limit: stop after so many samples.

    Raises:
        InputError: the folder itself, or its `clips.json`, cannot be used. Problems of samples are in the report.
    """
    report = FolderReport()
    entries = _entries(data, report)
    chosen = [e for e in entries if task is None or e.task in (None, task)]
    if entries and not chosen:
        found = ", ".join(sorted({e.task for e in entries if e.task}))
        raise InputError(
            data,
            expected=f"{task} samples",
            found=f"only {found} samples",
            fix="pass another --task, or --task all",
        )
    for entry in chosen[:limit]:
        try:
            report.samples.append(_sample(data, entry, entry.task or task, report))
        except VividBenchError as error:
            report.problems.append(error)
    return report


def _entries(data: Path, report: FolderReport) -> list[ClipEntry]:
    if not data.is_dir():
        raise InputError(data, expected="a data folder", found="nothing", fix="check --data")
    try:
        folders = sorted(p.name for p in data.iterdir() if p.is_dir() and not p.name.startswith("."))
    except PermissionError as error:
        raise InputError(data, expected="a readable folder", found="no permission", fix="chmod it") from error
    listing = data / "clips.json"
    if not listing.is_file():
        if not folders:
            raise InputError(
                data,
                expected="folders <id>/source.mp4 + mask.mp4",
                found="no folders",
                fix="see README, 'Real clips'",
            )
        return [ClipEntry(id=name) for name in folders]
    try:
        entries = TypeAdapter(list[ClipEntry]).validate_python(json.loads(listing.read_text()))
    except (json.JSONDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise InputError(
            listing,
            expected="a list of clips",
            found=str(error),
            fix=f"known keys: {', '.join(ClipEntry.model_fields)}",
        ) from error
    names = [entry.id for entry in entries]
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(listing, expected="each id once", found=f"{', '.join(doubles)} again", fix="remove one")
    if extra := sorted(set(folders) - set(names)):
        report.warnings.append(f"{data}: not in clips.json, so left out: {', '.join(extra)}")
    return entries


def _sample(data: Path, entry: ClipEntry, task: Task | None, report: FolderReport) -> Sample:
    folder = data / entry.id
    if task is None:
        raise InputError(folder, expected="a task", found="none in clips.json", fix="pass --task add, modify or delete")
    prompt = _prompt(folder, entry, task)
    source_path = _required(folder, "source")
    video = read_video(source_path)
    frames, height, width = video.frames.shape[:3]
    fps = video.fps
    del video
    if entry.frames is not None and entry.frames != frames:
        raise InputError(
            source_path,
            expected=f"{entry.frames} frames (clips.json)",
            found=str(frames),
            fix="correct one of them",
        )
    mask_path = _required(folder, "mask")
    grey_share = _check_mask(mask_path, (frames, height, width), report)
    source_ref = _file_ref(data, source_path)
    reference = _reference(data, folder, entry, (frames, height, width), source_path)
    same = reference is not None and reference.sha256 == source_ref.sha256
    if same and entry.hole == "visible":
        raise InputError(
            folder, expected="a hidden hole", found="hole visible, while the reference is the source itself",
            fix='say "hole": "hidden" in clips.json',
        )  # fmt: skip
    return Sample(
        id=entry.id, task=task, source=source_ref, mask=_file_ref(data, mask_path), reference=reference,
        prompt=prompt, negative_prompt=entry.negative_prompt, frames=frames, height=height, width=width, fps=fps,
        hole="hidden" if same else entry.hole or "visible", source_video=entry.source_video or entry.id,
        licence=entry.licence, mask_grey_share=round(grey_share, 6),
    )  # fmt: skip


def _prompt(folder: Path, entry: ClipEntry, task: Task) -> str:
    caption_file = folder / "caption.txt"
    if entry.caption is None and caption_file.is_file():
        lines = caption_file.read_text(encoding="utf-8").splitlines()
        if text := " ".join(line.strip() for line in lines if line.strip()):
            return text
    if entry.caption:
        return entry.caption
    if task == "delete":
        return DELETE_PROMPT
    raise InputError(
        folder,
        expected=f"a caption ({task} needs one)",
        found="none",
        fix="write caption.txt or name it in clips.json",
    )


def _required(folder: Path, stem: str) -> Path:
    path = find_video(folder, stem)
    if path is None:
        raise InputError(folder, expected=f"{stem}.mp4, .mkv, … or a folder {stem}/", found="neither", fix="add it")
    return path


def _check_mask(path: Path, expected: tuple[int, int, int], report: FolderReport) -> float:
    grey = read_video(path, grey=True).frames
    check_shape(path, grey.shape, expected, "the source")
    mask, grey_share = binarise(grey)
    if not mask.any():
        raise InputError(path, expected="white where to edit", found="an empty mask in all frames", fix="redraw it")
    if (share := float(mask.mean())) > INVERTED_SHARE:
        report.warnings.append(
            f"{path}: {share:.0%} of the mask is white; white means edit: is it inverted? nothing was changed"
        )
    if grey_share > GREY_SHARE:
        report.warnings.append(f"{path}: {grey_share:.1%} of the mask is mid-grey; it was cut at half, once")
    return grey_share


def _reference(data: Path, folder: Path, entry: ClipEntry, shape: tuple[int, int, int], source: Path) -> FileRef | None:
    path = folder / entry.reference if entry.reference else find_video(folder, "reference")
    if path is None:
        return None
    if not path.resolve().is_relative_to(folder.resolve()) or not path.exists():
        raise InputError(
            folder, expected=f"the reference {path.name}", found="nothing", fix="add it or correct its name"
        )
    if path != source:
        check_shape(path, read_video(path).frames.shape[:3], shape, "the source")
    return _file_ref(data, path)


def _file_ref(data: Path, path: Path) -> FileRef:
    return FileRef(path=path.relative_to(data).as_posix(), sha256=sha256_path(path))
