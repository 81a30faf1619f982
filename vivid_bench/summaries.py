"""Intervals of a run's means, the same when it is scored and whenever it is read again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vivid_bench.stats.bootstrap import Interval, mean_intervals


def intervals_of_means(values: NDArray[np.float64], source_videos: Sequence[str]) -> list[Interval | None]:
    """Return the 95 % interval of each column's mean over source videos; None where there are too few.

    Args:
        values: (N, K), a row for every clip of a split; NaN where there is none.
        source_videos: (N,) names.
    """
    # A column without gaps beside the others: all videos of the split are drawn, whichever of them a run lacks and
    # whatever other runs stand beside it.
    whole = np.concatenate([values, np.zeros((len(values), 1))], axis=1)
    return mean_intervals(whole, source_videos)[:-1]
