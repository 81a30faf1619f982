from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivid_bench.compositing import composite, feather_width, hide_hole
from vivid_bench.types import Composite


def clips(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    source, edited = rng.integers(0, 256, (2, 3, 20, 24, 3), dtype=np.uint8)
    mask = np.zeros((3, 20, 24), bool)
    mask[0, 5:12, 6:14] = True
    mask[2, :4, :4] = True
    return source, edited, mask


def test_hide_hole_greys_the_mask_and_nothing_else() -> None:
    source, _, mask = clips(0)
    before = source.copy()
    hidden = hide_hole(source, mask)
    assert (hidden[mask] == 128).all()
    assert (hidden[~mask] == source[~mask]).all()
    assert (source == before).all()


def test_none_is_the_edit() -> None:
    source, edited, mask = clips(0)
    assert composite(source, edited, mask, "none") is edited


def test_hard_is_the_source_outside_and_the_edit_inside() -> None:
    source, edited, mask = clips(0)
    out = composite(source, edited, mask, "hard")
    assert (out[mask] == edited[mask]).all()
    assert (out[~mask] == source[~mask]).all()


def test_feather_fades_linearly_outside_the_mask() -> None:
    # Width 2: one pixel outside the weight of the edit is 1 - 1/3, two pixels outside 1 - 2/3, then 0.
    source = np.zeros((1, 5, 9, 3), np.uint8)
    edited = np.full((1, 5, 9, 3), 240, np.uint8)
    mask = np.zeros((1, 5, 9), bool)
    mask[:, :, :4] = True
    assert feather_width(5) == 2
    out = composite(source, edited, mask, "feather")
    assert out[0, 2, :, 0].tolist() == [240, 240, 240, 240, 160, 80, 0, 0, 0]


@given(st.integers(0, 2**31), st.sampled_from(["hard", "feather"]))
def test_no_source_pixel_under_the_mask_is_used(seed: int, mode: Composite) -> None:
    source, edited, mask = clips(seed)
    other = source.copy()
    other[mask] = 255 - other[mask]
    assert (composite(source, edited, mask, mode) == composite(other, edited, mask, mode)).all()


@pytest.mark.parametrize("mode", ["hard", "feather"])
def test_a_frame_with_an_empty_mask_is_the_source(mode: Composite) -> None:
    source, edited, mask = clips(0)
    assert (composite(source, edited, mask, mode)[1] == source[1]).all()


@pytest.mark.parametrize(("height", "width"), [(480, 8), (96, 2), (8, 2), (720, 12)])
def test_feather_width(height: int, width: int) -> None:
    assert feather_width(height) == width
