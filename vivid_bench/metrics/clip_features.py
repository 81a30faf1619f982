"""CLIP features of a clip's frames, computed once for all metrics that need them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.crops import View, views
from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.types import Frames, MetricInfo


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
    shown = _shown(sample, frames, view)
    vectors = model.image_features(list(shown.values())) if shown else np.zeros((0, 0), np.float32)
    return _packed(sample, shown, vectors)


def _shown(sample: SampleClip, frames: Frames, view: View) -> dict[int, NDArray[np.uint8]]:
    """Return what the network is shown of each scored frame that shows something."""
    scored = np.flatnonzero(sample.scored)
    images = views(frames[scored], sample.mask[scored], view)
    return {int(frame): image for frame, image in zip(scored, images, strict=True) if image is not None}


def _packed(sample: SampleClip, shown: dict[int, NDArray[np.uint8]], vectors: NDArray[np.float32]) -> Features:
    empty = int(np.count_nonzero(sample.scored)) - len(shown)
    return Features(np.array(list(shown), np.int64), vectors, len(sample.mask), empty)


def compute_together(clips: Sequence[EditClip], metrics: Iterable[object]) -> None:
    """Compute the features that metrics will ask for of several clips in common, full batches.

    For a GPU, which short clips leave half empty. A feature then depends in its last digits on its neighbours, so one
    clip at a time is left alone.

    Args:
        clips: of the same device.
        metrics: those with a `view` and weights are served, others passed over.

    Raises:
        What `load_clip` raises.
    """
    from vivid_bench.metrics.clip_model import load_clip

    if len(clips) < 2:
        return
    wanted = [m for m in metrics if isinstance(m, UsesFeatures)]
    for weights in dict.fromkeys(metric.info.needs_weights for metric in wanted):
        assert weights is not None
        asked = {
            (holder, metric.view): frames
            for metric in wanted
            if metric.info.needs_weights == weights
            for clip in clips
            for holder, frames in _frames_of(clip, metric.info.needs_reference)
        }
        shown = [_shown(_sample(holder), frames, view) for (holder, view), frames in asked.items()]
        images = [image for own in shown for image in own.values()]
        if not images:
            continue
        vectors = load_clip(weights, clips[0].sample.device).image_features(images)
        ends = np.cumsum([len(own) for own in shown])
        for (holder, view), own, rows in zip(asked, shown, np.split(vectors, ends[:-1]), strict=True):
            holder.once(("clip features", weights, view), partial(_packed, _sample(holder), own, rows))


@runtime_checkable
class UsesFeatures(Protocol):
    """A metric on CLIP features of one view: of the edit, and of the reference where it needs one."""

    info: MetricInfo
    view: View


def _frames_of(clip: EditClip, with_reference: bool) -> list[tuple[EditClip | SampleClip, Frames]]:
    of_reference = clip.sample.reference if with_reference else None
    return [(clip, clip.edited)] + ([] if of_reference is None else [(clip.sample, of_reference)])


def _sample(holder: EditClip | SampleClip) -> SampleClip:
    return holder.sample if isinstance(holder, EditClip) else holder
