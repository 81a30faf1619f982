"""Tests of background positioning."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from vivid_bench.build.positioning import keep_out, place

Bools = NDArray[np.bool_]


def frame_masks(largest: int, share: float) -> st.SearchStrategy[Bools]:
    """Masks of any shape up to largest x largest."""
    side = st.integers(1, largest)
    return st.tuples(side, side).flatmap(
        lambda shape: st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).random(shape) < share)
    )


def all_places(stamp: Bools, forbidden: Bools) -> list[Bools]:
    """Try every place, one after the other."""
    (height, width), (rows, columns) = forbidden.shape, stamp.shape
    found = []
    for top in range(height - rows + 1):
        for left in range(width - columns + 1):
            placed = np.zeros_like(forbidden)
            placed[top : top + rows, left : left + columns] = stamp
            if not (placed & forbidden).any():
                found.append(placed)
    return found


@settings(max_examples=150, deadline=None)
@given(
    stamp=frame_masks(5, 0.7).filter(lambda mask: bool(mask.any())),
    forbidden=st.one_of(frame_masks(9, 0.1), frame_masks(9, 0.4), arrays(np.bool_, (6, 7))),
    seed=st.integers(0, 2**32),
)
def test_a_place_is_one_of_all_clear_places_and_none_only_where_there_is_none(
    stamp: Bools, forbidden: Bools, seed: int
) -> None:
    before = forbidden.copy()
    places = all_places(stamp, forbidden)
    placed = place(stamp, forbidden, np.random.default_rng(seed))
    np.testing.assert_array_equal(forbidden, before)
    assert (placed is None) == (not places)
    if placed is not None:
        assert any(np.array_equal(placed, other) for other in places)


def test_every_clear_place_is_drawn_as_often() -> None:
    # A stamp of 2x2 in 4x6 has 3 x 5 places; a forbidden pixel in the corner takes one.
    forbidden = np.zeros((4, 6), np.bool_)
    forbidden[0, 0] = True
    rng, counts = np.random.default_rng(0), np.zeros((4, 6), int)
    for _ in range(2800):
        placed = place(np.ones((2, 2), np.bool_), forbidden, rng)
        assert placed is not None
        counts[tuple(np.argwhere(placed)[0])] += 1
    drawn = counts[:3, :5].ravel()
    assert drawn[0] == 0
    assert counts.sum() == drawn.sum() == 2800
    assert abs(drawn[1:] - 200).max() < 60, "14 places, 200 each expected, standard deviation 13.6"


def test_large_frames_are_exact_too() -> None:
    # The one clear place is a hole of the stamp's very form.
    rng = np.random.default_rng(3)
    stamp = rng.random((120, 90)) < 0.8
    stamp[0, 0] = stamp[-1, -1] = True
    forbidden = np.ones((480, 854), np.bool_)
    forbidden[301:421, 517:607] &= ~stamp
    placed = place(stamp, forbidden, rng)
    assert placed is not None
    np.testing.assert_array_equal(placed, ~forbidden)
    forbidden[301:421, 517:607][stamp.nonzero()[0][5], stamp.nonzero()[1][5]] = True
    assert place(stamp, forbidden, rng) is None


def test_a_stamp_larger_than_the_frame_has_no_place() -> None:
    free = np.zeros((4, 8), np.bool_)
    rng = np.random.default_rng(0)
    assert place(np.ones((5, 2), np.bool_), free, rng) is None
    assert place(np.ones((2, 9), np.bool_), free, rng) is None
    exact = place(np.ones((4, 8), np.bool_), free, rng)
    assert exact is not None
    assert exact.all()


def test_the_distance_from_entities_is_8_px_at_480_lines_and_2_at_least() -> None:
    for height, px in ((480, 8), (240, 4), (96, 2), (30, 2)):
        entities = np.zeros((2, height, 41), np.bool_)
        entities[1, height // 2, 20] = True
        grown = keep_out(entities)
        assert not grown[0].any()
        rows, columns = np.nonzero(grown[1])
        assert np.hypot(rows - height // 2, columns - 20).max() == px
        assert grown[1, height // 2].sum() == 2 * px + 1
