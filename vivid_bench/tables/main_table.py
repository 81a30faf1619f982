"""The table `main`: add, modify and delete by method and metric."""

from __future__ import annotations

from collections.abc import Sequence

from vivid_bench.leaderboard.table import Row, Table, format_cell, heading, label, shown_metrics
from vivid_bench.tables.blocks import EMPTY, Block, Figure, PaperTable, as_printed
from vivid_bench.tables.measured import interval_cell, measured_figure, measured_title, no_records
from vivid_bench.tables.printed import published_block, published_figures
from vivid_bench.tables.published import Figures, PaperTables, Published
from vivid_bench.types import TASKS, MetricInfo

OTHER_TERMS = "published on other clips; its definition is as near as whoever wrote the file says"


def main_table(tables: Sequence[Table], published: Published) -> PaperTable:
    """Return a line a method and metric: our mean, the best control's for scale, and the published one, if any."""
    paper = published.vivid_paper_tables
    blocks: list[Block] = []
    figures: list[Figure] = []
    for task in TASKS:
        own = [table for table in tables if table.task == task]
        printed = paper.tasks.get(task)
        blocks += [_block(table, printed) for table in own] or [no_records(task)]
        for table in own:
            figures += _figures(table, printed, paper)
        if printed:
            blocks.append(published_block(printed, paper.source))
            figures += published_figures(printed, paper.source, task)
    return PaperTable("main", "Add, modify, delete", tuple(blocks), tuple(figures), _notes(paper))


def _notes(paper: PaperTables) -> tuple[str, ...]:
    notes = ["best control: the best mean among the control rows, which are no methods"]
    if missing := [task for task in TASKS if task not in paper.tasks]:
        notes.append(f"published: {EMPTY} for {', '.join(missing)}: {_reason(paper)}")
    if paper.tasks:
        notes.append(f"published: by {paper.source}; {OTHER_TERMS}")
    return tuple(notes)


def _reason(paper: PaperTables) -> str:
    return f"{paper.source}: {paper.status}"


def _block(table: Table, printed: Figures | None) -> Block:
    rows = []
    for row in _methods(table):
        for info in shown_metrics(table):
            control = _best_control(table, info)
            value = _published(table, row, info, printed)
            rows.append(
                (
                    label(table, row),
                    heading(info),
                    interval_cell(info, row.summaries[info.name]),
                    _control_cell(table, info, control),
                    as_printed(None if value is None else round(value * info.shown_times, 10)),
                )
            )
    columns = ("method", "metric", "measured", "best control", "published")
    notes = () if rows else ("no method among the rows, controls alone",)
    return Block(measured_title(table), columns, tuple(rows), notes, text_columns=2)


def _figures(table: Table, printed: Figures | None, paper: PaperTables) -> list[Figure]:
    figures = []
    for row in _methods(table):
        for info in shown_metrics(table):
            control = _best_control(table, info)
            value = _published(table, row, info, printed)
            figures.append(
                measured_figure(table, row, info.name)
                | {
                    "best_control": None if control is None else label(table, control),
                    "best_control_value": None if control is None else control.summaries[info.name].mean,
                    "published": value,
                    "published_by": None if value is None else paper.source,
                    "published_missing": _missing(printed, paper) if value is None else None,
                }
            )
    return figures


def _missing(printed: Figures | None, paper: PaperTables) -> str:
    if printed is None:
        return _reason(paper)
    return "the published table has no figure of this method and metric"


def _methods(table: Table) -> list[Row]:
    return [row for row in table.rows if not row.is_control]


def _published(table: Table, row: Row, info: MetricInfo, printed: Figures | None) -> float | None:
    return printed.value(row.record.method.name, info.name) if printed else None


def _best_control(table: Table, info: MetricInfo) -> Row | None:
    controls = [row for row in table.rows if row.is_control]
    means = [(mean, row) for row in controls if (mean := row.summaries[info.name].mean) is not None]
    if not means:
        return None
    return (max if info.higher_is_better else min)(means, key=lambda pair: pair[0])[1]


def _control_cell(table: Table, info: MetricInfo, control: Row | None) -> str:
    if control is None:
        return EMPTY
    return f"{format_cell(info, control.summaries[info.name])} ({label(table, control)})"
