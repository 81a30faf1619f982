"""Rows of a leaderboard: one a method, its seeds averaged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vivid_bench.files import canonical_json
from vivid_bench.leaderboard.grid import ScoreGrid, mean_of_seeds
from vivid_bench.metrics import metric_info
from vivid_bench.records import RunFolder
from vivid_bench.stats import SeedVariance, seed_variance
from vivid_bench.submission.record import WEAKEST_FIRST, Badge
from vivid_bench.types import RunRecord, Summary


@dataclass(frozen=True, eq=False)
class Row:
    """One method on one split: its run, or its runs with several seeds, averaged clip by clip.

    Attributes:
        runs: a folder a seed, the lowest seed first.
        records: of the runs; what decides the figures is the same in all but the seed.
        grid: every score.
        summaries: by metric, over clips.
        seconds_per_frame: mean over runs; None where no edit says.
        peak_memory_bytes: the largest of any clip.
        seeds: how much the main metric varies between seeds; None with one seed.
        badge: of an accepted submission, what stands behind its figures; of several seeds, the weakest.
        rank: among the table's methods, shared by those that cannot be told apart; None for what is not ranked.
        tied_with_best: whether it is the best, or cannot be told from it.
    """

    runs: tuple[RunFolder, ...]
    records: tuple[RunRecord, ...]
    grid: ScoreGrid
    summaries: dict[str, Summary]
    seconds_per_frame: float | None = None
    peak_memory_bytes: int | None = None
    seeds: SeedVariance | None = None
    badge: Badge | None = None
    rank: int | None = None
    tied_with_best: bool = False

    @property
    def record(self) -> RunRecord:
        """The first run's."""
        return self.records[0]

    @property
    def n_failed(self) -> int:
        """Clips without an edit; of several seeds, in the one with the most."""
        return max(record.n_failed for record in self.records)

    @property
    def values(self) -> dict[str, NDArray[np.float64]]:
        """By metric, (n_samples,) in the order of the record's samples, NaN where there is none."""
        return dict(zip(self.grid.metrics, self.grid.values.T, strict=True))

    @property
    def is_control(self) -> bool:
        """Whether this is a control, which is never ranked among methods."""
        return self.record.method.kind == "control"

    @property
    def main(self) -> Summary | None:
        """The main metric's summary."""
        return self.summaries.get(self.record.main_metric)

    @property
    def is_complete(self) -> bool:
        """Whether every expected clip was scored in every metric, those without weights left aside."""
        has_main = self.main is not None and self.main.mean is not None
        summaries = [s for name, s in self.summaries.items() if not self.lacks_weights(name)]
        return has_main and all(s.n_scored == s.n_expected for s in summaries)

    @property
    def is_ranked(self) -> bool:
        """Whether this is a method, a baseline or a submission with every figure."""
        return self.is_complete and not self.is_control

    def lacks_weights(self, metric: str) -> bool:
        """Whether the weights that a metric needs were missing when the run was scored."""
        weights = metric_info(metric).needs_weights
        return weights is not None and self.record.weights.get(weights) is None


def merge_seeds(rows: Iterable[Row]) -> list[Row]:
    """Return one row a method from rows of comparable runs, in the order met."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        record = row.record
        made_by = [record.method.model_dump(mode="json", exclude={"kind"}), record.keyframes_given]
        groups.setdefault(canonical_json(made_by), []).append(row)
    return [_merged(sorted(group, key=lambda row: row.record.seed)) for group in groups.values()]


def _merged(rows: Sequence[Row]) -> Row:
    if len(rows) == 1:
        return rows[0]
    first = rows[0]
    grid = mean_of_seeds([row.grid for row in rows])
    seconds = [row.seconds_per_frame for row in rows if row.seconds_per_frame is not None]
    peaks = [row.peak_memory_bytes for row in rows if row.peak_memory_bytes is not None]
    return replace(
        first,
        runs=tuple(folder for row in rows for folder in row.runs),
        records=tuple(record for row in rows for record in row.records),
        grid=grid,
        summaries=grid.summaries(first.record.clusters),
        seconds_per_frame=sum(seconds) / len(seconds) if seconds else None,
        peak_memory_bytes=max(peaks, default=None),
        badge=min((row.badge for row in rows if row.badge), key=WEAKEST_FIRST.index, default=None),
        seeds=seed_variance(np.stack([row.values[first.record.main_metric] for row in rows])),
    )
