from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vivid_bench.types import Frames, Mask
from vivid_bench.vivid.editor import Editor
from vivid_bench.vivid.long_video import MaskedFrame, edit_stream
from vivid_bench.vivid.pipeline import VividPipeline

Keyframes = Mapping[int, NDArray[np.uint8]]


class Recorder:
    """Paints the hole with the number of the call and remembers what it was given."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.keyframes: list[Keyframes] = []

    def __call__(self, frames: Frames, mask: Mask, keyframes: Keyframes) -> Frames:
        self.lengths.append(len(frames))
        self.keyframes.append(keyframes)
        out = frames.copy()
        out[mask] = 100 + len(self.lengths)
        return out


def blank(count: int) -> Iterator[MaskedFrame]:
    for _ in range(count):
        yield np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.bool_)


@pytest.mark.parametrize(
    ("count", "lengths"),
    [(0, []), (1, [1]), (5, [5]), (6, [5, 2]), (9, [5, 5]), (10, [5, 5, 2])],
)
def test_clips_overlap_by_one_frame_and_every_frame_is_handed_on_once(count: int, lengths: list[int]) -> None:
    edit = Recorder()
    clips = list(edit_stream(edit, blank(count), {}, 5))
    assert edit.lengths == lengths
    made = [value for clip in clips for value in clip.edited[:, 0, 0, 0].tolist()]
    # The first clip makes frames 0 to 4, the second 5 to 8, the third 9 on.
    assert made == [101 + max(0, t - 1) // 4 for t in range(count)]
    assert all(len(c.source) == len(c.mask) == len(c.edited) for c in clips)


def test_a_clip_is_led_by_the_last_edited_frame_unless_the_user_gave_that_frame() -> None:
    edit, key = Recorder(), np.full((4, 4, 3), 7, np.uint8)
    list(edit_stream(edit, blank(13), {2: key, 8: key}, 5))
    assert [sorted(known) for known in edit.keyframes] == [[2], [0, 4], [0]]
    assert (edit.keyframes[1][0] == 101).all()
    assert (edit.keyframes[1][4] == 7).all()
    assert (edit.keyframes[2][0] == 7).all()


def test_a_clip_of_one_frame_cannot_be_chained() -> None:
    with pytest.raises(ValueError, match="expected at least 2 frames, found 1"):
        list(edit_stream(Recorder(), blank(3), {}, 1))


def test_stream_equals_one_call(tiny: VividPipeline) -> None:
    rng = np.random.default_rng(0)
    length = tiny.config.window_frames
    video = rng.integers(0, 256, (3 * length, 24, 32, 3), dtype=np.uint8)
    mask = np.zeros(video.shape[:3], np.bool_)
    mask[:, 8:16, 10:20] = True
    keyframes = {length + 3: rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)}
    editor, generator = Editor(tiny, steps=1), torch.Generator().manual_seed(3)

    def edit(frames: Frames, hole: Mask, known: Keyframes) -> Frames:
        return editor.edit_clip(frames, hole, "a red circle", known, generator)

    clips = list(edit_stream(edit, zip(video, mask, strict=True), keyframes, length))
    assert len(clips) == 4
    whole = editor.edit(video, mask, "a red circle", keyframes=keyframes, seed=3)
    assert np.array_equal(np.concatenate([clip.edited for clip in clips]), whole)
    assert np.array_equal(np.concatenate([clip.source for clip in clips]), video)
    assert np.array_equal(whole[length + 3], keyframes[length + 3])


class Source:
    """Counts how many frames it has handed out."""

    def __init__(self, count: int) -> None:
        self.count, self.given = count, 0

    def __iter__(self) -> Iterator[MaskedFrame]:
        for _ in range(self.count):
            self.given += 1
            yield np.zeros((64, 64, 3), np.uint8), np.ones((64, 64), np.bool_)


def peak(count: int) -> tuple[int, int]:
    """Return the most frames read ahead of what was handed on, and the most bytes held, of a video of `count`."""
    source, done, ahead = Source(count), 0, 0
    tracemalloc.start()
    for clip in edit_stream(lambda frames, mask, keyframes: 255 - frames, source, {}, 5):
        ahead = max(ahead, source.given - done)
        done += len(clip.edited)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done == count
    return ahead, held


def test_held_frames_do_not_grow_with_length() -> None:
    (ahead_short, short), (ahead_long, long) = peak(13), peak(1301)
    assert ahead_short == ahead_long == 5
    # 100 times the frames; a hundredth of what they take would show.
    assert long < 1.05 * short
