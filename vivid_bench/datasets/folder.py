"""Reader of the `folder` suite: the user's own clips, one folder a sample.

Layout below the data folder, each video a file or a folder of PNG or JPEG frames:

    <id>/source.mp4  <id>/mask.mp4  [<id>/reference.mp4]  [<id>/caption.txt]
    [clips.json]     a list of objects that give each sample its task, caption, hole and reference
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.files import sha256_path
from vivid_bench.masks import binarise
from vivid_bench.types import DELETE_PROMPT, SAMPLE_ID_PATTERN, FileRef, Hole, Mask, Sample, Task
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


NEAR_DIFFERENCE = 8.0
"""Mean absolute difference, of 255, below which a reference is probably the source after another codec."""


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
        except (OSError, UnicodeDecodeError) as error:
            found = f"{type(error).__name__}: {error}"
            fix = "check its permissions and that its text is UTF-8"
            report.problems.append(InputError(data / entry.id, expected="readable files", found=found, fix=fix))
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
        return _entries_of_folders(data, folders, report)
    try:
        entries = TypeAdapter(list[ClipEntry]).validate_python(json.loads(listing.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, ValidationError, OSError) as error:
        raise InputError(
            listing,
            expected="a list of clips",
            found=str(error),
            fix=f"known keys: {', '.join(ClipEntry.model_fields)}",
        ) from error
    if not entries:
        raise InputError(listing, expected="at least one clip", found="an empty list", fix="list your clips")
    names = [entry.id for entry in entries]
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(listing, expected="each id once", found=f"{', '.join(doubles)} again", fix="remove one")
    if extra := sorted(set(folders) - set(names)):
        report.warnings.append(f"{data}: not in clips.json, so left out: {', '.join(extra)}")
    return entries


def _entries_of_folders(data: Path, folders: list[str], report: FolderReport) -> list[ClipEntry]:
    entries = []
    for name in folders:
        try:
            entries.append(ClipEntry(id=name))
        except ValidationError:
            error = InputError(data, expected="plain folder names", found=ascii(name), fix="rename that folder")
            report.problems.append(error)
    return entries


def _sample(data: Path, entry: ClipEntry, task: Task | None, report: FolderReport) -> Sample:
    folder = data / entry.id
    if task is None:
        raise InputError(folder, expected="a task", found="none in clips.json", fix="pass --task add, modify or delete")
    prompt = _prompt(folder, entry, task)
    source_path = _required(folder, "source")
    video = read_video(source_path)
    frames, height, width = video.frames.shape[:3]
    if entry.frames is not None and entry.frames != frames:
        raise InputError(
            source_path,
            expected=f"{entry.frames} frames (clips.json)",
            found=str(frames),
            fix="correct one of them",
        )
    mask_path = _required(folder, "mask")
    mask, grey_share = _read_mask(mask_path, (frames, height, width), report)
    reference_path = _reference_path(folder, entry)
    same = False
    if reference_path is not None:
        reference = video.frames if reference_path == source_path else read_video(reference_path).frames
        check_shape(reference_path, reference.shape, (frames, height, width), "the source")
        same = _shows_the_answer(reference_path, video.frames[mask], reference[mask], entry, report)
    if same and entry.hole == "visible":
        raise InputError(
            folder, expected="a hidden hole", found="hole visible, while the reference is the source itself",
            fix='say "hole": "hidden" in clips.json',
        )  # fmt: skip
    return Sample(
        id=entry.id, task=task, source=_file_ref(data, source_path), mask=_file_ref(data, mask_path),
        reference=_file_ref(data, reference_path) if reference_path else None,
        prompt=prompt, negative_prompt=entry.negative_prompt, frames=frames, height=height, width=width, fps=video.fps,
        hole="hidden" if same else entry.hole or "visible", source_video=entry.source_video or entry.id,
        licence=entry.licence, mask_grey_share=round(grey_share, 6),
    )  # fmt: skip


def _prompt(folder: Path, entry: ClipEntry, task: Task) -> str:
    caption_file = folder / "caption.txt"
    if not entry.caption and caption_file.is_file():
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


def _read_mask(path: Path, expected: tuple[int, int, int], report: FolderReport) -> tuple[Mask, float]:
    grey = read_video(path, grey=True).frames
    check_shape(path, grey.shape, expected, "the source")
    mask, grey_share = binarise(grey)
    if not mask.any():
        found = f"an empty mask in all frames (no value above {int(grey.max())})"
        raise InputError(path, expected="white (255) where to edit", found=found, fix="redraw it")
    if (share := float(mask.mean())) > INVERTED_SHARE:
        report.warnings.append(
            f"{path}: {share:.0%} of the mask is white; white means edit: is it inverted? nothing was changed"
        )
    if grey_share > GREY_SHARE:
        report.warnings.append(f"{path}: {grey_share:.1%} of the mask is mid-grey; it was cut at half, once")
    return mask, grey_share


def _reference_path(folder: Path, entry: ClipEntry) -> Path | None:
    path = folder / entry.reference if entry.reference else find_video(folder, "reference")
    if path is None:
        return None
    if not path.resolve().is_relative_to(folder.resolve()) or not path.exists():
        raise InputError(
            folder, expected=f"the reference {path.name}", found="nothing", fix="add it or correct its name"
        )
    return path


def _shows_the_answer(
    path: Path, source: NDArray[np.uint8], reference: NDArray[np.uint8], entry: ClipEntry, report: FolderReport
) -> bool:
    """Return whether source and reference are equal under the mask; warn where they are nearly so."""
    difference = np.abs(source.astype(np.int16) - reference).mean()
    if 0 < difference < NEAR_DIFFERENCE and entry.hole != "hidden":
        report.warnings.append(
            f"{path}: nearly the source under the mask (mean difference {difference:.1f} of 255), so methods see the "
            'answer: say "hole": "hidden" in clips.json'
        )
    return bool(difference == 0)


def _file_ref(data: Path, path: Path) -> FileRef:
    return FileRef(path=path.relative_to(data).as_posix(), sha256=sha256_path(path))
