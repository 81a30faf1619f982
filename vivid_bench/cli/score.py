"""`vivid-bench score`: finished videos, or runs made by `generate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.records import RunFolder
    from vivid_bench.types import Task


def score(
    runs: Annotated[list[Path] | None, typer.Argument(help="Run folders, or folders of them.")] = None,
    edits: Annotated[Path | None, typer.Option("--edits", help="Your finished videos: DIR/<sample_id>.mp4 …")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What to call the method that made them.")] = None,
    suite: Annotated[
        str | None,
        typer.Option(
            "--suite", metavar="mini|folder|PATH", help="Which clips; by default the run's own, or mini for --edits."
        ),
    ] = None,
    task: opt.TaskOption = "all",
    data: opt.Data = None,
    device: opt.Device = "auto",
    limit: opt.Limit = None,
    out: opt.Out = opt.DEFAULT_OUT,
    overwrite: opt.Overwrite = False,
    json: opt.Json = False,
) -> None:
    """Score finished videos (--edits DIR --name NAME), or runs whose edits `generate` made."""
    from vivid_bench.cli.results import print_runs
    from vivid_bench.errors import VividBenchError

    if bool(runs) == bool(edits):
        raise VividBenchError("say what to score: run folders, or --edits DIR --name NAME")
    if runs:
        folders = _score_runs(runs, suite, data, overwrite)
    elif edits and name:
        folders = _score_edits(edits, name, suite or "mini", task, data, device, limit, out, overwrite)
    else:
        raise VividBenchError("--edits needs --name, the name of the method that made them")
    if not print_runs(folders, json):
        raise typer.Exit(1)


def _score_runs(paths: list[Path], suite: str | None, data: Path | None, overwrite: bool) -> list[RunFolder]:
    from vivid_bench.cli.console import ConsoleReporter
    from vivid_bench.errors import RecordError
    from vivid_bench.records import find_runs
    from vivid_bench.run import score_runs
    from vivid_bench.suites import load_splits

    groups: dict[tuple[str, Task, int], list[RunFolder]] = {}
    for path in paths:
        found = find_runs(path)
        if not found:
            raise RecordError(f"{path}: no run.json here or below; make runs with `vivid-bench generate`")
        for folder in found:
            record = folder.record()
            assert record is not None
            groups.setdefault((record.suite, record.task, len(record.samples)), []).append(folder)
    reporter = ConsoleReporter()
    errors: list[RecordError] = []
    for (made_on, task, n_samples), folders in groups.items():
        (loaded,) = load_splits(suite or made_on, (task,), data, n_samples)
        errors += score_runs(folders, loaded, reporter, overwrite=overwrite)
    if errors and len(errors) == sum(map(len, groups.values())):
        raise errors[0]
    for error in errors:
        reporter.say(f"left out: {error}")
    return [folder for folders in groups.values() for folder in folders]


def _score_edits(
    edits: Path,
    name: str,
    suite: str,
    task: str,
    data: Path | None,
    device: str,
    limit: int | None,
    out: Path,
    overwrite: bool,
) -> list[RunFolder]:
    from vivid_bench.cli.console import ConsoleReporter
    from vivid_bench.edits import read_all_edits
    from vivid_bench.machine import resolve_device
    from vivid_bench.methods import known_methods
    from vivid_bench.run import RunOptions, Submission, run_methods
    from vivid_bench.suites import load_splits, parse_tasks

    splits = load_splits(suite, parse_tasks(task), data, limit)
    reporter = ConsoleReporter()
    report = read_all_edits(edits, splits, limited=limit is not None)
    for warning in (*(w for loaded in splits for w in loaded.warnings), *report.warnings):
        reporter.say(f"warning: {warning}")
    options = RunOptions(out, resolve_device(device), overwrite=overwrite)
    controls = [known for known in known_methods().values() if known.card.kind == "control"]
    submission = Submission(name, edits, report.clips)
    return run_methods(controls, splits, options, reporter, submission=submission).folders
