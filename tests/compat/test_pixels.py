from __future__ import annotations

import numpy as np
import pytest
from compat_clips import GoldenClip
from torch import from_numpy
from torchmetrics.functional.image import structural_similarity_index_measure

from vivid_bench.compat import pixels


def test_errors_by_hand() -> None:
    first, second = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    second[0, 0] = 51  # 3 of 12 values differ by 0.2
    assert pixels.mse(first, second) == pytest.approx(0.04 / 4)
    assert pixels.mae(first, second) == pytest.approx(0.2 / 4)
    assert pixels.psnr(first, second) == pytest.approx(20.0)


def test_ssim_is_torchmetrics(golden: GoldenClip) -> None:
    x, y = golden.source[0], golden.edited[0]
    tensors = [from_numpy(frame).permute(2, 0, 1)[None].float() / 255 for frame in (x, y)]
    expected = float(structural_similarity_index_measure(*tensors, data_range=1.0))
    assert pixels.ssim(x, y) == pytest.approx(expected, abs=1e-5)


def test_what_is_not_kept_is_black() -> None:
    frames = np.full((2, 2, 2, 3), 9, np.uint8)
    region = np.zeros((2, 2, 2), bool)
    region[0, 0, 0] = True
    assert pixels.kept(frames, region).sum() == 27
