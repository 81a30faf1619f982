import numpy as np

from vivid_bench.baselines.temporal_median.adapter import TemporalMedian, masked_median
from vivid_bench.types import DELETE_PROMPT, EditRequest


def test_median_of_the_seen_values() -> None:
    values = np.array([[10, 10, 10, 10], [20, 20, 20, 20], [90, 90, 90, 90], [255, 255, 255, 255]], np.uint8)
    hidden = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 0, 1, 1], [1, 0, 1, 1]], bool)
    median = masked_median(np.repeat(values[..., None], 3, axis=2), hidden)
    #          20 of 10 20 90   (20 + 90) / 2   10 alone   never seen
    expected = [20, 55, 10, 0]
    np.testing.assert_array_equal(median, np.repeat(np.array(expected, np.uint8)[:, None], 3, axis=1))


def test_halves_round_to_even() -> None:
    values = np.array([[[1, 2, 254]], [[2, 3, 255]]], np.uint8)
    # 3/2 -> 2, 5/2 -> 2, 509/2 -> 254
    np.testing.assert_array_equal(masked_median(values, np.zeros((2, 1), bool)), [[2, 2, 254]])


def test_a_still_background_is_exact() -> None:
    background = np.repeat(np.random.default_rng(0).integers(0, 256, (1, 32, 40, 3), np.uint8), 7, axis=0)
    mask = np.zeros(background.shape[:3], bool)
    for t in range(7):
        mask[t, 8:20, 5 * t : 5 * t + 9] = True
    source = background.copy()
    source[mask] = (0, 255, 0)
    edited = TemporalMedian().edit(EditRequest("clip", "delete", source, mask, DELETE_PROMPT, 24.0, 0))
    np.testing.assert_array_equal(edited, background)
