from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vivid_bench.types import Frames, Mask
from vivid_bench.vivid.editor import Editor

Keyframes = dict[int, NDArray[np.uint8]]


class Recorder:
    """In a pipeline's place: paints the hole with the number of the call and remembers what it was given."""

    device = torch.device("cpu")

    def __init__(self, length: int = 5, size: tuple[int, int] = (128, 128), follow_hole: bool = True) -> None:
        self.config = SimpleNamespace(window_frames=length, working_size=size, follow_hole=follow_hole)
        self.calls: list[tuple[Frames, Mask, Keyframes]] = []

    def __call__(
        self, frames: Frames, mask: Mask, prompt: str, negative_prompt: str | None, keyframes: Keyframes, **options: Any
    ) -> SimpleNamespace:
        self.calls.append((frames, mask, keyframes))
        out = frames.copy()
        out[mask] = 100 + len(self.calls)
        return SimpleNamespace(frames=out.astype(np.float32) / 255)


def edit(pipeline: Recorder, frames: Frames, mask: Mask, keyframes: Keyframes | None = None) -> Frames:
    return Editor(pipeline).edit(frames, mask, "a red circle", keyframes=keyframes)  # type: ignore[arg-type]


def blank(count: int, side: int = 48) -> tuple[Frames, Mask]:
    mask = np.zeros((count, side, side), np.bool_)
    mask[:, 20:28, 20:28] = True
    return np.zeros((count, side, side, 3), np.uint8), mask


@pytest.mark.parametrize(
    ("count", "lengths"),
    [(1, [1]), (5, [5]), (6, [5, 2]), (9, [5, 5]), (10, [5, 5, 2])],
)
def test_windows_overlap_by_one_frame(count: int, lengths: list[int]) -> None:
    pipeline = Recorder()
    out = edit(pipeline, *blank(count))
    assert [len(frames) for frames, _, _ in pipeline.calls] == lengths
    # The first window makes frames 0 to 4, the second 5 to 8, the third 9 on.
    assert out[:, 24, 24, 0].tolist() == [101 + max(0, t - 1) // 4 for t in range(count)]


def test_a_window_is_led_by_the_last_edited_frame() -> None:
    pipeline = Recorder()
    edit(pipeline, *blank(9))
    assert list(pipeline.calls[0][2]) == []
    assert list(pipeline.calls[1][2]) == [0]
    assert pipeline.calls[1][2][0][24, 24, 0] == 101


def test_keyframes_go_to_their_window_and_outrank_the_chain() -> None:
    pipeline, key = Recorder(), np.full((48, 48, 3), 7, np.uint8)
    out = edit(pipeline, *blank(9), {2: key, 4: key, 8: key})
    assert sorted(pipeline.calls[0][2]) == [2, 4]
    assert sorted(pipeline.calls[1][2]) == [0, 4]
    assert (pipeline.calls[1][2][0] == 7).all()
    assert (out[[2, 4, 8]] == 7).all()


def test_a_window_follows_the_hole() -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    mask = np.zeros((3, 96, 96), np.bool_)
    for t in range(3):
        mask[t, 40:50, 20 + 20 * t : 30 + 20 * t] = True
    pipeline = Recorder()
    out = edit(pipeline, frames, mask)
    given, hole, _ = pipeline.calls[0]
    assert given.shape == (3, 48, 48, 3)
    assert np.array_equal(hole[0], hole[2])
    assert np.array_equal(out[~mask], frames[~mask])
    assert (out[mask] == 101).all()


def test_a_large_hole_is_shrunk_and_pasted_under_the_mask_alone() -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 300, 320, 3), dtype=np.uint8)
    mask = np.zeros((2, 300, 320), np.bool_)
    mask[:, 100:220, 100:260] = True  # 160 + 2 x 40 = 240 pixels, shrunk to 128
    pipeline = Recorder()
    out = edit(pipeline, frames, mask)
    assert pipeline.calls[0][0].shape == (2, 128, 128, 3)
    assert np.array_equal(out[~mask], frames[~mask])
    assert (out[0, 130:190, 140:220] == 101).all()


def test_a_shrunk_pixel_that_touches_the_hole_is_hole() -> None:
    frames, mask = np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 64, 64), np.bool_)
    mask[0, 20:44, 20:44] = True
    pipeline = Recorder(size=(16, 16))
    edit(pipeline, frames, mask)
    # The hole reaches over 24 of 48 pixels of the window, from 12 to 36: 8 of 16 after shrinking by 3.
    assert pipeline.calls[0][1].sum() == 64


def test_without_following_frames_that_fit_are_edited_whole() -> None:
    frames, mask = blank(2, 40)
    pipeline = Recorder(size=(48, 40), follow_hole=False)
    edit(pipeline, frames, mask)
    assert pipeline.calls[0][0].shape == (2, 40, 40, 3)


def test_without_following_larger_frames_are_cropped_around_all_holes() -> None:
    frames, mask = np.zeros((2, 100, 120, 3), np.uint8), np.zeros((2, 100, 120), np.bool_)
    mask[:, 40:60, 30:70] = True  # 20 x 40 and, of that, half around it but at least 12: 44 x 80, shrunk to 22 x 40
    pipeline = Recorder(size=(40, 40), follow_hole=False)
    edit(pipeline, frames, mask)
    assert pipeline.calls[0][0].shape == (2, 22, 40, 3)


def test_a_clip_without_a_hole_is_not_edited() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    pipeline = Recorder()
    assert np.array_equal(edit(pipeline, frames, np.zeros((2, 64, 64), np.bool_)), frames)
    assert not pipeline.calls
