"""Keyframes leave every metric: their frames, and the pairs of frames that touch one."""

from __future__ import annotations

import numpy as np
import pytest
from metric_clips import box_mask, edit_clip, noisy, textured

from vivid_bench.metrics import METRICS, load_metric
from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.types import Frames, Mask

SOURCE = textured(6, 40, 48, (1, 0))
MASK = box_mask(6, 40, 48, (12, 10, 34, 28))


def keyframed(edited: Frames, keyframes: tuple[int, ...], mask: Mask = MASK, reference: Frames = SOURCE) -> EditClip:
    plain = edit_clip(SOURCE, mask, reference, edited)
    sample = plain.sample.sample.model_copy(update={"keyframes": keyframes})
    return EditClip(SampleClip(sample, SOURCE, mask, reference), edited)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("keyframes", [(0,), (5,), (2,), (0, 3)])
def test_what_is_returned_at_a_keyframe_makes_no_difference(name: str, keyframes: tuple[int, ...]) -> None:
    edited = noisy(SOURCE, 12)
    spoilt = edited.copy()
    spoilt[list(keyframes)] = 0
    score = load_metric(name)(keyframed(edited, keyframes))
    assert score == load_metric(name)(keyframed(spoilt, keyframes))
    assert score.value is not None
    assert load_metric(name)(edit_clip(SOURCE, MASK, SOURCE, spoilt)) != score


@pytest.mark.parametrize("name", [name for name in METRICS if "mse" not in name])
def test_a_keyframe_has_no_value_of_its_own(name: str) -> None:
    score = load_metric(name)(keyframed(noisy(SOURCE, 12), (0, 3)))
    assert score.per_frame is not None
    without = [t for t, value in enumerate(score.per_frame) if value is None]
    # A pair's value stands at its first frame: those of frames 0, 2 and 3 touch a keyframe, the last frame has none.
    assert without == ([0, 2, 3, 5] if "warp" in name else [0, 3])


@pytest.mark.parametrize("name", [name for name in METRICS if "warp" not in name])
def test_a_leading_keyframe_scores_as_the_rest_of_the_clip(name: str) -> None:
    edited = noisy(SOURCE, 12)
    rest = load_metric(name)(edit_clip(SOURCE[1:], MASK[1:], SOURCE[1:], edited[1:]))
    assert load_metric(name)(keyframed(edited, (0,))).value == rest.value


def test_warp_errors_and_their_valid_share_are_those_of_the_rest() -> None:
    edited = noisy(SOURCE, 12)
    for name in ("background_warp_error", "edit_warp_error"):
        rest = load_metric(name)(edit_clip(SOURCE[1:], MASK[1:], SOURCE[1:], edited[1:]))
        score = load_metric(name)(keyframed(edited, (0,)))
        assert (score.value, score.details) == (rest.value, rest.details)


def test_by_hand() -> None:
    edited = SOURCE.copy()
    edited[1][MASK[1]] = 255 - SOURCE[1][MASK[1]]
    assert load_metric("edit_psnr")(keyframed(edited, (1,))).status == "exact"
    reference = np.zeros_like(SOURCE)
    levels = np.full_like(SOURCE, 51)
    levels[3] = 255
    # Without frame 3 every pixel is off by 51 / 255 = 1/5.
    score = load_metric("edit_mse")(keyframed(levels, (3,), reference=reference))
    assert score.value == pytest.approx(1 / 25)


def test_a_mask_that_is_seen_at_keyframes_alone_leaves_nothing_to_score() -> None:
    mask = MASK.copy()
    mask[1:] = False
    score = load_metric("edit_psnr")(keyframed(SOURCE, (0,), mask))
    assert (score.status, score.reason) == ("not_applicable", "the edit region is empty in all scored frames")


def test_no_pair_between_keyframes() -> None:
    score = load_metric("background_warp_error")(keyframed(SOURCE, (1, 3, 5)))
    assert (score.status, score.reason) == ("not_applicable", "no two scored frames follow each other")
