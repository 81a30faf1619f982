"""Metrics: one figure, or one reason why there is none, for an edit of a sample.

Each metric is a pure function on arrays and a thin class around it; importing this module loads none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from vivid_bench.registry import Registry
from vivid_bench.types import MetricInfo, Score

if TYPE_CHECKING:
    from vivid_bench.metrics.clip import EditClip

METRICS = Registry(
    "metric",
    {
        "background_psnr": "vivid_bench.metrics.psnr:BackgroundPsnr",
        "background_mse": "vivid_bench.metrics.psnr:BackgroundMse",
        "background_ssim": "vivid_bench.metrics.ssim:BackgroundSsim",
        "background_l1": "vivid_bench.metrics.l1:BackgroundL1",
        "edit_psnr": "vivid_bench.metrics.psnr:EditPsnr",
        "edit_mse": "vivid_bench.metrics.psnr:EditMse",
        "edit_ssim": "vivid_bench.metrics.ssim:EditSsim",
        "edit_l1": "vivid_bench.metrics.l1:EditL1",
        "boundary_psnr": "vivid_bench.metrics.psnr:BoundaryPsnr",
        "boundary_mse": "vivid_bench.metrics.psnr:BoundaryMse",
        "boundary_ssim": "vivid_bench.metrics.ssim:BoundarySsim",
        "boundary_l1": "vivid_bench.metrics.l1:BoundaryL1",
        "background_warp_error": "vivid_bench.metrics.warp_error:BackgroundWarpError",
        "edit_warp_error": "vivid_bench.metrics.warp_error:EditWarpError",
    },
)
"""Every metric by name, in the order of a table's columns."""


class Metric(Protocol):
    """What scores an edit: it says what it is, and returns one score per clip."""

    info: MetricInfo

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; `not_applicable` with a reason where the metric has no meaning for it."""


def load_metric(name: str) -> Metric:
    """Return the metric of that name, ready to call; raises `UnknownNameError`."""
    return cast(Callable[[], Metric], METRICS.load(name))()


def metric_info(name: str) -> MetricInfo:
    """Describe a metric; raises `UnknownNameError`."""
    return load_metric(name).info
