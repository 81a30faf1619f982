"""How commands print run records."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table as RichTable
from rich.text import Text

from vivid_bench.cli.console import err, out, print_json, wide
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

COLUMN_WIDTH = 12
"""Of a metric, the gap included: those that do not fit beside each other go below, with the methods again."""


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
    title = f"{table.task}, suite {table.suite}: {table.n_samples} clips, composite {table.composite}, "
    title += f"{keyframes_text(table.keyframes)}, " if table.keyframes is not None else ""
    title += f"ranked by {table.main_metric}"
    console = wide()
    infos = shown_metrics(table)
    names = max(len(label(table, row)) for row in table.rows)
    count = max(1, (console.width - names - 30) // COLUMN_WIDTH)
    rows = max(1, -(-len(infos) // count))
    size = max(1, -(-len(infos) // rows))
    parts = [infos[i : i + size] for i in range(0, max(1, len(infos)), size)]
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        console.print(_rich_table(table, part, title if number == 0 else None, with_cost=is_last))
        if not is_last:
            console.print()
    out.print(_legend(table), style="dim", soft_wrap=True)
    out.print()


def _rich_table(table: Table, infos: Sequence[MetricInfo], title: str | None, *, with_cost: bool) -> RichTable:
    rich = RichTable(
        title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False
    )
    rich.add_column("method", no_wrap=True)
    rich.add_column("clips", justify="right", no_wrap=True)
    if table.keyframes is not None:
        rich.add_column("keyframe", no_wrap=True)
    for info in infos:
        rich.add_column(heading(info), justify="right", min_width=COLUMN_WIDTH - 2)
    if with_cost:
        rich.add_column("s/frame ↓", justify="right", no_wrap=True)
        rich.add_column("peak MB ↓", justify="right", no_wrap=True)
    for index, row in enumerate(table.rows):
        if row.is_control and (index == 0 or not table.rows[index - 1].is_control):
            rich.add_row(Text("controls", style="dim italic"))
        cells = _cells(table, row, infos)
        if with_cost:
            cells.append("–" if row.seconds_per_frame is None else f"{row.seconds_per_frame:.3f}")
            cells.append("–" if row.peak_memory_bytes is None else f"{row.peak_memory_bytes / 1e6:.0f}")
        rich.add_row(*cells, style="dim" if row.is_control else "")
    return rich


def _cells(table: Table, row: Row, infos: Sequence[MetricInfo]) -> list[str]:
    record = row.record
    total = len(record.samples)
    cells = [label(table, row), f"{total - record.n_failed}/{total}"]
    if table.keyframes is not None:
        cells.append(format_given(row))
    cells += [format_cell(info, record.summaries[info.name]) for info in infos]
    return cells


def _legend(table: Table) -> str:
    notes = []
    if table.keyframes is not None:
        note = "keyframe: whether the method was given the reference at the keyframes, which are not scored"
        unknown = any(row.record.keyframes_given is None for row in table.rows)
        notes.append(note + (" (?: finished videos, whose makers may have used them)" if unknown else ""))
    if any(s.n_exact for row in table.rows for s in row.record.summaries.values()):
        notes.append("=k: k clips identical to the bit; a PSNR counts them as 100 dB")
    if not all(row.is_ranked for row in table.rows):
        notes.append("(n/N): mean over the n clips that could be scored; such rows are not ranked")
    if table.missing_weights:
        names = ", ".join(table.missing_weights)
        notes.append(f"not shown, for want of weights: the metrics that need {names} (`vivid-bench weights list`)")
    return "; ".join(notes)
