"""CLIP frame consistency: by hand, endpoints, masks that come and go."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from clip_weights import TinyClip
from metric_clips import box_mask, edit_clip, noisy, textured

from vivid_bench.metrics import clip_temporal, load_metric
from vivid_bench.metrics.clip_model import load_clip
from vivid_bench.metrics.crops import views
from vivid_bench.metrics.sample_clip import EditClip, SampleClip

SOURCE = textured(5, 40, 48, (2, 1))
MASK = box_mask(5, 40, 48, (12, 10, 34, 28))


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(clip_temporal)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize(("region", "view"), [("full", "full"), ("region", "steady")])
def test_mean_over_pairs(tiny_clip: TinyClip, region: str, view: str) -> None:
    edited = noisy(SOURCE, 30)
    vectors = load_clip(tiny_clip.name, "cpu").image_features([i for i in views(edited, MASK, view) if i is not None])
    expected = [float(vectors[t] @ vectors[t + 1]) for t in range(4)]
    score = load_metric(f"clip_temporal_{region}@{tiny_clip.name}")(edit_clip(SOURCE, MASK, None, edited))
    assert score.value == pytest.approx(np.mean(expected), rel=1e-5)
    assert score.per_frame is not None
    assert score.per_frame[4] is None


@pytest.mark.parametrize("region", ["full", "region"])
def test_a_frozen_video_gets_one_and_flicker_less(tiny_clip: TinyClip, region: str) -> None:
    metric = load_metric(f"clip_temporal_{region}@{tiny_clip.name}")
    frozen = np.repeat(SOURCE[:1], 5, axis=0)
    flicker = frozen.copy()
    flicker[::2] = 255 - flicker[::2]
    assert metric(edit_clip(SOURCE, MASK, None, frozen)).value == pytest.approx(1, abs=1e-6)
    score = metric(edit_clip(SOURCE, MASK, None, flicker))
    assert score.value is not None
    assert score.value < 0.99


def test_a_mask_that_goes_and_comes_back_parts_the_clip(tiny_clip: TinyClip) -> None:
    mask = MASK.copy()
    mask[2] = False
    score = load_metric(f"clip_temporal_region@{tiny_clip.name}")(edit_clip(SOURCE, mask, None, SOURCE))
    assert score.per_frame is not None
    assert [t for t, value in enumerate(score.per_frame) if value is not None] == [0, 3]
    assert score.details == {"empty_frames": 1}


def test_a_box_that_grows_does_not_count_as_change(tiny_clip: TinyClip) -> None:
    """The picture stands still; the mask's box grows around one centre."""
    still = np.repeat(SOURCE[:1], 5, axis=0)
    mask = np.zeros_like(MASK)
    for t in range(5):
        mask[t, 20 - 2 - t : 20 + 2 + t, 24 - 2 - t : 24 + 2 + t] = True
    score = load_metric(f"clip_temporal_region@{tiny_clip.name}")(edit_clip(still, mask, None, still))
    assert score.value == pytest.approx(1, abs=1e-6)


def test_keyframes_take_their_pairs_along(tiny_clip: TinyClip) -> None:
    plain = edit_clip(SOURCE, MASK, None, SOURCE)
    sample = plain.sample.sample.model_copy(update={"keyframes": (1,)})
    clip = EditClip(SampleClip(sample, SOURCE, MASK, None), SOURCE)
    score = load_metric(f"clip_temporal_full@{tiny_clip.name}")(clip)
    assert score.per_frame is not None
    assert [t for t, value in enumerate(score.per_frame) if value is not None] == [2, 3]


def test_where_it_has_no_meaning(tiny_clip: TinyClip) -> None:
    one = edit_clip(SOURCE[:1], MASK[:1], None, SOURCE[:1])
    name = f"clip_temporal_region@{tiny_clip.name}"
    assert load_metric(name)(one).reason == "the clip has one frame"
    mask = MASK.copy()
    mask[1::2] = False
    assert (
        load_metric(name)(edit_clip(SOURCE, mask, None, SOURCE)).reason == "no two frames with a mask follow each other"
    )
