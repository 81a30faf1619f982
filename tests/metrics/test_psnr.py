"""PSNR and MSE: hand-worked values, known endpoints, parity with torchmetrics and scikit-image."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_clips import box_mask, edit_clip, noisy, textured
from skimage.metrics import peak_signal_noise_ratio as skimage_psnr
from torchmetrics.functional.image import peak_signal_noise_ratio as torchmetrics_psnr

from vivid_bench.metrics import load_metric
from vivid_bench.metrics import psnr as psnr_module
from vivid_bench.metrics.psnr import psnr, region_mse
from vivid_bench.types import Region


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(psnr_module)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize(("mse", "expected"), [(1, 0.0), (1 / 10, 10.0), (1 / 1000, 30.0), (0, 100.0), (1e-11, 100.0)])
def test_psnr_of_a_mean_squared_error(mse: float, expected: float) -> None:
    assert psnr(mse) == pytest.approx(expected)


def test_region_mse_by_hand() -> None:
    first = np.zeros((2, 2, 3), np.uint8)
    second = np.zeros((2, 2, 3), np.uint8)
    second[0, 0] = (51, 0, 102)  # 1/5, 0, 2/5
    second[1, 1] = 255  # outside the region
    region = np.array([[True, True], [False, False]])
    assert region_mse(first, second, region) == pytest.approx((1 / 25 + 0 + 4 / 25) / (2 * 3))
    assert region_mse(first, second, np.zeros((2, 2), bool)) is None


def test_sums_run_over_the_whole_clip_before_the_log() -> None:
    source = np.zeros((2, 4, 4, 3), np.uint8)
    edited = source.copy()
    edited[0] = 51  # MSE 1/25 on 12 background pixels, frame 1 has MSE 0 on 16
    mask = box_mask(2, 4, 4, (0, 0, 2, 2))
    mask[1] = False
    clip = edit_clip(source, mask, None, edited)
    mse = (12 * 3 * (1 / 25)) / (28 * 3)
    score = load_metric("background_psnr")(clip)
    assert load_metric("background_mse")(clip).value == pytest.approx(mse, rel=1e-12)
    assert score.value == pytest.approx(10 * math.log10(1 / mse), rel=1e-12)
    assert score.per_frame == (pytest.approx(10 * math.log10(25), abs=5e-3), 100.0)
    assert score.status == "ok"


def test_full_frame_agrees_with_torchmetrics_and_skimage() -> None:
    source = textured(3, 40, 56)
    edited = noisy(source, 20)
    nothing = np.zeros(source.shape[:3], bool)
    value = load_metric("background_psnr")(edit_clip(source, nothing, None, edited)).value
    tensors = [torch.from_numpy(frames).permute(0, 3, 1, 2).double() / 255 for frames in (edited, source)]
    # torchmetrics takes the logarithm in float32.
    assert value == pytest.approx(torchmetrics_psnr(*tensors, data_range=1.0).item(), abs=5e-6)
    assert value == pytest.approx(skimage_psnr(source, edited, data_range=255), abs=1e-10)


def test_identical_pixels_are_exact() -> None:
    source = textured(2, 20, 24)
    clip = edit_clip(source, box_mask(2, 20, 24, (5, 5, 12, 12)), source, source.copy())
    for region in ("background", "edit", "boundary"):
        score = load_metric(f"{region}_psnr")(clip)
        assert (score.value, score.status, score.per_frame) == (100.0, "exact", (100.0, 100.0))
        mse = load_metric(f"{region}_mse")(clip)
        assert (mse.value, mse.status) == (0.0, "exact")


def test_a_psnr_above_the_cap_is_clamped_but_not_exact() -> None:
    source = np.zeros((1, 300, 300, 3), np.uint8)
    edited = source.copy()
    edited[0, 150, 150, 0] = 1  # MSE 1 / (270000 * 65025), 102.4 dB
    score = load_metric("background_psnr")(edit_clip(source, np.zeros((1, 300, 300), bool), None, edited))
    assert (score.value, score.status) == (100.0, "ok")


def test_worst_possible_edit_has_0_db() -> None:
    black = np.zeros((1, 8, 8, 3), np.uint8)
    clip = edit_clip(black, np.zeros((1, 8, 8), bool), None, ~black)
    assert load_metric("background_psnr")(clip).value == 0.0
    assert load_metric("background_mse")(clip).value == 1.0


@pytest.mark.parametrize("region", ["background", "edit", "boundary"])
def test_falls_as_noise_grows(region: Region) -> None:
    source = textured(2, 32, 40)
    mask = box_mask(2, 32, 40, (10, 8, 30, 24))
    values = [
        load_metric(f"{region}_psnr")(edit_clip(source, mask, source, noisy(source, n))).value for n in (1, 4, 16)
    ]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 3


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_regions_see_their_own_pixels_only(seed: int) -> None:
    rng = np.random.default_rng(seed)
    source = textured(2, 24, 28)
    mask = box_mask(2, 24, 28, (6, 6, 20, 18))
    edited = noisy(source, 9)
    inside, outside = edited.copy(), edited.copy()
    inside[mask] = rng.integers(0, 256, inside[mask].shape)
    outside[~mask] = rng.integers(0, 256, outside[~mask].shape)

    def value(name: str, frames: np.ndarray) -> float | None:
        return load_metric(name)(edit_clip(source, mask, source, frames)).value

    assert value("background_psnr", inside) == value("background_psnr", edited)
    assert value("background_mse", outside) != value("background_mse", edited)
    assert value("edit_psnr", outside) == value("edit_psnr", edited)
    assert value("edit_mse", inside) != value("edit_mse", edited)
