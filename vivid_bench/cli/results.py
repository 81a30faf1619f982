"""How commands print run records."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from vivid_bench.cli.console import err, out, print_json
from vivid_bench.errors import RecordError
from vivid_bench.leaderboard.table import (
    Row,
    Table,
    build_tables,
    format_cell,
    format_given,
    heading,
    keyframes_text,
    label,
    load_row,
    shown_metrics,
    table_json,
)
from vivid_bench.records import RunFolder
from vivid_bench.types import MetricInfo

MIN_WIDTH = 140
"""Figures are never cut: on a narrower terminal the table's lines wrap."""


def print_runs(folders: Sequence[RunFolder], as_json: bool) -> bool:
    """Print the finished runs among these folders, a table a split and composite; return whether all could be read."""
    rows, errors = [], []
    for folder in folders:
        try:
            rows.append(load_row(folder))
        except RecordError as unreadable:
            errors.append(unreadable)
    tables = build_tables(row for row in rows if row is not None)
    if as_json:
        print_json([table_json(table) for table in tables])
    for table in [] if as_json else tables:
        _print_table(table)
    for error in errors:
        err.print(f"left out: {error}", style="red")
    if not tables:
        err.print("no finished run among these; `vivid-bench run` finishes one")
    return not errors


def _print_table(table: Table) -> None:
    infos = shown_metrics(table)
    title = f"{table.task}, suite {table.suite}: {table.n_samples} clips, composite {table.composite}, "
    title += f"{keyframes_text(table.keyframes)}, " if table.keyframes is not None else ""
    title += f"ranked by {table.main_metric}"
    rich = RichTable(
        title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False
    )
    rich.add_column("method", no_wrap=True)
    rich.add_column("clips", justify="right", no_wrap=True)
    if table.keyframes is not None:
        rich.add_column("keyframe", no_wrap=True)
    for info in infos:
        rich.add_column(heading(info), justify="right", min_width=10)
    rich.add_column("s/frame ↓", justify="right", no_wrap=True)
    for index, row in enumerate(table.rows):
        if row.is_control and (index == 0 or not table.rows[index - 1].is_control):
            rich.add_row(Text("controls", style="dim italic"))
        rich.add_row(*_cells(table, row, infos), style="dim" if row.is_control else "")
    wide = out if out.width >= MIN_WIDTH else Console(width=MIN_WIDTH, markup=False, highlight=False)
    wide.print(rich)
    out.print(_legend(table), style="dim", soft_wrap=True)
    out.print()


def _cells(table: Table, row: Row, infos: Sequence[MetricInfo]) -> list[str]:
    record = row.record
    total = len(record.samples)
    cells = [label(table, row), f"{total - record.n_failed}/{total}"]
    if table.keyframes is not None:
        cells.append(format_given(row))
    cells += [format_cell(info, record.summaries[info.name]) for info in infos]
    cells.append("–" if row.seconds_per_frame is None else f"{row.seconds_per_frame:.3f}")
    return cells


def _legend(table: Table) -> str:
    notes = []
    if table.keyframes is not None:
        note = "keyframe: whether the method was given the reference at the keyframes, which are not scored"
        unknown = any(row.record.keyframes_given is None for row in table.rows)
        notes.append(note + (" (?: finished videos, whose makers may have used them)" if unknown else ""))
    if any(s.n_exact for row in table.rows for s in row.record.summaries.values()):
        notes.append("=k: k clips identical to the bit, counted as 100 dB")
    if not all(row.is_ranked for row in table.rows):
        notes.append("(n/N): mean over the n clips that could be scored; such rows are not ranked")
    return "; ".join(notes)
