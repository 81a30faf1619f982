"""FLUX.1-Fill on a tiny random-weight pipeline of its class, and the propagation of its keyframe."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import box_mask, moving_clip
from vae_spy import Spy

from vivid_bench import method_settings
from vivid_bench.baselines.flux_fill_keyframe.adapter import MODEL, FluxFillKeyframe, propagated
from vivid_bench.types import EditRequest, Task


def flux(**parameters: Any) -> FluxFillKeyframe:
    small = {"area": 32 * 48, "steps": 1, "dtype": "float32", "max_sequence_length": 16}
    return FluxFillKeyframe("cpu", **(small | parameters))


def request(frames: int = 3, height: int = 32, width: int = 48, task: Task = "modify") -> EditRequest:
    clip = moving_clip(frames, height, width)
    return EditRequest("clip", task, clip, box_mask(frames, height, width), "a red ball", 24.0, 0)


@pytest.fixture(autouse=True)
def weights(weights_folder: Callable[..., Path], no_settings: None) -> None:
    method_settings.save(MODEL.method, {"weights": str(weights_folder("flux_fill"))})


@pytest.fixture
def method() -> FluxFillKeyframe:
    return flux()


@pytest.mark.parametrize("task", ["add", "modify", "delete"])
@pytest.mark.parametrize(("frames", "height", "width"), [(1, 32, 48), (5, 25, 47)])
def test_an_edit_has_the_requests_shape_and_the_source_outside_the_mask(
    method: FluxFillKeyframe, task: Task, frames: int, height: int, width: int
) -> None:
    asked = request(frames, height, width, task)
    edited = method.edit(asked).frames
    np.testing.assert_array_equal(edited[~asked.mask], asked.frames[~asked.mask])
    assert (edited[0] != asked.frames[0]).any()


def test_the_first_frame_with_a_mask_is_the_keyframe(method: FluxFillKeyframe) -> None:
    asked = request(3, 30, 50)
    asked.mask[0] = False
    keyframe, size, outside, weights = method.edit(asked).notes
    assert keyframe == "keyframe: frame 1"
    assert size.startswith("50x30 -> 48x32")
    assert outside == "outside the mask: the source"
    assert weights == f"weights: a folder of one's own, taken for {MODEL.repository}"


def test_without_any_mask_nothing_is_edited(method: FluxFillKeyframe) -> None:
    asked = request()
    asked.mask[:] = False
    edited = method.edit(asked)
    np.testing.assert_array_equal(edited.frames, asked.frames)
    assert edited.notes == ("no frame has a mask: nothing was edited",)


@pytest.mark.parametrize("task", ["modify", "delete"])
def test_the_hole_is_hidden_and_the_rest_is_seen(method: FluxFillKeyframe, task: Task) -> None:
    asked = request(2, 30, 50, task)
    other = asked.frames.copy()
    other[asked.mask] = 255 - other[asked.mask]
    beside = asked.frames.copy()
    beside[:, 28:] = 255 - beside[:, 28:]
    spy = Spy(method._pipeline)
    first, second, third = (
        method.edit(replace(asked, frames=frames)).frames for frames in (asked.frames, other, beside)
    )
    # The pipeline encodes the frame as it is, whose weight is 0, and the frame whose hole is grey.
    assert len(spy.seen) == 6
    for one, two in zip(spy.seen[0:2], spy.seen[2:4], strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(first, second)
    assert np.abs(spy.seen[1] - spy.seen[5]).max() > 0.5
    assert (first[asked.mask] != third[asked.mask]).any()
    assert spy.seen[1][..., 12, 14] == pytest.approx(0.5)
    assert spy.seen[0][..., 12, 14] == pytest.approx(0.5, abs=0.01)


def test_a_cut_caption_and_an_unused_negative_prompt_are_noted(method: FluxFillKeyframe) -> None:
    notes = method.edit(replace(request(), prompt="a" * 30, negative_prompt="a cat")).notes
    assert any(note.startswith("caption cut from 3") and note.endswith("to 16 tokens") for note in notes)
    assert "negative prompt not used: it takes none" in notes


def test_the_seed_decides(method: FluxFillKeyframe) -> None:
    first, again = (method.edit(request()).frames for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (method.edit(replace(request(), seed=1)).frames != first).any()


def test_a_deleted_hole_shows_the_keyframe_and_what_other_frames_show() -> None:
    background = np.repeat(moving_clip(1, 48, 64), 3, axis=0)
    mask = np.zeros((3, 48, 64), bool)
    mask[:, 10:30, 10:30] = True
    mask[2, 10:30, 20:30] = False
    source = np.where(mask[..., None], np.array([255, 0, 0], np.uint8), background)
    keyframe = background[0].copy()
    keyframe[10:30, 10:30] = 255 - keyframe[10:30, 10:30]
    edited = propagated(EditRequest("clip", "delete", source, mask, "", 24.0, 0), 0, keyframe)
    np.testing.assert_array_equal(edited[0], keyframe)
    np.testing.assert_array_equal(edited[~mask], background[~mask])
    # Hidden from everywhere but the keyframe.
    assert np.abs(edited[1, 12:28, 12:18].astype(int) - keyframe[12:28, 12:18]).max() <= 2
    # The next frame shows it too: halfway between the two, which are opposites.
    assert np.abs(edited[1, 12:28, 22:28] - 127.5).max() <= 3


def test_a_modified_hole_moves_with_the_mask() -> None:
    frames = moving_clip(2, 32, 48)
    mask = np.zeros((2, 32, 48), bool)
    mask[0, 4:12, 4:12] = mask[1, 10:18, 20:28] = True
    keyframe = frames[0].copy()
    keyframe[4:12, 4:12] = np.arange(64 * 3, dtype=np.uint8).reshape(8, 8, 3)
    edited = propagated(EditRequest("clip", "modify", frames, mask, "", 24.0, 0), 0, keyframe)
    np.testing.assert_array_equal(edited[1, 10:18, 20:28], keyframe[4:12, 4:12])
    np.testing.assert_array_equal(edited[1][~mask[1]], frames[1][~mask[1]])
