"""mini-lpips: the bar on held-out scenes, what ships, the distortions, and that training runs."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from metric_clips import noisy, textured
from safetensors.torch import load_file

from vivid_bench.files import sha256_path
from vivid_bench.metrics.lpips import load_network, read_network
from vivid_bench.metrics.training import mini_lpips
from vivid_bench.metrics.training.distortions import LEVELS, STRENGTHS, distort, l1_distance, ordering_rates
from vivid_bench.metrics.training.mini_lpips import distance, new_network, render_examples, save, train
from vivid_bench.weights import locate

HELD_OUT_SCENES = 20
MEGABYTE = 10**6


@pytest.mark.parametrize("region", ["frame", "edit"])
def test_orders_strengths_on_held_out_scenes(region: str) -> None:
    examples = render_examples("test", range(HELD_OUT_SCENES), kept=(8,))
    regions = examples.masks if region == "edit" else np.ones_like(examples.masks)
    metric = partial(distance, load_network("mini-lpips", "cpu"))
    rates = ordering_rates(metric, examples.frames, regions, list(STRENGTHS))
    assert np.mean(list(rates.values())) >= 0.98, rates


def test_what_ships() -> None:
    folder = locate("mini-lpips")
    path = folder / "model.safetensors"
    assert path.stat().st_size <= 3 * MEGABYTE
    weights = load_file(path)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())
    linear = [tensor for name, tensor in weights.items() if name.startswith("lin")]
    assert len(linear) == 7
    assert all((tensor >= 0).all() for tensor in linear)
    record = json.loads((folder / "training.json").read_text())
    assert record["sha256"] == sha256_path(path)
    assert record["strengths"] == {kind: list(values) for kind, values in STRENGTHS.items()}


def test_training_runs_and_saves_what_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NAMING_BATCH", "ORDERING_BATCH"):
        monkeypatch.setattr(mini_lpips, name, 2)
    examples = render_examples("train", range(2), kept=(0,))
    network = new_network(0)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    train(network, examples, naming_steps=2, ordering_steps=2, seed=0)
    moved = [name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])]
    assert "net.slice1.0.weight" in moved
    assert "lin6.model.1.weight" in moved
    save(network, tmp_path / "model.safetensors")
    loaded = read_network("squeeze", tmp_path / "model.safetensors", "cpu")
    frames = textured(1, 64, 64)
    everywhere = np.ones((1, 64, 64), bool)
    expected = distance(network, noisy(frames, 60), frames, everywhere)
    np.testing.assert_allclose(distance(loaded, noisy(frames, 60), frames, everywhere), expected, rtol=0.01)


@pytest.mark.parametrize("kind", list(STRENGTHS))
def test_distortions_grow_and_repeat(kind: str) -> None:
    frame = textured(1, 64, 64)[0]
    errors = [np.abs(distort(frame, kind, level, 3).astype(int) - frame).mean() for level in range(LEVELS)]
    assert errors[0] > 0
    assert errors == sorted(errors)
    np.testing.assert_array_equal(distort(frame, kind, 1, 3), distort(frame, kind, 1, 3))


def test_colour_by_hand() -> None:
    # A tint is 0 or 255 in each channel: 0.52 * 100 + 0.48 * 255 = 174.4, 0.52 * 100 = 52.
    values = np.unique(distort(np.full((4, 4, 3), 100, np.uint8), "colour", 3, 0))
    assert set(values) <= {52, 174}


def test_a_shift_moves_whole_pixels() -> None:
    frame = textured(1, 64, 64)[0]
    shifted = distort(frame, "shift", 3, 0)
    moves = [(x, y) for x in (-8, 0, 8) for y in (-8, 0, 8) if (x, y) != (0, 0)]
    inner = slice(12, -12), slice(12, -12)
    assert any(np.array_equal(np.roll(frame, (y, x), (0, 1))[inner], shifted[inner]) for x, y in moves)


def test_ties_count_as_wrong_and_l1_by_hand() -> None:
    frames = textured(3, 32, 32)
    everywhere = np.ones((3, 32, 32), bool)
    constant = ordering_rates(lambda edited, *_: np.ones(len(edited)), frames, everywhere, ["noise"])
    assert constant == {"noise": 0.0}
    assert ordering_rates(l1_distance, frames, everywhere, ["noise"]) == {"noise": 1.0}
    region = np.zeros((1, 2, 2), bool)
    region[0, 0] = True
    edited = np.array([[[[3, 0, 0], [0, 6, 0]], [[99, 99, 99], [99, 99, 99]]]], np.uint8)
    # (3 + 6) / (2 pixels x 3 channels)
    np.testing.assert_allclose(l1_distance(edited, np.zeros_like(edited), region), [9 / 6])
