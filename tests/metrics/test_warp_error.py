"""Warp error: hand-worked values, endpoints, motion that is followed and motion that is not."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_clips import box_mask, edit_clip, noisy, textured

from vivid_bench.metrics import load_metric
from vivid_bench.metrics import warp_error as warp_error_module
from vivid_bench.metrics.warp_error import PairWarp, pair_error, pair_warps, warp_error


def everywhere(frames: int, height: int, width: int) -> np.ndarray:
    return np.ones((frames, height, width), bool)


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(warp_error_module)
    assert results.attempted > 0
    assert results.failed == 0


def test_pair_error_by_hand() -> None:
    first = np.zeros((1, 3, 3), np.uint8)
    second = np.array([[[0, 0, 0], [51, 51, 51], [102, 102, 102]]], np.uint8)
    # Pixel 0 moves by half a pixel: (0 + 51) / 2 / 255 = 1/10. Pixel 1 moves by one: 102 / 255 = 2/5.
    steps = np.array([[[16, 0], [32, 0]]], np.int16)
    pair = PairWarp((0, 0, 2, 1), steps, np.array([[True, True]]))
    total, count = pair_error(first, second, pair)
    assert count == 2 * 3
    assert total == pytest.approx(3 * (1 / 100) + 3 * (4 / 25), rel=1e-6)
    pair = PairWarp((0, 0, 2, 1), steps, np.array([[True, False]]))
    assert pair_error(first, second, pair) == (pytest.approx(3 / 100, rel=1e-6), 3)


def test_still_clip_has_no_error() -> None:
    still = np.repeat(textured(1, 40, 48), 4, axis=0)
    assert warp_error(still, still, everywhere(4, 40, 48)) == 0.0


def test_flicker_on_a_still_clip_by_hand() -> None:
    still = np.repeat(textured(1, 40, 48) // 2, 3, axis=0)
    edited = still.copy()
    edited[1] += 51  # both pairs differ by 1/5 everywhere
    assert warp_error(edited, still, everywhere(3, 40, 48)) == pytest.approx(1 / 25, rel=1e-6)


def test_a_translation_that_the_edit_follows_is_nearly_free() -> None:
    motion = textured(4, 64, 80, step=(3, -2))
    followed = textured(4, 64, 80, step=(3, -2), seed=7)
    against = textured(4, 64, 80, step=(-3, 2), seed=7)
    region = everywhere(4, 64, 80)
    free = warp_error(motion, motion, region)
    good, bad = warp_error(followed, motion, region), warp_error(against, motion, region)
    assert free is not None
    assert good is not None
    assert bad is not None
    assert free < 1e-4
    assert good < 1e-3
    assert bad > 20 * good


def test_permuted_frames_are_worse() -> None:
    motion = textured(5, 48, 64, step=(2, 1))
    mask = box_mask(5, 48, 64, (20, 14, 44, 34))
    for name in ("background_warp_error", "edit_warp_error"):
        ordered = load_metric(name)(edit_clip(motion, mask, motion, motion)).value
        permuted = load_metric(name)(edit_clip(motion, mask, motion, motion[[0, 3, 1, 4, 2]])).value
        assert permuted > 10 * ordered


def test_grows_with_noise() -> None:
    motion = textured(3, 48, 64, step=(2, 1))
    values = [warp_error(noisy(motion, n), motion, everywhere(3, 48, 64)) for n in (0, 4, 16, 64)]
    assert values == sorted(values)
    assert len(set(values)) == 4


def test_valid_pixels_lie_in_the_region_in_both_frames() -> None:
    motion = textured(2, 48, 64, step=(-4, 0))  # content moves 4 px to the right
    region = box_mask(2, 48, 64, (16, 12, 40, 36))
    (pair,) = pair_warps(motion, {"edit": region})["edit"]
    assert pair is not None
    x0, y0, x1, y1 = pair.box
    assert (y0, y1) == (12, 36)
    assert x0 == 16
    # From x = 36 on, the target x + 4 (give or take the flow's error) is outside the box.
    assert abs(x1 - 36) <= 1


def test_nothing_is_valid_after_a_cut() -> None:
    rng = np.random.default_rng(0)
    cut = rng.integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    region = box_mask(2, 48, 64, (20, 20, 22, 22))
    assert warp_error(cut, cut, region) is None
    clip = edit_clip(cut, region, cut, cut)
    score = load_metric("edit_warp_error")(clip)
    assert score.status == "not_applicable"
    assert score.reason == "no edit pixel has a flow that passes the forward-backward check"


def test_score_carries_frames_and_the_valid_share() -> None:
    still = np.repeat(textured(1, 40, 48) // 2, 4, axis=0)
    edited = still.copy()
    edited[3] += 51
    mask = box_mask(4, 40, 48, (10, 10, 30, 30))
    mask[0] = False  # the first pair has no pixel in the mask in both frames
    score = load_metric("edit_warp_error")(edit_clip(still, mask, still, edited))
    assert score.value == pytest.approx((0 + 1 / 25) / 2, rel=1e-6)
    assert score.per_frame == (None, 0.0, pytest.approx(0.04, rel=1e-3), None)
    assert score.details == {"valid_share": 1.0}


@pytest.mark.parametrize("task", ["add", "modify"])
def test_edit_warp_error_is_for_delete_only(task: str) -> None:
    still = textured(2, 24, 24)
    clip = edit_clip(still, box_mask(2, 24, 24, (4, 4, 16, 16)), still, still, task=task)
    score = load_metric("edit_warp_error")(clip)
    assert score.status == "not_applicable"
    assert score.reason == f"defined for delete only, the task is {task}"
    assert load_metric("background_warp_error")(clip).status == "ok"


def test_one_frame_has_no_warp_error() -> None:
    frame = textured(1, 24, 24)
    score = load_metric("background_warp_error")(edit_clip(frame, np.zeros((1, 24, 24), bool), None, frame))
    assert (score.status, score.reason) == ("not_applicable", "the clip has one frame")


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_each_region_is_blind_to_the_other(seed: int) -> None:
    motion = textured(3, 48, 64, step=(2, 1))
    mask = box_mask(3, 48, 64, (20, 14, 44, 34))
    edited = noisy(motion, 9)
    noise = np.random.default_rng(seed).integers(0, 256, edited.shape, dtype=np.uint8)
    inside, outside = np.where(mask[..., None], noise, edited), np.where(mask[..., None], edited, noise)

    def value(name: str, frames: np.ndarray) -> float | None:
        return load_metric(name)(edit_clip(motion, mask, motion, frames)).value

    assert value("background_warp_error", inside) == value("background_warp_error", edited)
    assert value("edit_warp_error", outside) == value("edit_warp_error", edited)
    assert value("edit_warp_error", inside) != value("edit_warp_error", edited)


def test_the_edit_follows_the_reference_and_the_background_the_source() -> None:
    source, reference = textured(3, 48, 64), textured(3, 48, 64, step=(3, 0))
    mask = box_mask(3, 48, 64, (16, 12, 48, 36))
    clip = edit_clip(source, mask, reference, reference)
    follows = load_metric("edit_warp_error")(clip).value
    swapped = edit_clip(reference, mask, source, reference)
    assert follows < 1e-3 < load_metric("edit_warp_error")(swapped).value
    assert load_metric("background_warp_error")(clip).value > 1e-3 > load_metric("background_warp_error")(swapped).value
