"""A plain table of run records: one group of rows a split and composite, methods first, controls apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vivid_bench.errors import RecordError, UnknownNameError
from vivid_bench.metrics import metric_info
from vivid_bench.records import RunFolder, run_key
from vivid_bench.scoring import summarise
from vivid_bench.types import MetricInfo, RunRecord, SharedKeyframes, Summary

HIDDEN_MEASURES = ("l1", "mse")
"""Measures that a terminal does not show, for PSNR says as much; they are in the records and in `--json`."""


@dataclass(frozen=True)
class Row:
    """One run: its record and, from `edits.jsonl`, what it cost."""

    record: RunRecord
    seconds_per_frame: float | None
    peak_memory_bytes: int | None

    @property
    def is_control(self) -> bool:
        """Whether this is a control, which is never ranked among methods."""
        return self.record.method.kind == "control"

    @property
    def main(self) -> Summary | None:
        """The main metric's summary."""
        return self.record.summaries.get(self.record.main_metric)

    @property
    def is_ranked(self) -> bool:
        """Whether every expected clip was scored in every metric, those without weights left aside."""
        has_main = self.main is not None and self.main.mean is not None
        summaries = [s for name, s in self.record.summaries.items() if not self.lacks_weights(name)]
        return has_main and all(s.n_scored == s.n_expected for s in summaries)

    def lacks_weights(self, metric: str) -> bool:
        """Whether the weights that a metric needs were missing when the run was scored."""
        weights = metric_info(metric).needs_weights
        return weights is not None and self.record.weights.get(weights) is None


@dataclass(frozen=True)
class Table:
    """Rows that may be compared: the same split, samples, metric versions, weights, main metric and composite.

    Attributes:
        metrics: those that apply to the task and have a figure.
        missing_weights: names of weights that were missing, whose metrics have none.
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


def load_row(folder: RunFolder) -> Row | None:
    """Read a run folder; None while unfinished. Raises `RecordError` for unknown metrics or changed figures."""
    record = folder.record()
    if record is None or record.status != "complete":
        return None
    if folder.scores_sha256() != record.scores_sha256:
        raise RecordError(f"{folder.path / 'scores.jsonl'}: changed after scoring (hash differs from run.json)")
    if summarise(folder.scores(), list(record.metrics)) != record.summaries:
        raise RecordError(f"{folder.path / 'run.json'}: its summaries are not those of scores.jsonl")
    if record.run_key != run_key(
        record.method, record.composite, record.seed, record.split_sha256, record.samples,
        record.keyframes, record.keyframes_given,
    ):  # fmt: skip
        raise RecordError(f"{folder.path / 'run.json'}: its run key is not that of its method, seed, split and samples")
    try:
        for name in (*record.metrics, record.main_metric):
            metric_info(name)
    except UnknownNameError as error:
        raise RecordError(f"{folder.path / 'run.json'}: {error}") from error
    clips = [clip for clip in folder.edits().values() if clip.seconds is not None and clip.frames]
    frames = sum(clip.frames or 0 for clip in clips)
    peaks = [clip.peak_memory_bytes for clip in clips if clip.peak_memory_bytes]
    return Row(
        record=record,
        seconds_per_frame=sum(clip.seconds or 0.0 for clip in clips) / frames if frames else None,
        peak_memory_bytes=max(peaks) if peaks else None,
    )


def build_tables(rows: Iterable[Row]) -> list[Table]:
    """Group rows into tables, each ranked by its main metric; never mix splits, samples, metric versions or weights."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        r = row.record
        metrics = tuple(sorted(r.metrics.items()))
        weights = tuple(sorted(r.weights.items(), key=str))
        key = (r.suite, r.task, r.composite, r.split_sha256, r.samples, r.keyframes, metrics, weights, r.main_metric)
        groups.setdefault(key, []).append(row)
    tables = [_table(group) for group in groups.values()]
    # Tables of one task stand together, in the order met, those with keyframes after those without.
    met = list(dict.fromkeys((table.suite, table.task) for table in tables))
    return sorted(tables, key=lambda table: (met.index((table.suite, table.task)), table.keyframes is not None))


def _table(rows: Sequence[Row]) -> Table:
    first = rows[0].record
    infos = [metric_info(name) for name in first.metrics]
    applicable = [
        info
        for info in infos
        if any(row.record.summaries[info.name].n_expected for row in rows) and not rows[0].lacks_weights(info.name)
    ]
    better = metric_info(first.main_metric).higher_is_better

    def order(row: Row) -> tuple[bool, bool, float]:
        mean = row.main.mean if row.main else None
        if mean is None:
            return row.is_control, True, float("inf")
        return row.is_control, not row.is_ranked, -mean if better else mean

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
        rows=tuple(sorted(rows, key=order)),
    )


def shown_metrics(table: Table) -> list[MetricInfo]:
    """Return the metrics that a terminal table shows."""
    return [info for info in table.metrics if not info.name.endswith(HIDDEN_MEASURES)]


def label(table: Table, row: Row) -> str:
    """Return a row's name, with what tells it from another row of the same method."""
    method = row.record.method
    twins = [other.record for other in table.rows if other.record.method.name == method.name]
    parts = [method.name]
    if len({r.method.version for r in twins}) > 1:
        parts.append(f"v{method.version}")
    if len({r.seed for r in twins}) > 1:
        parts.append(f"seed {row.record.seed}")
    if len({(r.method.version, r.seed) for r in twins}) < len(twins):
        parts.append(row.record.run_key[:6])
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
    text = f"{summary.mean * info.shown_times:.{_digits(info)}f}"
    if summary.n_scored < summary.n_expected:
        text += f" ({summary.n_scored}/{summary.n_expected})"
    if summary.n_exact:
        text += f"\N{NO-BREAK SPACE}={summary.n_exact}"
    return text


def _digits(info: MetricInfo) -> int:
    return 2 if info.unit == "dB" or info.shown_times > 1 else 4


def heading(info: MetricInfo) -> str:
    """Return a column's heading: name, weights, direction, and the factor it is shown with."""
    name, at, weights = info.name.partition("@")
    return f"{name.replace('_', ' ')}{f' {at}{weights}' if at else ''} {direction(info)}"


def direction(info: MetricInfo) -> str:
    """Return which direction is better and the factor that a metric is shown with, e.g. `↑ ×100`."""
    return ("↑" if info.higher_is_better else "↓") + (f" ×{info.shown_times:g}" if info.shown_times != 1 else "")


def table_json(table: Table) -> dict[str, object]:
    """Return a table as plain values, unrounded."""
    return {
        "suite": table.suite,
        "task": table.task,
        "composite": table.composite,
        "keyframes": table.keyframes,
        "split_sha256": table.split_sha256,
        "n_samples": table.n_samples,
        "main_metric": table.main_metric,
        "weights": dict(table.rows[0].record.weights),
        "rows": [_row_json(row) for row in table.rows],
    }


def _row_json(row: Row) -> dict[str, object]:
    record = row.record
    return {
        "method": record.method.name,
        "kind": record.method.kind,
        "version": record.method.version,
        "composite": record.composite,
        "keyframes_given": record.keyframes_given,
        "seed": record.seed,
        "run_key": record.run_key,
        "ranked": row.is_ranked and not row.is_control,
        "n_edited": record.n_edited,
        "n_failed": record.n_failed,
        "seconds_per_frame": row.seconds_per_frame,
        "peak_memory_bytes": row.peak_memory_bytes,
        "summaries": {name: summary.model_dump() for name, summary in record.summaries.items()},
    }
