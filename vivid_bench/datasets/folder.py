"""Reader of the `folder` suite: the user's own clips, one folder a sample.

Layout below the data folder, each video a file or a folder of PNG or JPEG frames:

    <id>/source.mp4  <id>/mask.mp4  [<id>/reference.mp4]  [<id>/caption.txt]
    [clips.json]     a list of objects that give each sample its task, caption, hole and reference
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from vivid_bench.datasets.json_files import found_wrong, parse_json
from vivid_bench.datasets.listing import folders as folders_in
from vivid_bench.datasets.samples import sample_of, unreadable
from vivid_bench.datasets.types import Candidate, Report
from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.shards import MEMBER
from vivid_bench.types import DELETE_PROMPT, SAMPLE_ID_PATTERN, Hole, Task
from vivid_bench.video import find_video


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


def read_folder(data: Path, task: Task | None, limit: int | None = None) -> Report:
    """Decode and check every sample of a data folder, one clip in memory at a time.

    Args:
        data: the folder.
        task: keep the samples of this task; gives samples without one their task. None keeps all.
        limit: stop after so many samples.

    Raises:
        InputError: the folder itself, or its `clips.json`, cannot be used. Problems of samples are in the report.
    """
    report = Report()
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
            report.samples.append(sample_of(data, _candidate(data, entry, entry.task or task), report))
        except VividBenchError as error:
            report.problems.append(error)
        except (OSError, UnicodeDecodeError) as error:
            report.problems.append(unreadable(data / entry.id, error))
    return report


def _entries(data: Path, report: Report) -> list[ClipEntry]:
    if not data.is_dir():
        raise InputError(data, expected="a data folder", found="nothing", fix="check --data")
    try:
        folders = folders_in(data)
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
    entries = read_list(listing)
    names = [entry.id for entry in entries]
    if extra := sorted(set(folders) - set(names)):
        report.warnings.append(f"{data}: not in clips.json, so left out: {', '.join(extra)}")
    return entries


def read_list(listing: Path) -> list[ClipEntry]:
    """Read a `clips.json`; raises `InputError`."""
    try:
        entries = TypeAdapter(list[ClipEntry]).validate_python(parse_json(listing.read_bytes()))
    except (ValueError, OSError) as error:
        raise InputError(
            listing,
            expected="a list of clips",
            found=found_wrong(error),
            fix=f"known keys: {', '.join(ClipEntry.model_fields)}",
        ) from error
    if not entries:
        raise InputError(listing, expected="at least one clip", found="an empty list", fix="list your clips")
    names = [entry.id for entry in entries]
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(listing, expected="each id once", found=f"{', '.join(doubles)} again", fix="remove one")
    return entries


def _entries_of_folders(data: Path, folders: list[str], report: Report) -> list[ClipEntry]:
    entries = []
    for name in folders:
        try:
            entries.append(ClipEntry(id=name))
        except ValidationError:
            error = InputError(data, expected="plain folder names", found=ascii(name), fix="rename that folder")
            report.problems.append(error)
    return entries


def _candidate(data: Path, entry: ClipEntry, task: Task | None) -> Candidate:
    folder = data / entry.id
    if MEMBER in entry.id:
        raise InputError(
            folder, expected=f"an id without {MEMBER}, which names members of shards", found=entry.id, fix="rename it"
        )
    if task is None:
        raise InputError(folder, expected="a task", found="none in clips.json", fix="pass --task add, modify or delete")
    reference = _reference_path(folder, entry)
    return Candidate(
        id=entry.id, task=task, prompt=_prompt(folder, entry, task), negative_prompt=entry.negative_prompt,
        source=_required(folder, "source").relative_to(data).as_posix(),
        mask=_required(folder, "mask").relative_to(data).as_posix(),
        reference=reference.relative_to(data).as_posix() if reference else None,
        hole=entry.hole, frames=entry.frames, source_video=entry.source_video, licence=entry.licence,
    )  # fmt: skip


def _prompt(folder: Path, entry: ClipEntry, task: Task) -> str:
    caption_file = folder / "caption.txt"
    caption = entry.caption if entry.caption and not entry.caption.isspace() else None
    if not caption and caption_file.is_file():
        lines = caption_file.read_text(encoding="utf-8-sig").splitlines()
        if text := " ".join(line.strip() for line in lines if line.strip()):
            return text
    if caption:
        return caption
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


def _reference_path(folder: Path, entry: ClipEntry) -> Path | None:
    path = folder / entry.reference if entry.reference else find_video(folder, "reference")
    if path is None:
        return None
    if not path.resolve().is_relative_to(folder.resolve()) or not path.exists():
        raise InputError(
            folder, expected=f"the reference {path.name}", found="nothing", fix="add it or correct its name"
        )
    return path
