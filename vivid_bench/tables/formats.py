"""The paper's tables as text: Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from vivid_bench import escaping
from vivid_bench.tables.blocks import Block, PaperTable


def as_markdown(tables: Sequence[PaperTable]) -> str:
    """Return tables as Markdown, each block below a heading that says where its figures are from."""
    parts = []
    for table in tables:
        parts.append(f"## {escaping.markdown(table.title)}")
        for block in table.blocks:
            parts += [f"### {escaping.markdown(block.title)}", *markdown_rows(block), *markdown_notes(block.notes)]
        parts += markdown_notes(table.notes)
    return "\n\n".join(parts) + "\n"


def as_latex(tables: Sequence[PaperTable]) -> str:
    """Return tables as LaTeX (package booktabs), each block a `table` whose caption says where its figures are from."""
    return "\n".join(_latex_block(table, block) for table in tables for block in table.blocks if block.rows)


def as_csv(tables: Sequence[PaperTable]) -> str:
    """Return the figures as CSV, a figure a line; columns that do not belong to a figure are empty."""
    figures = [{"table": table.name, **figure} for table in tables for figure in table.figures]
    columns = list(dict.fromkeys(column for figure in figures for column in figure))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: escaping.csv_cell(value) for name, value in figure.items()} for figure in figures)
    return text.getvalue()


def as_json(tables: Sequence[PaperTable], *, alone: bool) -> str:
    """Return the figures as JSON: an object with `rows` where a table stands `alone`, else an array of such objects."""
    objects = [
        {"table": table.name, "title": table.title, "rows": table.figures, "notes": table.notes} for table in tables
    ]
    return json.dumps(objects[0] if alone else objects, indent=2, ensure_ascii=False) + "\n"


def markdown_rows(block: Block) -> list[str]:
    """Return a block's rows as one table in Markdown, as a list of one; of none where it has no rows."""
    if not block.rows:
        return []
    rule = ["---" if place < block.text_columns else "---:" for place in range(len(block.columns))]
    lines = [_markdown_line(block.columns), _markdown_line(rule, escape=False), *map(_markdown_line, block.rows)]
    return ["\n".join(lines)]


def _markdown_line(cells: Sequence[str], *, escape: bool = True) -> str:
    return f"| {' | '.join(map(escaping.markdown, cells) if escape else cells)} |"


def markdown_notes(notes: Sequence[str]) -> list[str]:
    """Return notes as one list in Markdown, as a list of one; of none where there are no notes."""
    return ["\n".join(f"- {escaping.markdown(note)}" for note in notes)] if notes else []


def _latex_block(table: PaperTable, block: Block) -> str:
    notes = "".join(f"\n% {escaping.latex(note)}" for note in (*block.notes, *table.notes))
    return rf"""\begin{{table}}
\caption{{{escaping.latex(table.title)} -- {escaping.latex(block.title)}}}
\centering
{latex_tabular(block)}{notes}
\end{{table}}
"""


def latex_tabular(block: Block) -> str:
    """Return a block's columns and rows as a `tabular` (package booktabs)."""
    lines = [" & ".join(map(escaping.latex, row)) + r" \\" for row in (block.columns, *block.rows)]
    words = block.text_columns
    return rf"""\begin{{tabular}}{{{"l" * words}{"r" * (len(block.columns) - words)}}}
\toprule
{lines[0]}
\midrule
{chr(10).join(lines[1:])}
\bottomrule
\end{{tabular}}"""
