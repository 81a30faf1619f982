"""How commands print run records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from vivid_bench.cli.console import MIN_WIDTH, err, wide
from vivid_bench.leaderboard.formats import json_text
from vivid_bench.leaderboard.load import load_rows
from vivid_bench.leaderboard.sheet import Sheet, sheet, two_lines
from vivid_bench.leaderboard.table import Table, build_tables, keyframes_text
from vivid_bench.leaderboard.words import facts, legend
from vivid_bench.records import RunFolder

COLUMN_WIDTH = 12
"""Of a metric, the gap included: those that do not fit beside each other go below, with the methods again."""


def print_runs(folders: Sequence[RunFolder], as_json: bool) -> bool:
    """Print the finished runs among these folders, a table a split and composite; return whether all could be read."""
    loaded = load_rows(folders)
    tables = build_tables(loaded.rows)
    if as_json:
        print(json_text(tables), end="")
    else:
        print_tables(tables, wide())
    for error in loaded.refused:
        err.print(f"left out: {error}", style="red")
    if not tables:
        err.print("no finished run among these; `vivid-bench run` finishes one")
    return not loaded.refused


def print_tables(tables: Sequence[Table], console: Console, *, with_facts: bool = False) -> None:
    """Print tables to a console, each with its legend, and above it what decides its figures where asked."""
    for table in tables:
        heading = f"{table.task}, suite {table.suite}: {table.n_samples} clips, composite {table.composite}, "
        heading += f"{keyframes_text(table.keyframes)}, " if table.keyframes is not None else ""
        console.print(f"{heading}ranked by {table.main_metric}", style="bold", soft_wrap=True)
        for fact in facts(table) if with_facts else ():
            console.print(fact, style="dim", soft_wrap=True)
        whole = sheet(table)
        names = max(len(line.name[1]) for line in whole.lines)
        taken = names + (60 if table.human else 45)  # an interval is wider than a figure
        size = max(1, (max(console.width, MIN_WIDTH) - taken) // COLUMN_WIDTH)
        for part, is_first in whole.parts(size):
            if not is_first:
                console.print()
            console.print(_rich_table(whole, part, is_first))
        if notes := legend([table]):
            console.print("; ".join(notes), style="dim", soft_wrap=True)
        console.print()


def _rich_table(whole: Sheet, part: slice, is_first: bool) -> RichTable:
    rich = RichTable(header_style="bold", box=None, pad_edge=False)
    for name in whole.names if is_first else whole.names[1:2]:
        rich.add_column(name, justify="right" if name in ("rank", "clips") else "left", no_wrap=True)
    for index, figure in enumerate(whole.figures[part]):
        is_main = is_first and index == 0
        has_intervals = any("[" in line.figures[part][index] for line in whole.lines)
        justify: Literal["left", "right"] = "left" if is_main else "right"
        heading = "\n".join(two_lines(figure)) if has_intervals and not is_main else figure
        rich.add_column(heading, justify=justify, min_width=COLUMN_WIDTH - 2, no_wrap=is_main or has_intervals)
    for line in whole.lines:
        if line.is_first_control:
            controls = Text("controls", style="dim italic")
            rich.add_row(*(["", controls] if is_first else [controls]))
        names = line.name if is_first else line.name[1:2]
        figures = list(line.figures[part])
        if is_first and line.is_best:
            figures[0] = f"{figures[0]} *"
        rich.add_row(*names, *figures, style="dim" if line.is_control else "")
    return rich
