"""From run folders to rows: what is changed by hand, incomplete or met twice is refused with its file and reason."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from vivid_bench.errors import RecordError, UnknownNameError
from vivid_bench.leaderboard.grid import ScoreGrid, read_grid, read_lines, summarise_grids
from vivid_bench.leaderboard.rows import Row
from vivid_bench.methods import known_methods
from vivid_bench.metrics import metric_info
from vivid_bench.records import RunFolder, run_key
from vivid_bench.submission.record import Badge, read_submission
from vivid_bench.types import RunRecord, Summary

_EDIT_COLUMNS = pa.schema(
    {
        "sample_id": pa.string(),
        "status": pa.string(),
        "seconds": pa.float64(),
        "frames": pa.int64(),
        "peak_memory_bytes": pa.int64(),
    }
)

READERS = min(4, os.cpu_count() or 1)
"""Runs read side by side; each holds its whole file."""

INTERVAL_TOLERANCE = 0.1
"""Of an interval's width. Intervals rest on random draws, which another version may make in another way; those shown
are always computed anew."""


@dataclass(frozen=True)
class Loaded:
    """The rows of all finished runs that can be believed, and why the others cannot."""

    rows: tuple[Row, ...]
    refused: tuple[RecordError, ...]


@dataclass(frozen=True, eq=False)
class _Run:
    """A run as read, its record not yet held against its scores."""

    folder: RunFolder
    record: RunRecord
    grid: ScoreGrid


def load_row(folder: RunFolder) -> Row | None:
    """Read one run; None while unfinished. Raises `RecordError` for what `load_rows` refuses."""
    loaded = load_rows([folder])
    if loaded.refused:
        raise loaded.refused[0]
    return loaded.rows[0] if loaded.rows else None


def load_rows(folders: Sequence[RunFolder]) -> Loaded:
    """Read runs; unfinished ones are passed over.

    Refused are: keys that are missing, unknown or of another schema version, metrics that do not exist, scores changed
    after scoring, summaries and run keys that are not those of the scores and of what made them, and of a run met twice
    all but the first.
    """
    refused: list[RecordError] = []
    runs: dict[str, _Run] = {}
    with ThreadPoolExecutor(READERS) as pool:
        results = list(pool.map(_read, folders))
    for result in results:
        if isinstance(result, RecordError):
            refused.append(result)
        elif result is not None:
            first = runs.setdefault(result.record.run_key, result)
            if first is not result:
                paths = f"{result.folder.path / 'run.json'}: the same run as {first.folder.path / 'run.json'}"
                refused.append(RecordError(f"{paths}; remove one of them"))
    rows: list[Row] = []
    for run, summaries in _summarised(list(runs.values())):
        try:
            rows.append(_row(run, summaries))
        except RecordError as error:
            refused.append(error)
    return Loaded(tuple(rows), tuple(refused))


def _read(folder: RunFolder) -> _Run | RecordError | None:
    try:
        record = folder.record()
        if record is None or record.status != "complete":
            return None
        _check_record(folder.path / "run.json", record)
        if record.scores_sha256 is None or folder.scores_sha256() != record.scores_sha256:
            scores = folder.path / "scores.jsonl"
            return RecordError(f"{scores}: changed after scoring (hash differs from run.json)")
        grid = read_grid(folder.path / "scores.jsonl", record.samples, tuple(record.metrics))
        return _Run(folder, record, grid)
    except RecordError as error:
        return error
    except PermissionError as error:
        return RecordError(f"{error.filename}: no permission to read it")


def _check_record(path: Path, record: RunRecord) -> None:
    if record.run_key != run_key(
        record.method, record.composite, record.seed, record.split_sha256, record.samples,
        record.keyframes, record.keyframes_given,
    ):  # fmt: skip
        raise RecordError(f"{path}: its run key is not that of its method, seed, split and samples")
    shipped = known_methods().get(record.method.name)
    if shipped and shipped.card.kind != record.method.kind:
        raise RecordError(f"{path}: {record.method.name} is a {shipped.card.kind}, not a {record.method.kind}")
    try:
        for name in (*record.metrics, record.main_metric):
            metric_info(name)
    except UnknownNameError as error:
        raise RecordError(f"{path}: {error}") from error
    if record.main_metric not in record.metrics:
        raise RecordError(f"{path}: its main metric {record.main_metric} is not among its metrics")


def _summarised(runs: Sequence[_Run]) -> Iterator[tuple[_Run, dict[str, Summary]]]:
    """Yield the runs in their order with their summaries; those on the same samples are summarised together."""
    groups: dict[tuple[str, ...], list[_Run]] = {}
    for run in runs:
        groups.setdefault(run.record.clusters, []).append(run)
    summaries: dict[RunFolder, dict[str, Summary]] = {}
    for clusters, group in groups.items():
        computed = summarise_grids([run.grid for run in group], clusters)
        summaries.update(zip((run.folder for run in group), computed, strict=True))
    for run in runs:
        yield run, summaries[run.folder]


def _row(run: _Run, summaries: dict[str, Summary]) -> Row:
    record = run.record
    if changed := [name for name in summaries | record.summaries if not _agree(record, name, summaries)]:
        path = run.folder.path / "run.json"
        raise RecordError(f"{path}: its summaries are not those of scores.jsonl: {', '.join(changed)}")
    seconds, peak = _cost(run.folder, record)
    return Row((run.folder,), (record,), run.grid, summaries, seconds, peak, badge=_badge(run))


def _badge(run: _Run) -> Badge | None:
    submission = read_submission(run.folder)
    if submission is None:
        return None
    if submission.scores_sha256 != run.record.scores_sha256:
        path = run.folder.path / "submission.json"
        raise RecordError(
            f"{path}: its badge is of other scores than these; remove the run and accept the submission again, or "
            "remove this file from a run that was made here"
        )
    return submission.badge


def _agree(record: RunRecord, metric: str, computed: dict[str, Summary]) -> bool:
    """Whether a summary as recorded is the one of the scores; its interval may be missing, in older records."""
    if metric not in computed or metric not in record.summaries:
        return False
    ours, theirs = computed[metric], record.summaries[metric]
    if (ours.n_scored, ours.n_expected, ours.n_exact) != (theirs.n_scored, theirs.n_expected, theirs.n_exact):
        return False
    if ours.mean is None or theirs.mean is None:
        return ours.mean is theirs.mean
    if not math.isclose(ours.mean, theirs.mean, rel_tol=1e-9, abs_tol=1e-12):
        return False
    if theirs.ci_low is None or theirs.ci_high is None:
        return True
    if ours.ci_low is None or ours.ci_high is None:
        return False
    slack = INTERVAL_TOLERANCE * (ours.ci_high - ours.ci_low)
    return abs(ours.ci_low - theirs.ci_low) <= slack and abs(ours.ci_high - theirs.ci_high) <= slack


def _cost(folder: RunFolder, record: RunRecord) -> tuple[float | None, int | None]:
    """Return seconds a frame and peak bytes over the edits that say; raises `RecordError`."""
    path = folder.path / "edits.jsonl"
    if not path.is_file():
        return None, None
    try:
        lines = read_lines(path, _EDIT_COLUMNS)
    except pa.ArrowInvalid as error:
        folder.edits()  # names the line
        raise RecordError(f"{path}: {error}") from error
    failed = lines["status"].to_pylist().count("failed")
    if sorted(lines["sample_id"].to_pylist(), key=str) != sorted(record.samples) or failed != record.n_failed:
        raise RecordError(f"{path}: its edits, {failed} of them failed, are not those that run.json counts")
    seconds = lines["seconds"].to_numpy()
    if np.any(seconds < 0):
        raise RecordError(f"{path}: seconds below 0")
    frames = lines["frames"].fill_null(0).to_numpy()
    timed = np.isfinite(seconds) & (frames > 0)
    peaks = lines["peak_memory_bytes"].fill_null(0).to_numpy()
    return (
        float(seconds[timed].sum() / frames[timed].sum()) if timed.any() else None,
        int(peaks.max(initial=0)) or None,
    )
