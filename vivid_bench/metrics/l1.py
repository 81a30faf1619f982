"""Mean absolute error inside a region."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.errors import absolute_sum, difference_histogram
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import TASKS, MetricInfo, Region, Score

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip


def region_l1(first: NDArray[np.uint8], second: NDArray[np.uint8], region: NDArray[np.bool_]) -> float | None:
    """Mean absolute error of two frames inside a region.

    L1 = sum over the region's pixels and channels of |a - b| / 255, divided by their number. Lower is better.

    Args:
        first, second: (H, W, 3) uint8.
        region: (H, W) bool.

    Returns:
        0 to 1; None for an empty region.

    Example:
        >>> import numpy as np
        >>> black, grey = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 51, np.uint8)
        >>> region_l1(black, grey, np.eye(2, dtype=bool))  # 51 / 255
        0.2
    """
    return histogram_l1(difference_histogram(first, second, region))


def histogram_l1(histogram: NDArray[np.int64]) -> float | None:
    """Mean absolute error, 0 to 1, of a histogram of differences, (256,) or (T, 256); None when it counts nothing."""
    count = int(histogram.sum())
    return absolute_sum(histogram) / (count * 255) if count else None


class L1:
    """Mean absolute error over a region of the whole clip, values in [0, 1]. Lower is better."""

    def __init__(self, region: Region) -> None:
        self.info = MetricInfo(
            name=f"{region}_l1",
            version="1",
            unit="",
            range=(0.0, 1.0),
            higher_is_better=False,
            tasks=TASKS,
            region=region,
            needs_reference=region != "background",
            shown_times=1e3,
            citation="mean absolute error over the region's pixels and channels; as torchmetrics on a full frame",
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; status `exact` for identical pixels."""
        if reason := clip.sample.why_missing(self.info.region):
            return not_applicable(self.info, clip.sample_id, reason)
        histograms = clip.difference_histograms(self.info.region)
        l1 = histogram_l1(histograms)
        assert l1 is not None
        per_frame = [histogram_l1(histogram) for histogram in histograms]
        return scored(self.info, clip.sample_id, l1, exact=l1 == 0, per_frame=per_frame)


BackgroundL1 = partial(L1, "background")
EditL1 = partial(L1, "edit")
BoundaryL1 = partial(L1, "boundary")
