"""Published tables as blocks, apart from what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from vivid_bench.tables.blocks import EMPTY, Block, Figure, as_printed
from vivid_bench.tables.published import Figures


def published_block(figures: Figures, source: str) -> Block:
    """Return a published table: `published by <source>`, in the source's order, never ranked among measured rows."""
    better = figures.higher_is_better or (None,) * len(figures.columns)
    headings = (f"{name}{_arrow(up)}" for name, up in zip(figures.columns, better, strict=True))
    digits = [_digits(column) for column in zip(*figures.rows.values(), strict=True)]
    rows = tuple(
        (name, *(EMPTY if value is None else f"{value:.{n}f}" for value, n in zip(row, digits, strict=True)))
        for name, row in figures.rows.items()
    )
    return Block(f"published by {source}", ("method", *headings), rows)


def published_figures(figures: Figures, source: str, task: str) -> tuple[Figure, ...]:
    """Return a published table as plain values, each with its source."""
    return tuple(
        {"origin": "published", "published_by": source, "task": task, "name": name, "metric": column, "value": value}
        for name, row in figures.rows.items()
        for column, value in zip(figures.columns, row, strict=True)
    )


def _arrow(up: bool | None) -> str:
    return "" if up is None else " ↑" if up else " ↓"


def _digits(column: Sequence[float | None]) -> int:
    """Return how many digits the column's longest figure has behind the point: JSON drops zeros that were printed."""
    return max((len(as_printed(value).partition(".")[2]) for value in column if value is not None), default=0)
