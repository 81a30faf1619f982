"""`vivid-bench leaderboard`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivid_bench.leaderboard.table import Table

DEFAULT_RECORDS = Path("results")
FORMATS = ("table", "md", "csv", "json", "latex", "html")


def leaderboard(
    records: Annotated[Path, typer.Option("--records", help="Folder of run records.")] = DEFAULT_RECORDS,
    suite: Annotated[str | None, typer.Option("--suite", help="Only this suite.")] = None,
    task: Annotated[str, typer.Option("--task", metavar="add|modify|delete|all", help="Only this task.")] = "all",
    format_: Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="What to write.")] = "table",
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file; for html, to this folder.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="For html: the clips behind suite folder.")] = None,
    study: Annotated[
        Path | None,
        typer.Option("--study", metavar="ANALYSIS", help="A user study's analysis.json: adds the human column."),
    ] = None,
    json: opt.Json = False,
) -> None:
    """Rank the finished runs below a folder, a table a split; controls stand apart.

    A run that cannot be believed is left out, one that must not be compared gets a table of its own, and either is
    said. With --out, for a leaderboard that others will read, nothing is written then. Raters' preferences stand in a
    column of their own and rank nothing.
    """
    from vivid_bench.cli.console import err
    from vivid_bench.cli.measured import measured_tables
    from vivid_bench.errors import UnknownNameError, VividBenchError
    from vivid_bench.leaderboard.human import with_human
    from vivid_bench.leaderboard.table import disagreements
    from vivid_bench.study.saved import read_analysis
    from vivid_bench.suites import parse_tasks

    if json:
        format_ = "json"
    if format_ not in FORMATS:
        raise UnknownNameError("format", format_, FORMATS)
    if format_ == "html" and out is None:
        raise VividBenchError("--format html writes a folder: say which with --out DIR")
    if data is not None and format_ != "html":
        raise VividBenchError("--data goes with --format html, whose pages show the clips")
    tasks = parse_tasks(task)
    analysis = read_analysis(study) if study else None
    found, all_read = measured_tables(records)
    tables = [table for table in found if table.task in tasks and suite in (None, table.suite)]
    if analysis is not None:
        tables = with_human(tables, analysis)
        if tables and not any(table.human for table in tables):
            err.print(f"{study}: no run of these tables took part in this user study", style="yellow")
    disagreeing = disagreements(tables)
    for message in disagreeing:
        err.print(f"not comparable: {message}", style="red")
    if not tables:
        err.print("no finished run among these; `vivid-bench run` finishes one")
    if out is not None and (disagreeing or not all_read or not tables):
        err.print(f"{out} was not written: mend or remove those records first")
        raise typer.Exit(1)
    if format_ == "html" and out is not None:
        _write_site(tables, out, data)
    else:
        _write_text(tables, format_, out)
    if not all_read:
        raise typer.Exit(1)


def _write_text(tables: Sequence[Table], format_: str, out: Path | None) -> None:
    import sys

    from vivid_bench.files import write_text
    from vivid_bench.leaderboard.formats import TEXT_FORMATS

    if format_ == "table" and out is None:
        from vivid_bench.cli.console import wide
        from vivid_bench.cli.results import print_tables

        print_tables(tables, wide(), with_facts=True)
        return
    text = _plain(tables) if format_ == "table" else TEXT_FORMATS[format_](tables)
    if out is None:
        sys.stdout.write(text)
    else:
        write_text(out, text)


def _plain(tables: Sequence[Table]) -> str:
    """Return what a terminal shows, without colours."""
    import io

    from rich.console import Console

    from vivid_bench.cli.console import MIN_WIDTH
    from vivid_bench.cli.results import print_tables

    file = io.StringIO()
    print_tables(tables, Console(file=file, width=MIN_WIDTH, markup=False, highlight=False), with_facts=True)
    return file.getvalue()


def _write_site(tables: Sequence[Table], out: Path, data: Path | None) -> None:
    from vivid_bench.cli.console import ConsoleReporter
    from vivid_bench.leaderboard.site import count_samples, write_site

    reporter = ConsoleReporter()
    with reporter.stage("site", count_samples(tables)) as progress:
        report = write_site(tables, out, data=data, progress=progress)
    for note in report.notes:
        reporter.say(note)
    reporter.say(f"{report.index}: {report.pages} pages, {report.videos} videos, {report.size / 1e6:.0f} MB")
