"""What the index page shows of a table: plain strings and numbers, which the template lays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivid_bench.leaderboard.human import HumanColumn
from vivid_bench.leaderboard.site.names import table_name, table_title
from vivid_bench.leaderboard.table import (
    Row,
    Table,
    direction,
    format_cell,
    format_given,
    format_interval,
    heading,
    label,
    shown_metrics,
)
from vivid_bench.leaderboard.words import legend
from vivid_bench.study.preference import EMPTY, interval, number
from vivid_bench.types import MetricInfo, Summary


@dataclass(frozen=True)
class Column:
    """One metric's column, or the human one.

    Attributes:
        kind: `metric`, whose cells a choice of mask kind changes, or `human`.
        weights: whose figures these are, where the metric needs weights.
        direction: an arrow, and the factor that values are shown with.
        better: `high` or `low`.
        help: what it is, for the pointer.
    """

    name: str
    weights: str
    direction: str
    better: str
    help: str
    kind: str = "metric"


def view_column(info: MetricInfo) -> Column:
    """Return a metric's column heading."""
    name, at, weights = info.name.partition("@")
    better = "higher" if info.higher_is_better else "lower"
    return Column(
        name=name.replace("_", " "),
        weights=at + weights,
        direction=direction(info),
        better="high" if info.higher_is_better else "low",
        help=f"{info.name}: region {info.region}, {better} is better; {info.citation}",
    )


@dataclass(frozen=True)
class Cell:
    """One cell of a row: what is printed, its interval, what it is sorted by, and whether it is its column's best."""

    text: str
    interval: str = ""
    sort: float | None = None
    best: bool = False
    tied: bool = False
    kind: str = "metric"


@dataclass(frozen=True)
class RowView:
    """One row: its name, the cells, and by mask kind the text of each metric's cell."""

    name: str
    rank: str
    clips: str
    given: str
    cells: tuple[Cell, ...]
    cost: tuple[Cell, ...]
    by_kind: dict[str, list[str]]


@dataclass(frozen=True)
class Card:
    """One sample of the gallery; `page` and `poster` are addresses, None where there is none."""

    sample_id: str
    prompt: str
    kind: str | None
    page: str | None
    poster: str | None


@dataclass(frozen=True)
class TableView:
    """One section of the index page."""

    name: str
    task: str
    title: str
    suite: str
    facts: tuple[tuple[str, str], ...]
    pins: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    has_keyframes: bool
    methods: tuple[RowView, ...]
    controls: tuple[RowView, ...]
    notes: tuple[str, ...]
    kinds: dict[str, int]
    n_samples: int
    cards: tuple[Card, ...]


def view_table(table: Table, kinds: Sequence[str | None], cards: Sequence[Card]) -> TableView:
    """Return a table's section.

    Args:
        table: ranked.
        kinds: mask kind of each sample, None where not known.
        cards: of the samples that have a page, in their order.
    """
    infos = shown_metrics(table)
    members = {kind: np.array([own == kind for own in kinds]) for kind in dict.fromkeys(kinds) if kind is not None}
    rows = [(row, _view_row(table, row, infos, members)) for row in table.rows]
    return TableView(
        name=table_name(table),
        task=table.task,
        title=table_title(table),
        suite=table.suite,
        facts=_facts(table, members),
        pins=_pins(table),
        columns=tuple(_columns(table, infos)),
        has_keyframes=table.keyframes is not None,
        methods=tuple(view for row, view in rows if not row.is_control),
        controls=tuple(view for row, view in rows if row.is_control),
        notes=_notes(table),
        kinds={kind: int(member.sum()) for kind, member in members.items()},
        n_samples=table.n_samples,
        cards=tuple(cards),
    )


def _columns(table: Table, infos: Sequence[MetricInfo]) -> list[Column]:
    columns = list(map(view_column, infos))
    if table.human:
        study = f"raters' answers in user study {table.human.study}: {table.human.measure.meaning}"
        columns.insert(1, Column(table.human.name, table.human.measure.name, "↑", "high", study, "human"))
    return columns


def _human_cell(human: HumanColumn, row: Row) -> Cell:
    estimate = human.estimate(row)
    if estimate is None:
        return Cell(EMPTY, kind="human")
    printed = number(human.measure, estimate.value)
    return Cell(printed, interval(human.measure, estimate), estimate.value, kind="human")


