"""CLIP text alignment: how well an edit's frames match the caption."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.clip_features import edit_features
from vivid_bench.metrics.crops import View
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import MetricInfo, Region, Score

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip

REGIONS: dict[View, Region] = {"full": "full", "region": "edit", "masked": "edit"}


def text_similarity(images: NDArray[np.float32], text: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine of each frame's features and a text's. Higher is better.

    Source: Radford et al., ICML 2021; as CLIPScore (Hessel et al., EMNLP 2021) without its factor 2.5 and its clamp.

    Args:
        images: (N, D), each of length 1.
        text: (D,), of length 1.

    Returns:
        (N,) float64, -1 to 1.

    Example:
        >>> import numpy as np
        >>> frames = np.array([[1, 0], [0.6, 0.8]], np.float32)
        >>> text_similarity(frames, np.array([1, 0], np.float32)).round(6).tolist()
        [1.0, 0.6]
    """
    return np.asarray(images.astype(np.float64) @ text.astype(np.float64))


class ClipText:
    """Mean over frames of the cosine between a frame's and the caption's CLIP features. Higher is better.

    Three metrics, never mixed: `full` shows CLIP the whole frame, `region` the square around the mask, `masked` the
    frame with black outside the mask (see `vivid_bench.metrics.crops`). For add and modify: the prompt of a delete
    describes no picture. Frames whose mask is empty are left out of the last two and counted as
    `details["empty_frames"]`; `details["truncated"]` is 1 where the caption has more tokens than CLIP takes.

    Args:
        view: `full`, `region` or `masked`.
        weights: see `vivid_bench.metrics.clip_model.load_clip`.
    """

    def __init__(self, view: View, weights: str) -> None:
        self.view: View = view
        self.info = MetricInfo(
            name=f"clip_text_{view}@{weights}",
            version="1",
            unit="",
            range=(-1.0, 1.0),
            higher_is_better=True,
            tasks=("add", "modify"),
            region=REGIONS[view],
            needs_weights=weights,
            shown_times=100.0,
            citation="Radford et al., ICML 2021; Hessel et al., EMNLP 2021",
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; raises what `load_clip` raises."""
        sample = clip.sample.sample
        if sample.task not in self.info.tasks:
            return not_applicable(self.info, clip.sample_id, "the prompt of a delete describes no picture")
        if not clip.sample.scored.any():
            return not_applicable(self.info, clip.sample_id, "all frames are keyframes")
        if not sample.prompt.strip():
            return not_applicable(self.info, clip.sample_id, "the sample has no caption")
        weights = self.info.needs_weights
        assert weights is not None
        features = edit_features(clip, weights, self.view)
        if not len(features.frames):
            return not_applicable(self.info, clip.sample_id, "the mask is empty in all scored frames")
        text, truncated = clip.sample.once(("clip text", weights), lambda: _text(sample.prompt, weights, clip))
        cosines = text_similarity(features.vectors, text)
        details = {"truncated": float(truncated), "empty_frames": float(features.empty)}
        value = float(np.clip(cosines.mean(), -1, 1))
        return scored(self.info, clip.sample_id, value, per_frame=features.by_frame(cosines), details=details)


def _text(prompt: str, weights: str, clip: EditClip) -> tuple[NDArray[np.float32], bool]:
    from vivid_bench.metrics.clip_model import load_clip

    model = load_clip(weights, clip.sample.device)
    return model.text_features(prompt), model.is_truncated(prompt)


ClipTextFull = partial(ClipText, "full")
ClipTextRegion = partial(ClipText, "region")
ClipTextMasked = partial(ClipText, "masked")
