"""`vivid-bench plot`: pictures of run records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt
from vivid_bench.cli.leaderboard import DEFAULT_RECORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

    from vivid_bench.leaderboard.table import Table

FORMATS = ("svg", "png")


def plot(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the pictures go.")],
    records: Annotated[Path, typer.Option("--records", help="Folder of run records.")] = DEFAULT_RECORDS,
    suite: Annotated[str | None, typer.Option("--suite", help="Only this suite's runs.")] = None,
    task: opt.TaskOption = "all",
    x: Annotated[str | None, typer.Option("--x", metavar="METRIC", help="Of the scatter.  [default: the main]")] = None,
    y: Annotated[str | None, typer.Option("--y", metavar="METRIC", help="Of the scatter.")] = None,
    format_: Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="Kind of file.")] = "svg",
) -> None:
    """Draw, a table each: every metric's intervals, two metrics clip by clip, quality against seconds a frame."""
    from vivid_bench.cli.console import err
    from vivid_bench.cli.console import out as console
    from vivid_bench.cli.measured import measured_tables
    from vivid_bench.errors import UnknownNameError
    from vivid_bench.leaderboard.plots import file_stem, save
    from vivid_bench.suites import parse_tasks

    if format_ not in FORMATS:
        raise UnknownNameError("format", format_, FORMATS)
    tasks = parse_tasks(task)
    found, all_read = measured_tables(records)
    tables = [table for table in found if table.task in tasks and suite in (None, table.suite)]
    _check_wanted(found, tables, suite, task, [name for name in (x, y) if name])
    stems: list[str] = []
    for table in tables:
        stems.append(file_stem(table))
        # Tables that may not be mixed can have the same name, e.g. with other metric versions.
        twin = stems.count(stems[-1])
        stem = stems[-1] + (f"-{twin}" if twin > 1 else "")
        for kind, figure, reason in _figures(table, x, y):
            if figure is None:
                err.print(f"{stem}: no {kind} plot, {reason}")
                continue
            path = out / f"{stem}-{kind}.{format_}"
            save(figure, path)
            console.print(str(path), soft_wrap=True)
    if not all_read:
        raise typer.Exit(1)


def _check_wanted(
    found: Sequence[Table], kept: Sequence[Table], suite: str | None, task: str, metrics: Sequence[str]
) -> None:
    from vivid_bench.errors import UnknownNameError, VividBenchError

    if suite is not None and suite not in {table.suite for table in found}:
        raise UnknownNameError("suite among the records", suite, {table.suite for table in found})
    if not kept:
        raise VividBenchError(f"no finished run of --task {task} among the records: nothing to draw")
    names = {info.name for table in kept for info in table.metrics}
    for name in metrics:
        if name not in names:
            raise UnknownNameError("metric among the records", name, names)


def _figures(table: Table, x: str | None, y: str | None) -> Iterator[tuple[str, Figure | None, str]]:
    """Yield the kind of each plot, the plot, and why there is none if there is none."""
    from vivid_bench.errors import UnknownNameError
    from vivid_bench.leaderboard.plots import cost_plot, find_metric, intervals_plot, scatter_plot, second_metric
    from vivid_bench.leaderboard.table import shown_metrics

    yield "intervals", intervals_plot(table) if shown_metrics(table) else None, "no metric applies to its clips"
    try:
        across = find_metric(table, x or table.main_metric)
        up = find_metric(table, y) if y else second_metric(table)
    except UnknownNameError as error:  # another table has it
        yield "scatter", None, str(error)
    else:
        if up is None:
            yield "scatter", None, "it has one metric alone"
        else:
            yield "scatter", scatter_plot(table, across, up), "no clip has both figures"
    yield "cost", cost_plot(table), "no row has the main metric's figure and a time"
