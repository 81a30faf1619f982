"""Metrics: one figure, or one reason why there is none, for an edit of a sample.

Each metric is a pure function on arrays and a thin class around it; importing this module loads none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, cast

from vivid_bench.errors import MissingWeightsError, UnknownNameError
from vivid_bench.registry import Registry
from vivid_bench.types import MetricInfo, Score
from vivid_bench.weights import locate

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip

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
        "removal_success_histogram": "vivid_bench.metrics.removal:RemovalHistogram",
    },
)
"""Every metric that needs no weights by name, in the order of a table's columns."""

WEIGHTED_METRICS = Registry(
    "metric",
    {
        "background_lpips": "vivid_bench.metrics.lpips:BackgroundLpips",
        "edit_lpips": "vivid_bench.metrics.lpips:EditLpips",
        "clip_text_full": "vivid_bench.metrics.clip_text:ClipTextFull",
        "clip_text_region": "vivid_bench.metrics.clip_text:ClipTextRegion",
        "clip_text_masked": "vivid_bench.metrics.clip_text:ClipTextMasked",
        "clip_temporal_full": "vivid_bench.metrics.clip_temporal:ClipTemporalFull",
        "clip_temporal_region": "vivid_bench.metrics.clip_temporal:ClipTemporalRegion",
        "clip_image_region": "vivid_bench.metrics.clip_image:ClipImageRegion",
        "removal_success": "vivid_bench.metrics.removal:RemovalClip",
        "rc_s": "vivid_bench.metrics.prove:RcS",
        "rc_t": "vivid_bench.metrics.prove:RcT",
        "remove": "vivid_bench.metrics.remove:Remove",
    },
)
"""Every metric that needs weights by the first part of its name: `<metric>@<weights>`, e.g. `edit_lpips@alex`."""


class Metric(Protocol):
    """What scores an edit: it says what it is, and returns one score per clip."""

    info: MetricInfo

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; `not_applicable` with a reason where the metric has no meaning for it."""


def check_name(name: str) -> None:
    """Raise `UnknownNameError` unless there is such a metric and such weights; they need not be on this machine."""
    if weights := load_metric(name).info.needs_weights:
        with suppress(MissingWeightsError):
            locate(weights)


def load_metric(name: str) -> Metric:
    """Return the metric of that name, ready to call; weights are not read yet. Raises `UnknownNameError`."""
    base, _, weights = name.partition("@")
    if weights:
        return cast(Callable[[str], Metric], WEIGHTED_METRICS.load(base))(weights)
    if base in WEIGHTED_METRICS:
        raise UnknownNameError("metric", name, [f"{base}@<weights>"])
    return cast(Callable[[], Metric], METRICS.load(base))()


def metric_info(name: str) -> MetricInfo:
    """Describe a metric; raises `UnknownNameError`."""
    return load_metric(name).info
