from __future__ import annotations

import pytest
from compat_clips import SUITE_TOLERANCE, figures

from vivid_bench.compat.tgve import PRESET
from vivid_bench.errors import VividBenchError
from vivid_bench.metrics.sample_clip import EditClip

# showlab/loveu-tgve-2023 d75589f2, run on `golden_clip()`: `clip_score_text` and `clip_score_frame` of
# scripts/run_eval.py on frames resized as its main part does, with transformers' Pillow processor for 32x32 and the
# random CLIP of `compat_clips` in place of its own; scikit-learn 1.9.
GOLDEN = {"clip_score_text": 1.4924601316452026, "clip_score_frame": 0.8344122767448425}


def test_figures_are_those_of_its_code(edit: EditClip, tiny_networks: None) -> None:
    assert figures(PRESET, edit) == pytest.approx(GOLDEN, rel=SUITE_TOLERANCE)


def test_a_long_prompt_has_no_figure(edit: EditClip, tiny_networks: None) -> None:
    edit.sample.sample = edit.sample.sample.model_copy(update={"prompt": "sky " * 80})
    with pytest.raises(VividBenchError, match="over 77 tokens"):
        PRESET.metrics[0](edit)


def test_one_frame_has_no_pairs(edit: EditClip, tiny_networks: None) -> None:
    edit.edited = edit.edited[:1]
    assert PRESET.metrics[1](edit).status == "not_applicable"
