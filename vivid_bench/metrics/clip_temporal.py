"""CLIP frame consistency: how alike an edit's consecutive frames are to CLIP."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.clip_features import edit_features
from vivid_bench.metrics.crops import View
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import TASKS, MetricInfo, Score

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip


def frame_consistency(frames: NDArray[np.int64], vectors: NDArray[np.float32]) -> dict[int, float]:
    """Cosine of the features of each two frames that follow each other. Higher is better.

    Args:
        frames: (N,) indices, ascending.
        vectors: (N, D), each of length 1.

    Returns:
        t -> cosine of frames t and t+1, -1 to 1, where both have features.

    Example:
        >>> import numpy as np
        >>> vectors = np.array([[1, 0], [0.6, 0.8], [1, 0]], np.float32)
        >>> found = frame_consistency(np.array([0, 1, 5]), vectors)
        >>> {t: round(cosine, 6) for t, cosine in found.items()}
        {0: 0.6}
    """
    exact = vectors.astype(np.float64)
    cosines = np.sum(exact[:-1] * exact[1:], axis=1)
    follow = np.diff(frames) == 1
    return {int(t): float(cosine) for t, cosine in zip(frames[:-1][follow], cosines[follow], strict=True)}


class ClipTemporal:
    """Mean cosine between the CLIP features of consecutive frames. Higher is better.

    `full` sees whole frames, which the unchanged background rules. `region` sees a square of one size for the clip
    (that of the largest box), centred on each frame's box, so that a changing box does not count as change. A frozen
    video gets 1: read it beside a metric that sees what the frames show. `details["empty_frames"]` counts the frames
    that `region` leaves out.

    Args:
        region: `full` or `region`.
        weights: see `vivid_bench.metrics.clip_model.load_clip`.
    """

    def __init__(self, region: Literal["full", "region"], weights: str) -> None:
        self.view: View = "full" if region == "full" else "steady"
        self.info = MetricInfo(
            name=f"clip_temporal_{region}@{weights}",
            version="1",
            unit="",
            range=(-1.0, 1.0),
            higher_is_better=True,
            tasks=TASKS,
            region="full" if region == "full" else "edit",
            needs_weights=weights,
            shown_times=100.0,
            citation="frame consistency after Esser et al., ICCV 2023, on projected, normalised CLIP features",
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; value t of `per_frame` is that of frames t and t+1. Raises what `load_clip` raises."""
        if len(clip.edited) < 2:
            return not_applicable(self.info, clip.sample_id, "the clip has one frame")
        if not clip.sample.scored_pairs:
            return not_applicable(self.info, clip.sample_id, "no two scored frames follow each other")
        assert self.info.needs_weights is not None
        features = edit_features(clip, self.info.needs_weights, self.view)
        cosines = frame_consistency(features.frames, features.vectors)
        if not cosines:
            return not_applicable(self.info, clip.sample_id, "no two frames with a mask follow each other")
        per_frame = [cosines.get(t) for t in range(len(clip.edited))]
        value = float(np.clip(np.mean(list(cosines.values())), -1, 1))
        details = {"empty_frames": float(features.empty)}
        return scored(self.info, clip.sample_id, value, per_frame=per_frame, details=details)


ClipTemporalFull = partial(ClipTemporal, "full")
ClipTemporalRegion = partial(ClipTemporal, "region")
