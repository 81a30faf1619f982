"""How commands print run records."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table as RichTable
from rich.text import Text

from vivid_bench.cli.console import out, print_json
from vivid_bench.leaderboard.table import (
    Row,
    Table,
    build_tables,
    format_cell,
    heading,
    load_row,
    shown_metrics,
    table_json,
)
from vivid_bench.records import RunFolder
from vivid_bench.types import MetricInfo


def print_runs(folders: Sequence[RunFolder], as_json: bool) -> None:
    """Print the finished runs among these folders, a table a split."""
    tables = build_tables(row for row in map(load_row, folders) if row is not None)
    if as_json:
        print_json([table_json(table) for table in tables])
        return
    for table in tables:
        _print_table(table)


def _print_table(table: Table) -> None:
    infos = shown_metrics(table)
    title = f"{table.task}, suite {table.suite}: {table.n_samples} clips, ranked by {table.main_metric}"
    rich = RichTable(
        title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False
    )
    rich.add_column("method", no_wrap=True)
    rich.add_column("composite")
    rich.add_column("clips", justify="right")
    for info in infos:
        rich.add_column(heading(info), justify="right")
    rich.add_column("s/frame ↓", justify="right")
    for index, row in enumerate(table.rows):
        ends_methods = index + 1 < len(table.rows) and table.rows[index + 1].is_control and not row.is_control
        rich.add_row(*_cells(row, infos), style="dim" if row.is_control else "", end_section=ends_methods)
        if ends_methods:
            rich.add_row(Text("controls", style="dim italic"))
    out.print(rich)
    out.print(_legend(table), style="dim")
    out.print()


def _cells(row: Row, infos: Sequence[MetricInfo]) -> list[str]:
    record = row.record
    total = len(record.samples)
    cells = [record.method.name, record.composite, f"{total - record.n_failed}/{total}"]
    cells += [format_cell(info, record.summaries[info.name]) for info in infos]
    cells.append("–" if row.seconds_per_frame is None else f"{row.seconds_per_frame:.3f}")
    return cells


def _legend(table: Table) -> str:
    notes = []
    if any(s.n_exact for row in table.rows for s in row.record.summaries.values()):
        notes.append("=k: k clips identical to the bit, counted as 100 dB")
    if not all(row.is_ranked for row in table.rows):
        notes.append("(n/N): mean over the n clips that could be scored; such rows are not ranked")
    return "; ".join(notes)
