"""Scores of a metric: a value, or a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vivid_bench.types import MetricInfo, Score

DIGITS = 4
"""Significant digits kept of per-frame values, which are for plots; the clip's own value is never rounded."""


def scored(
    info: MetricInfo,
    sample_id: str,
    value: float,
    *,
    exact: bool = False,
    per_frame: Iterable[float | None] | None = None,
    details: Mapping[str, float] | None = None,
) -> Score:
    """Make the score of a clip that has a value."""
    return Score(
        sample_id=sample_id,
        metric=info.name,
        value=value,
        status="exact" if exact else "ok",
        per_frame=None if per_frame is None else tuple(map(_rounded, per_frame)),
        details=None if details is None else dict(details),
    )


def not_applicable(info: MetricInfo, sample_id: str, reason: str) -> Score:
    """Make the score of a clip for which the metric has no meaning."""
    return Score(sample_id=sample_id, metric=info.name, status="not_applicable", reason=reason)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")
