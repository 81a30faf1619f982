"""Weights of the adapters' pipelines: found, checked, told apart; without any pipeline."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from folders_of_weights import INDEX, MODEL, REVISION, cached, folder_of_weights

from vivid_bench import method_settings
from vivid_bench.baselines.hub_weights import identity, missing_files, variant, why_not_here
from vivid_bench.errors import MethodError
from vivid_bench.methods import find_method


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


def test_another_repositorys_snapshot_is_not_taken_for_the_models(tmp_path: Path) -> None:
    other = cached(tmp_path, replace(MODEL, repository="owner/finetune"), REVISION)
    method_settings.save("a-method", {"weights": str(other)})
    assert replace(MODEL).note == "weights: a folder of one's own, taken for owner/name"


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
    assert missing_files(folder, MODEL) == ["transformer/*.safetensors", "vae/model-2.safetensors"]
    reason = why_not_here(replace(MODEL), "cuda")
    assert reason is not None
    assert "lack transformer/*.safetensors, vae/model-2.safetensors: run `hf download" in reason


def test_parts_without_settings_and_broken_indices_are_named(tmp_path: Path) -> None:
    folder = cached(tmp_path, MODEL, REVISION)
    parts = {
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
        "tokenizer": ["transformers", "T5TokenizerFast"],
        "transformer_2": [None, None],
        "safety_checker": ["diffusers", "Checker"],
        "boundary_ratio": None,
    }
    (folder / "model_index.json").write_text(json.dumps(INDEX | parts))
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "tokenizer_config.json").write_text("{}")
    whole = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    whole.rename(whole.with_name("diffusion_pytorch_model-00001-of-00002.safetensors"))
    (folder / "vae" / "diffusion_pytorch_model.safetensors.index.json").write_text("[")
    assert missing_files(folder, replace(MODEL, exclude=("safety_checker/*",))) == [
        "scheduler/*config.json",
        "transformer/*.safetensors.index.json",
        "vae/diffusion_pytorch_model.safetensors.index.json",
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("a.safetensors", "a.safetensors"), None),
        (("a.fp16.safetensors", "a.fp16.safetensors"), "fp16"),
        (("a.fp16-00001-of-00002.safetensors", "a.fp16.safetensors"), "fp16"),
        (("a.safetensors a.fp16.safetensors", "a.safetensors a.fp16.safetensors"), None),
        (("a.safetensors a.fp16.safetensors", "a.fp16.safetensors"), "fp16"),
    ],
)
def test_half_precision_is_asked_for_where_there_is_no_other(
    tmp_path: Path, files: tuple[str, str], expected: str | None
) -> None:
    folder = cached(tmp_path, MODEL, REVISION)
    for network, names in zip(MODEL.networks, files, strict=True):
        (folder / network / "diffusion_pytorch_model.safetensors").unlink()
        for name in names.split():
            (folder / network / name).write_bytes(b"")
    assert variant(replace(MODEL)) == expected


def test_a_link_that_leads_nowhere_counts_as_missing(tmp_path: Path) -> None:
    folder = cached(tmp_path, MODEL, REVISION)
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    weights.symlink_to(tmp_path / "blobs" / "gone")
    assert "lack vae/*.safetensors" in str(why_not_here(replace(MODEL), "cpu"))
    assert identity(replace(MODEL))


def test_the_fingerprint_follows_the_content_and_not_the_place(tmp_path: Path) -> None:
    def fingerprint(name: str, content: bytes) -> dict[str, str]:
        method_settings.save("a-method", {"weights": str(folder_of_weights(tmp_path / name, content))})
        return identity(replace(MODEL))

    assert identity(replace(MODEL)) == {}
    first = fingerprint("first", b"weights")
    assert len(first["weights_fingerprint"]) == 16
    assert fingerprint("second", b"weights") == first
    assert fingerprint("third", b"weightz") != first


def test_the_fingerprint_sees_the_middle_of_large_files_and_not_what_is_left_out(tmp_path: Path) -> None:
    folder = cached(tmp_path, MODEL, REVISION)
    model = replace(MODEL, exclude=("safety_checker/*",))
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    with weights.open("wb") as stream:
        stream.truncate(3 * 2**26)
    first = identity(model)
    (folder / "safety_checker").mkdir()
    (folder / "safety_checker" / "config.json").write_text("{}")
    assert identity(model) == first
    with weights.open("r+b") as stream:
        stream.seek(2**26 + 5)
        stream.write(b"tuned")
    assert identity(model) != first


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


def test_a_folder_of_ones_own_claims_no_revision(tmp_path: Path) -> None:
    cached(tmp_path, MODEL, REVISION)
    assert set(identity(replace(MODEL))) == {"weights_fingerprint"}
    method_settings.save("a-method", {"weights": str(folder_of_weights(tmp_path / "own"))})
    assert identity(replace(MODEL))["revision"] == "not known: a folder of one's own"
