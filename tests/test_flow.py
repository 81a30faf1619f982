"""Flow, its check, warping and the ordered thread map."""

from __future__ import annotations

import doctest

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vivid_bench import flow as flow_module
from vivid_bench.flow import PRESETS, clip_flow, consistency, flow, parallel, warp


def pattern(height: int, width: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2, borderType=cv2.BORDER_REFLECT_101)


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(flow_module)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("preset", PRESETS)
def test_flow_of_a_translation_is_the_translation(preset: flow_module.Preset) -> None:
    canvas = pattern(110, 130)
    first, second = canvas[5:101, 6:102], canvas[3:99, 10:106]  # second[y + 2, x - 4] is first[y, x]
    estimated = flow(first, second, preset)
    assert estimated.shape == (96, 96, 2)
    assert estimated.dtype == np.float32
    inner = estimated[16:-16, 16:-16]
    assert np.abs(inner - (-4, 2)).mean() < 0.2


def test_flow_of_equal_frames_is_zero() -> None:
    frame = pattern(40, 50)
    assert not flow(frame, frame.copy()).any()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (8, 8), (5, 200), (28, 120), (11, 12), (17, 33), (96, 96)])
@pytest.mark.parametrize("preset", PRESETS)
def test_flow_takes_any_size(height: int, width: int, preset: flow_module.Preset) -> None:
    first, second = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    estimated = flow(first, second, preset)
    assert estimated.shape == (height, width, 2)
    assert np.isfinite(estimated).all()


def test_grey_and_colour_frames_of_one_picture_have_one_flow() -> None:
    canvas = pattern(48, 60)[..., :1].repeat(3, axis=2)
    first, second = canvas[:, :48], canvas[:, 2:50]
    np.testing.assert_array_equal(flow(first, second), flow(first[..., 0], second[..., 0]))


def test_clip_flow_is_the_flow_of_each_pair() -> None:
    canvas = pattern(40, 60)
    frames = np.stack([canvas[:, t : t + 48] for t in range(4)])
    forward, backward = clip_flow(frames, "fast"), clip_flow(frames, "fast", backward=True)
    assert forward.shape == backward.shape == (3, 40, 48, 2)
    for t in range(3):
        np.testing.assert_array_equal(forward[t], flow(frames[t], frames[t + 1], "fast"))
        np.testing.assert_array_equal(backward[t], flow(frames[t + 1], frames[t], "fast"))
    assert clip_flow(frames[:1]).shape == (0, 40, 48, 2)


def test_flow_does_not_depend_on_earlier_calls() -> None:
    canvas = pattern(96, 100)
    first, second = canvas[:, :96], canvas[:, 4:]
    before = flow(first, second)
    flow(pattern(17, 33), pattern(33, 17).transpose(1, 0, 2))
    np.testing.assert_array_equal(flow(first, second), before)


def test_flow_does_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = pattern(160, 240)
    frames = np.stack([canvas[t : t + 144, 2 * t : 2 * t + 200] for t in range(5)])
    before = cv2.getNumThreads()
    results = []
    try:
        for threads in (1, 2, 8):
            cv2.setNumThreads(threads)
            monkeypatch.setattr(flow_module, "worker_count", lambda threads=threads: threads)
            results.append(clip_flow(frames).tobytes())
            assert cv2.getNumThreads() == threads, "the caller's setting is put back"
    finally:
        cv2.setNumThreads(before)
    assert results[0] == results[1] == results[2]


def test_consistency_follows_the_published_inequality() -> None:
    # One pixel far from the frame's border, f = (3, 4) so |f|^2 = 25, returning b = -f + (g, 0).
    # Valid while g^2 < 0.01 (25 + |b|^2) + 0.5: with g = 0.9, 0.81 < 0.01 (25 + 20.41) + 0.5 = 0.9541;
    # with g = 1.0, 1.0 > 0.01 (25 + 20) + 0.5 = 0.95.
    forward = np.full((20, 20, 2), (3, 4), np.float32)
    for gap, expected in ((0.9, True), (1.0, False)):
        backward = (-forward + np.array((gap, 0), np.float32)).astype(np.float32)
        assert bool(consistency(forward, backward)[5, 5]) is expected


def test_consistency_fails_where_flow_leaves_the_frame() -> None:
    forward = np.full((6, 8, 2), (0, -2), np.float32)
    valid = consistency(forward, -forward)
    assert not valid[:2].any()
    assert valid[2:].all()


def test_warp_interpolates_and_fills_with_zero() -> None:
    image = np.array([[0, 10], [20, 30]], np.float32)
    at = np.zeros((2, 2, 2), np.float32)
    at[0, 0] = (0.5, 0.5)  # (0 + 10 + 20 + 30) / 4
    at[0, 1] = (-0.25, 0)  # 0 / 4 + 10 * 3 / 4
    at[1, 1] = (5, 0)  # outside
    np.testing.assert_allclose(warp(image, at), [[15, 7.5], [20, 0]])


def test_warp_of_a_box_is_that_part_of_the_whole() -> None:
    image = pattern(30, 40).astype(np.float32)
    displacement = np.random.default_rng(1).normal(0, 3, (30, 40, 2)).astype(np.float32)
    whole = warp(image, displacement)
    np.testing.assert_allclose(warp(image, displacement[7:20, 5:33], (5, 7)), whole[7:20, 5:33], atol=1e-3)


def test_warp_keeps_the_dtype() -> None:
    still = np.zeros((30, 40, 2), np.float32)
    np.testing.assert_array_equal(warp(pattern(30, 40), still), pattern(30, 40))


def test_parallel_keeps_order_and_passes_errors_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_module, "worker_count", lambda: 4)
    assert parallel(lambda n: n * n, range(50)) == [n * n for n in range(50)]
    assert parallel(lambda n: n, []) == []
    before = cv2.getNumThreads()
    with pytest.raises(ZeroDivisionError):
        parallel(lambda n: 1 / n, [1, 0, 2])
    assert cv2.getNumThreads() == before


def test_nested_use_puts_the_setting_back_once() -> None:
    frame = pattern(20, 20)
    before = cv2.getNumThreads()
    inner = parallel(lambda _: (flow(frame, frame).sum(), cv2.getNumThreads())[1], range(4))
    assert inner == [1, 1, 1, 1]
    assert cv2.getNumThreads() == before
