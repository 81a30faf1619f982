"""What PROVE's evaluation prints: run_prove_metrics.py, with DINOv2 giant.

Our `rc_s` and `rc_t` follow its code; with its weights they are its figures.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from vivid_bench.compat.preset import Measure, Preset
from vivid_bench.metrics.prove import RcS, RcT

if TYPE_CHECKING:
    from vivid_bench.metrics.prove import RemovalCoherence
    from vivid_bench.metrics.sample_clip import EditClip

DINOV2 = "dinov2-giant"


def _value(clip: EditClip, *, metric: RemovalCoherence) -> list[float]:
    value = metric(clip).value
    return [] if value is None else [value]


PRESET = Preset(
    name="prove",
    source="xiaomi-research/prove 7ca299a7: run_prove_metrics.py, utils/metrics.py, utils/predictors.py",
    measures=(
        Measure(
            "rc_s",
            "removal, in space",
            partial(_value, metric=RcS(DINOV2)),
            "the same, on DINOv2 giant; sums in float64, and exact masks (its code takes any grey above 0)",
            pooling="clips",
            weights=DINOV2,
            tasks=("delete",),
        ),
        Measure(
            "rc_t",
            "removal, in time",
            partial(_value, metric=RcT(DINOV2)),
            "the same, on DINOv2 giant; sums in float64",
            pooling="clips",
            better="lower",
            weights=DINOV2,
            tasks=("delete",),
        ),
    ),
)
