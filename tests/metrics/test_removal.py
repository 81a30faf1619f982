"""Removal success: a no-op fails it, by hand and on clips."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from clip_weights import TinyClip
from metric_clips import box_mask, edit_clip, textured

from vivid_bench.metrics import load_metric, removal
from vivid_bench.metrics.removal import gradient, histogram, neighbours, removal_side, ring_around
from vivid_bench.metrics.sample_clip import EditClip, SampleClip

GROUND = textured(3, 60, 80, (1, 0))
BOX = (30, 20, 54, 40)
MASK = box_mask(3, 60, 80, BOX)
SOURCE = np.where(MASK[..., None], np.uint8((250, 20, 20)), GROUND)
NAMES = ["removal_success_histogram", "removal_success@tiny-clip"]


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(removal)
    assert results.attempted > 0
    assert results.failed == 0


def test_the_side_by_hand() -> None:
    """Halfway between both and off their line: cos((0, 0, 1), (1, -1, 0)) = 0; a third of the way back: cos > 0."""
    ring, before = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    assert removal_side(np.array([0.5, 0.5, 1]), ring, before) == 0
    assert removal_side((ring + before) / 2, ring, before) == 0
    assert removal_side(np.array([1.0, 0, 1]), ring, before) == pytest.approx(1 / np.sqrt(2) / np.sqrt(1.5))
    assert removal_side(ring, ring, ring) is None


def test_histograms_count_nearness_to_colours_and_detail() -> None:
    """Black is level 0 of each channel; 32 lies half-way to level 1 (63.75) to within 1/255."""
    image = np.zeros((4, 4, 3), np.uint8)
    image[..., 2] = 32
    shares = histogram(image, np.ones((4, 4), bool)) ** 2
    upper = 32 * 4 / 255
    assert shares[:2] == pytest.approx([1 - upper, upper])
    assert shares.sum() == pytest.approx(1)


def test_gradient_by_hand() -> None:
    """A ramp of 10 steps a pixel has a slope of 10 everywhere but at its ends."""
    ramp = np.repeat(np.arange(8, dtype=np.uint8)[None, :, None] * 10, 8, axis=0).repeat(3, axis=2)
    assert gradient(ramp)[:, 1:-1] == pytest.approx(10)


def test_rings_surround_the_mask() -> None:
    ring = ring_around(MASK[0])
    assert not (ring & MASK[0]).any()
    # 24 x 20 px: the root of the area is 22, a quarter of it 5.5.
    reach = 5
    x0, y0, _, _ = BOX
    assert ring[y0 - reach, 40]
    assert ring[30, x0 - reach]
    assert not ring[y0 - 8, 40]


def test_neighbours_fit_into_the_frame_beside_the_mask() -> None:
    """24 px squares: 30 px of room to the left, 26 to the right, 20 above and below: too little."""
    assert neighbours(MASK[0], BOX) == [(6, 18, 30, 42), (54, 18, 78, 42)]
    wide = box_mask(1, 60, 80, (4, 4, 76, 48))[0]
    # A mask of 72 px: squares of 72, 36 and 18 do not fit, one of 9 does, below it.
    assert neighbours(wide, (4, 4, 76, 48)) == [(35, 48, 44, 57)]
    assert neighbours(np.ones((60, 80), bool), (0, 0, 80, 60)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_no_op_fails(tiny_clip: TinyClip, name: str) -> None:
    metric = load_metric(name)
    removed = metric(edit_clip(SOURCE, MASK, GROUND, GROUND)).value
    no_op = metric(edit_clip(SOURCE, MASK, GROUND, SOURCE)).value
    assert removed is not None
    assert no_op is not None
    assert removed > 0
    assert no_op <= 0
    if "histogram" in name:
        assert no_op == pytest.approx(-1)
        assert removed > 0.7


@pytest.mark.parametrize("name", NAMES)
def test_where_it_has_no_meaning(tiny_clip: TinyClip, name: str) -> None:
    metric = load_metric(name)
    assert metric(edit_clip(SOURCE, MASK, GROUND, GROUND, "add")).reason == "defined for delete only, the task is add"
    hidden = edit_clip(SOURCE, MASK, SOURCE, GROUND)
    sample = hidden.sample.sample.model_copy(update={"hole": "hidden"})
    assert "nothing to remove" in metric(EditClip(SampleClip(sample, SOURCE, MASK, SOURCE), GROUND)).reason
    empty = edit_clip(SOURCE, np.zeros_like(MASK), GROUND, GROUND)
    assert metric(empty).reason == "the mask is empty in all scored frames"
    assert metric(edit_clip(SOURCE, np.ones_like(MASK), GROUND, GROUND)).status == "not_applicable"


@pytest.mark.parametrize("name", NAMES)
def test_frames_without_a_mask_are_left_out_and_counted(tiny_clip: TinyClip, name: str) -> None:
    mask = MASK.copy()
    mask[1] = False
    score = load_metric(name)(edit_clip(SOURCE, mask, GROUND, GROUND))
    assert score.per_frame is not None
    assert score.per_frame[1] is None
    assert score.details == {"left_out_frames": 1}
    plain = edit_clip(SOURCE, MASK, GROUND, GROUND)
    sample = plain.sample.sample.model_copy(update={"keyframes": (0,)})
    given = load_metric(name)(EditClip(SampleClip(sample, SOURCE, MASK, GROUND), GROUND))
    assert given.per_frame is not None
    assert [value is None for value in given.per_frame] == [True, False, False]
