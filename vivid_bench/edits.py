"""Finished videos from anywhere, matched to a split's samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from vivid_bench.errors import InputError, InputReportError, VividBenchError
from vivid_bench.files import canonical_json, sha256_path, sha256_text
from vivid_bench.images import IMAGE_SUFFIXES
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import NAME_PATTERN, EditedClip, FileRef, MethodRef, Sample
from vivid_bench.video import VIDEO_SUFFIXES, check_shape, find_video, read_video


@dataclass
class EditsReport:
    """What a pass over an edits folder found: clips by sample, problems that stop a scoring, and warnings."""

    clips: dict[str, EditedClip] = field(default_factory=dict)
    problems: list[VividBenchError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def match_edits(edits: Path, splits: Sequence[LoadedSplit], *, limited: bool = False) -> EditsReport:
    """Match `<id>.{mp4,mkv,…}`, `<id>/edited.*` or a folder `<id>/` of frames to the splits' samples and check each.

    Args:
        edits: the folder.
        splits: whose samples are wanted.
        limited: True when the splits were cut by a limit, so that further edits are no surprise.

    Raises:
        InputError: the folder itself cannot be used. Everything else is in the report, one clip in memory at a time.
    """
    if not edits.is_dir():
        raise InputError(edits, expected="a folder of edits", found="nothing", fix="check --edits")
    report = EditsReport()
    samples = [sample for loaded in splits for sample in loaded.split.samples]
    extra = sorted(_names(edits) - {sample.id for sample in samples})
    for sample in samples:
        try:
            report.clips[sample.id] = _clip(edits, sample, extra)
        except VividBenchError as error:
            report.problems.append(error)
        except PermissionError:
            path = edits / sample.id
            report.problems.append(InputError(path, expected="a readable edit", found="no permission", fix="chmod it"))
    if extra and not limited:
        report.warnings.append(f"{edits}: no sample of this split, so left out: {', '.join(extra)}")
    return report


def read_all_edits(edits: Path, splits: Sequence[LoadedSplit], *, limited: bool = False) -> EditsReport:
    """As `match_edits`, but every problem is raised at once as `InputReportError`."""
    report = match_edits(edits, splits, limited=limited)
    if report.problems:
        raise InputReportError(edits, report.problems)
    return report


def submission_ref(name: str, clips: dict[str, EditedClip]) -> MethodRef:
    """Return the method reference of finished videos: their content stands in for code and weights.

    Raises `VividBenchError` for a name that cannot be a folder's.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise VividBenchError(f"--name {name!a}: use letters, digits, '.', '_' and '-', at most 100")
    digest = sha256_text(canonical_json({i: c.video.sha256 for i, c in clips.items() if c.video}))
    return MethodRef(name=name, kind="submission", version="0", parameters={"edits_sha256": digest})


def _names(edits: Path) -> set[str]:
    def is_edit(path: Path) -> bool:
        return not path.name.startswith(".") and (path.is_dir() or path.suffix.lower() in VIDEO_SUFFIXES)

    try:
        return {p.name if p.is_dir() else p.stem for p in edits.iterdir() if is_edit(p)}
    except PermissionError as error:
        raise InputError(edits, expected="a readable folder", found="no permission", fix="chmod it") from error


def _clip(edits: Path, sample: Sample, extra: list[str]) -> EditedClip:
    path = _find(edits, sample.id)
    if path is None:
        near = get_close_matches(sample.id, extra, n=1)
        found = f'nothing of that name, but "{near[0]}"' if near else "nothing"
        raise InputError(
            edits, expected=f"{sample.id}.mp4, .mkv, {sample.id}/edited.mp4 or frames in {sample.id}/", found=found,
            fix="add or rename it" if near else "add it",
        )  # fmt: skip
    video = read_video(path)
    check_shape(path, video.frames.shape[:3], (sample.frames, sample.height, sample.width), f"sample {sample.id}")
    return EditedClip(
        sample_id=sample.id, status="ok", codec=video.codec, frames=sample.frames, height=sample.height,
        width=sample.width, fps=video.fps,
        video=FileRef(path=path.relative_to(edits).as_posix(), sha256=sha256_path(path)),
    )  # fmt: skip


def _find(edits: Path, sample_id: str) -> Path | None:
    path = find_video(edits, sample_id)
    if path is None or path.is_file():
        return path
    edited = find_video(path, "edited")
    if edited is not None:
        return edited
    return path if any(p.suffix.lower() in IMAGE_SUFFIXES for p in path.iterdir()) else None
