"""CLIP features of a clip's frames, computed once for all metrics that need them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.crops import View, views
from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.types import Frames


@dataclass(frozen=True)
class Features:
    """Features of those frames that show something.

    Attributes:
        frames: (N,) int64, their indices, ascending.
        vectors: (N, D) float32 of length 1.
        length: of the clip, in frames.
        empty: scored frames that show nothing: their mask is empty.
    """

    frames: NDArray[np.int64]
    vectors: NDArray[np.float32]
    length: int
    empty: int

    def by_frame(self, values: NDArray[np.floating]) -> list[float | None]:
        """Spread (N,) values over the clip's frames, None where there is none."""
        spread: list[float | None] = [None] * self.length
        for frame, value in zip(self.frames, values, strict=True):
            spread[frame] = float(value)
        return spread


def edit_features(clip: EditClip, weights: str, view: View) -> Features:
    """Return an edit's features; raises what `load_clip` raises."""
    key = ("clip features", weights, view)
    return clip.once(key, lambda: _features(clip.sample, clip.edited, weights, view))


def reference_features(clip: SampleClip, weights: str, view: View) -> Features:
    """Return the reference's features, which must exist; raises what `load_clip` raises."""
    assert clip.reference is not None, "ask why_missing first"
    reference = clip.reference
    return clip.once(("clip features", weights, view), lambda: _features(clip, reference, weights, view))


def _features(sample: SampleClip, frames: Frames, weights: str, view: View) -> Features:
    from vivid_bench.metrics.clip_model import load_clip

    model = load_clip(weights, sample.device)
    scored = np.flatnonzero(sample.scored)
    shown = {
        int(frame): image
        for frame, image in zip(scored, views(frames[scored], sample.mask[scored], view), strict=True)
        if image is not None
    }
    vectors = model.image_features(list(shown.values())) if shown else np.zeros((0, 0), np.float32)
    return Features(np.array(list(shown), np.int64), vectors, len(frames), len(scored) - len(shown))
