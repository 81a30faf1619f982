"""What the adapters of diffusers pipelines share, without any pipeline."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from folders_of_weights import MODEL, folder_of_weights

from vivid_bench import method_settings
from vivid_bench.baselines.pipelines import Placement, generator, load, place, placement, to_uint8
from vivid_bench.errors import MethodError


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ({}, "model_index.json names no pipeline"),
        ({"_class_name": "FluxFillPipeline"}, "holds a FluxFillPipeline, expected a WanVACEPipeline"),
        ({"_class_name": ["code", "WanVACEPipeline"]}, "expected a WanVACEPipeline"),
        ({"_class_name": "WanVACEPipeline"}, "holds no usable WanVACEPipeline"),
        (
            {"_class_name": "WanVACEPipeline", "vae": ["diffusers", "AutoencoderKLWan"]},
            r"lack vae/\*config.json: `vivid-bench methods setup a-method --weights DIR` names another",
        ),
    ],
)
def test_unusable_files_become_a_method_error(tmp_path: Path, index: dict[str, object], words: str) -> None:
    own = folder_of_weights(tmp_path / "own")
    (own / "model_index.json").write_text(json.dumps(index))
    method_settings.save("a-method", {"weights": str(own)})
    with pytest.raises(MethodError, match=words):
        load(replace(MODEL), "cpu", {"default": "float32"})


def test_code_beside_the_weights_is_not_run(tmp_path: Path) -> None:
    own = folder_of_weights(tmp_path / "own")
    (own / "vae" / "code.py").write_text("raise SystemExit")
    method_settings.save("a-method", {"weights": str(own)})
    with pytest.raises(MethodError, match=r"holds code, which is not run: vae/code.py; remove it"):
        load(replace(MODEL), "cpu", {"default": "float32"})


@pytest.mark.parametrize(
    ("gigabytes", "where"), [(80, "whole"), (28, "whole"), (27, "by model"), (15, "by model"), (14, "by layer")]
)
def test_memory_decides_how_it_is_placed(gigabytes: int, where: Placement) -> None:
    assert placement(gigabytes * 10**9, MODEL) == where


@pytest.mark.parametrize(
    ("where", "calls"),
    [
        ("whole", ["to cuda"]),
        ("by model", ["by model cuda", "tiles"]),
        ("by layer", ["by layer cuda", "tiles"]),
    ],
)
def test_placing(where: Placement, calls: list[str]) -> None:
    seen: list[str] = []
    pipeline = SimpleNamespace(
        to=lambda device: seen.append(f"to {device}"),
        enable_model_cpu_offload=lambda device: seen.append(f"by model {device}"),
        enable_sequential_cpu_offload=lambda device: seen.append(f"by layer {device}"),
        vae=SimpleNamespace(enable_tiling=lambda: seen.append("tiles")),
    )
    notes = place(pipeline, "cuda", where)
    assert seen == calls
    assert notes == ([] if where == "whole" else [f"GPU memory short: weights moved in {where}, VAE in tiles"])


def test_pixels_are_rounded_and_cut() -> None:
    values: Any = np.array([-0.1, 0.0, 0.4999 / 255, 0.5, 254.6 / 255, 1.2], np.float32)
    np.testing.assert_array_equal(to_uint8(values), [0, 0, 0, 128, 255, 255])
    with pytest.raises(MethodError, match="values that are no numbers"):
        to_uint8(np.array([0.5, np.nan], np.float32))


def test_a_seed_gives_the_same_noise() -> None:
    assert generator(3).initial_seed() == 3
