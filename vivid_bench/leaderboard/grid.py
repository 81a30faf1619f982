"""A run's scores as arrays: `scores.jsonl` read in one go, and its summaries.

A score line is small and there may be millions, so they are parsed by pyarrow and checked as columns; only a file with
something wrong is read again line by line, to say where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from vivid_bench.errors import RecordError
from vivid_bench.stats.bootstrap import Interval
from vivid_bench.summaries import intervals_of_means
from vivid_bench.types import Score, ScoreStatus, Summary

SCORE_COLUMNS = pa.schema(
    {
        "sample_id": pa.string(),
        "metric": pa.string(),
        "value": pa.float64(),
        "status": pa.string(),
        "reason": pa.string(),
        "per_frame": pa.list_(pa.float64()),
    }
)
_STATUSES: tuple[ScoreStatus, ...] = get_args(ScoreStatus)
_HAVE_VALUE = [_STATUSES.index("ok"), _STATUSES.index("exact")]


@dataclass(frozen=True, eq=False)
class ScoreGrid:
    """Every score of a run, or the mean of several seeds' runs; arrays are (n_samples, n_metrics).

    Attributes:
        metrics: names of the columns; the rows are the record's samples, in its order.
        values: float64, NaN where there is none.
        is_expected: bool, False where a metric does not apply to a sample.
        is_exact: bool, True where the pixels were identical.
    """

    metrics: tuple[str, ...]
    values: NDArray[np.float64]
    is_expected: NDArray[np.bool_]
    is_exact: NDArray[np.bool_]

    def summaries(self, clusters: Sequence[str]) -> dict[str, Summary]:
        """Return one summary a metric; see `summarise_grids`."""
        return summarise_grids([self], clusters)[0]


def summarise_grids(grids: Sequence[ScoreGrid], clusters: Sequence[str]) -> list[dict[str, Summary]]:
    """Return, by grid and metric, the mean over scored clips, its 95 % interval over `clusters`, and the counts.

    Grids of the same samples are summarised together: their intervals use the same resamples, drawn once.
    """
    intervals = iter(intervals_of_means(np.concatenate([grid.values for grid in grids], axis=1), clusters))
    return [_summaries(grid, list(islice(intervals, len(grid.metrics)))) for grid in grids]


def _summaries(grid: ScoreGrid, intervals: Sequence[Interval | None]) -> dict[str, Summary]:
    summaries = {}
    for column, (name, interval) in enumerate(zip(grid.metrics, intervals, strict=True)):
        values = grid.values[:, column]
        scored = values[~np.isnan(values)]
        summaries[name] = Summary(
            mean=float(np.mean(scored)) if scored.size else None,
            ci_low=interval.low if interval else None,
            ci_high=interval.high if interval else None,
            n_scored=scored.size,
            n_expected=int(grid.is_expected[:, column].sum()),
            n_exact=int(grid.is_exact[:, column].sum()),
        )
    return summaries


def mean_of_seeds(grids: Sequence[ScoreGrid]) -> ScoreGrid:
    """Return the mean by clip of one method's runs with several seeds; a clip that one of them lacks has none."""
    return ScoreGrid(
        metrics=grids[0].metrics,
        values=np.mean([grid.values for grid in grids], axis=0),
        is_expected=np.any([grid.is_expected for grid in grids], axis=0),
        is_exact=np.all([grid.is_exact for grid in grids], axis=0),
    )


def read_grid(path: Path, samples: Sequence[str], metrics: Sequence[str]) -> ScoreGrid:
    """Read a finished `scores.jsonl` that must hold each metric of each sample once, and nothing else.

    Raises:
        RecordError: naming the file, and the line where one is at fault.
    """
    try:
        lines = read_lines(path, SCORE_COLUMNS)
        if set(lines.column_names) <= Score.model_fields.keys():
            grid = _grid(lines, samples, metrics)
            if grid is not None:
                return grid
        found = "lines that are no scores"
    except pa.ArrowInvalid as error:
        found = str(error)
    raise RecordError(_first_fault(path, samples, metrics) or f"{path}: {found}")


def read_lines(path: Path, columns: pa.Schema) -> pa.Table:
    """Read a file of one JSON object a line; columns that are not named get the type that they seem to have.

    Raises:
        pa.ArrowInvalid: what is no JSON, of another type than named, or no UTF-8.
    """
    size = path.stat().st_size
    if size == 0:
        return columns.empty_table()
    lines = pyarrow.json.read_json(
        path,
        # One block: a line may be as long as it likes. Runs, not the blocks of one, are read side by side.
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=size + 1),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=columns),
    )
    lines.validate(full=True)  # that text is UTF-8
    return lines


def _grid(lines: pa.Table, samples: Sequence[str], metrics: Sequence[str]) -> ScoreGrid | None:
    """Return the grid, or None when anything about the lines is not as it must be."""
    sample = _index(lines, "sample_id", samples)
    metric = _index(lines, "metric", metrics)
    status = _index(lines, "status", _STATUSES)
    cells = len(samples) * len(metrics)
    if len(lines) != cells or min(a.min(initial=0) for a in (sample, metric, status)) < 0:
        return None
    place = sample * len(metrics) + metric
    value = lines["value"].to_numpy()
    has_value = np.isin(status, _HAVE_VALUE)
    has_reason = pc.not_equal(lines["reason"], "").fill_null(False).to_numpy()
    is_each_once = bool(np.all(np.bincount(place, minlength=cells) == 1))
    if not (is_each_once and np.array_equal(np.isfinite(value), has_value) and np.all(has_value | has_reason)):
        return None
    if not np.array_equal(has_value, lines["value"].is_valid().to_numpy()):
        return None  # a value that is not finite where there must be none

    def as_grid(column: NDArray[Any]) -> NDArray[Any]:
        grid = np.empty(cells, column.dtype)
        grid[place] = column
        return grid.reshape(len(samples), len(metrics))

    return ScoreGrid(
        metrics=tuple(metrics),
        values=as_grid(value),
        is_expected=as_grid(status != _STATUSES.index("not_applicable")),
        is_exact=as_grid(status == _STATUSES.index("exact")),
    )


def _index(lines: pa.Table, column: str, known: Sequence[str]) -> NDArray[np.int64]:
    """Return each line's place in `known`, -1 for none."""
    places = pc.index_in(lines[column], value_set=pa.array(known, pa.string()))
    return np.asarray(places.fill_null(-1).to_numpy(), np.int64)


def _first_fault(path: Path, samples: Sequence[str], metrics: Sequence[str]) -> str | None:
    """Return what is wrong, read line by line; None when only the fast reader minded."""
    adapter = TypeAdapter(Score)
    known = set(samples)
    left = {(sample, metric) for sample in samples for metric in metrics}
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return f"{path}: {error}"
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        try:
            score = adapter.validate_json(line)
        except ValidationError as error:
            return f"{path}:{number}: no Score: {error}"
        if score.sample_id not in known:
            return f"{path}:{number}: sample {score.sample_id} is not in run.json"
        if score.metric not in metrics:
            return f"{path}:{number}: metric {score.metric} is not in run.json"
        if (score.sample_id, score.metric) not in left:
            return f"{path}:{number}: a second {score.metric} of {score.sample_id}"
        left.remove((score.sample_id, score.metric))
    if left:
        sample, metric = min(left)
        return f"{path}: {len(left)} scores are missing, e.g. {metric} of {sample}"
    return None