def _view_row(table: Table, row: Row, infos: Sequence[MetricInfo], members: dict[str, NDArray[np.bool_]]) -> RowView:
    is_race = sum(other.is_ranked for other in table.rows) > 1
    cells = []
    for info in infos:
        summary = row.summaries[info.name]
        is_main = info.name == table.main_metric
        cells.append(
            Cell(
                text=format_cell(info, summary),
                interval=format_interval(info, summary),
                sort=summary.mean,
                best=row.is_ranked and summary.mean is not None and summary.mean == _best_mean(table, info),
                tied=is_race and is_main and row.is_ranked and row.tied_with_best,
            )
        )
    if table.human:
        cells.insert(1, _human_cell(table.human, row))
    total, record = table.n_samples, row.record
    memory = row.peak_memory_bytes
    return RowView(
        name=label(table, row),
        rank="" if row.rank is None else str(row.rank),
        clips=f"{total - record.n_failed}/{total}",
        given=format_given(row) if table.keyframes is not None else "",
        cells=tuple(cells),
        cost=(
            Cell("–" if row.seconds_per_frame is None else f"{row.seconds_per_frame:.3f}", sort=row.seconds_per_frame),
            Cell("–" if memory is None else f"{memory / 1e6:.0f}", sort=memory),
        ),
        by_kind={
            kind: [format_cell(info, _summary_of(row, info, member)) for info in infos]
            for kind, member in members.items()
        },
    )


def _best_mean(table: Table, info: MetricInfo) -> float | None:
    """Return the best mean of a metric among ranked rows; None with fewer than two, where best says nothing."""
    ranked = [row.summaries[info.name].mean for row in table.rows if row.is_ranked]
    means = [mean for mean in ranked if mean is not None]
    if len(means) < 2:
        return None
    return max(means) if info.higher_is_better else min(means)


def _summary_of(row: Row, info: MetricInfo, member: NDArray[np.bool_]) -> Summary:
    """Return a metric's mean over some of the samples, without an interval."""
    column = row.grid.metrics.index(info.name)
    values = row.grid.values[member, column]
    scored = values[~np.isnan(values)]
    return Summary(
        mean=float(scored.mean()) if scored.size else None,
        n_scored=scored.size,
        n_expected=int(row.grid.is_expected[member, column].sum()),
        n_exact=int(row.grid.is_exact[member, column].sum()),
    )


def _facts(table: Table, members: dict[str, NDArray[np.bool_]]) -> tuple[tuple[str, str], ...]:
    main = next((info for info in table.metrics if info.name == table.main_metric), None)
    videos = table.n_source_videos
    facts = [
        ("Ranked by", heading(main) if main else table.main_metric),
        ("Clips", str(table.n_samples)),
        ("Source videos", "not recorded: each clip counts as its own" if videos is None else str(videos)),
        ("Composite", table.composite),
    ]
    if members:
        facts.append(("Mask kinds", ", ".join(f"{kind} ({int(member.sum())})" for kind, member in members.items())))
    return tuple(facts)


def _pins(table: Table) -> tuple[tuple[str, str], ...]:
    """Return what the figures depend on: split, metric versions, weights."""
    record = table.record
    pins = [("Split", f"version {record.split_version}, sha256 {table.split_sha256}")]
    by_version: dict[str, list[str]] = {}
    for name, version in record.metrics.items():
        by_version.setdefault(version, []).append(name)
    pins += [(f"Metrics, version {version}", ", ".join(names)) for version, names in sorted(by_version.items())]
    for name, sha256 in sorted(record.weights.items()):
        pins.append((f"Weights {name}", f"sha256 {sha256}" if sha256 else "missing when the runs were scored"))
    return tuple(pins)


def _notes(table: Table) -> tuple[str, ...]:
    notes = legend([table], best="★")
    if sum(row.is_ranked for row in table.rows) > 1:
        notes.insert(0, "bold: the best mean of the ranked methods in each column, whether or not it can be told apart")
    if any(summary.ci_low is not None for row in table.rows for summary in row.summaries.values()):
        notes.insert(0, "[low, high]: 95 % interval of the mean, from resampling source videos")
    return tuple(notes)
