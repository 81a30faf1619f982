from __future__ import annotations

import math

import numpy as np
import pytest
from compat_clips import SUITE_TOLERANCE, figures

from vivid_bench.compat import pixels
from vivid_bench.compat.five import PRESET, unedited_frames
from vivid_bench.metrics.sample_clip import EditClip

# MinghanLi/FiVE-Bench 737b30e6, run on `golden_clip()`: `calculate_metric` (evaluation/evaluate.py) on each frame,
# through `MetricsCalculator.calculate_*` (evaluation/metrics_calculator.py), then its `calculate_mean`; torchmetrics
# 1.9, with the random SqueezeNet and CLIP of `compat_clips` in place of its own.
GOLDEN = {
    "psnr_unedit_part": 31.76892900466919,
    "ssim_unedit_part": 0.9428393244743347,
    "mse_unedit_part": 0.0006681436207145452,
    "lpips_unedit_part": 0.0019276818493381143,
    "clip_similarity_target_image": 8.703416347503662,
    "clip_similarity_target_image_edit_part": 1.643649737040202,
}


def test_figures_are_those_of_its_code(edit: EditClip, tiny_networks: None) -> None:
    assert figures(PRESET, edit) == pytest.approx(GOLDEN, rel=SUITE_TOLERANCE)


def test_the_mask_counts_as_perfect() -> None:
    source, edited = np.full((2, 1, 10, 10, 3), 100, np.uint8)
    edited += 51  # an error of 0.2 everywhere: 13.98 dB
    mask = np.zeros((1, 10, 10), bool)
    mask[:, :4] = True
    (value,) = unedited_frames(source, edited, mask, pixels.psnr)
    assert value == pytest.approx(-20 * math.log10(0.2) - 10 * math.log10(0.6))  # 2.22 dB more at 40 %


def test_frames_that_the_mask_covers_are_left_out(edit: EditClip) -> None:
    edit.sample.mask[1] = True
    measure = next(m for m in PRESET.measures if m.name == "mse_unedit_part")
    assert len(measure.values(edit)) == 3
