"""SSIM: a hand-worked value, endpoints, parity with torchmetrics and scikit-image, regions."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_clips import box_mask, edit_clip, noisy, textured
from skimage.metrics import structural_similarity as skimage_ssim
from torchmetrics.functional.image import structural_similarity_index_measure as torchmetrics_ssim

from vivid_bench.metrics import load_metric
from vivid_bench.metrics import ssim as ssim_module
from vivid_bench.metrics.ssim import erode, ssim_map
from vivid_bench.types import Region


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(ssim_module)
    assert results.attempted > 0
    assert results.failed == 0


def test_flat_frames_by_hand() -> None:
    # No variance: SSIM = (2 m_a m_b + C1) C2 / ((m_a^2 + m_b^2 + C1) C2), with C1 = 2.55^2.
    a, b = np.full((20, 20, 3), 100, np.uint8), np.full((20, 20, 3), 50, np.uint8)
    expected = (2 * 100 * 50 + 2.55**2) / (100**2 + 50**2 + 2.55**2)
    np.testing.assert_allclose(ssim_map(a, b), expected, atol=1e-5)


def test_an_inverted_texture_is_negative() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert ssim_map(noise, 255 - noise).mean() < -0.5


@pytest.mark.parametrize("amplitude", [2, 20, 120])
def test_full_frame_agrees_with_torchmetrics(amplitude: int) -> None:
    source = textured(3, 48, 60)
    edited = noisy(source, amplitude)
    value = load_metric("background_ssim")(edit_clip(source, np.zeros((3, 48, 60), bool), None, edited)).value
    a, b = (torch.from_numpy(frames).permute(0, 3, 1, 2).double() for frames in (edited, source))
    assert value == pytest.approx(torchmetrics_ssim(a, b, data_range=255.0, sigma=1.5).item(), abs=1e-5)


def test_agrees_with_skimage_5_px_inside_the_frame() -> None:
    source = textured(1, 48, 60)[0]
    edited = noisy(source, 25)
    mean, full = skimage_ssim(
        source, edited, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        data_range=255, full=True,
    )  # fmt: skip
    ours = ssim_map(source, edited)[5:-5, 5:-5]
    assert ours.mean() == pytest.approx(mean, abs=1e-6)
    np.testing.assert_allclose(ours, full.mean(axis=2)[5:-5, 5:-5], atol=1e-5)


def test_bright_flat_frames_keep_their_precision() -> None:
    # Where E[x^2] - E[x]^2 is small beside E[x^2]: +-1 step of noise on white.
    source = np.full((1, 48, 60, 3), 250, np.uint8)
    edited = noisy(source, 1)
    ours = ssim_map(source[0], edited[0]).mean()
    a, b = (torch.from_numpy(frames).permute(0, 3, 1, 2).double() for frames in (edited, source))
    assert ours == pytest.approx(torchmetrics_ssim(a, b, data_range=255.0, sigma=1.5).item(), abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    corner=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    extent=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_box_is_that_part_of_the_whole_map(
    size: tuple[int, int], corner: tuple[float, float], extent: tuple[float, float]
) -> None:
    height, width = size
    first, second = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    x0, y0 = int(corner[0] * (width - 1)), int(corner[1] * (height - 1))
    x1, y1 = x0 + 1 + int(extent[0] * (width - x0 - 1)), y0 + 1 + int(extent[1] * (height - y0 - 1))
    whole = ssim_map(first, second)
    np.testing.assert_allclose(ssim_map(first, second, (x0, y0, x1, y1)), whole[y0:y1, x0:x1], atol=2e-6)


def test_erosion_keeps_pixels_whose_window_fits_and_the_frames_border() -> None:
    region = np.ones((15, 15), bool)
    region[7, 14] = False
    kept = erode(region, 2)
    assert not kept[5:10, 12:].any()
    assert kept.sum() == 15 * 15 - 5 * 3


@pytest.mark.parametrize("region", ["background", "edit", "boundary"])
def test_identical_clips_score_1_and_noise_lowers_it(region: Region) -> None:
    source = textured(2, 40, 48)
    mask = box_mask(2, 40, 48, (12, 10, 34, 28))
    values = [
        load_metric(f"{region}_ssim")(edit_clip(source, mask, source, noisy(source, n))).value for n in (0, 4, 16, 64)
    ]
    assert values[0] == 1.0
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


def test_regions_are_parts_of_the_map() -> None:
    source, reference = textured(2, 40, 48), textured(2, 40, 48, seed=5)
    edited = noisy(reference, 30)
    mask = box_mask(2, 40, 48, (12, 10, 34, 28))
    mask[1] = False
    clip = edit_clip(source, mask, reference, edited)
    to_source = [ssim_map(y, x) for y, x in zip(edited, source, strict=True)]
    to_reference = ssim_map(edited[0], reference[0])
    background = np.concatenate([to_source[0][erode(~mask[0], 5)], to_source[1].ravel()])
    score = load_metric("background_ssim")(clip)
    assert score.value == pytest.approx(background.mean(dtype=float), abs=1e-6)
    score = load_metric("edit_ssim")(clip)
    assert score.value == pytest.approx(to_reference[mask[0]].mean(dtype=float), abs=1e-6)
    assert score.per_frame == (pytest.approx(score.value, rel=1e-3), None)
    score = load_metric("boundary_ssim")(clip)
    assert score.value == pytest.approx(to_reference[clip.sample.boundary[0]].mean(dtype=float), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_background_does_not_see_the_hole(seed: int) -> None:
    source = textured(1, 40, 48)
    mask = box_mask(1, 40, 48, (14, 12, 30, 26))
    edited = noisy(source, 9)
    other = edited.copy()
    other[mask] = np.random.default_rng(seed).integers(0, 256, other[mask].shape)
    values = [load_metric("background_ssim")(edit_clip(source, mask, None, frames)).value for frames in (edited, other)]
    assert values[0] == values[1]


def test_no_background_far_enough_from_the_mask() -> None:
    source = textured(1, 20, 20)
    mask = box_mask(1, 20, 20, (4, 4, 16, 16))
    score = load_metric("background_ssim")(edit_clip(source, mask, None, source))
    assert (score.status, score.value) == ("not_applicable", None)
    assert score.reason == "no background pixel is more than 5 px away from the mask in any frame"
