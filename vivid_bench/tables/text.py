"""The paper's tables for a terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable

from vivid_bench.escaping import one_line
from vivid_bench.tables.blocks import Block, PaperTable

GAP = 2
"""Blanks between two columns."""


def as_text(tables: Sequence[PaperTable], width: int) -> str:
    """Return tables as plain text of so many columns; what does not fit beside each other goes below."""
    text = io.StringIO()
    console = Console(file=text, width=width, markup=False, highlight=False)
    for table in tables:
        console.print(f"{one_line(table.title)} ({one_line(table.name)})\n", soft_wrap=True)
        for block in map(_harmless, table.blocks):
            console.print(block.title, soft_wrap=True)
            for number, columns in enumerate(_parts(block, width)):
                if number:
                    console.print()
                console.print(_rich_table(block, columns))
            _print_notes(console, block.notes)
            console.print()
        _print_notes(console, table.notes)
        console.print()
    return "\n".join(line.rstrip() for line in text.getvalue().split("\n")).rstrip() + "\n"


def _harmless(block: Block) -> Block:
    """Return a block whose names move no terminal's cursor."""
    rows = tuple(tuple(map(one_line, row)) for row in block.rows)
    return replace(block, title=one_line(block.title), columns=tuple(map(one_line, block.columns)), rows=rows)


def _print_notes(console: Console, notes: Sequence[str]) -> None:
    for note in notes:
        console.print(f"* {one_line(note)}", soft_wrap=True)


def _parts(block: Block, width: int) -> list[list[int]]:
    """Return the places of the columns that stand beside each other, part by part; the first column is in each."""
    parts: list[list[int]] = []
    left = 0
    for place, column in enumerate(zip(block.columns, *block.rows, strict=True)):
        needed = max(map(cell_len, column)) + GAP
        if place == 0:
            first = needed
        elif not parts or needed > left:
            parts.append([0, place])
            left = width - first - needed
        else:
            parts[-1].append(place)
            left -= needed
    return parts


def _rich_table(block: Block, columns: Sequence[int]) -> RichTable:
    table = RichTable(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    for place in columns:
        table.add_column(block.columns[place], no_wrap=True, justify="left" if place < block.text_columns else "right")
    for row in block.rows:
        table.add_row(*(row[place] for place in columns))
    return table
