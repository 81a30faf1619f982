from __future__ import annotations

import math

import numpy as np
import pytest
from compat_clips import SUITE_TOLERANCE, GoldenClip, figures

from vivid_bench.compat import pixels
from vivid_bench.compat.networks import clip_scores
from vivid_bench.compat.videopainter import PRESET, masked_frames, source_as_seen, whole_frames
from vivid_bench.metrics.clip_model import load_clip
from vivid_bench.metrics.sample_clip import EditClip
from vivid_bench.types import Frames

# TencentARC/VideoPainter bbab6cd5, run on `golden_clip()`: frames through `_visualize_video` of
# evaluate/eval_inpainting.py (diffusers' VideoProcessor) and its cast to 8 bits; then `MetricsCalculator.calculate_*`
# of evaluate/metrics.py, torchmetrics 1.9, with the random SqueezeNet and CLIP of `compat_clips` in place of its own
# (224 replaced by 32 in its resize); means over frames as its main loop takes them.
GOLDEN = {
    "psnr": 16.961559295654297,
    "masked_psnr": 17.137010097503662,
    "ssim": 0.7226772308349609,
    "masked_ssim": 0.7828774452209473,
    "mse": 0.04552019730908796,
    "masked_mse": 0.043067945807706565,
    "mae": 0.08709670603275299,
    "masked_mae": 0.08364982530474663,
    "lpips": 0.03729316306998953,
    "masked_lpips": 0.035537888237740844,
    "clip_score": 8.703416347503662,
    "masked_clip_score": 1.2327373027801514,
    "temporal_consistency": 0.9888705611228943,
    "masked_temporal_consistency": 0.9132623076438904,
}
GOLDEN_LONG_PROMPT = 4.171093463897705  # `calculate_clip_similarity`, the word "stripes" 90 times


def test_figures_are_those_of_its_code(edit: EditClip, tiny_networks: None) -> None:
    assert figures(PRESET, edit) == pytest.approx(GOLDEN, rel=SUITE_TOLERANCE)


def test_a_long_prompt_loses_its_end_token(golden: GoldenClip, tiny_networks: None) -> None:
    model = load_clip("ViT-L-14/openai", "cpu")
    scores = clip_scores(model, golden.edited, " ".join(["stripes"] * 90))
    assert np.mean(scores) == pytest.approx(GOLDEN_LONG_PROMPT, rel=SUITE_TOLERANCE)
    # Features are those of the start token, which has seen no word.
    assert clip_scores(model, golden.edited, " ".join(["sky"] * 80)) == scores


def still(value: int, frames: int = 2) -> Frames:
    return np.full((frames, 10, 10, 3), value, np.uint8)


def test_the_hole_of_the_source_counts_as_error() -> None:
    mask = np.zeros((2, 10, 10), bool)
    mask[:, 0] = True
    # A perfect background under a mask of 10 %, grey 102: MSE = 0.1 * (102 / 255)^2 = 0.016.
    perfect = masked_frames(still(102), still(102), mask, pixels.psnr)
    assert perfect == pytest.approx([-10 * math.log10(0.016)] * 2)
    # ... and nothing in the hole matters.
    edited = still(102)
    edited[mask] = 255
    assert masked_frames(still(102), edited, mask, pixels.psnr) == perfect


def test_dark_values_lose_a_step() -> None:
    values = np.arange(256, dtype=np.uint8)
    assert (values - source_as_seen(values)).nonzero()[0].tolist() == list(range(1, 64))
    assert whole_frames(still(63), still(63), pixels.mse) == pytest.approx([(1 / 255) ** 2] * 2)
    assert whole_frames(still(64), still(64), pixels.psnr) == [math.inf] * 2


def test_pairs_of_empty_masks_are_steady(edit: EditClip, tiny_networks: None) -> None:
    edit.sample.mask[:] = False
    measure = next(m for m in PRESET.measures if m.name == "masked_temporal_consistency")
    assert measure.values(edit) == pytest.approx([1.0] * 3, rel=1e-6)
