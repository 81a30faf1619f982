"""Which runs a report is of, and the control runs beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivid_bench.errors import InputError, RecordError
from vivid_bench.leaderboard.load import load_rows
from vivid_bench.leaderboard.table import Row, Table, build_tables
from vivid_bench.records import RunFolder, find_runs


@dataclass(frozen=True)
class Subject:
    """One method's rows, each in the table that it shares with the controls of its split.

    Attributes:
        run_key: of a report on one run; None for all of a method's.
        refused: why runs could not be read.
    """

    method: str
    run_key: str | None
    rows: tuple[tuple[Table, Row], ...]
    refused: tuple[RecordError, ...]


def find_subject(path: Path) -> Subject:
    """Return the runs that a path names: a run folder, or a method's folder, which stands for its runs of all tasks.

    Raises:
        InputError: no run is there, or runs of several methods are.
        RecordError: none of them is finished and readable.
    """
    path = path.resolve()  # what lies beside `.` is not seen from its name
    is_run = (path / "run.json").is_file()
    runs = [RunFolder(path)] if is_run else find_runs(path)
    if not runs:
        fix = "name a run folder, or <records>/<suite>/<task>/<method>"
        raise InputError(path, expected="a run, or a method's runs", found="none", fix=fix)
    if not is_run:
        _check_one_method(path, runs)
        runs = _of_all_tasks(path, runs)
    folders = dict.fromkeys(folder for run in runs for folder in (run, *_controls_beside(run)))
    loaded = load_rows(list(folders))
    chosen = set(runs)
    rows = [
        (table, row)
        for table in build_tables(loaded.rows)
        for row in table.rows
        if chosen.intersection(row.runs)
    ]  # fmt: skip
    if not rows:
        if loaded.refused:
            raise loaded.refused[0]
        raise RecordError(f"{path}: no finished run; `vivid-bench score` finishes one")
    first = rows[0][1].record
    return Subject(first.method.name, first.run_key if is_run else None, tuple(rows), loaded.refused)


def _check_one_method(path: Path, runs: list[RunFolder]) -> None:
    methods = sorted({run.path.parent.name for run in runs})
    if len(methods) > 1:
        fix = "name the folder of one of them"
        raise InputError(path, expected="one method's runs", found=f"runs of {', '.join(methods)}", fix=fix)


def _of_all_tasks(path: Path, runs: list[RunFolder]) -> list[RunFolder]:
    """Return the method's runs of every task of the suite, where the folder lies as run folders do."""
    placed = next(filter(_is_in_place, runs), None)
    if placed is None or placed.path.parent != path:
        return runs
    return [run for run in find_runs(placed.path.parents[2]) if run.path.parent.name == path.name]


def _controls_beside(run: RunFolder) -> list[RunFolder]:
    """Return the control runs of the same suite and task; none where the run lies elsewhere than run folders do."""
    if not _is_in_place(run):
        return []
    return [folder for folder in find_runs(run.path.parents[1]) if folder != run and _is_control(folder)]


def _is_in_place(run: RunFolder) -> bool:
    """Whether a run lies at `<suite>/<task>/<method>/<key>`, as its record says."""
    try:
        record = run.record()
    except RecordError:  # said when the run is loaded
        return False
    return record is not None and run.path.parts[-4:-1] == (record.suite, record.task, record.method.name)


def _is_control(folder: RunFolder) -> bool:
    try:
        record = folder.record()
    except RecordError:  # another's broken record is no matter of this report
        return False
    return record is not None and record.method.kind == "control"
