import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vivid_bench import controls
from vivid_bench.controls import (
    CodecRoundtrip,
    ColourFill,
    CopySource,
    FrozenFrame,
    GreyFill,
    MovedKeyframe,
    caption_colour,
    move_with_mask,
)
from vivid_bench.errors import MethodError
from vivid_bench.method_card import MethodCard
from vivid_bench.methods import Method
from vivid_bench.registry import load_target
from vivid_bench.scenes import COLOURS
from vivid_bench.types import TASKS, EditRequest, Frames, Mask, Task

CARDS = tomllib.loads(Path(controls.__file__).with_suffix(".toml").read_text())["method"]


def request(
    prompt: str = "A small red circle.", task: Task = "add", shape: tuple[int, int, int] = (3, 16, 20)
) -> EditRequest:
    frames = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    mask = np.zeros(shape, bool)
    mask[1:, 2:6, 3:9] = True
    return EditRequest("clip", task, frames, mask, prompt, 24.0, 0)


@pytest.mark.parametrize(
    "control", [CopySource(), GreyFill(), FrozenFrame(), CodecRoundtrip(), ColourFill(), MovedKeyframe()]
)
def test_every_control_keeps_the_size_and_the_request(control: Method) -> None:
    asked = request(shape=(3, 17, 21))
    asked = replace(asked, keyframes={1: asked.frames[2].copy()})
    frames, mask = asked.frames.copy(), asked.mask.copy()
    edited = control.edit(asked)
    assert edited.shape == frames.shape
    assert edited.dtype == np.uint8
    assert not np.shares_memory(edited, asked.frames)
    np.testing.assert_array_equal(asked.frames, frames)
    np.testing.assert_array_equal(asked.mask, mask)


def test_copy_source_copies() -> None:
    np.testing.assert_array_equal(CopySource().edit(request()), request().frames)


def test_frozen_frame_repeats_the_first() -> None:
    asked = request()
    edited = FrozenFrame().edit(asked)
    np.testing.assert_array_equal(edited, np.stack([asked.frames[0]] * 3))


@pytest.mark.parametrize(("control", "colour"), [(GreyFill(), (128, 128, 128)), (ColourFill(), COLOURS["red"])])
def test_a_fill_paints_the_hole_and_nothing_else(control: Method, colour: tuple[int, int, int]) -> None:
    asked = request()
    edited = control.edit(asked)
    np.testing.assert_array_equal(edited[asked.mask], np.broadcast_to(colour, (2 * 4 * 6, 3)))
    np.testing.assert_array_equal(edited[~asked.mask], asked.frames[~asked.mask])


def psnr(first: Frames, second: Frames) -> float:
    return float(10 * np.log10(255**2 / np.square(first.astype(float) - second).mean()))


@pytest.mark.parametrize("size", [(48, 64), (33, 45), (8, 8)])
def test_codec_roundtrip_is_lossy_but_near(size: tuple[int, int]) -> None:
    y, x = np.mgrid[: size[0], : size[1]]
    # Grey, as 4:2:0 halves the chroma; smooth, as CRF 18 keeps no noise.
    still = np.repeat((100 + 60 * np.sin(y / 7) * np.cos(x / 9)).astype(np.uint8)[..., None], 3, axis=2)
    frames = np.stack([np.roll(still, t, axis=1) for t in range(4)])
    asked = EditRequest("clip", "delete", frames, np.zeros(frames.shape[:3], bool), "", 23.976, 0)
    edited = CodecRoundtrip().edit(asked)
    assert (edited != frames).any()
    assert psnr(edited, frames) > 35
    assert psnr(CodecRoundtrip(crf=40).edit(asked), frames) < psnr(edited, frames)
    np.testing.assert_array_equal(CodecRoundtrip().edit(asked), edited)


@pytest.mark.parametrize(
    ("caption", "word"),
    [
        ("A red circle", "red"),
        ("RED.", "red"),
        ("a large blue-striped star beside a red one", "blue"),  # the first word counts
        ("A bored, tired green square", "green"),  # "red" inside a word is none
    ],
)
def test_caption_colour(caption: str, word: str) -> None:
    assert caption_colour(caption) == COLOURS[word]


@pytest.mark.parametrize("caption", ["", "A woman with a crossbody bag", "the bored cat"])
def test_a_caption_without_a_colour_is_an_error(caption: str) -> None:
    with pytest.raises(MethodError, match=f'no colour word in the caption "{caption}"; known: .*red'):
        caption_colour(caption)


