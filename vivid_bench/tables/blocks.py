"""What a table of the paper is: blocks of printed cells, and the same figures as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

Figure = dict[str, str | int | float | bool | None]

EMPTY = "–"
"""How a figure that does not exist is printed; a note beside it says why."""


@dataclass(frozen=True)
class Block:
    """Rows that may stand together: all measured here, all published by one source, or columns that say which.

    Attributes:
        columns: headings.
        text_columns: how many of the first hold words, not figures.
        rows: printed cells, as many as columns.
        notes: what a reader has to know of this block.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    text_columns: int = 1


@dataclass(frozen=True)
class PaperTable:
    """One table.

    Attributes:
        figures: unrounded, for JSON and CSV; a published one carries its source, a missing one is None with a reason.
        notes: what a reader has to know of the whole table.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


def as_printed(value: float | None) -> str:
    """Return a published figure with the digits that it was printed with, but for zeros at the end."""
    return EMPTY if value is None else f"{Decimal(repr(value)).normalize():f}"
