"""Which finished runs take part in a study, and on which samples: what the leaderboard would compare, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vivid_bench.errors import InputError, InputReportError, RecordError, VividBenchError
from vivid_bench.files import sha256_path
from vivid_bench.leaderboard.load import load_rows
from vivid_bench.leaderboard.rows import Row
from vivid_bench.leaderboard.site.clips import find_split
from vivid_bench.leaderboard.table import Table, build_tables, disagreements
from vivid_bench.records import RunFolder, find_runs
from vivid_bench.submission.run_edits import edit_path
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import EditedClip, Frames, Sample
from vivid_bench.video import check_shape, read_video


@dataclass(frozen=True, eq=False)
class SelectedRun:
    """A run that takes part.

    Attributes:
        edits: by sample id.
        root: what the edits' paths are relative to.
    """

    row: Row
    edits: dict[str, EditedClip]
    root: Path

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return self.row.runs[0]

    def read_edit(self, sample: Sample) -> Frames:
        """Decode the edit of a sample; raises `InputError` where it is not the one that was scored."""
        frames = read_video(self.edit_file(sample)).frames
        expected = (sample.frames, sample.height, sample.width)
        check_shape(self.edit_file(sample), frames.shape[:3], expected, f"sample {sample.id}")
        return frames

    def edit_file(self, sample: Sample) -> Path:
        """Return the file of a sample's edit after checking its hash; raises `InputError`."""
        video = self.edits[sample.id].video
        assert video is not None
        path = edit_path(self.folder, self.root, video)
        fix = "make the run again with --overwrite: records travel without their edits"
        if self.row.record.method.kind == "submission":
            fix = f"say where its videos lie with --edits {self.row.record.method.name}=DIR"
        if path is None:
            raise InputError(self.root / video.path, expected="the edit that was scored", found="no file", fix=fix)
        if sha256_path(path) != video.sha256:
            raise InputError(path, expected="the edit that was scored", found="another", fix=fix)
        return path


@dataclass(frozen=True, eq=False)
class SelectedTask:
    """The runs of one suite and task, and the samples of which each of them has an edit."""

    loaded: LoadedSplit
    runs: tuple[SelectedRun, ...]
    samples: tuple[Sample, ...]

    @property
    def name(self) -> str:
        """Suite and task in words."""
        return f"{self.loaded.split.suite}, {self.loaded.split.task}"


@dataclass(frozen=True)
class Selection:
    """What takes part; `left_out` says in sentences what does not, and why."""

    tasks: tuple[SelectedTask, ...]
    left_out: tuple[str, ...]


def select(paths: Sequence[Path], data: Path | None = None, edits: Mapping[str, Path] | None = None) -> Selection:
    """Choose from run folders, or folders of them, what a study can compare; controls never take part.

    Args:
        paths: where the runs lie.
        data: the clips behind suite `folder`, or the folder of a suite that does not ship.
        edits: method -> where its videos lie, for runs of finished videos.

    Raises:
        InputError, InputReportError: no run at all, runs that cannot be believed, edits that are not there.
        VividBenchError: two runs of one method on one task, runs that may not be compared, or nothing to compare.
    """
    left_out: list[str] = []
    rows = _methods(paths, left_out)
    edits = edits or {}
    if unused := sorted(edits.keys() - {row.record.method.name for row in rows}):
        raise VividBenchError(f"--edits names methods without a run: {', '.join(unused)}")
    tasks = []
    for table in _tables(rows):
        where = f"{table.suite}, {table.task}"
        if len(table.rows) < 2:
            left_out.append(f"{where}: only one method, {table.record.method.name}, so nothing to compare")
            continue
        loaded = find_split(table, data)
        if isinstance(loaded, str):
            raise VividBenchError(loaded)
        # Not by their scores, which a study's lists of methods should not give away.
        by_name = sorted(table.rows, key=lambda row: row.record.method.name)
        runs = tuple(_selected(row, edits) for row in by_name)
        samples = _complete(loaded, runs, left_out)
        if samples:
            tasks.append(SelectedTask(loaded, runs, samples))
        else:
            left_out.append(f"{where}: no sample of which every method has an edit")
    if not tasks:
        said = "".join(f"\n  - {reason}" for reason in left_out)
        raise VividBenchError(f"nothing to compare: a study needs 2 methods on one task{said}")
    _check_edits(tasks)
    return Selection(tuple(tasks), tuple(left_out))


