"""Tables of rows that may be compared, and how their parts are said in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vivid_bench.leaderboard.rows import Row, merge_seeds
from vivid_bench.metrics import metric_info
from vivid_bench.stats import Comparisons, compare
from vivid_bench.types import MetricInfo, RunRecord, SharedKeyframes, Summary

if TYPE_CHECKING:
    from vivid_bench.leaderboard.human import HumanColumn

__all__ = [
    "HIDDEN_MEASURES",
    "Row",
    "Table",
    "build_tables",
    "direction",
    "disagreements",
    "format_cell",
    "format_given",
    "format_interval",
    "heading",
    "keyframes_text",
    "label",
    "shown_metrics",
]

HIDDEN_MEASURES = ("l1", "mse")
"""Measures that no table shows, for PSNR says as much; they are in the records, in csv and in json."""


_APPLIES = "clips that metrics apply to"


@dataclass(frozen=True)
class Table:
    """Rows that may be compared: they agree in everything of `_agreed` and in their composite and keyframes.

    Attributes:
        metrics: those that apply to the task and have a figure.
        missing_weights: names of weights that were missing, whose metrics have none.
        rows: methods first, the best at the top, those that are incomplete below; then controls.
        comparisons: between the ranked rows, in their order, on the main metric; None for fewer than two.
        human: raters' preferences, of a user study in which some of the runs took part; None without one.
    """

    suite: str
    task: str
    composite: str
    keyframes: SharedKeyframes | None
    split_sha256: str
    n_samples: int
    metrics: tuple[MetricInfo, ...]
    missing_weights: tuple[str, ...]
    main_metric: str
    rows: tuple[Row, ...]
    comparisons: Comparisons | None = None
    human: HumanColumn | None = None

    @property
    def record(self) -> RunRecord:
        """The first row's, for what all rows agree in."""
        return self.rows[0].record

    @property
    def n_source_videos(self) -> int | None:
        """How many videos the clips are from; None where the records do not say."""
        return len(set(self.record.source_videos)) or None


def _agreed(row: Row) -> dict[str, object]:
    """Return what the runs of one table must agree in, by the name that a message gives it."""
    record = row.record
    return {
        "split version": record.split_version,
        "split sha256": record.split_sha256,
        "samples": record.samples,
        "source videos": record.source_videos,
        "main metric": record.main_metric,
        "metric versions": tuple(sorted(record.metrics.items())),
        "weights": tuple(sorted(record.weights.items(), key=str)),
        # It depends on the clip alone: a run that leaves its worst clips out so is ranked on others.
        _APPLIES: tuple(row.grid.is_expected.ravel().tolist()),
    }


def build_tables(rows: Iterable[Row]) -> list[Table]:
    """Group rows into tables, the seeds of a method in one row, each table ranked by its main metric.

    Never mixes splits, samples, metric versions or weights: rows that differ in those stand in tables of their own.
    """
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        r = row.record
        groups.setdefault((r.suite, r.task, r.composite, r.keyframes, *_agreed(row).values()), []).append(row)
    tables = [_table(merge_seeds(group)) for group in groups.values()]
    # Tables of one task stand together, in the order met, those with keyframes after those without.
    met = list(dict.fromkeys((table.suite, table.task) for table in tables))
    return sorted(tables, key=lambda table: (met.index((table.suite, table.task)), table.keyframes is not None))


def _table(rows: Sequence[Row]) -> Table:
    first = rows[0].record
    applicable = [
        info
        for info in map(metric_info, first.metrics)
        if any(row.summaries[info.name].n_expected for row in rows) and not rows[0].lacks_weights(info.name)
    ]
    better = metric_info(first.main_metric).higher_is_better

    def order(row: Row) -> tuple[bool, bool, float]:
        mean = row.main.mean if row.main else None
        if mean is None:
            return row.is_control, True, float("inf")
        return row.is_control, not row.is_complete, -mean if better else mean

    ordered = sorted(rows, key=order)
    comparisons = _compare([row for row in ordered if row.is_ranked], better)
    return Table(
        suite=first.suite,
        task=first.task,
        composite=first.composite,
        keyframes=first.keyframes,
        split_sha256=first.split_sha256,
        n_samples=len(first.samples),
        metrics=tuple(applicable),
        missing_weights=tuple(name for name, sha256 in first.weights.items() if sha256 is None),
        main_metric=first.main_metric,
        rows=tuple(_with_ranks(ordered, comparisons)),
        comparisons=comparisons,
    )


def _compare(ranked: Sequence[Row], higher_is_better: bool) -> Comparisons | None:
    """Compare ranked rows on the clips to which the main metric applies."""
    if len(ranked) < 2:
        return None
    values = np.stack([row.values[row.record.main_metric] for row in ranked], axis=1)
    applies = np.flatnonzero(~np.isnan(values).any(axis=1))
    clusters = [ranked[0].record.clusters[index] for index in applies]
    return compare(values[applies], clusters, higher_is_better)


def _with_ranks(rows: Sequence[Row], comparisons: Comparisons | None) -> Iterable[Row]:
    n_ranked = sum(row.is_ranked for row in rows)
    ranks = comparisons.ranks if comparisons else (1,) * n_ranked
    tied = comparisons.tied_with_best if comparisons else (True,) * n_ranked
    given = iter(zip(ranks, tied, strict=True))
    for row in rows:
        if row.is_ranked:
            rank, is_tied = next(given)
            yield replace(row, rank=rank, tied_with_best=is_tied)
        else:
            yield row


