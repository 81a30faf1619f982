"""The mini-clip that ships: what it is, and the bars it has to reach on scenes of the test fold."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from vivid_bench.metrics.clip_model import ClipModel, load_clip
from vivid_bench.metrics.clip_text import ClipText
from vivid_bench.metrics.crops import View
from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.metrics.training.mini_clip_bars import Bars, HeldOut, measure_bars, render_held_out
from vivid_bench.types import FileRef, Sample
from vivid_bench.weights import locate

NAME = "mini-clip"
HELD_OUT = 60
FILE = FileRef(path="none", sha256="0" * 64)


@pytest.fixture(scope="module")
def folder() -> Path:
    return locate(NAME)


@pytest.fixture(scope="module")
def model() -> ClipModel:
    return load_clip(NAME, "cpu")


@pytest.fixture(scope="module")
def held_out() -> list[HeldOut]:
    return render_held_out("test", HELD_OUT)


@pytest.fixture(scope="module")
def bars(model: ClipModel, held_out: list[HeldOut]) -> dict[View, Bars]:
    return measure_bars(model, held_out)


def test_it_holds_half_precision_and_is_small(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.rglob("*")) < 10e6
    tensors = load_file(folder / "open_clip_model.safetensors").values()
    assert {t.dtype for t in tensors if t.is_floating_point()} == {torch.float16}
    assert all(bool(t.isfinite().all()) for t in tensors)


def test_its_record_is_of_these_weights(folder: Path, model: ClipModel) -> None:
    record = json.loads((folder / "training.json").read_text())
    assert record["parameters"] == sum(p.numel() for p in model.network.parameters())
    assert record["held_out"]["fold"] == "validation"


def test_open_clip_loads_it_without_a_network(folder: Path) -> None:
    code = (
        "import socket, open_clip\n"
        "def refuse(*_, **__): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        f"name = 'local-dir:{folder}'\n"
        "model, tokenizer = open_clip.create_model(name), open_clip.get_tokenizer(name)\n"
        "print(model.encode_text(tokenizer(['A red star.']), normalize=True).norm().item())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert float(done.stdout) == pytest.approx(1)


def test_it_is_the_same_model_by_open_clips_own_functions(folder: Path, model: ClipModel) -> None:
    network, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    frame = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)  # no resizing: it is its own size
    with torch.no_grad():
        expected = network.eval().encode_image(preprocess(Image.fromarray(frame))[None], normalize=True)[0].numpy()
    np.testing.assert_allclose(model.image_features([frame])[0], expected, atol=1e-6)


@pytest.mark.parametrize("view", ["region", "masked", "full"])
def test_it_picks_the_right_caption_of_ten(bars: dict[View, Bars], view: View) -> None:
    assert bars[view].picked >= 0.9


@pytest.mark.parametrize("view", ["region", "masked", "full"])
def test_an_entity_of_any_kind_is_over_nothing(bars: dict[View, Bars], view: View) -> None:
    assert bars[view].wrong_over_nothing >= 0.95


@pytest.mark.parametrize("view", ["region", "masked", "full"])
def test_right_is_over_wrong_and_that_over_nothing(bars: dict[View, Bars], view: View) -> None:
    assert bars[view].ordered >= 0.95


def test_the_metric_gives_what_the_bars_compare(model: ClipModel, held_out: list[HeldOut]) -> None:
    """One sample through `clip_text_region@mini-clip` itself."""
    shown = held_out[0]
    frames, height, width = shown.mask.shape
    sample = Sample(
        id="a", task="modify", source=FILE, mask=FILE, prompt=shown.caption, frames=frames, height=height, width=width,
        fps=8.0, hole="visible", source_video="a",
    )  # fmt: skip
    clip = SampleClip(sample, shown.empty, shown.mask, shown.reference)
    values = [ClipText("region", NAME)(EditClip(clip, e)).value for e in (shown.reference, shown.wrong, shown.empty)]
    right, wrong, empty = (value for value in values if value is not None)
    assert right > wrong > empty
