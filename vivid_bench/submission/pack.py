"""Finished runs -> one archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vivid_bench.errors import InputError, InputReportError, RecordError, VividBenchError
from vivid_bench.records import RunFolder, find_runs
from vivid_bench.submission.archive import FileContent, write_archive
from vivid_bench.submission.manifest import make_manifest, recipe_of
from vivid_bench.submission.method_file import SubmittedMethod, read_method_file
from vivid_bench.submission.names import METHOD_FILE, name_flaw, shown
from vivid_bench.submission.run_edits import SubmittedRun, archive_name, edit_path, hash_problems
from vivid_bench.submission.runs import Suites, check_run, coverage_problems
from vivid_bench.types import RunRecord


@dataclass
class Packed:
    """What went into an archive: its runs and files, and why other runs did not.

    Attributes:
        lossy: codecs of edits that are not lossless.
    """

    path: Path
    runs: list[RunFolder]
    n_files: int
    n_bytes: int
    left_out: list[str]
    lossy: set[str] = field(default_factory=set)


def pack(
    paths: Sequence[Path],
    method_file: Path,
    out: Path,
    suites: Suites,
    *,
    edits: Path | None = None,
    recipe: bool = False,
) -> Packed:
    """Check the runs of a method as a maintainer will, all but re-scoring, and write them as one archive.

    Args:
        paths: run folders, or folders of them; runs of other methods, and unfinished or partial ones, are left out.
        method_file: the method's `method.toml`.
        out: the archive.
        suites: where splits come from.
        edits: where the videos lie that a run of finished videos was scored from.
        recipe: say how the edits are made, in place of the edits.

    Raises:
        InputReportError: everything that a check would find.
    """
    card = read_method_file(method_file)
    runs, left_out = _choose(paths, card, suites, None if recipe else edits, with_edits=not recipe)
    problems: list[VividBenchError] = list(coverage_problems(card, [run.record for run in runs], left_out))
    for run in runs:
        problems += check_run(run, card, suites)
    names = {archive_name(run, file): file for run in runs for file in _files(run)} | {METHOD_FILE: method_file}
    for name in names:
        if flaw := name_flaw(name):
            problems.append(InputError(shown(name), expected="a name that can be packed", found=flaw, fix="rename it"))
    if problems:
        raise InputReportError("submission", problems)
    records = [run.record for run in runs]
    recipes = [recipe_of(record, card) for record in records] if recipe else None

    def manifest(written: dict[str, FileContent]) -> bytes:
        _check_hashes(runs, written)
        return make_manifest(written, records, recipes).to_bytes()

    written = write_archive(out, sorted(names.items()), manifest)
    return Packed(
        out, [run.folder for run in runs], len(written) + 1, out.stat().st_size, left_out,
        set().union(*(run.lossy for run in runs)),
    )  # fmt: skip


def _choose(
    paths: Sequence[Path], card: SubmittedMethod, suites: Suites, edits: Path | None, *, with_edits: bool
) -> tuple[list[SubmittedRun], list[str]]:
    """Return the method's whole runs, and why each other run of that name is left out."""
    runs, left_out, n_others = [], [], 0
    for folder in dict.fromkeys(folder for path in paths for folder in find_runs(path)):
        record = folder.record()
        if record is None or record.method.name != card.name:
            n_others += 1
        elif reason := _unfit(record, card, suites):
            left_out.append(f"{folder.path}: {reason}")
        else:
            finished_videos = record.method.kind == "submission"
            root = (edits if finished_videos else folder.path) if with_edits else None
            if with_edits and root is None:
                raise RecordError(f"{folder.path}: made from finished videos; say where they lie with --edits DIR")
            runs.append(SubmittedRun(folder, record, root))
    if n_others:
        left_out.append(f"{n_others} runs of other methods, controls among them")
    return runs, left_out


def _unfit(record: RunRecord, card: SubmittedMethod, suites: Suites) -> str | None:
    if record.status != "complete":
        return "not finished; start the same run again"
    if card.kind == "method" and (record.method.version, record.method.parameters) != (card.version, card.parameters):
        return f"of version {record.method.version} or parameters that method.toml does not name"
    whole = len(suites.of(record).split.samples)
    return f"{len(record.samples)} of {whole} samples" if len(record.samples) != whole else None


def _files(run: SubmittedRun) -> list[Path]:
    own = [run.folder.path / name for name in ("run.json", "edits.jsonl", "scores.jsonl")]
    if run.edits_root is None:
        return own
    paths = [edit_path(run.folder, run.edits_root, edit.video) for edit in run.edits.values() if edit.video]
    return own + [path for path in paths if path]


def _check_hashes(runs: Sequence[SubmittedRun], written: Mapping[str, FileContent]) -> None:
    problems = [problem for run in runs for problem in hash_problems(run, written)]
    if problems:
        raise InputReportError("submission", problems)
