"""L1: hand-worked values, endpoints, parity with torchmetrics."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
import torch
from metric_clips import box_mask, edit_clip, noisy, textured
from torchmetrics.functional import mean_absolute_error

from vivid_bench.metrics import l1 as l1_module
from vivid_bench.metrics import load_metric
from vivid_bench.metrics.l1 import region_l1


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(l1_module)
    assert results.attempted > 0
    assert results.failed == 0


def test_region_l1_by_hand() -> None:
    first = np.zeros((1, 2, 3), np.uint8)
    second = np.array([[[51, 0, 102], [255, 255, 255]]], np.uint8)
    assert region_l1(first, second, np.array([[True, False]])) == pytest.approx((1 / 5 + 0 + 2 / 5) / 3)
    assert region_l1(first, second, np.array([[True, True]])) == pytest.approx((3 / 5 + 3) / 6)
    assert region_l1(first, second, np.array([[False, False]])) is None


def test_full_frame_agrees_with_torchmetrics() -> None:
    source = textured(2, 20, 24)
    edited = noisy(source, 30)
    value = load_metric("background_l1")(edit_clip(source, np.zeros((2, 20, 24), bool), None, edited)).value
    a, b = (torch.from_numpy(frames).double() / 255 for frames in (edited, source))
    assert value == pytest.approx(mean_absolute_error(a, b).item(), abs=1e-7)


def test_endpoints_and_frames() -> None:
    black = np.zeros((2, 12, 12, 3), np.uint8)
    mask = box_mask(2, 12, 12, (3, 3, 9, 9))
    mask[1] = False
    score = load_metric("edit_l1")(edit_clip(black, mask, ~black, black))
    assert (score.value, score.status, score.per_frame) == (1.0, "ok", (1.0, None))
    score = load_metric("edit_l1")(edit_clip(black, mask, black, black))
    assert (score.value, score.status, score.per_frame) == (0.0, "exact", (0.0, None))


def test_grows_with_noise() -> None:
    source = textured(2, 32, 40)
    mask = box_mask(2, 32, 40, (10, 8, 30, 24))
    values = [load_metric("boundary_l1")(edit_clip(source, mask, source, noisy(source, n))).value for n in (1, 4, 16)]
    assert values == sorted(values)
    assert len(set(values)) == 3
