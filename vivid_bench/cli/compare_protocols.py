"""`vivid-bench compare-protocols`, and what `score --protocol` does: other suites' figures of runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.compat.comparison import Quantity
    from vivid_bench.compat.protocols import Figure
    from vivid_bench.records import RunFolder
    from vivid_bench.suites import LoadedSplit
    from vivid_bench.types import RunRecord

Edits = Annotated[Path | None, typer.Option("--edits", help="Where the videos of a submission lie.")]


def compare_protocols(
    run: Annotated[Path, typer.Argument(help="A run folder, scored, with its edits still there.")],
    edits: Edits = None,
    suite: opt.RunSuite = None,
    data: opt.Data = None,
    device: opt.Device = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Compute again what is there already.")] = False,
    weights: opt.WeightsFolder = None,
    json: opt.Json = False,
) -> None:
    """Print what other suites' code would print for a run, beside our figures of the same, and why they differ.

    What has not been computed yet is computed and kept in the run folder, apart from its scores.
    """
    from vivid_bench.cli.console import err, print_json
    from vivid_bench.compat import PRESETS
    from vivid_bench.compat.comparison import compare
    from vivid_bench.errors import RecordError
    from vivid_bench.records import find_runs
    from vivid_bench.weights import use_folder

    use_folder(weights)
    folders = find_runs(run)
    if len(folders) != 1:
        raise RecordError(f"{run}: {len(folders) or 'no'} runs here or below; name one run's folder")
    (folder,) = folders
    record = _record(folder)
    if record.status != "complete":
        raise RecordError(f"{folder.path}: not scored yet; `vivid-bench score {folder.path}` does")
    loaded = _load_split(record, suite, data)
    figures = [f for name in PRESETS for f in _score(folder, record, loaded, name, edits, device, overwrite)]
    quantities = compare(folder, record, figures)
    if json:
        print_json(_heading_json(record) | {"quantities": [_quantity_json(quantity) for quantity in quantities]})
        return
    err.print(_heading(record))
    for quantity in quantities:
        _print_figures(quantity.name, quantity.figures)
    _print_reasons(figures)


def score_protocol_of_runs(
    paths: Sequence[Path],
    name: str,
    edits: Path | None,
    suite: str | None,
    data: Path | None,
    device: str,
    *,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Compute a preset's figures of runs and print a table a run; raises `VividBenchError`s."""
    from vivid_bench.cli.console import err, print_json
    from vivid_bench.compat import PRESETS
    from vivid_bench.errors import RecordError
    from vivid_bench.records import find_runs

    PRESETS.target(name)
    folders = [folder for path in paths for folder in find_runs(path)]
    if not folders:
        raise RecordError(f"{', '.join(map(str, paths))}: no run.json here or below")
    tables = []
    for folder in folders:
        record = _record(folder)
        figures = _score(folder, record, _load_split(record, suite, data), name, edits, device, overwrite)
        tables.append(_heading_json(record) | {"protocol": name, "figures": [_figure_json(f) for f in figures]})
        if not figures:
            err.print(f"{_heading(record)}: no measure of {name} has a meaning for this task")
        elif not as_json:
            _print_figures(f"{_heading(record)}: {name}", figures)
            _print_reasons(figures)
    if as_json:
        print_json(tables)


def _record(folder: RunFolder) -> RunRecord:
    record = folder.record()
    assert record is not None, "find_runs looks for run.json"
    return record


def _load_split(record: RunRecord, suite: str | None, data: Path | None) -> LoadedSplit:
    from vivid_bench.suites import load_splits

    suite, n_samples = suite or record.suite, len(record.samples)
    (loaded,) = load_splits(suite, (record.task,), data, n_samples)
    if isinstance(record.keyframes, tuple) and loaded.split.keyframes != record.keyframes:  # not the suite's own
        (loaded,) = load_splits(suite, (record.task,), data, n_samples, record.keyframes)
    return loaded


def _score(
    folder: RunFolder,
    record: RunRecord,
    loaded: LoadedSplit,
    name: str,
    edits: Path | None,
    device: str,
    overwrite: bool,
) -> list[Figure]:
    from vivid_bench.cli.console import ConsoleReporter
    from vivid_bench.compat.protocols import score_protocol
    from vivid_bench.errors import RecordError
    from vivid_bench.machine import resolve_device

    is_submission = record.method.kind == "submission"
    if is_submission and edits is None:
        raise RecordError(f"{folder.path}: a submission, whose videos lie elsewhere; pass --edits DIR")
    if edits is not None and not is_submission:
        raise RecordError(f"{folder.path}: no submission: it holds its edits itself; leave --edits out")
    root = edits or folder.path
    where = resolve_device(device)
    with ConsoleReporter().stage(f"{record.method.name}, {record.task}: {name}", len(record.samples)) as progress:
        return score_protocol(folder, loaded, name, root, where, progress, overwrite=overwrite)


def _print_figures(title: str, figures: Sequence[Figure]) -> None:
    from vivid_bench.cli.console import out, print_rows
    from vivid_bench.leaderboard.table import direction, format_cell

    rows = []
    for figure in figures:
        info = figure.info
        rows.append((info.name, direction(info), format_cell(info, figure.summary), figure.pooling, figure.differs))
    print_rows(title, ("figure", "", "mean", "over", "what differs"), rows)
    out.print()


def _print_reasons(figures: Sequence[Figure]) -> None:
    from vivid_bench.cli.console import err

    names: dict[str, list[str]] = {}
    for figure in figures:
        for reason in figure.reasons:
            names.setdefault(reason, []).append(figure.info.name)
    for reason, without in names.items():
        err.print(f"without a figure, for some clips or all: {', '.join(without)}: {reason}")


def _heading(record: RunRecord) -> str:
    return f"{record.method.name} on {record.suite}, {record.task}, {len(record.samples)} clips"


def _heading_json(record: RunRecord) -> dict[str, object]:
    return {
        "suite": record.suite,
        "task": record.task,
        "method": record.method.name,
        "kind": record.method.kind,
        "run_key": record.run_key,
        "n_samples": len(record.samples),
    }


def _quantity_json(quantity: Quantity) -> dict[str, object]:
    return {"quantity": quantity.name, "figures": [_figure_json(figure) for figure in quantity.figures]}


def _figure_json(figure: Figure) -> dict[str, object]:
    return {
        "name": figure.info.name,
        "unit": figure.info.unit,
        "higher_is_better": figure.info.higher_is_better,
        "mean": figure.summary.mean,
        "mean_over": figure.pooling,
        "n_scored": figure.summary.n_scored,
        "n_expected": figure.summary.n_expected,
        "what_differs": figure.differs,
        "clips": {score.sample_id: score.value for score in figure.scores},
        "reasons": {score.sample_id: score.reason for score in figure.scores if score.reason},
    }
