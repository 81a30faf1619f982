"""Shared arrays: computed once, the same whatever the threads; regions that come, go or are missing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import cv2
import numpy as np
import pytest
from metric_clips import box_mask, edit_clip, noisy, textured

from vivid_bench import flow as flow_module
from vivid_bench.metrics import METRICS, load_metric, sample_clip, warp_error
from vivid_bench.metrics.sample_clip import EditClip
from vivid_bench.types import Score

COMPARING = [name for name in METRICS if not name.startswith("removal")]
"""Metrics that compare an edit with its source or reference, pixel by pixel."""


def all_scores(edit: EditClip) -> dict[str, Score]:
    return {name: load_metric(name)(edit) for name in METRICS}


def moving_edit(source_seed: int = 0) -> EditClip:
    source, reference = textured(4, 72, 96, (2, 1), source_seed), textured(4, 72, 96, (1, 2), 3)
    mask = box_mask(4, 72, 96, (30, 20, 70, 50))
    return edit_clip(source, mask, reference, noisy(reference, 20))


def test_scores_are_the_same_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cv2.getNumThreads()
    stored = []
    try:
        for threads in (1, 2, 8):
            cv2.setNumThreads(threads)
            monkeypatch.setattr(flow_module, "worker_count", lambda threads=threads: threads)
            stored.append([score.model_dump_json() for score in all_scores(moving_edit()).values()])
    finally:
        cv2.setNumThreads(before)
    assert stored[0] == stored[1] == stored[2]


def test_order_of_metrics_does_not_matter() -> None:
    forwards, backwards = moving_edit(), moving_edit()
    scores = all_scores(forwards)
    assert {name: load_metric(name)(backwards) for name in reversed(list(METRICS))} == scores


def test_shared_work_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()

    def counted(module: Any, name: str) -> None:
        original = getattr(module, name)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, wrapper)

    counted(warp_error, "flow")
    counted(sample_clip, "difference_histogram")
    counted(sample_clip, "ssim_map")
    counted(sample_clip, "boundary_band")
    first = moving_edit()
    all_scores(first)
    # 4 frames: 3 regions of histograms; maps to the source and to the reference; 3 pairs x 2 clips x 2 directions.
    assert calls == {"difference_histogram": 12, "ssim_map": 8, "boundary_band": 1, "flow": 12}
    all_scores(EditClip(first.sample, first.sample.source))
    assert calls["flow"] == 12, "a second edit of the sample reuses its flow"
    assert calls["boundary_band"] == 1


def test_a_source_that_is_its_own_reference_has_one_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    source = textured(3, 40, 48, (2, 1))
    mask = box_mask(3, 40, 48, (12, 10, 34, 28))
    apart = edit_clip(source, mask, source.copy(), noisy(source, 9))
    expected = warp_error.warp_error(apart.edited, source, mask)
    calls = []
    original = warp_error.flow
    monkeypatch.setattr(warp_error, "flow", lambda *args: calls.append(1) or original(*args))
    assert load_metric("background_warp_error")(apart).status == "ok"
    assert load_metric("edit_warp_error")(apart).value == expected
    assert len(calls) == 2 * 2


def test_reference_as_edit_is_perfect_in_edit_and_boundary() -> None:
    edit = moving_edit()
    scores = all_scores(EditClip(edit.sample, edit.sample.reference))
    for region in ("edit", "boundary"):
        assert (scores[f"{region}_psnr"].value, scores[f"{region}_psnr"].status) == (100.0, "exact")
        assert scores[f"{region}_mse"].value == 0.0
        assert scores[f"{region}_l1"].value == 0.0
        assert scores[f"{region}_ssim"].value == 1.0
    assert scores["background_psnr"].status == "ok"


def test_source_as_edit_is_perfect_in_the_background() -> None:
    edit = moving_edit()
    scores = all_scores(EditClip(edit.sample, edit.sample.source))
    assert (scores["background_psnr"].value, scores["background_psnr"].status) == (100.0, "exact")
    assert scores["background_ssim"].value == 1.0
    assert scores["edit_psnr"].status == "ok"


def test_permuted_frames_are_worse() -> None:
    source = textured(5, 72, 96, (2, 1))
    mask = box_mask(5, 72, 96, (30, 20, 70, 50))
    ordered = all_scores(edit_clip(source, mask, source, noisy(source, 4)))
    permuted = all_scores(edit_clip(source, mask, source, noisy(source, 4)[[4, 2, 0, 3, 1]]))
    for name in COMPARING:
        better = load_metric(name).info.higher_is_better
        assert (permuted[name].value < ordered[name].value) is better, name


def test_no_reference_leaves_the_background_alone() -> None:
    source = textured(3, 40, 48, (1, 0))
    scores = all_scores(edit_clip(source, box_mask(3, 40, 48, (12, 10, 34, 28)), None, noisy(source, 4)))
    for name, score in scores.items():
        if name.startswith(("background", "removal")):
            assert score.status == "ok", name
        else:
            assert (score.status, score.reason) == ("not_applicable", "the sample has no reference")


def test_mask_that_is_empty_in_all_frames() -> None:
    source = textured(2, 40, 48)
    scores = all_scores(edit_clip(source, np.zeros((2, 40, 48), bool), source, noisy(source, 4)))
    assert scores["edit_psnr"].reason == "the edit region is empty in all frames"
    assert scores["boundary_ssim"].reason == "the boundary region is empty in all frames"
    assert scores["edit_warp_error"].reason == "the edit region is empty in all frames"
    assert all(score.status == "ok" for name, score in scores.items() if name.startswith("background"))


def test_mask_that_covers_everything() -> None:
    source = textured(2, 40, 48)
    scores = all_scores(edit_clip(source, np.ones((2, 40, 48), bool), source, noisy(source, 4)))
    assert scores["background_l1"].reason == "the background region is empty in all frames"
    assert scores["background_warp_error"].reason == "the background region is empty in all frames"
    assert scores["boundary_l1"].reason == "the boundary region is empty in all frames"
    assert scores["edit_ssim"].status == "ok"


def test_mask_that_comes_and_goes() -> None:
    source = textured(4, 40, 48)
    mask = box_mask(4, 40, 48, (12, 10, 34, 28))
    mask[[0, 2]] = False
    scores = all_scores(edit_clip(source, mask, source, noisy(source, 4)))
    for measure in ("psnr", "l1", "ssim"):
        for region in ("edit", "boundary"):
            per_frame = scores[f"{region}_{measure}"].per_frame
            assert [value is None for value in per_frame] == [True, False, True, False]
        assert None not in scores[f"background_{measure}"].per_frame
    assert scores["edit_warp_error"].status == "not_applicable", "no pair has the mask in both frames"


@pytest.mark.parametrize(("height", "width"), [(1, 1), (8, 8), (17, 33)])
def test_small_frames_are_scored(height: int, width: int) -> None:
    source = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    mask = np.zeros((2, height, width), bool)
    mask[:, : height // 2, : width // 2] = True
    for score in all_scores(edit_clip(source, mask, source, noisy(source, 4))).values():
        assert score.status in ("ok", "exact", "not_applicable")
        assert score.value is None or np.isfinite(score.value)


def test_one_frame_clip_scores_all_but_warp_error() -> None:
    source = textured(1, 40, 48)
    scores = all_scores(edit_clip(source, box_mask(1, 40, 48, (12, 10, 34, 28)), source, noisy(source, 4)))
    for name, score in scores.items():
        expected = "not_applicable" if name.endswith("warp_error") else "ok"
        assert score.status == expected, name


def test_arrays_are_not_changed() -> None:
    edit = moving_edit()
    arrays = (edit.sample.source, edit.sample.mask, edit.sample.reference, edit.edited)
    before = [array.copy() for array in arrays]
    all_scores(edit)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
