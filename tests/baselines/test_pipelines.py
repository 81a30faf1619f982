"""What the adapters of diffusers pipelines share, without any pipeline."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vivid_bench import method_settings
from vivid_bench.baselines.pipelines import (
    Model,
    Placement,
    generator,
    identity,
    load,
    missing_files,
    place,
    placement,
    to_uint8,
    why_not_here,
)
from vivid_bench.errors import MethodError
from vivid_bench.methods import find_method

REVISION = "8" * 40
MODEL = Model("a-method", "owner/name", ("transformer", "vae"), 17, (28, 15), REVISION, ("*.ckpt",))


def folder_of_weights(path: Path, content: bytes = b"weights") -> Path:
    """A folder that looks like a pipeline's, small enough for a CPU."""
    for name in MODEL.networks:
        (path / name).mkdir(parents=True)
        (path / name / "diffusion_pytorch_model.safetensors").write_bytes(content)
    (path / "model_index.json").write_text("{}")
    return path


def cached(tmp_path: Path, model: Model, revision: str) -> Path:
    """The hub cache's layout, as it is after a download."""
    place = tmp_path / "hub" / f"models--{model.repository.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(revision)
    return folder_of_weights(place / "snapshots" / revision)


def test_without_weights_the_sentence_names_both_ways() -> None:
    assert why_not_here(MODEL, "cuda") == (
        f'its weights are not on this machine: run `hf download owner/name --revision {REVISION} --exclude "*.ckpt"`, '
        "or name a folder that holds them by `vivid-bench methods setup a-method --weights DIR`"
    )
    gated = why_not_here(replace(MODEL, gated=True), "cuda")
    assert gated is not None
    assert "accept its licence at https://huggingface.co/owner/name, then run `hf download" in gated


def test_a_large_model_needs_a_gpu_and_a_small_one_does_not(tmp_path: Path) -> None:
    assert why_not_here(MODEL, "cpu") == (
        "it needs a GPU for its weights of 17.0 GB: pass --device cuda on a machine with one"
    )
    method_settings.save("a-method", {"weights": str(folder_of_weights(tmp_path / "own"))})
    assert why_not_here(replace(MODEL), "cpu") is None


@pytest.mark.parametrize("revision", [REVISION, None])
def test_the_hub_cache_is_looked_into(tmp_path: Path, revision: str | None) -> None:
    folder = cached(tmp_path, MODEL, REVISION)
    model = MODEL.at(revision)
    assert model.folder == folder
    assert why_not_here(model, "cpu") is None
    assert model.note == f"weights: owner/name at {REVISION}"
    assert MODEL.at("7" * 40).folder is None


def test_a_folder_of_ones_own_goes_first(tmp_path: Path) -> None:
    cached(tmp_path, MODEL, REVISION)
    own = folder_of_weights(tmp_path / "own")
    method_settings.save("a-method", {"weights": str(own)})
    model = replace(MODEL)
    assert model.folder == own
    assert model.note == "weights: a folder of one's own, taken for owner/name"


def test_a_folder_without_a_pipeline_is_named(tmp_path: Path) -> None:
    method_settings.save("a-method", {"weights": str(tmp_path / "none")})
    reason = why_not_here(replace(MODEL), "cuda")
    assert reason is not None
    assert "expected a folder in diffusers' format, found no model_index.json in it" in reason
    assert identity(replace(MODEL)) == {}


def test_missing_networks_and_shards_are_named(tmp_path: Path) -> None:
    folder = cached(tmp_path, MODEL, REVISION)
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}}
    (folder / "vae" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "vae" / "model-1.safetensors").write_bytes(b"")
    (folder / "transformer" / "diffusion_pytorch_model.safetensors").rename(folder / "transformer" / "model.bin")
    assert missing_files(folder, MODEL.networks) == ["transformer/*.safetensors", "vae/model-2.safetensors"]
    reason = why_not_here(replace(MODEL), "cuda")
    assert reason is not None
    assert "lack transformer/*.safetensors, vae/model-2.safetensors: run `hf download" in reason


def test_the_fingerprint_follows_the_content_and_not_the_place(tmp_path: Path) -> None:
    def fingerprint(name: str, content: bytes) -> dict[str, str]:
        method_settings.save("a-method", {"weights": str(folder_of_weights(tmp_path / name, content))})
        return identity(replace(MODEL))

    assert identity(replace(MODEL)) == {}
    first = fingerprint("first", b"weights")
    assert len(first["weights_fingerprint"]) == 16
    assert fingerprint("second", b"weights") == first
    assert fingerprint("third", b"weightz") != first


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ({}, "model_index.json names no pipeline"),
        ({"_class_name": "FluxFillPipeline"}, "holds a FluxFillPipeline, expected a WanVACEPipeline"),
        ({"_class_name": ["code", "WanVACEPipeline"]}, "expected a WanVACEPipeline"),
        ({"_class_name": "WanVACEPipeline"}, "holds no usable WanVACEPipeline"),
        (
            {"_class_name": "WanVACEPipeline", "vae": ["diffusers", "AutoencoderKLWan"]},
            "holds no usable WanVACEPipeline",
        ),
    ],
)
def test_unusable_files_become_a_method_error(tmp_path: Path, index: dict[str, object], words: str) -> None:
    from diffusers import WanVACEPipeline

    own = folder_of_weights(tmp_path / "own")
    (own / "model_index.json").write_text(json.dumps(index))
    method_settings.save("a-method", {"weights": str(own)})
    with pytest.raises(MethodError, match=words):
        load(replace(MODEL), WanVACEPipeline, "cpu", {"default": "float32"})


def test_code_beside_the_weights_is_not_run(tmp_path: Path) -> None:
    own = folder_of_weights(tmp_path / "own")
    (own / "model_index.json").write_text(json.dumps({"_class_name": "SimpleNamespace"}))
    (own / "vae" / "code.py").write_text("raise SystemExit")
    method_settings.save("a-method", {"weights": str(own)})
    with pytest.raises(MethodError, match=r"holds code, which is not run: vae/code.py; remove it"):
        load(replace(MODEL), SimpleNamespace, "cpu", {"default": "float32"})


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


@pytest.mark.parametrize("name", ["vace-1.3b", "vace-14b", "sd15-inpaint", "flux-fill-keyframe", "easyanimate-inp"])
def test_the_shipped_methods_say_why_they_cannot_run_and_are_refused_so(name: str) -> None:
    known = find_method(name)
    assert "needs a GPU" in str(known.why_not_here("cpu"))
    assert f"`vivid-bench methods setup {name} --weights DIR`" in str(known.why_not_here("cuda"))
    with pytest.raises(MethodError, match=f"method {name} cannot run here: it needs a GPU"):
        known.load("cpu")
    readme = (known.folder / "README.md").read_text()
    assert readme.startswith(f"# {name}\n")
    assert str(known.why_not_here("cuda")).partition("`")[2].partition("`")[0] in readme
