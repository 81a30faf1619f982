"""CLIP image similarity of the edit region to the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.clip_features import edit_features, reference_features
from vivid_bench.metrics.crops import View
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import TASKS, MetricInfo, Score

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip


def image_similarity(edited: NDArray[np.float32], reference: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine of each frame's features and the reference's. Higher is better.

    Args:
        edited, reference: (N, D), each of length 1.

    Returns:
        (N,) float64, -1 to 1.

    Example:
        >>> import numpy as np
        >>> first, second = np.array([[0.6, 0.8]], np.float32), np.array([[1, 0]], np.float32)
        >>> image_similarity(first, second).round(6).tolist()
        [0.6]
    """
    return np.asarray(np.sum(edited.astype(np.float64) * reference, axis=1))


class ClipImageRegion:
    """Mean cosine between CLIP features of the edit's and the reference's square around the mask. Higher is better.

    Unlike PSNR it forgives a small shift. Frames whose mask is empty are left out and counted in `details`.

    Args:
        weights: see `vivid_bench.metrics.clip_model.load_clip`.
    """

    view: View = "region"

    def __init__(self, weights: str) -> None:
        self.info = MetricInfo(
            name=f"clip_image_region@{weights}",
            version="1",
            unit="",
            range=(-1.0, 1.0),
            higher_is_better=True,
            tasks=TASKS,
            region="edit",
            needs_reference=True,
            needs_weights=weights,
            shown_times=100.0,
            citation="Radford et al., ICML 2021; CLIP-I of Ruiz et al., CVPR 2023",
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; raises what `load_clip` raises."""
        if reason := clip.sample.why_missing("edit"):
            return not_applicable(self.info, clip.sample_id, reason)
        assert self.info.needs_weights is not None
        edited = edit_features(clip, self.info.needs_weights, self.view)
        reference = reference_features(clip.sample, self.info.needs_weights, self.view)
        cosines = image_similarity(edited.vectors, reference.vectors)
        value = float(np.clip(cosines.mean(), -1, 1))
        details = {"empty_frames": float(edited.empty)}
        return scored(self.info, clip.sample_id, value, per_frame=edited.by_frame(cosines), details=details)
