"""`vivid-bench score`: finished videos, or runs made by `generate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.errors import RecordError
    from vivid_bench.records import RunFolder
    from vivid_bench.types import SharedKeyframes, Task

    _MadeOn = tuple[str, Task, int, SharedKeyframes | None]


def score(
    context: typer.Context,
    runs: Annotated[list[Path] | None, typer.Argument(help="Run folders, or folders of them.")] = None,
    edits: Annotated[Path | None, typer.Option("--edits", help="Your finished videos: DIR/<sample_id>.mp4 …")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What to call the method that made them.")] = None,
    suite: Annotated[
        str | None,
        typer.Option("--suite", metavar=opt.SUITES, help="Which clips; by default the run's own, or mini for --edits."),
    ] = None,
    task: opt.TaskOption = "all",
    data: opt.Data = None,
    device: opt.Device = "auto",
    limit: opt.Limit = None,
    keyframes: opt.Keyframes = None,
    out: opt.Out = opt.DEFAULT_OUT,
    protocol: Annotated[
        str | None,
        typer.Option("--protocol", metavar="NAME", help="What another suite's code prints for RUNS, kept apart."),
    ] = None,
    overwrite: opt.Overwrite = False,
    weights: opt.WeightsFolder = None,
    json: opt.Json = False,
) -> None:
    """Score finished videos (--edits DIR --name NAME), or runs whose edits `generate` made.

    A run folder knows its task, samples and keyframes itself. With --protocol, --edits says where the videos of a
    submission's run lie.
    """
    from vivid_bench.weights import use_folder

    use_folder(weights)
    if protocol:
        _score_protocol(context, runs or [], protocol, edits, suite, data, device, overwrite, json)
        return
    from vivid_bench.cli.results import print_runs
    from vivid_bench.errors import VividBenchError
    from vivid_bench.keyframes import parse_keyframes

    if bool(runs) == bool(edits):
        raise VividBenchError("say what to score: run folders, or --edits DIR --name NAME")
    given = parse_keyframes(keyframes)
    all_scored = True
    if runs:
        _refuse_options(context, ("name", "task", "limit", "out"))
        folders, all_scored = _score_runs(runs, suite, data, given, device, overwrite)
    elif edits and name:
        folders = _score_edits(edits, name, suite or "mini", task, data, device, limit, given, out, overwrite)
    else:
        raise VividBenchError("--edits needs --name, the name of the method that made them")
    if not print_runs(folders, json) or not all_scored:
        raise typer.Exit(1)


def _score_protocol(
    context: typer.Context,
    runs: list[Path],
    protocol: str,
    edits: Path | None,
    suite: str | None,
    data: Path | None,
    device: str,
    overwrite: bool,
    json: bool,
) -> None:
    from vivid_bench.cli.compare_protocols import score_protocol_of_runs
    from vivid_bench.errors import VividBenchError

    if not runs:
        raise VividBenchError("--protocol needs run folders: score your videos first, then name the folder of that run")
    _refuse_options(context, ("name", "task", "limit", "keyframes", "out"))
    score_protocol_of_runs(runs, protocol, edits, suite, data, device, overwrite=overwrite, as_json=json)


def _refuse_options(context: typer.Context, options: tuple[str, ...]) -> None:
    from vivid_bench.errors import VividBenchError

    def was_typed(option: str) -> bool:
        source = context.get_parameter_source(option)
        return source is not None and source.name == "COMMANDLINE"

    if typed := [f"--{o}" for o in options if was_typed(o)]:
        goes = "goes" if len(typed) == 1 else "go"
        raise VividBenchError(f"{', '.join(typed)} {goes} with --edits: a run folder knows its own")


def _score_runs(
    paths: list[Path],
    suite: str | None,
    data: Path | None,
    keyframes: tuple[int, ...] | None,
    device: str,
    overwrite: bool,
) -> tuple[list[RunFolder], bool]:
    """Return the run folders whose record can be read, and whether every run found is scored."""
    from vivid_bench.cli.console import ConsoleReporter
    from vivid_bench.errors import VividBenchError
    from vivid_bench.machine import resolve_device
    from vivid_bench.run import score_runs
    from vivid_bench.suites import load_splits

    groups, unreadable = _group(paths, keyframes)
    errors: list[VividBenchError] = [*unreadable]
    readable = [folder for folders in groups.values() for folder in folders]
    reporter = ConsoleReporter()
    for (made_on, task, n_samples, own_keyframes), folders in groups.items():
        try:
            (loaded,) = load_splits(suite or made_on, (task,), data, n_samples)
            if isinstance(own_keyframes, tuple) and loaded.split.keyframes != own_keyframes:  # not the suite's own
                (loaded,) = load_splits(suite or made_on, (task,), data, n_samples, own_keyframes)
        except VividBenchError as unusable:
            errors += [unusable] * len(folders)
            continue
        errors += score_runs(folders, loaded, reporter, device=resolve_device(device), overwrite=overwrite)
    if errors and len(errors) == len(readable) + len(unreadable):
        raise errors[0]
    for error in dict.fromkeys(errors):
        reporter.say(f"left out: {error}")
    return readable, not errors


def _group(
    paths: list[Path], keyframes: tuple[int, ...] | None
) -> tuple[dict[_MadeOn, list[RunFolder]], list[RecordError]]:
    """Return the run folders by what they were made on, and an error for each whose record cannot be read."""
    from vivid_bench.errors import RecordError
    from vivid_bench.records import find_runs

    groups: dict[_MadeOn, list[RunFolder]] = {}
    errors = []
    for path in paths:
        found = find_runs(path)
        if not found:
            raise RecordError(f"{path}: no run.json here or below; make runs with `vivid-bench generate`")
        for folder in found:
            try:
                groups.setdefault(_made_on(folder, keyframes), []).append(folder)
            except RecordError as error:
                errors.append(error)
    return groups, errors


def _made_on(folder: RunFolder, keyframes: tuple[int, ...] | None) -> _MadeOn:
    """Return the suite, task, number of samples and keyframes of a run; raises `RecordError`."""
    from vivid_bench.errors import RecordError
    from vivid_bench.leaderboard.table import keyframes_text

    record = folder.record()
    assert record is not None
    if keyframes not in (None, record.keyframes):
        own = "no keyframes" if record.keyframes is None else keyframes_text(record.keyframes)
        raise RecordError(f"{folder.path}: made with {own}; leave --keyframes out")
    return record.suite, record.task, len(record.samples), record.keyframes


def _score_edits(
    edits: Path,
    name: str,
    suite: str,
    task: str,
    data: Path | None,
    device: str,
    limit: int | None,
    keyframes: tuple[int, ...] | None,
    out: Path,
    overwrite: bool,
) -> list[RunFolder]:
    from vivid_bench.cli.console import ConsoleReporter
    from vivid_bench.edits import read_all_edits
    from vivid_bench.machine import resolve_device
    from vivid_bench.methods import known_methods
    from vivid_bench.run import RunOptions, Submission, run_methods
    from vivid_bench.suites import load_splits, parse_tasks

    splits = load_splits(suite, parse_tasks(task), data, limit, keyframes)
    reporter = ConsoleReporter()
    report = read_all_edits(edits, splits, limited=limit is not None)
    for warning in (*(w for loaded in splits for w in loaded.warnings), *report.warnings):
        reporter.say(f"warning: {warning}")
    options = RunOptions(out, resolve_device(device), overwrite=overwrite)
    controls = [known for known in known_methods().values() if known.card.kind == "control"]
    submission = Submission(name, edits, report.clips)
    return run_methods(controls, splits, options, reporter, submission=submission).folders