def _methods(paths: Sequence[Path], left_out: list[str]) -> list[Row]:
    folders: dict[Path, RunFolder] = {}
    for path in paths:
        found = find_runs(path)
        if not found:
            raise InputError(path, expected="run folders", found="none", fix="name the --out of your runs")
        folders.update((folder.path.resolve(), folder) for folder in found)
    loaded = load_rows(list(folders.values()))
    if loaded.refused:
        raise InputReportError("--runs", loaded.refused)
    finished = {row.runs[0].path for row in loaded.rows}
    left_out += [f"{f.path}: not finished" for f in folders.values() if f.path not in finished]
    controls = sorted({row.record.method.name for row in loaded.rows if row.is_control})
    if controls:
        left_out.append(f"controls never take part: {', '.join(controls)}")
    return [row for row in loaded.rows if not row.is_control]


def _tables(rows: Sequence[Row]) -> list[Table]:
    """Return one table a suite and task; raises `VividBenchError` where there would be several."""
    met: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        record = row.record
        first = met.setdefault((record.suite, record.task, record.method.name), row)
        if first is not row:
            raise VividBenchError(
                f"two runs of {record.method.name} on {record.suite}, {record.task}, {_key(first)} and {_key(row)}: "
                "name the one that takes part"
            )
    tables = build_tables(rows)
    if disagreeing := disagreements(tables):
        raise InputReportError("--runs", [RecordError(message) for message in disagreeing])
    seen: dict[tuple[str, str], Table] = {}
    for table in tables:
        other = seen.setdefault((table.suite, table.task), table)
        if other is not table:
            runs = ", ".join(f"{row.record.method.name} {_key(row)}" for row in (*other.rows, *table.rows))
            raise VividBenchError(
                f"runs on {table.suite}, {table.task} with other composites or keyframes cannot be compared: {runs}"
            )
    return tables


def _key(row: Row) -> str:
    record = row.record
    keyframes = "" if record.keyframes is None else f", keyframes {record.keyframes}"
    return f"{record.run_key} (composite {record.composite}, seed {record.seed}{keyframes})"


def _selected(row: Row, edits: Mapping[str, Path]) -> SelectedRun:
    folder = row.runs[0]
    is_from_videos = row.record.method.kind == "submission"
    root = edits.get(row.record.method.name, folder.path) if is_from_videos else folder.path
    return SelectedRun(row, folder.edits(), root)


def _complete(loaded: LoadedSplit, runs: Sequence[SelectedRun], left_out: list[str]) -> tuple[Sample, ...]:
    samples = []
    for sample in loaded.split.samples:
        without = [run.row.record.method.name for run in runs if not _has_edit(run, sample)]
        if without:
            left_out.append(f"{loaded.split.suite}, {loaded.split.task}, {sample.id}: no edit by {', '.join(without)}")
        else:
            samples.append(sample)
    return tuple(samples)


def _has_edit(run: SelectedRun, sample: Sample) -> bool:
    edit = run.edits.get(sample.id)
    return edit is not None and edit.status == "ok" and edit.video is not None


def _check_edits(tasks: Sequence[SelectedTask]) -> None:
    """Raise `InputReportError` naming the first wrong edit of each run that has one."""
    problems: list[VividBenchError] = []
    for task in tasks:
        for run in task.runs:
            try:
                for sample in task.samples:
                    run.edit_file(sample)
            except InputError as error:
                problems.append(error)
    if problems:
        raise InputReportError("--runs", problems)
