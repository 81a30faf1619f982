"""CLIP features of several clips, computed together."""

from __future__ import annotations

import numpy as np
import pytest
from clip_weights import TinyClip
from metric_clips import box_mask, edit_clip, noisy, textured

from vivid_bench.metrics import load_metric
from vivid_bench.metrics.clip_features import compute_together
from vivid_bench.metrics.clip_model import ClipModel
from vivid_bench.metrics.sample_clip import EditClip

SOURCE = textured(3, 40, 48, (2, 1))
MASK = box_mask(3, 40, 48, (12, 10, 34, 28))
FLICKERING = MASK & np.array([True, False, True])[:, None, None]
VIEWS = ("clip_temporal_full", "clip_temporal_region", "clip_image_region")


def clips() -> list[EditClip]:
    first, second, bare = (
        edit_clip(SOURCE, MASK, SOURCE, noisy(SOURCE, 20)),
        edit_clip(SOURCE, FLICKERING, SOURCE, noisy(SOURCE, 90)),
        edit_clip(SOURCE, MASK, None, noisy(SOURCE, 50)),
    )
    return [first, EditClip(first.sample, noisy(SOURCE, 200)), second, bare]


def test_together_or_alone_the_figures_are_the_same(tiny_clip: TinyClip, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = [load_metric(f"{view}@{tiny_clip.name}") for view in VIEWS]
    alone = [[metric(clip) for metric in metrics] for clip in clips()]
    together = clips()
    compute_together(together, [*metrics, load_metric("background_psnr")])
    monkeypatch.setattr(ClipModel, "image_features", lambda *_: pytest.fail("computed again"))
    for clip, expected in zip(together, alone, strict=True):
        for metric, score in zip(metrics, expected, strict=True):
            found = metric(clip)
            assert (found.status, found.reason, found.details) == (score.status, score.reason, score.details)
            assert found.value == (score.value and pytest.approx(score.value, rel=1e-6))


def test_all_clips_go_through_the_network_in_one_call(tiny_clip: TinyClip, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    inner = ClipModel.image_features
    monkeypatch.setattr(ClipModel, "image_features", lambda self, i: (calls.append(len(i)), inner(self, i))[1])
    compute_together(clips(), [load_metric(f"clip_image_region@{tiny_clip.name}")])
    # Four edits and the two samples' references, 3 frames each; 2 where the mask flickers.
    assert calls == [3 + 3 + 2 + 3 + 3 + 2]


def test_one_clip_is_left_alone(tiny_clip: TinyClip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClipModel, "image_features", lambda *_: pytest.fail("computed"))
    compute_together(clips()[:1], [load_metric(f"clip_image_region@{tiny_clip.name}")])