def test_colour_fill_refuses_delete() -> None:
    with pytest.raises(MethodError, match='can only add and modify, sample "clip" asks for delete'):
        ColourFill().edit(request(task="delete"))


def moving_square(starts: list[tuple[int, int] | None], side: int = 6) -> tuple[Frames, Mask]:
    """A textured square at these corners (x, y) on a flat ground, and its mask; empty for None."""
    texture = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    frames = np.full((len(starts), 24, 32, 3), 90, np.uint8)
    mask = np.zeros(frames.shape[:3], bool)
    for t, start in enumerate(starts):
        if start is not None:
            x, y = start
            frames[t, y : y + side, x : x + side] = texture
            mask[t, y : y + side, x : x + side] = True
    return frames, mask


def keyframe_request(truth: Frames, mask: Mask, *keyframes: int) -> EditRequest:
    hidden = truth.copy()
    hidden[mask] = 0
    return EditRequest("clip", "add", hidden, mask, "", 24.0, 0, keyframes={k: truth[k] for k in keyframes})


def test_a_keyframe_moved_by_whole_pixels_is_exact() -> None:
    truth, mask = moving_square([(3, 4), (5, 4), (9, 10)])
    np.testing.assert_array_equal(MovedKeyframe().edit(keyframe_request(truth, mask, 0)), truth)


def test_the_nearest_keyframe_counts_the_earlier_of_two() -> None:
    truth, mask = moving_square([(3, 4)] * 5)
    truth[4][mask[4]] = 200
    asked = keyframe_request(truth, mask, 0, 4)
    edited = MovedKeyframe().edit(asked)
    assert (edited[3][mask[3]] == 200).all()
    np.testing.assert_array_equal(edited[:3], truth[:3])


def test_a_mask_twice_as_wide_takes_the_keyframe_twice_as_large() -> None:
    frame, mask = np.zeros((24, 32, 3), np.uint8), np.zeros((24, 32), bool)
    mask[4:8, 4:8] = True
    frame[4:8, 4:6], frame[4:8, 6:8] = 10, 200
    target = np.zeros_like(mask)
    target[10:18, 20:28] = True
    moved, falls = move_with_mask(frame, mask, target)
    np.testing.assert_array_equal(falls, target)
    assert (moved[12:16, 22] == 10).all()
    assert (moved[12:16, 25] == 200).all()


def test_pixels_that_no_keyframe_reaches_are_inpainted() -> None:
    truth, mask = moving_square([(3, 4), (9, 10)])
    truth[mask] = 200
    mask[1, 10:16, 9:24] = True  # a long mask: the square, in its middle, does not cover its ends
    edited = MovedKeyframe().edit(keyframe_request(truth, mask, 0))
    assert (edited[1, 10:16, 14:19] == 200).all()
    assert (edited[1, 10:16, [9, 23]] < 150).all()
    assert (edited[1] >= 80).all()  # of the hidden zeros nothing is left
    assert (edited[~mask] == truth[~mask]).all()


def test_empty_masks() -> None:
    truth, mask = moving_square([None, (3, 4), None, (9, 10)])
    edited = MovedKeyframe().edit(keyframe_request(truth, mask, 0, 3))
    np.testing.assert_array_equal(edited, truth)  # frame 0 shows nothing to paste, so frame 3 serves frame 1
    edited = MovedKeyframe().edit(keyframe_request(truth, mask, 0))
    np.testing.assert_allclose(edited[[1, 3]], 90, atol=3)


def test_moved_keyframe_needs_a_keyframe() -> None:
    with pytest.raises(MethodError, match='moved-keyframe needs keyframes, sample "clip" comes without any'):
        MovedKeyframe().edit(request())


@pytest.mark.parametrize("content", CARDS, ids=lambda content: content["name"])
def test_the_card_is_complete_and_loads(content: dict[str, object]) -> None:
    card = MethodCard.model_validate(content)
    required = {"name", "version", "kind", "tasks", "adapter", "keyframes", "summary", "licence", "parameters"}
    assert required <= content.keys()
    assert card.kind == "control"
    assert card.tasks == (("add", "modify") if card.name == "colour-fill" else TASKS)
    adapter = load_target(card.adapter)
    assert isinstance(adapter, type)
    adapter(device="cpu", **card.parameters)


def test_all_six_controls_have_a_card() -> None:
    names = [content["name"] for content in CARDS]
    assert names == [
        "copy-source", "grey-fill", "frozen-frame", "codec-roundtrip", "colour-fill", "moved-keyframe",
    ]  # fmt: skip
