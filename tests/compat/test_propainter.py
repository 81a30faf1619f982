from __future__ import annotations

import math

import numpy as np
import pytest
from compat_clips import SUITE_TOLERANCE, GoldenClip

from vivid_bench.compat import pixels
from vivid_bench.compat.propainter import PRESET, composites, uniform_ssim
from vivid_bench.errors import VividBenchError
from vivid_bench.metrics.sample_clip import EditClip

# sczhou/ProPainter e870e793, run on `golden_clip()` written as PNG: frames and masks from `TestDataset` of
# core/dataset.py (432x240); the composite as in scripts/evaluate_propainter.py, the edit, resized likewise, being its
# prediction; then `calc_psnr_and_ssim` of core/metrics.py (its skimage.measure.compare_ssim is structural_similarity
# of scikit-image 0.26).
GOLDEN_PSNR = [13.76075818563504, 12.45857346266584, math.inf, 12.000076168433914]
GOLDEN_SSIM = [0.5698035599836241, 0.4641500524682007, 1.0, 0.4032439680443381]


def test_figures_are_those_of_its_code(golden: GoldenClip) -> None:
    pairs = list(composites(golden.source, golden.edited, golden.mask))
    assert [pixels.psnr(x, y) for x, y in pairs] == pytest.approx(GOLDEN_PSNR, rel=SUITE_TOLERANCE)
    assert [uniform_ssim(x, y) for x, y in pairs] == pytest.approx(GOLDEN_SSIM, rel=SUITE_TOLERANCE)


def test_an_infinite_figure_is_no_figure(edit: EditClip) -> None:
    psnr, ssim = PRESET.metrics
    with pytest.raises(VividBenchError, match="infinite, as that code's own figure: so is 1 of its 4 values"):
        psnr(edit)
    assert ssim(edit).value == pytest.approx(np.mean(GOLDEN_SSIM), rel=SUITE_TOLERANCE)


def test_the_truth_is_the_reference_where_there_is_one(edit: EditClip) -> None:
    edit.sample.reference = edit.edited.copy()
    assert PRESET.metrics[1](edit).value == pytest.approx(1.0)


def test_the_mask_grows_by_four_pixels() -> None:
    truth, edited = np.zeros((1, 240, 432, 3), np.uint8), np.full((1, 240, 432, 3), 255, np.uint8)
    mask = np.zeros((1, 240, 432), bool)
    mask[0, 100, 200] = True
    ((_, composite),) = composites(truth, edited, mask)
    assert int((composite[..., 0] > 0).sum()) == 41  # a diamond of radius 4: 1 + 4 (1 + 2 + 3 + 4)
