"""Tests of the mask pool."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import DataFolder
from hypothesis import given, settings
from hypothesis import strategies as st

from vivid_bench.build.pool import AREA_FACTOR, AREA_SHARE, BOX_SHARE, Stamp, draw, stamps_of, stamps_of_sample
from vivid_bench.datasets.folder import read_folder
from vivid_bench.errors import InputError


def test_stamps_are_cut_to_their_box_from_frames_spread_over_the_track() -> None:
    masks = np.zeros((11, 20, 30), np.bool_)
    for t in range(2, 11):  # empty before the track begins
        masks[t, 5:9, 3 : 4 + t] = True
        masks[t, 5, 3] = False
    stamps = stamps_of(masks, "clip-7")
    # 9 usable frames in three parts: the middles of 2..4, 5..7 and 8..10.
    assert [stamp.mask.shape for stamp in stamps] == [(4, 3 + 1), (4, 6 + 1), (4, 9 + 1)]
    assert [round(stamp.share * 600) for stamp in stamps] == [15, 27, 39]
    assert {stamp.origin for stamp in stamps} == {"clip-7"}
    assert not stamps[0].mask[0, 0]
    assert stamps[0].mask[0, 1:].all()


def test_an_image_gives_one_stamp_and_empty_or_specked_masks_none() -> None:
    image = np.zeros((1, 40, 60), np.bool_)
    assert stamps_of(image, "a") == []
    image[0, 3, 3] = True  # 1 of 2400 pixels
    assert stamps_of(image, "a") == []
    image[0, 3, 4] = True
    assert [stamp.mask.tolist() for stamp in stamps_of(image, "a")] == [[[True, True]]]


def test_stamps_do_not_hold_on_to_the_clip() -> None:
    masks = np.ones((2, 30, 40), np.bool_)
    stamp = stamps_of(masks, "a")[0]
    masks[:] = False
    assert stamp.mask.all()
    assert stamp.mask.base is None


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 60), columns=st.integers(1, 60), share=st.floats(0.0005, 1),
    seed=st.integers(0, 2**32), height=st.integers(48, 120), width=st.integers(48, 160),
)  # fmt: skip
def test_drawn_stamps_suit_the_frame(rows: int, columns: int, share: float, seed: int, height: int, width: int) -> None:
    stamp = draw([Stamp(np.ones((rows, columns), np.bool_), share, "a")], np.random.default_rng(seed), height, width)
    assert stamp.any(axis=0)[[0, -1]].all()
    assert stamp.any(axis=1)[[0, -1]].all()
    assert stamp.shape[0] <= BOX_SHARE * height
    assert stamp.shape[1] <= BOX_SHARE * width
    assert stamp.sum() <= AREA_SHARE[1] * height * width * 1.001 or min(stamp.shape) == 1


def test_the_area_is_the_stamps_own_within_the_stated_factor_and_limits() -> None:
    rng = np.random.default_rng(0)
    for share, low, high in (
        (0.05, 0.05 / AREA_FACTOR, 0.05 * AREA_FACTOR),
        (0.001, *AREA_SHARE[:1] * 2),
        (0.9, *AREA_SHARE[1:] * 2),
    ):
        pool = [Stamp(np.ones((40, 50), np.bool_), share, "a")]
        shares = [draw(pool, rng, 480, 640).sum() / (480 * 640) for _ in range(60)]
        assert low * 0.95 <= min(shares)
        assert max(shares) <= high * 1.05
    assert max(shares) - min(shares) < 0.01


def test_a_stamp_is_mirrored_half_of_the_time_and_stands_upright() -> None:
    shape = np.zeros((40, 40), np.bool_)
    shape[30:] = shape[:, :10] = True  # an L
    pool, rng = [Stamp(shape, 0.1, "a")], np.random.default_rng(0)
    left = 0
    for _ in range(200):
        drawn = draw(pool, rng, 200, 300)
        assert drawn[-1].all()
        assert drawn[0, 0] != drawn[0, -1]
        left += bool(drawn[0, 0])
    assert 75 < left < 125


def test_all_stamps_are_drawn() -> None:
    pool = [Stamp(np.ones((10, 10 * n), np.bool_), 0.05, str(n)) for n in (1, 3, 8)]
    rng = np.random.default_rng(1)
    ratios = [round(np.divide(*draw(pool, rng, 240, 426).shape[::-1])) for _ in range(300)]
    assert {ratio: ratios.count(ratio) > 70 for ratio in set(ratios)} == {1: True, 3: True, 8: True}


def test_a_hairline_that_is_made_smaller_stays() -> None:
    line = np.zeros((400, 400), np.bool_)
    line[np.arange(400), np.arange(400)] = True
    pool = [Stamp(line, 0.0025, "a")]
    assert draw(pool, np.random.default_rng(0), 48, 48).any(axis=1).all()


def test_the_same_seed_draws_the_same() -> None:
    pool = stamps_of(np.random.default_rng(0).random((6, 40, 60)) < 0.3, "a")
    first, second = (
        [draw(pool, rng, 96, 120).tobytes() for _ in range(5)] for rng in map(np.random.default_rng, (4, 4))
    )
    assert first == second


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(ValueError, match="no stamps"):
        draw([], np.random.default_rng(0), 96, 96)


def test_stamps_of_a_data_folders_sample(data_folder: DataFolder) -> None:
    data_folder.add("a clip")
    (sample,) = read_folder(data_folder.path, "delete").samples
    stamps = stamps_of_sample(data_folder.path, sample)
    assert [stamp.mask.shape for stamp in stamps] == [(10, 12)] * 3  # the box of clips.box_mask
    assert all(stamp.mask.all() and stamp.origin == "a clip" for stamp in stamps)
    with pytest.raises(InputError):
        stamps_of_sample(Path("nowhere"), sample)
