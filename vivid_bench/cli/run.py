"""`vivid-bench run` and `vivid-bench generate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.run import Outcome


def run(
    method: opt.Method,
    task: opt.TaskOption,
    suite: opt.Suite = "mini",
    data: opt.Data = None,
    device: opt.Device = "auto",
    composite: opt.CompositeOption = "none",
    limit: opt.Limit = None,
    keyframes: opt.Keyframes = None,
    seed: opt.Seed = 0,
    seeds: opt.Seeds = 1,
    out: opt.Out = opt.DEFAULT_OUT,
    overwrite: opt.Overwrite = False,
    weights: opt.WeightsFolder = None,
    json: opt.Json = False,
) -> None:
    """Generate, score and record methods on a suite, with the control rows beside them."""
    from vivid_bench.cli.results import print_runs
    from vivid_bench.weights import use_folder

    use_folder(weights)
    outcome = _run(
        method, task, suite, data, device, composite, limit, keyframes, seed, seeds, out, overwrite, scored=True
    )
    all_read = print_runs(outcome.folders, json)
    _finish(outcome, all_read)


def generate(
    method: opt.Method,
    task: opt.TaskOption,
    suite: opt.Suite = "mini",
    data: opt.Data = None,
    device: opt.Device = "auto",
    composite: opt.CompositeOption = "none",
    limit: opt.Limit = None,
    keyframes: opt.Keyframes = None,
    seed: opt.Seed = 0,
    seeds: opt.Seeds = 1,
    out: opt.Out = opt.DEFAULT_OUT,
    overwrite: opt.Overwrite = False,
    json: opt.Json = False,
) -> None:
    """Make edits without scoring them; `vivid-bench score` on the run folders does the rest."""
    from vivid_bench.cli.console import print_json, print_rows

    outcome = _run(
        method, task, suite, data, device, composite, limit, keyframes, seed, seeds, out, overwrite, scored=False
    )
    records = [(folder, record) for folder in outcome.folders if (record := folder.record())]
    if json:
        print_json(
            [
                {
                    "run": str(f.path),
                    "method": r.method.name,
                    "task": r.task,
                    "n_edited": r.n_edited,
                    "n_failed": r.n_failed,
                }
                for f, r in records
            ]
        )
    else:
        rows = [(r.method.name, r.task, f"{r.n_edited}/{len(r.samples)}", str(f.path)) for f, r in records]
        print_rows(None, ("method", "task", "edited", "run"), rows)
    _finish(outcome, True)


def _run(
    method: str,
    task: str,
    suite: str,
    data: Path | None,
    device: str,
    composite: str,
    limit: int | None,
    keyframes: str | None,
    seed: int,
    seeds: int,
    out: Path,
    overwrite: bool,
    *,
    scored: bool,
) -> Outcome:
    from vivid_bench.cli.console import ConsoleReporter
    from vivid_bench.datasets.types import distinct
    from vivid_bench.keyframes import parse_keyframes
    from vivid_bench.machine import resolve_device
    from vivid_bench.run import RunOptions, choose_methods, leave_out, run_methods
    from vivid_bench.suites import load_splits, parse_composite, parse_tasks

    tasks = parse_tasks(task)
    mode = parse_composite(composite)
    given = parse_keyframes(keyframes)
    # What is wrong with a method's name or set-up must show before the clips are read.
    chosen = choose_methods(method, tasks, controls=scored)
    on = resolve_device(device)
    _, left_out = leave_out(chosen, method, on)
    splits = load_splits(suite, tasks, data, limit, given)
    reporter = ConsoleReporter()
    for warning in distinct(w for loaded in splits for w in loaded.warnings):
        reporter.say(f"warning: {warning}")
    if left_out:
        reporter.say(f"left out, for they cannot run here (`vivid-bench list methods` says why): {', '.join(left_out)}")
    methods = choose_methods(
        method,
        [loaded.split.task for loaded in splits],
        controls=scored,
        keyframes=any(loaded.split.keyframes is not None for loaded in splits),
    )
    methods, _ = leave_out(methods, method, on)
    options = RunOptions(out, on, mode, seed, seeds, overwrite)
    return run_methods(methods, splits, options, reporter, scored=scored)


def _finish(outcome: Outcome, all_read: bool) -> None:
    from vivid_bench.cli.console import err

    for error in outcome.errors:
        err.print(f"error: {error}", style="red")
    if outcome.n_failed:
        err.print(f"{outcome.n_failed} clips failed; edits.jsonl says why", style="red")
    if outcome.errors or outcome.n_failed or not all_read:
        raise typer.Exit(1)
