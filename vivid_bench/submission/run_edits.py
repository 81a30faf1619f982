"""The edits of a submitted run: there, whole, of their samples' size, and the files that were scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from vivid_bench.edits import submission_ref
from vivid_bench.errors import InputError, RecordError
from vivid_bench.records import RunFolder
from vivid_bench.submission.archive import FileContent
from vivid_bench.submission.names import RECORDS, deceptive, shown
from vivid_bench.submission.video_header import header_flaws
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import EditedClip, FileRef, RunRecord, Sample, Score

_AGAIN = "make the run again"


@dataclass
class SubmittedRun:
    """A run folder of a submission, and what was found in it.

    Attributes:
        edits_root: what its edits' paths are relative to; None where they are not there (a recipe).
        loaded: the split of this machine, None where it is not the one that the run was made on.
        edits, scores: by sample; without those that were found wrong.
        lossy: what is not lossless in the edits, a line each.
    """

    folder: RunFolder
    record: RunRecord
    edits_root: Path | None
    loaded: LoadedSplit | None = None
    edits: dict[str, EditedClip] = field(default_factory=dict)
    scores: dict[tuple[str, str], Score] = field(default_factory=dict)
    lossy: set[str] = field(default_factory=set)


def check_edits(run: SubmittedRun, loaded: LoadedSplit) -> Iterator[InputError]:
    """Yield every problem of a run's edits, and keep the edits without one in the run."""
    where = run.folder.path / "edits.jsonl"
    try:
        edits = run.folder.edits()
    except (RecordError, UnicodeDecodeError) as error:
        yield InputError(where, expected="a line for each edit", found=shown(str(error)), fix="pack the run again")
        return
    yield from _set_flaws(where, "edit", [s.id for s in loaded.split.samples], edits)
    for sample in loaded.split.samples:
        if edit := edits.get(sample.id):
            flaws = list(_edit_flaws(run, sample, edit))
            yield from flaws
            if not flaws:
                run.edits[sample.id] = edit
    failed = sum(edit.status == "failed" for edit in edits.values())
    if failed != run.record.n_failed or len(edits) - failed != run.record.n_edited:
        said = f"{run.record.n_edited} edits and {run.record.n_failed} failed clips (run.json)"
        yield InputError(where, expected=said, found=f"{len(edits) - failed} and {failed}", fix="pack the run again")
    if run.record.method.kind == "submission" and all(edit.video for edit in edits.values()):
        digest = submission_ref(run.record.method.name, edits).parameters
        if digest != run.record.method.parameters:
            yield InputError(where, expected="the edits that run.json names", found="others", fix="score them again")


def _set_flaws(where: Path, what: str, expected: Sequence[str], found: Mapping[str, object]) -> Iterator[InputError]:
    for sample_id in expected:
        if sample_id not in found:
            yield InputError(where, expected=f"an {what} of {sample_id}", found="none", fix="run the whole split")
    for sample_id in sorted(found.keys() - set(expected)):
        yield InputError(
            where, expected="samples of the split", found=shown(sample_id), fix="leave it out, or name its suite"
        )


def _edit_flaws(run: SubmittedRun, sample: Sample, edit: EditedClip) -> Iterator[InputError]:
    where = run.folder.path / "edits.jsonl"
    if (edit.status == "ok") != (edit.video is not None):
        yield InputError(where, expected=f"a video of {sample.id}, or status failed", found=edit.status, fix=_AGAIN)
    for key in deceptive(edit.model_dump()):
        yield InputError(where, expected="printable text", found=f"control characters in {key}", fix="remove them")
    if edit.video is None:
        return
    size = (edit.frames, edit.height, edit.width)
    if size != (sample.frames, sample.height, sample.width):
        expected = f"{sample.frames} frames of {sample.width}x{sample.height} ({sample.id})"
        yield InputError(where, expected=expected, found=f"{size[0]} of {size[2]}x{size[1]}", fix=_AGAIN)
    if run.edits_root is None:
        return
    path = edit_path(run.folder, run.edits_root, edit.video)
    if path is None:
        yield _no_file(where, run.edits_root / edit.video.path, sample, edit.video)
        return
    flaws = header_flaws(path, sample)
    run.lossy |= flaws.lossy
    yield from flaws.problems


def _no_file(where: Path, path: Path, sample: Sample, video: FileRef) -> InputError:
    is_folder = False
    with suppress(OSError):  # a name that is too long for the file system
        is_folder = path.is_dir()
    if is_folder:
        fix = "make it one video (`ffmpeg -i DIR/%d.png -c:v ffv1 -pix_fmt bgr0 OUT.mkv`), and score that"
        return InputError(where, expected=f"a video file of {sample.id}", found="a folder", fix=fix)
    return InputError(
        where, expected=f"a file of the run's edits for {sample.id}", found=shown(video.path), fix="run the whole split"
    )


def edit_path(folder: RunFolder, root: Path, video: FileRef) -> Path | None:
    """Return where an edit lies; None for a path that leads out of the run's edits or goes up, or to no file."""
    path = root / video.path
    home = folder.edits_dir if root == folder.path else root
    if ".." in Path(video.path).parts:
        return None
    try:
        inside = path.is_file() and not path.is_symlink() and path.resolve().is_relative_to(home.resolve())
    except OSError:  # a name that is too long for the file system
        return None
    return path if inside else None


def archive_name(run: SubmittedRun, file: Path) -> str:
    """Return what a file of a run is called in an archive."""
    record = run.record
    home = f"{RECORDS}/{record.suite}/{record.task}/{record.method.name}/{record.run_key}"
    if file.is_relative_to(run.folder.path):
        return f"{home}/{file.relative_to(run.folder.path).as_posix()}"
    assert run.edits_root is not None
    return f"{home}/edits/{file.relative_to(run.edits_root).as_posix()}"


def hash_problems(run: SubmittedRun, files: Mapping[str, FileContent]) -> list[InputError]:
    """Return an error for each edit whose file is not the one that `edits.jsonl` names."""
    problems = []
    for edit in run.edits.values():
        path = run.edits_root and edit.video and edit_path(run.folder, run.edits_root, edit.video)
        if path and edit.video and files[archive_name(run, path)].sha256 != edit.video.sha256:
            problems.append(
                InputError(
                    path,
                    expected=f"sha256 {edit.video.sha256[:12]}… (edits.jsonl)",
                    found="another",
                    fix="it changed after it was recorded: make the run again",
                )
            )
    return problems
