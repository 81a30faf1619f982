"""EasyAnimate InP on a tiny random-weight pipeline of its class."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import box_mask, moving_clip
from vae_spy import Spy

from vivid_bench import method_settings
from vivid_bench.baselines.easyanimate_inp.adapter import MODEL, EasyAnimateInp
from vivid_bench.errors import MethodError
from vivid_bench.types import EditRequest


def easyanimate(**parameters: Any) -> EasyAnimateInp:
    return EasyAnimateInp("cpu", **({"area": 16 * 32, "steps": 1, "dtype": "float32"} | parameters))


def request(frames: int = 5, height: int = 16, width: int = 32) -> EditRequest:
    clip = moving_clip(frames, height, width)
    return EditRequest("clip", "add", clip, box_mask(frames, height, width, (8, 4, 24, 12)), "a red ball", 24.0, 0)


@pytest.fixture(autouse=True)
def weights(weights_folder: Callable[..., Path], no_settings: None) -> None:
    method_settings.save(MODEL.method, {"weights": str(weights_folder("easy_animate"))})


@pytest.fixture
def method() -> EasyAnimateInp:
    return easyanimate()


@pytest.mark.parametrize(("frames", "height", "width"), [(1, 16, 32), (5, 16, 32), (6, 15, 37), (17, 24, 20)])
def test_an_edit_has_the_requests_shape(method: EasyAnimateInp, frames: int, height: int, width: int) -> None:
    edited = method.edit(request(frames, height, width))
    assert edited.frames.shape == (frames, height, width, 3)
    assert edited.frames.dtype == np.uint8


def test_notes_say_what_was_done(method: EasyAnimateInp) -> None:
    assert method.edit(request(6)).notes == (
        "6 -> 9 frames by repeating the last, cut back",
        f"weights: a folder of one's own, taken for {MODEL.repository}",
    )


def test_the_hole_is_hidden_and_the_rest_is_seen(method: EasyAnimateInp) -> None:
    asked = request(5, 15, 37)
    other = asked.frames.copy()
    other[asked.mask] = 255 - other[asked.mask]
    beside = asked.frames.copy()
    beside[..., 30:, :] = 255 - beside[..., 30:, :]
    spy = Spy(method._pipeline)
    first, second, third = (
        method.edit(replace(asked, frames=frames)).frames for frames in (asked.frames, other, beside)
    )
    assert len(spy.seen) == 3
    np.testing.assert_array_equal(spy.seen[0], spy.seen[1])
    np.testing.assert_array_equal(first, second)
    assert np.abs(spy.seen[0] - spy.seen[2]).max() > 0.5
    assert (first != third).any()
    # The pipeline paints the hole black; what it sees beside it is the clip.
    assert spy.seen[0][..., 8, 14] == pytest.approx(0)
    assert np.abs(spy.seen[0][:, :, 0, 0, 0] - spy.seen[2][:, :, 0, 0, 0]).max() == 0


def test_a_cut_caption_is_noted(method: EasyAnimateInp) -> None:
    notes = method.edit(replace(request(1), prompt="a" * 300)).notes
    assert any(note.startswith("caption cut from 3") and note.endswith("to 256 tokens") for note in notes)


def test_the_seed_decides(method: EasyAnimateInp) -> None:
    first, again = (method.edit(request()).frames for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (method.edit(replace(request(), seed=1)).frames != first).any()


def test_a_failed_clip_does_not_spoil_the_next_one(method: EasyAnimateInp) -> None:
    expected = method.edit(request()).frames
    pipeline, encode, method._pipeline.vae.decode = method._pipeline, method._pipeline.vae.decode, None
    with pytest.raises(TypeError):
        method.edit(request(9))
    pipeline.vae.decode = encode
    np.testing.assert_array_equal(method.edit(request()).frames, expected)


def test_settings_that_the_weights_lack_are_added_and_others_kept(method: EasyAnimateInp) -> None:
    assert method._pipeline.vae.config.cache_mag_vae is True


def test_a_clip_that_is_too_long_is_refused(method: EasyAnimateInp) -> None:
    with pytest.raises(MethodError, match="50 frames and the method takes at most 49; cut the clip"):
        method.edit(request(50))
