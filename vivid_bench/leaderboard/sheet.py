"""A table as lines of text cells, before a format escapes and draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vivid_bench.escaping import one_line
from vivid_bench.leaderboard.table import (
    Row,
    Table,
    format_cell,
    format_given,
    format_interval,
    heading,
    label,
    shown_metrics,
)
from vivid_bench.types import MetricInfo


@dataclass(frozen=True)
class Line:
    """One row's cells.

    Attributes:
        name: of the method, and what else stands at the left of every part: rank, clips, keyframe.
        figures: metrics, the main one first and the human column, if any, behind it, then seconds a frame and peak
            memory.
        is_first_control: whether the controls begin here.
        is_best: whether, of several methods, the main figure is the best or cannot be told apart from it.
    """

    name: tuple[str, ...]
    figures: tuple[str, ...]
    is_best: bool
    is_control: bool
    is_first_control: bool


@dataclass(frozen=True)
class Sheet:
    """Headings and lines; the controls' lines come last."""

    names: tuple[str, ...]
    figures: tuple[str, ...]
    lines: tuple[Line, ...]

    def parts(self, size: int) -> Iterator[tuple[slice, bool]]:
        """Yield the slices of figures, about `size` in each, that fit beside each other, and whether each is first."""
        count = -(-len(self.figures) // size)
        width = -(-len(self.figures) // count)
        for start in range(0, len(self.figures), width):
            yield slice(start, start + width), start == 0


def sheet(table: Table) -> Sheet:
    """Return a table's headings and lines."""
    infos = shown_metrics(table)
    names = ["rank", "method", "clips", *(["keyframe"] if table.keyframes is not None else [])]
    figures = [*(one_line(heading(info)) for info in infos), "s/frame ↓", "peak MB ↓"]
    if table.human:
        figures.insert(min(1, len(infos)), table.human.heading)
    return Sheet(tuple(names), tuple(figures), tuple(_lines(table, infos)))


def two_lines(heading: str) -> tuple[str, str]:
    """Break a column's heading before its weights, else at the space nearest to its middle."""
    spaces = [index for index, character in enumerate(heading) if character == " "]
    at = heading.find(" @")
    if at < 0:
        at = min(spaces, key=lambda index: abs(index - len(heading) / 2))
    return heading[:at], heading[at + 1 :]


def _lines(table: Table, infos: Sequence[MetricInfo]) -> Iterator[Line]:
    controls = 0
    for row in table.rows:
        controls += row.is_control
        yield Line(
            name=tuple(_names(table, row)),
            figures=_figures(table, row, infos),
            is_best=row.tied_with_best and table.comparisons is not None,
            is_control=row.is_control,
            is_first_control=row.is_control and controls == 1,
        )


def _names(table: Table, row: Row) -> Iterator[str]:
    total = table.n_samples
    yield from (
        "" if row.rank is None else str(row.rank),
        one_line(label(table, row)),
        f"{total - row.n_failed}/{total}",
    )
    if table.keyframes is not None:
        yield format_given(row)


def _figures(table: Table, row: Row, infos: Sequence[MetricInfo]) -> tuple[str, ...]:
    figures = []
    for info in infos:
        summary = row.summaries[info.name]
        interval = format_interval(info, summary) if info.name == table.main_metric else ""
        figures.append(f"{format_cell(info, summary)} {interval}".rstrip())
    figures.append("–" if row.seconds_per_frame is None else f"{row.seconds_per_frame:.3f}")
    figures.append("–" if row.peak_memory_bytes is None else f"{row.peak_memory_bytes / 1e6:.0f}")
    if table.human:
        figures.insert(min(1, len(infos)), table.human.cell(row))
    return tuple(figures)
