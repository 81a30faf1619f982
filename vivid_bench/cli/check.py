"""`vivid-bench check`: every problem of a data folder or an edits folder in one report, before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vivid_bench.cli import options as opt


def check(
    data: opt.Data = None,
    edits: Annotated[Path | None, typer.Option("--edits", help="Finished videos to check against a suite.")] = None,
    suite: opt.Suite = "mini",
    task: opt.TaskOption = "all",
    limit: opt.Limit = None,
    json: opt.Json = False,
) -> None:
    """Check a data folder (--data DIR) or finished videos (--edits DIR) without running anything."""
    from vivid_bench.cli.console import err, out, print_json
    from vivid_bench.errors import VividBenchError

    if not data and not edits:
        raise VividBenchError("say what to check: --data DIR, or --edits DIR")
    if edits:
        n, problems, warnings = _check_edits(edits, "folder" if data else suite, task, data, limit)
    else:
        assert data is not None
        n, problems, warnings = _check_data(data, task, limit)
    if json:
        print_json({"n_samples": n, "problems": [str(p) for p in problems], "warnings": warnings})
    else:
        for problem in problems:
            err.print(f"problem: {problem}", style="red")
        for warning in warnings:
            err.print(f"warning: {warning}", style="yellow")
        out.print(f"{n} samples fit, {len(problems)} problems, {len(warnings)} warnings")
    if problems:
        raise typer.Exit(1)


def _check_data(data: Path, task: str, limit: int | None) -> tuple[int, list[Exception], list[str]]:
    from vivid_bench.datasets.folder import read_folder
    from vivid_bench.suites import parse_tasks

    tasks = parse_tasks(task)
    report = read_folder(data, tasks[0] if len(tasks) == 1 else None, limit)
    return len(report.samples), list(report.problems), report.warnings


def _check_edits(
    edits: Path, suite: str, task: str, data: Path | None, limit: int | None
) -> tuple[int, list[Exception], list[str]]:
    from vivid_bench.edits import match_edits
    from vivid_bench.suites import load_splits, parse_tasks

    splits = load_splits(suite, parse_tasks(task), data, limit)
    report = match_edits(edits, splits, limited=limit is not None)
    warnings = [w for loaded in splits for w in loaded.warnings] + report.warnings
    return len(report.clips), list(report.problems), warnings
