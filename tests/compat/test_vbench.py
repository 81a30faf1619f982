from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from compat_clips import SUITE_TOLERANCE, figures

from vivid_bench.compat.vbench import PRESET, load_dino, steadiness, temporal_flickering
from vivid_bench.errors import InputError
from vivid_bench.metrics.sample_clip import EditClip

# Vchitect/VBench 45e79ec1, run on `golden_clip()`: `cal_score` (temporal_flickering.py), `subject_consistency` and
# `background_consistency` (files of the same names, transforms of utils.py), with facebookresearch/dino 7c446df5's
# VisionTransformer and a CLIP, both with the random weights of `compat_clips` (the CLIP for 32 px, not 224).
GOLDEN = {
    "temporal_flickering": 0.6630420161228554,
    "subject_consistency": 0.8155483305454254,
    "background_consistency": 0.7851186990737915,
}


def test_figures_are_those_of_its_code(edit: EditClip, tiny_networks: None) -> None:
    assert figures(PRESET, edit) == pytest.approx(GOLDEN, rel=SUITE_TOLERANCE)


def test_a_frozen_clip_is_perfect() -> None:
    assert temporal_flickering(np.full((3, 4, 4, 3), 7, np.uint8)) == [1.0, 1.0]
    assert steadiness(torch.tensor([[1.0, 0.0]] * 3)) == [1.0, 1.0]


def test_each_cosine_is_at_least_0() -> None:
    # Frame 1: opposite of both. Frame 2: opposite of frame 1, as the first.
    assert steadiness(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]])) == [0.0, 0.5]


def test_another_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(InputError, match="weights of a ViTModel"):
        load_dino(tmp_path, "cpu")
