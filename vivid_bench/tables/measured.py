"""Measured rows as blocks of the paper's tables."""

from __future__ import annotations

from collections.abc import Sequence

from vivid_bench.leaderboard.table import Row, Table, format_cell, format_interval, heading, keyframes_text, label
from vivid_bench.leaderboard.words import title
from vivid_bench.tables.blocks import Block, Figure
from vivid_bench.types import MetricInfo, Summary

MEASURED = "measured here"


def measured_title(table: Table) -> str:
    """Return what a block of measured rows is headed with."""
    return f"{MEASURED}: {title(table)}, {table.n_samples} clips"


def measured_block(table: Table, infos: Sequence[MetricInfo], notes: Sequence[str] = ()) -> Block:
    """Return a table's rows, a metric a column, controls marked and last."""
    rows = tuple(
        (_name(table, row), *(interval_cell(info, row.summaries[info.name]) for info in infos)) for row in table.rows
    )
    return Block(measured_title(table), ("method", *map(heading, infos)), rows, tuple(notes))


def _name(table: Table, row: Row) -> str:
    return f"{label(table, row)} (control)" if row.is_control else label(table, row)


def interval_cell(info: MetricInfo, summary: Summary) -> str:
    """Return a mean with its 95 % interval, where there is one: `24.41 [23.02, 25.80]`."""
    return f"{format_cell(info, summary)} {format_interval(info, summary)}".rstrip()


def measured_figure(table: Table, row: Row, metric: str) -> Figure:
    """Return one mean as plain values, unrounded, with all that says on what it was measured."""
    summary = row.summaries[metric]
    return {
        "origin": "measured",
        "suite": table.suite,
        "task": table.task,
        "keyframes": None if table.keyframes is None else keyframes_text(table.keyframes),
        "composite": table.composite,
        "name": label(table, row),
        "kind": row.record.method.kind,
        "metric": metric,
        "value": summary.mean,
        "ci_low": summary.ci_low,
        "ci_high": summary.ci_high,
        "n_scored": summary.n_scored,
        "n_expected": summary.n_expected,
    }


def no_records(task: str) -> Block:
    """Return the block that says that nothing was measured."""
    return Block(f"{MEASURED}: {task}", (), (), (f"no finished run of {task} among the records",))
