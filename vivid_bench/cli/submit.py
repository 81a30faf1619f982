"""`vivid-bench submit`: a method's finished runs as one archive, and the check of such an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.submission.check import CheckReport

submit = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Submit a method's runs, or check a submission.")


@submit.command()
def pack(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders of them.")],
    method_file: Annotated[Path, typer.Option("--method-file", help="The method's method.toml.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.zip", help="Where the archive goes.")],
    edits: Annotated[
        Path | None, typer.Option("--edits", help="Where your videos lie, for runs that `score --edits` made.")
    ] = None,
    recipe: Annotated[
        bool, typer.Option("--recipe", help="Say how the edits are made, in place of the edits themselves.")
    ] = False,
    suite: opt.RunSuite = None,
    data: opt.Data = None,
) -> None:
    """Make one archive of a method's finished runs on all tasks it declares, checked as a maintainer will."""
    from vivid_bench.cli.console import err
    from vivid_bench.cli.console import out as console
    from vivid_bench.submission.names import shown
    from vivid_bench.submission.pack import pack as pack_runs
    from vivid_bench.submission.runs import Suites

    packed = pack_runs(runs, method_file, out, Suites(suite, data), edits=edits, recipe=recipe)
    for reason in packed.left_out:
        err.print(f"left out: {shown(reason)}")
    if packed.lossy:
        err.print(f"warning: edits that are not lossless: {', '.join(sorted(packed.lossy))}", style="yellow")
    n = len(packed.runs)
    console.print(
        f"{packed.path}: {n} run{'s' if n > 1 else ''}, {packed.n_files} files, {packed.n_bytes / 1e6:.1f} MB"
        f"{', a recipe in place of the edits' if recipe else ''}"
    )


@submit.command()
def check(
    submission: Annotated[Path, typer.Argument(help="The archive, or a folder that it was unpacked to.")],
    suite: opt.RunSuite = None,
    data: opt.Data = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Which clips are re-scored; drawn at random and printed by default.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Re-score every clip, not a tenth.")] = False,
    rerun: Annotated[
        str | None,
        typer.Option("--rerun", metavar="METHOD", help="Make the clips again with this method, which you reviewed."),
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="RECORDS", help="Copy the runs here when all is in order.")
    ] = None,
    device: opt.Device = "auto",
    weights: opt.WeightsFolder = None,
    json: opt.Json = False,
) -> None:
    """Check a submission, re-score a random tenth, and say every problem, or the badge that it earns.

    Nothing of the submission is executed; --rerun runs a method of your own machine.
    """
    from vivid_bench.cli.console import ConsoleReporter, print_json
    from vivid_bench.machine import resolve_device
    from vivid_bench.submission.check import CheckOptions
    from vivid_bench.submission.check import check as check_submission
    from vivid_bench.submission.runs import Suites
    from vivid_bench.weights import use_folder

    use_folder(weights)
    suites, device = Suites(suite, data), resolve_device(device)
    options = CheckOptions(suites, device, every=every, rerun=rerun, into=into)
    if seed is not None:
        options = CheckOptions(suites, device, seed, every, rerun, into)
    report = check_submission(submission, options, ConsoleReporter())
    if json:
        print_json(_report_json(report))
    else:
        _print_report(report)
    if report.problems:
        raise typer.Exit(1)


def _report_json(report: CheckReport) -> dict[str, object]:
    return {
        "method": report.card.name if report.card else None,
        "badge": report.badge,
        "seed": report.seed,
        "checked": report.checked,
        "problems": report.problems,
        "warnings": report.warnings,
        "accepted": [str(folder.path) for folder in report.accepted],
    }


def _print_report(report: CheckReport) -> None:
    from vivid_bench.cli.console import err, out
    from vivid_bench.submission.names import shown

    for problem in report.problems:
        err.print(f"problem: {problem}", style="red")
    for warning in report.warnings:
        err.print(f"warning: {warning}", style="yellow")
    for run in report.runs:
        record = run.record
        checked = len(report.checked.get(record.run_key, ()))
        what = shown(f"{record.method.name} {record.method.version}, {record.suite} {record.task}, seed {record.seed}")
        out.print(f"{what}: {len(record.samples)} clips, {checked} checked (--seed {report.seed})", soft_wrap=True)
    for folder in report.accepted:
        out.print(f"accepted: {folder.path}", soft_wrap=True)
    n = len(report.problems)
    out.print(f"badge: {report.badge}" if report.badge else f"{n} problem{'s' if n > 1 else ''}, no badge")
