"""Stable Diffusion 1.5 inpainting on a tiny random-weight pipeline of its class."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import box_mask, moving_clip
from vae_spy import Spy

from vivid_bench import method_settings
from vivid_bench.baselines.sd15_inpaint.adapter import MODEL, Sd15Inpaint, whole_blocks
from vivid_bench.types import EditRequest


def sd15(**parameters: Any) -> Sd15Inpaint:
    return Sd15Inpaint("cpu", **({"area": 32 * 48, "steps": 1, "dtype": "float32"} | parameters))


def request(frames: int = 2, height: int = 32, width: int = 48) -> EditRequest:
    clip = moving_clip(frames, height, width)
    return EditRequest("clip", "modify", clip, box_mask(frames, height, width), "a red ball", 24.0, 0)


@pytest.fixture(autouse=True)
def weights(weights_folder: Callable[..., Path], no_settings: None) -> None:
    method_settings.save(MODEL.method, {"weights": str(weights_folder("sd_inpaint", variant="fp16"))})


@pytest.fixture
def method() -> Sd15Inpaint:
    return sd15()


@pytest.mark.parametrize(("frames", "height", "width"), [(1, 32, 48), (5, 32, 48), (6, 25, 47), (2, 40, 24)])
def test_an_edit_has_the_requests_shape(method: Sd15Inpaint, frames: int, height: int, width: int) -> None:
    edited = method.edit(request(frames, height, width))
    assert edited.frames.shape == (frames, height, width, 3)
    assert edited.frames.dtype == np.uint8


def test_notes_say_what_was_done(method: Sd15Inpaint) -> None:
    size, *rest = method.edit(request(1, 30, 50)).notes
    assert size.startswith("50x30 -> 48x32")
    assert rest == [
        "its mask was grown to whole 8x8 blocks",
        f"weights: a folder of one's own, taken for {MODEL.repository}",
    ]


def test_the_hole_is_hidden_and_the_rest_is_seen(method: Sd15Inpaint) -> None:
    asked = request(1, 30, 50)
    other = asked.frames.copy()
    other[asked.mask] = 255 - other[asked.mask]
    beside = asked.frames.copy()
    beside[:, 28:] = 255 - beside[:, 28:]
    spy = Spy(method._pipeline)
    first, second, third = (
        method.edit(replace(asked, frames=frames)).frames for frames in (asked.frames, other, beside)
    )
    # One encoding a frame, of the frame whose hole is grey.
    assert len(spy.seen) == 3
    np.testing.assert_array_equal(spy.seen[0], spy.seen[1])
    np.testing.assert_array_equal(first, second)
    assert np.abs(spy.seen[0] - spy.seen[2]).max() > 0.5
    assert (first != third).any()
    assert spy.seen[0][..., 12, 14] == pytest.approx(0.5)
    assert np.abs(spy.seen[0][..., 0, 40] - 0.5).max() > 0.1


def test_thin_holes_reach_the_network(method: Sd15Inpaint) -> None:
    asked = request(1)
    thin = np.zeros_like(asked.mask)
    thin[:, 9:15, 9:15] = True
    seen: list[Any] = []
    prepare = method._pipeline.prepare_mask_latents
    method._pipeline.prepare_mask_latents = lambda mask, *rest: (seen.append(prepare(mask, *rest)), seen[-1])[1]
    method.edit(replace(asked, mask=thin))
    # One of the 4x6 latent pixels, in both halves of the guidance's batch.
    assert seen[0][0].sum() == 2


def test_the_seed_decides(method: Sd15Inpaint) -> None:
    first, again = (method.edit(request()).frames for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (method.edit(replace(request(), seed=1)).frames != first).any()


def test_every_frame_starts_from_the_same_noise(method: Sd15Inpaint) -> None:
    asked = request(1)
    twice = replace(asked, frames=asked.frames.repeat(2, axis=0), mask=asked.mask.repeat(2, axis=0))
    first, second = method.edit(twice).frames
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("width", [48, 50])
def test_frames_without_a_mask_stay(method: Sd15Inpaint, width: int) -> None:
    asked = request(2, 32, width)
    asked.mask[1] = False
    edited = method.edit(asked).frames
    np.testing.assert_array_equal(edited[1], asked.frames[1])
    assert (edited[0] != asked.frames[0]).any()


def test_a_mask_that_does_not_grow_is_not_said_to(method: Sd15Inpaint) -> None:
    asked = request(1)
    asked.mask[:] = False
    assert method.edit(asked).notes == tuple(method._notes)


def test_a_cut_caption_is_noted(method: Sd15Inpaint) -> None:
    # A token a letter, and one on either side.
    assert not any("caption" in note for note in method.edit(replace(request(1), prompt="a" * 75)).notes)
    assert "caption cut from 78 to 77 tokens" in method.edit(replace(request(1), prompt="a" * 76)).notes


def test_files_without_a_variant_are_used_as_well(tmp_path: Path) -> None:
    import tiny_pipelines

    method_settings.save(MODEL.method, {"weights": str(tiny_pipelines.saved(tiny_pipelines.sd_inpaint, tmp_path))})
    assert sd15().edit(request(1)).frames.shape == (1, 32, 48, 3)


def test_masks_grow_to_whole_blocks() -> None:
    mask = np.zeros((1, 16, 24), bool)
    mask[0, 7:9, 3] = True
    assert whole_blocks(mask, 8)[0].sum() == 2 * 64
    np.testing.assert_array_equal(whole_blocks(mask, 8)[0, :, :8], np.ones((16, 8), bool))
    assert not whole_blocks(np.zeros((2, 8, 8), bool), 8).any()
