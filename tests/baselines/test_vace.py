"""Wan-VACE on a tiny random-weight pipeline of its class."""

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from clips import box_mask, moving_clip
from vae_spy import Spy

from vivid_bench import method_settings
from vivid_bench.baselines.vace.adapter import MODELS, Vace
from vivid_bench.errors import MethodError
from vivid_bench.types import EditRequest, Frames

SMALL, LARGE = MODELS


def vace(**parameters: Any) -> Vace:
    return Vace("cpu", **({"repository": SMALL, "area": 32 * 48, "steps": 1} | parameters))


def request(frames: int = 5, height: int = 32, width: int = 48, clip: Frames | None = None) -> EditRequest:
    clip = moving_clip(frames, height, width) if clip is None else clip
    return EditRequest("clip", "add", clip, box_mask(frames, height, width), "a red ball", 24.0, 0)


@pytest.fixture(autouse=True)
def weights(weights_folder: Callable[..., Path], no_settings: None) -> None:
    for model in MODELS.values():
        method_settings.save(model.method, {"weights": str(weights_folder("wan_vace"))})


@pytest.fixture
def method() -> Vace:
    return vace()


@pytest.mark.parametrize("repository", [SMALL, LARGE])
@pytest.mark.parametrize(("frames", "height", "width"), [(1, 32, 48), (5, 32, 48), (6, 25, 47), (17, 40, 24)])
def test_an_edit_has_the_requests_shape(repository: str, frames: int, height: int, width: int) -> None:
    edited = vace(repository=repository).edit(request(frames, height, width))
    assert edited.frames.shape == (frames, height, width, 3)
    assert edited.frames.dtype == np.uint8


def test_notes_say_what_was_done(method: Vace) -> None:
    assert method.edit(request()).notes == (f"weights: a folder of one's own, taken for {SMALL}",)
    size, length, _ = method.edit(request(6, 30, 50)).notes
    assert size.startswith("50x30 -> 48x32")
    assert length == "6 -> 9 frames by repeating the last, cut back"


def test_the_hole_is_hidden_and_the_rest_is_seen(method: Vace) -> None:
    asked = request(5, 30, 50)
    other = asked.frames.copy()
    other[asked.mask] = 255 - other[asked.mask]
    beside = asked.frames.copy()
    beside[:, 28:] = 255 - beside[:, 28:]
    spy = Spy(method._pipeline)
    results = []
    for frames in (asked.frames, other, beside):
        results.append(method.edit(replace(asked, frames=frames)).frames)
    # Two encodings a call: what is known, and what is asked for.
    known, asked_for = spy.seen[0::2], spy.seen[1::2]
    np.testing.assert_array_equal(known[0], known[1])
    np.testing.assert_array_equal(asked_for[0], asked_for[1])
    np.testing.assert_array_equal(results[0], results[1])
    assert np.abs(known[0] - known[2]).max() > 0.5
    # Polarity: outside the mask the frames, inside it and in the other half nothing but grey.
    assert asked_for[0] == pytest.approx(0.5)
    assert known[0][..., 14, 14] == pytest.approx(0.5)
    assert np.abs(known[0][..., 0, 40] - 0.5).max() > 0.1


def test_the_mask_reaches_the_network_as_ones_to_generate(method: Vace) -> None:
    seen = []
    prepare = method._pipeline.prepare_masks
    method._pipeline.prepare_masks = lambda mask, *rest: (seen.append(mask.numpy()), prepare(mask, *rest))[1]
    asked = request()
    method.edit(asked)
    np.testing.assert_array_equal(seen[0][0, 0] > 0.5, asked.mask)
    assert set(np.unique(seen[0])) == {0.0, 1.0}


def test_the_seed_decides(method: Vace) -> None:
    first, again = (method.edit(request()).frames for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (method.edit(replace(request(), seed=1)).frames != first).any()


def test_precision_and_schedule_are_those_asked_for() -> None:
    import torch

    pipeline = vace(flow_shift=5.0)._pipeline
    assert (pipeline.vae.dtype, pipeline.transformer.dtype) == (torch.float32, torch.bfloat16)
    assert pipeline.scheduler.config.flow_shift == 5.0


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    vace().edit(request(1))


def test_another_scheduler_in_the_folder_is_replaced_whole(tmp_path: Path) -> None:
    import tiny_pipelines
    from diffusers import FlowMatchEulerDiscreteScheduler

    def build() -> Any:
        pipeline = tiny_pipelines.wan_vace()
        pipeline.register_modules(scheduler=FlowMatchEulerDiscreteScheduler())
        return pipeline

    method_settings.save("vace-1.3b", {"weights": str(tiny_pipelines.saved(build, tmp_path))})
    config = vace()._pipeline.scheduler.config
    assert (config.prediction_type, config.use_flow_sigmas, config.flow_shift) == ("flow_prediction", True, 3.0)


def test_a_cut_caption_is_noted(method: Vace) -> None:
    notes = method.edit(replace(request(1), prompt="a" * 600)).notes
    assert any(note.startswith("caption cut from 60") and note.endswith("to 512 tokens") for note in notes)


def test_a_file_that_was_cut_off_is_refused(weights_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = Path(copytree(weights_folder("wan_vace"), tmp_path / "own"))
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    method_settings.save("vace-1.3b", {"weights": str(folder)})
    with pytest.raises(MethodError, match="own holds no usable WanVACEPipeline"):
        vace()


def test_a_clip_that_is_too_long_is_refused(method: Vace) -> None:
    with pytest.raises(MethodError, match="82 frames and the method takes at most 81; cut the clip"):
        method.edit(request(82))


def test_unknown_weights_are_refused() -> None:
    with pytest.raises(MethodError, match='no VACE weights are known as "other"; known: Wan-AI'):
        vace(repository="other")


def test_without_weights_it_says_how_to_get_them() -> None:
    method_settings.save("vace-1.3b", {})
    assert Vace.why_not_here("cpu", SMALL, steps=50) == (
        "it needs a GPU for its weights of 17.0 GB: pass --device cuda on a machine with one"
    )
    reason = Vace.why_not_here("cuda", SMALL)
    assert reason == (
        f"its weights are not on this machine: run `hf download {SMALL}`, or name a folder that holds them by "
        "`vivid-bench methods setup vace-1.3b --weights DIR`"
    )
    with pytest.raises(MethodError, match="needs a GPU"):
        vace()
