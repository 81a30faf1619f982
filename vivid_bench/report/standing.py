"""How a row stands on some clips: its mean, and its lead over the best control there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vivid_bench.leaderboard.table import Row, Table, label
from vivid_bench.stats import Interval, mean_interval
from vivid_bench.types import MetricInfo

MIN_VIDEOS = 8
"""Source videos below which no interval is given: the studentised bootstrap's ends are erratic for so few."""


@dataclass(frozen=True)
class Standing:
    """Means of one metric over some clips.

    Attributes:
        n_clips, n_scored, n_videos: clips meant, clips with a figure, and the source videos that those are from.
        mean, interval: of the row; None without a figure, or with figures of fewer than MIN_VIDEOS videos.
        control, control_mean: the control that is best on the same clips; None where none was scored on all of them.
        lead, lead_interval: mean difference from that control, positive where the row is better.
    """

    n_clips: int
    n_scored: int
    n_videos: int
    mean: float | None
    interval: Interval | None
    control: str | None = None
    control_mean: float | None = None
    lead: float | None = None
    lead_interval: Interval | None = None

    def against(self, mean: float | None, info: MetricInfo) -> Literal["better", "worse"] | None:
        """Say whether the whole interval lies on one side of another mean."""
        if self.interval is None or mean is None:
            return None
        if self.interval.low > mean:
            return "better" if info.higher_is_better else "worse"
        if self.interval.high < mean:
            return "worse" if info.higher_is_better else "better"
        return None


def standing(table: Table, row: Row, info: MetricInfo, places: Sequence[int] | None = None) -> Standing:
    """Return how a row stands on the clips at `places` of the split's order; None = on all."""
    chosen = np.arange(table.n_samples) if places is None else np.asarray(places)
    values = row.values[info.name][chosen]
    scored = ~np.isnan(values)
    clusters = [row.record.clusters[i] for i in chosen[scored]]
    values = values[scored]
    n_videos = len(set(clusters))
    if not values.size:
        return Standing(len(chosen), 0, 0, None, None)
    mean = float(values.mean())
    interval = _interval(values, clusters)
    best = _best_control(table, row, info, chosen[scored])
    if best is None:
        return Standing(len(chosen), len(values), n_videos, mean, interval)
    name, control = best
    leads = (values - control) * (1 if info.higher_is_better else -1)
    return Standing(
        len(chosen), len(values), n_videos, mean, interval, name, float(control.mean()), float(leads.mean()),
        _interval(leads, clusters),
    )  # fmt: skip


def _interval(values: NDArray[np.float64], clusters: Sequence[str]) -> Interval | None:
    return mean_interval(values, clusters) if len(set(clusters)) >= MIN_VIDEOS else None


def _best_control(
    table: Table, row: Row, info: MetricInfo, places: NDArray[np.intp]
) -> tuple[str, NDArray[np.float64]] | None:
    """Return name and values of the control with the best mean on these clips, all of which it must have."""
    found = [
        (label(table, other), values)
        for other in table.rows
        if other.is_control and other is not row and not np.isnan(values := other.values[info.name][places]).any()
    ]
    if not found:
        return None
    return (max if info.higher_is_better else min)(found, key=lambda pair: float(pair[1].mean()))
