"""PSNR and mean squared error inside a region."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.errors import difference_histogram, squared_sum
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import TASKS, MetricInfo, Region, Score

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip

CAP_DB = 100.0
CITATION = "MSE over the region's pixels and channels, PSNR = 10 log10(1 / MSE); as torchmetrics on a full frame"


def psnr(mse: float) -> float:
    """Peak signal-to-noise ratio of a mean squared error.

    PSNR = 10 log10(1 / MSE), at most 100 dB, which identical pixels get too. Higher is better.

    Args:
        mse: mean squared error of values in [0, 1].

    Returns:
        dB, 0 to 100.

    Example:
        >>> psnr(1 / 100)
        20.0
        >>> psnr(0)
        100.0
    """
    return CAP_DB if mse == 0 else min(CAP_DB, -10 * math.log10(mse))


def region_mse(first: NDArray[np.uint8], second: NDArray[np.uint8], region: NDArray[np.bool_]) -> float | None:
    """Mean squared error of two frames inside a region.

    MSE = sum over the region's pixels and channels of ((a - b) / 255)^2, divided by their number. Lower is better.

    Args:
        first, second: (H, W, 3) uint8.
        region: (H, W) bool.

    Returns:
        0 to 1; None for an empty region.

    Example:
        >>> import numpy as np
        >>> black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
        >>> region_mse(black, white, np.eye(2, dtype=bool))
        1.0
    """
    return histogram_mse(difference_histogram(first, second, region))


def histogram_mse(histogram: NDArray[np.int64]) -> float | None:
    """Mean squared error, 0 to 1, of a histogram of differences, (256,) or (T, 256); None when it counts nothing."""
    count = int(histogram.sum())
    return squared_sum(histogram) / (count * 255**2) if count else None


class Mse:
    """Mean squared error over a region of the whole clip, values in [0, 1]. Lower is better."""

    def __init__(self, region: Region) -> None:
        self.info = MetricInfo(
            name=f"{region}_mse",
            version="1",
            unit="",
            range=(0.0, 1.0),
            higher_is_better=False,
            tasks=TASKS,
            region=region,
            needs_reference=region != "background",
            shown_times=1e3,
            citation=CITATION,
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; status `exact` for identical pixels."""
        if reason := clip.sample.why_missing(self.info.region):
            return not_applicable(self.info, clip.sample_id, reason)
        mse = histogram_mse(clip.difference_histograms(self.info.region))
        assert mse is not None
        return scored(self.info, clip.sample_id, mse, exact=mse == 0)


class Psnr:
    """PSNR of a region's mean squared error over the whole clip: sums first, then the log. Higher is better."""

    def __init__(self, region: Region) -> None:
        self.info = MetricInfo(
            name=f"{region}_psnr",
            version="1",
            unit="dB",
            range=(0.0, CAP_DB),
            higher_is_better=True,
            tasks=TASKS,
            region=region,
            needs_reference=region != "background",
            citation=CITATION,
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; identical pixels get 100 dB and status `exact`."""
        if reason := clip.sample.why_missing(self.info.region):
            return not_applicable(self.info, clip.sample_id, reason)
        histograms = clip.difference_histograms(self.info.region)
        mse = histogram_mse(histograms)
        assert mse is not None
        errors = [histogram_mse(histogram) for histogram in histograms]
        per_frame = [None if error is None else psnr(error) for error in errors]
        return scored(self.info, clip.sample_id, psnr(mse), exact=mse == 0, per_frame=per_frame)


BackgroundPsnr = partial(Psnr, "background")
EditPsnr = partial(Psnr, "edit")
BoundaryPsnr = partial(Psnr, "boundary")
BackgroundMse = partial(Mse, "background")
EditMse = partial(Mse, "edit")
BoundaryMse = partial(Mse, "boundary")
