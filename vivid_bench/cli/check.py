"""`vivid-bench check`: every problem of a data folder or an edits folder in one report, before any work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.errors import VividBenchError
    from vivid_bench.types import Task


def check(
    data: opt.Data = None,
    edits: Annotated[Path | None, typer.Option("--edits", help="Finished videos to check against a suite.")] = None,
    suite: Annotated[str | None, typer.Option("--suite", metavar=opt.SUITES, help="Which clips.")] = None,
    task: opt.TaskOption = "all",
    limit: opt.Limit = None,
    keyframes: opt.Keyframes = None,
    json: opt.Json = False,
) -> None:
    """Check your clips (--data DIR), a suite (--suite), or finished videos for either (--edits DIR); nothing is run."""
    from vivid_bench.cli.console import print_findings, print_json
    from vivid_bench.errors import InputReportError, VividBenchError
    from vivid_bench.keyframes import parse_keyframes
    from vivid_bench.suites import parse_tasks

    if not data and not edits and not suite:
        raise VividBenchError("say what to check: --data DIR, --suite NAME, or --edits DIR")
    tasks = parse_tasks(task)
    try:
        n, problems, warnings = _check(data, edits, suite, tasks, limit, parse_keyframes(keyframes))
    except InputReportError as error:
        n, problems, warnings = 0, list(error.errors), []
    if json:
        print_json({"n_samples": n, "problems": [str(p) for p in problems], "warnings": warnings})
    else:
        print_findings(n, problems, warnings)
    if problems:
        raise typer.Exit(1)


def _check(
    data: Path | None,
    edits: Path | None,
    suite: str | None,
    tasks: tuple[Task, ...],
    limit: int | None,
    keyframes: tuple[int, ...] | None,
) -> tuple[int, list[VividBenchError], list[str]]:
    from vivid_bench.cli.data.check import read_tasks
    from vivid_bench.datasets.folder import read_folder
    from vivid_bench.datasets.readers import DATASETS
    from vivid_bench.datasets.types import distinct
    from vivid_bench.edits import match_edits
    from vivid_bench.keyframes import keyframe_problems, with_keyframes
    from vivid_bench.suites import FOLDER, load_splits

    suite = suite or ("folder" if data else "mini")
    if data and suite == FOLDER and not edits:
        one = tasks[0] if len(tasks) == 1 else None
        notes = []
        if one is None and not (data / "clips.json").is_file():
            one = "delete"
            notes = [f"{data}: no clips.json says the tasks, so checked as delete; add and modify need captions too"]
        report = read_folder(data, one, limit)
        without = keyframe_problems(data, with_keyframes(report.samples, keyframes))
        return len(report.samples) - len(without), report.problems + without, report.warnings + notes
    if data and suite in DATASETS and not edits:
        reports = read_tasks(suite, data, tasks, limit).values()
        samples = [sample for report in reports for sample in report.samples]
        without = keyframe_problems(data, with_keyframes(samples, keyframes))
        problems = distinct(problem for report in reports for problem in report.problems)
        warnings = distinct(warning for report in reports for warning in report.warnings)
        return len(samples) - len(without), problems + without, warnings
    splits = load_splits(suite, tasks, data, limit, keyframes)
    warnings = distinct(w for loaded in splits for w in loaded.warnings)
    if edits is None:
        return sum(len(loaded.split.samples) for loaded in splits), [], warnings
    matched = match_edits(edits, splits, limited=limit is not None)
    return len(matched.clips), matched.problems, warnings + matched.warnings
