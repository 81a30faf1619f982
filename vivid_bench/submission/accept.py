"""An accepted submission: its runs among the records, each with a `submission.json` that says what was checked."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import vivid_bench
from vivid_bench.errors import InputError
from vivid_bench.files import write_text
from vivid_bench.records import RunFolder
from vivid_bench.submission.method_file import SubmittedMethod
from vivid_bench.submission.record import FILE, Badge, SubmissionRecord, read_submission
from vivid_bench.submission.run_edits import SubmittedRun
from vivid_bench.video import read_video, write_preview


def taken(into: Path, runs: Sequence[SubmittedRun], card: SubmittedMethod) -> list[InputError]:
    """Return an error for each run that is there already, and for each run of that name by other authors."""
    problems = []
    for run in runs:
        target = RunFolder.of(into, run.record)
        if (target.path / "run.json").exists():
            fix = "remove it first, or raise the method's version"
            problems.append(InputError(target.path, expected="no such run", found="one", fix=fix))
        for path in sorted(into.glob(f"*/*/{run.record.method.name}/*/run.json")):
            known = read_submission(RunFolder(path.parent))
            if path.parent != target.path and (
                known is None or known.method.submission.authors != card.submission.authors
            ):
                problems.append(
                    InputError(
                        path.parent,
                        expected=f"runs by {', '.join(card.submission.authors)}",
                        found="another's",
                        fix="choose another name",
                    )
                )
    return problems


def accept(
    runs: Sequence[SubmittedRun],
    into: Path,
    card: SubmittedMethod,
    badge: Badge,
    manifest_sha256: str,
    seed: int,
    checked: dict[str, list[str]],
) -> list[RunFolder]:
    """Copy checked runs to where records are read from, with fresh previews, and return their folders.

    `run.json` comes last: a run of which a kill left half is none. `checked` holds samples by run key.
    """
    accepted = []
    # All runs' edits before the first run.json: one that cannot be decoded, which nobody drew, leaves no run accepted.
    for run in runs:
        with (target := RunFolder.of(into, run.record)).lock():
            _copy_edits(run, target)
    for run in runs:
        with (target := RunFolder.of(into, run.record)).lock():
            said = SubmissionRecord(
                badge=badge, checked_at=datetime.now(UTC).isoformat(timespec="seconds"),
                package_version=vivid_bench.__version__, manifest_sha256=manifest_sha256,
                scores_sha256=run.record.scores_sha256 or "", seed=seed,
                checked=tuple(checked.get(run.record.run_key, ())), lossy=tuple(sorted(run.lossy)), method=card,
            )  # fmt: skip
            write_text(target.path / FILE, said.model_dump_json(indent=2) + "\n")
            for name in ("edits.jsonl", "scores.jsonl", "run.json"):
                _copy(run.folder.path / name, target.path / name)
        accepted.append(target)
    return accepted


def _copy_edits(run: SubmittedRun, target: RunFolder) -> None:
    for edit in run.edits.values():
        if edit.video and run.edits_root:
            path = run.edits_root / edit.video.path
            _copy(path, target.edits_dir / path.relative_to(run.folder.edits_dir))
            video = read_video(path)
            write_preview(target.previews_dir / f"{edit.sample_id}.mp4", video.frames, video.fps)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