def disagreements(tables: Sequence[Table]) -> list[str]:
    """Say which runs could not stand in the table that their suite, task, composite and keyframes ask for, and why.

    The table with the most rows is taken for what was meant.
    """
    groups: dict[tuple[object, ...], list[Table]] = {}
    for table in tables:
        groups.setdefault((table.suite, table.task, table.composite, table.keyframes), []).append(table)
    messages = []
    for group in groups.values():
        main, *others = sorted(group, key=lambda table: -len(table.rows))
        for other in others:
            ours, theirs = _agreed(main.rows[0]), _agreed(other.rows[0])
            names = [name for name in ours if theirs[name] != ours[name]]
            if len(names) > 1 and _APPLIES in names:
                names.remove(_APPLIES)  # other samples and other metrics bring it about
            differences = [_difference(name, theirs[name], ours[name]) for name in names]
            paths = [str(folder.path / "run.json") for row in other.rows for folder in row.runs]
            messages.append(
                f"{', '.join(paths)}: cannot stand beside {main.rows[0].runs[0].path / 'run.json'} "
                f"(the table of {len(main.rows)} rows): {'; '.join(differences)}"
            )
    return messages


def _difference(name: str, found: object, expected: object) -> str:
    if name in ("metric versions", "weights") and isinstance(found, tuple) and isinstance(expected, tuple):
        names = sorted({key for key, _ in set(found) ^ set(expected)})
        theirs, ours = dict(found), dict(expected)
        parts = [f"{key} {_short(theirs.get(key))}, not {_short(ours.get(key))}" for key in names]
        return f"{name}: {', '.join(parts)}"
    if isinstance(found, tuple) and isinstance(expected, tuple):
        if len(found) != len(expected):
            return f"{len(found)} {name}, not {len(expected)}"
        return f"other {name}"
    return f"{name} {_short(found)}, not {_short(expected)}"


def _short(value: object) -> str:
    return "none" if value is None else str(value)[:12]


def shown_metrics(table: Table) -> list[MetricInfo]:
    """Return the metrics that a table shows, the main one first."""
    main = table.main_metric
    shown = [info for info in table.metrics if info.name == main or not info.name.endswith(HIDDEN_MEASURES)]
    return sorted(shown, key=lambda info: info.name != main)


def label(table: Table, row: Row) -> str:
    """Return a row's name, with what tells it from another row of the same method."""
    method = row.record.method
    twins = [other.record.method for other in table.rows if other.record.method.name == method.name]
    parts = [method.name]
    if len({twin.version for twin in twins}) > 1:
        parts.append(f"v{method.version}")
    if len({twin.version for twin in twins}) < len(twins):
        parts.append(row.record.run_key[:6])
    if len(row.runs) > 1:
        parts.append(f"({len(row.runs)} seeds)")
    if row.badge:
        parts.append(f"({row.badge})")
    return " ".join(parts)


def keyframes_text(keyframes: SharedKeyframes) -> str:
    """Return a table's keyframes as its title says them, e.g. `keyframes 0, 8`."""
    return f"keyframes {keyframes if isinstance(keyframes, str) else ', '.join(map(str, keyframes))}"


def format_given(row: Row) -> str:
    """Return whether a method got the keyframes: `yes`, `no`, or `?` for a submission, which may have used them."""
    return {True: "yes", False: "no", None: "?"}[row.record.keyframes_given]


def format_cell(info: MetricInfo, summary: Summary) -> str:
    """Return a mean as printed: scaled, with n/N where incomplete and the count of exact clips; `–` for none."""
    if summary.mean is None:
        return "–" if summary.n_expected == 0 else f"– ({summary.n_scored}/{summary.n_expected})"
    text = _scaled(info, summary.mean)
    if summary.n_scored < summary.n_expected:
        text += f" ({summary.n_scored}/{summary.n_expected})"
    if summary.n_exact:
        text += f"\N{NO-BREAK SPACE}={summary.n_exact}"
    return text


def format_interval(info: MetricInfo, summary: Summary) -> str:
    """Return a mean's interval as printed, e.g. `[18.20, 21.50]`; nothing where there is none."""
    if summary.ci_low is None or summary.ci_high is None:
        return ""
    return f"[{_scaled(info, summary.ci_low)}, {_scaled(info, summary.ci_high)}]"


def _scaled(info: MetricInfo, value: float) -> str:
    return f"{value * info.shown_times:.{2 if info.unit == 'dB' or info.shown_times > 1 else 4}f}"


def heading(info: MetricInfo) -> str:
    """Return a column's heading: name, weights, direction, and the factor it is shown with."""
    name, at, weights = info.name.partition("@")
    return f"{name.replace('_', ' ')}{f' {at}{weights}' if at else ''} {direction(info)}"


def direction(info: MetricInfo) -> str:
    """Return which direction is better and the factor that a metric is shown with, e.g. `↑ ×100`."""
    return ("↑" if info.higher_is_better else "↓") + (f" ×{info.shown_times:g}" if info.shown_times != 1 else "")
