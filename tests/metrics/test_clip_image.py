"""CLIP image similarity to the reference."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from clip_weights import TinyClip
from metric_clips import box_mask, edit_clip, noisy, textured

from vivid_bench.metrics import clip_image, load_metric

SOURCE = textured(3, 40, 48, (2, 1))
MASK = box_mask(3, 40, 48, (12, 10, 34, 28))


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(clip_image)
    assert results.attempted > 0
    assert results.failed == 0


def test_the_reference_gets_one_and_less_the_farther_an_edit_is(tiny_clip: TinyClip) -> None:
    metric = load_metric(f"clip_image_region@{tiny_clip.name}")
    values = [metric(edit_clip(SOURCE, MASK, SOURCE, noisy(SOURCE, a))).value for a in (0, 10, 60, 200)]
    assert values[0] == pytest.approx(1, abs=1e-6)
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.99


def test_what_lies_outside_the_square_does_not_count(tiny_clip: TinyClip) -> None:
    spoilt = SOURCE.copy()
    spoilt[:, :5] = 0
    score = load_metric(f"clip_image_region@{tiny_clip.name}")(edit_clip(SOURCE, MASK, SOURCE, spoilt))
    assert score.value == pytest.approx(1, abs=1e-6)


def test_without_a_reference_it_has_no_meaning(tiny_clip: TinyClip) -> None:
    metric = load_metric(f"clip_image_region@{tiny_clip.name}")
    assert metric(edit_clip(SOURCE, MASK, None, SOURCE)).reason == "the sample has no reference"
    empty = edit_clip(SOURCE, np.zeros_like(MASK), SOURCE, SOURCE)
    assert metric(empty).reason == "the edit region is empty in all frames"
